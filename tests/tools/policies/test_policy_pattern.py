from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.policies.written import clause, gate_of
from tools.policies.pattern import WrittenText, compile_pattern, reads_by_line, sentence_around
from tools.policies.regex import compile_regex
from tools.policies.standard import standard_subject
from tools.report import Evidence
from tools.subject import MessageFacts, Subject


def subject_with(**text: str) -> Subject:
    standard = standard_subject()
    return replace(standard, text={**standard.text, **text})


def found(folder: Path, subject: Subject, **fields: Any) -> tuple[Evidence, ...]:
    (result,) = gate_of(folder, clause("pattern", **fields)).check(subject).results
    return result.evidence


def test_a_match_is_quoted_from_the_text_as_written(tmp_path: Path) -> None:
    body = "Really un\u200bl\u0456mit\u0435d points"
    (evidence,) = found(tmp_path, subject_with(body=body))
    assert (evidence.field, evidence.quote) == ("body", "un\u200bl\u0456mit\u0435d")
    assert body[evidence.start : evidence.end] == evidence.quote


def test_every_match_in_every_copy_field_is_found(tmp_path: Path) -> None:
    subject = subject_with(subject="Unlimited", body="UNLIMITED and unlimited", terms="unlimited")
    assert [item.field for item in found(tmp_path, subject)] == ["subject", "body", "body"]
    assert [item.field for item in found(tmp_path, subject, fields=["terms"], stage="copy")] == ["terms"]


def test_merchant_names_are_no_claims(tmp_path: Path) -> None:
    rule = clause("pattern", forbid=[r"\bbest\b"])
    subject = subject_with(body="Points at Best Buy")
    assert gate_of(tmp_path, rule).check(subject).verdict == "violate"
    assert gate_of(tmp_path, rule, merchant_names=("Best Buy",)).check(subject).verdict == "pass"
    own = replace(subject, offer={**subject.offer, "merchants": ["Best Buy"]})
    assert gate_of(tmp_path, rule).check(own).verdict == "pass"
    assert gate_of(tmp_path, rule).check(replace(own, text={**own.text, "body": "The best buy"})).verdict == "violate"


def test_unless_excuses_a_match_in_its_own_sentence_only(tmp_path: Path) -> None:
    fields = {"forbid": ["limited time"], "unless": [r"ends \w+ \d+"]}
    assert not found(tmp_path, subject_with(body="A limited time offer, ends May 3. Enroll."), **fields)
    assert found(tmp_path, subject_with(body="A limited time offer. It ends May 3."), **fields)
    assert found(tmp_path, subject_with(body="Ends May 3\nA limited time offer"), **fields)


@pytest.mark.parametrize(
    ("within", "body", "terms", "excused"),
    [
        ("sentence", "A limited time offer. It ends May 3.", "", False),
        ("next", "A limited time offer. It ends May 3.", "", True),
        ("next", "It ends May 3. A limited time offer. Enroll.", "", True),
        ("next", "A limited time offer. Enroll now. It ends May 3.", "", False),
        ("field", "A limited time offer. Enroll now. It ends May 3.", "", True),
        ("field", "A limited time offer.", "It ends May 3.", False),
        ("any", "A limited time offer.", "It ends May 3.", True),
    ],
)
def test_within_says_how_far_an_excuse_may_stand(
    tmp_path: Path, within: str, body: str, terms: str, excused: bool
) -> None:
    fields = {"forbid": ["limited time"], "unless": [r"ends \w+ \d+"], "within": within}
    assert bool(found(tmp_path, subject_with(body=body, terms=terms), **fields)) is not excused


@pytest.mark.parametrize(
    ("phrase", "text", "is_said"),
    [
        ("sole discretion", "at our sole  discretion", True),
        ("sole discretion", "at our sole-discretion", True),
        ("sole discretion", "solely at discretion", False),
        ("guarante*", "It is guaranteed.", True),
        ("sure thing", "ensure things", False),
        ("24/7", "open 24/7 for you", True),
        ("#1", "the #1 card", True),
        ("a.b", "a-b", False),
    ],
)
def test_a_phrase_is_found_as_whole_words(tmp_path: Path, phrase: str, text: str, is_said: bool) -> None:
    assert bool(found(tmp_path, subject_with(body=text), forbid=[], phrases=[phrase])) is is_said


def test_what_is_required_must_stand_in_one_of_the_fields(tmp_path: Path) -> None:
    fields = {"forbid": [], "require": ["terms apply", "enroll"]}
    assert not found(tmp_path, subject_with(), **fields)
    assert found(tmp_path, subject_with(), forbid=[], require=["terms apply"], fields=["cta"]) == (
        Evidence(field="cta"),
    )
    # A match can't be pieced together from two fields.
    assert found(tmp_path, subject_with(subject="made in", preheader="heaven"), forbid=[], require=[r"made in\sheaven"])


def test_a_name_is_not_found_across_two_fields() -> None:
    written = WrittenText({"subject": "Best", "preheader": "Buy it"}, [("Best\nBuy",), ("Best Buy",)])
    assert [written.masked(field) for field in ("subject", "preheader")] == ["Best", "Buy it"]


def test_a_match_cannot_be_pieced_together_from_two_fields(tmp_path: Path) -> None:
    assert not found(tmp_path, subject_with(subject="There are no", preheader="limits"), forbid=[r"no\s+limits"])


@pytest.mark.parametrize("pattern", [r"\ARe:", r"end\z", "(?m)^Re:", r"\Q^\E", r"(?s:a.)b", r"(?i)ab"])
def test_patterns_that_ask_for_a_whole_field_are_seen(pattern: str) -> None:
    assert not reads_by_line(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?i:a)b",
        r"(?-i:a)b",
        r"\bfree\b",
        r"\$\d+",
        r"[^a]b",
        r"(?:a|b)",
        r"(?P<x>a)",
        r"\\A",
        r"\^",
        "^Re:",
        r"x\\$",
        r"[a]$",
    ],
)
def test_other_patterns_are_read_joined(pattern: str) -> None:
    assert reads_by_line(pattern)


def test_anchors_hold_for_each_field(tmp_path: Path) -> None:
    assert [item.field for item in found(tmp_path, subject_with(cta="Re: you"), forbid=["^re:"])] == ["cta"]
    assert not found(tmp_path, subject_with(body="Hello\nRe: you"), forbid=["^re:"])
    assert [item.field for item in found(tmp_path, subject_with(headline="The end"), forbid=["end$"])] == ["headline"]


WORDS = st.lists(st.sampled_from(["free", "no", "limits", "\n", ".", "3X", "é", "\u200b", "а"]), max_size=6).map(
    " ".join
)


@given(
    st.lists(WORDS, min_size=2, max_size=4),
    st.sampled_from(
        [r"free", r"no\s+limits", r"\Bx\b", r"[^a-z]3x", r"e\W+no", r"^no", r"limits$", r"^free$", r"(?:^|\.\s)no"]
    ),
)
def test_reading_fields_joined_misses_nothing(texts: list[str], pattern: str) -> None:
    fields = tuple(f"field{index}" for index in range(len(texts)))
    written = WrittenText(dict(zip(fields, texts, strict=True)), ())
    test = compile_pattern(fields, forbid=[pattern], require=[], unless=[])
    one_by_one = compile_pattern(fields, forbid=[pattern, r"\Azzzz"], require=[], unless=[])
    assert (test.by_line, one_by_one.by_line) == (True, False)
    assert test.run(written) == one_by_one.run(written)


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ("One. Two now! Three?", "now", "Two now"),
        ("Spend $1.50 now. Next.", "now", "Spend $1.50 now"),
        ("First\nsecond now\nthird", "now", "second now"),
        ("now", "now", "now"),
        ('He said "stop." Go now.', "now", "Go now."),
    ],
)
def test_sentences_end_at_stops_and_lines(text: str, word: str, sentence: str) -> None:
    at = text.index(word)
    assert sentence_around(text, at, at + len(word)) == sentence


def test_hostile_text_takes_no_more_than_linear_time(tmp_path: Path) -> None:
    # A backtracking engine would not finish this in the age of the universe.
    assert found(tmp_path, subject_with(body="a" * 50_000), forbid=["(a+)+$b|(a|aa)+c"]) == ()


def test_parentheses_cost_a_text_nothing() -> None:
    assert compile_regex("(" * 500 + "a" + ")" * 500).groups == 0


def test_a_rule_of_the_email_is_not_answered_from_the_copy_because_a_rule_of_copy_says_the_same(tmp_path: Path) -> None:
    of_copy = clause("pattern")
    of_email = clause("pattern", id="of_email", stage="message", fields=["message_text"])
    built = MessageFacts(
        html="",
        text="Unlimited points",
        headers={},
        unsubscribe_url="",
        postal_address="",
        issuer="",
        allowed_hosts=frozenset(),
    )
    subject = replace(standard_subject(), message=built)
    (result,) = gate_of(tmp_path, of_copy, of_email).check(subject, stages=("message",)).results
    assert (result.clause_id, result.result, result.evidence[0].quote) == ("of_email", "violate", "Unlimited")
