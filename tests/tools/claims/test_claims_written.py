"""A draft read once for all detectors of claims finds exactly what each field, and each sentence, holds by itself."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.claims.written import Written, any_of, signed, written
from tools.folding import MASK
from tools.grounding import grounding_checks
from tools.snapshot import Memory, snapshot
from tools.subject import Subject

CHECKS = grounding_checks(merchant_names={"Best Buy": (), "Delta": ()}, issuer="Example Bank")
WORDS = st.sampled_from(["free", "No fees", "at Best Buy", "limits!", "\n", ". ", "3X", "caf\u00e9", "\u200b", "now?"])
FIELDS = st.sampled_from(["subject", "headline", "body", "terms"])
TEXTS = st.dictionaries(FIELDS, st.lists(WORDS, min_size=1, max_size=7).map(" ".join), min_size=1)
PATTERNS = st.sampled_from(
    [
        r"free",
        r"no\s+fees",
        r"^no",
        r"limits!$",
        r"(?:^|[.!?]\s+)now",
        r"\bat\b",
        r"[^a-z]3x",
        r"\w+\s+limits",
        r"f\w*$",
    ]
).map(any_of)


def draft_of(text: dict[str, str]) -> Subject:
    return Subject(text=text, offer={"merchants": ["Best Buy"]}, send_date=date(2026, 11, 2))


@given(TEXTS, PATTERNS)
def test_looking_through_all_fields_first_misses_nothing(text: dict[str, str], pattern: object) -> None:
    for draft in (written(CHECKS, draft_of(text)), signed(CHECKS, draft_of(text))):
        for each in (draft, draft.only("body", "terms")):
            assert each.find(pattern) == in_fields(each, pattern)
            assert [(passage, *sentence.span(match)) for passage, sentence, match in each.say(pattern)] == in_sentences(
                each, pattern
            )


def in_fields(draft: Written, pattern: object) -> tuple[tuple[object, int, int], ...]:
    return tuple((each, *found.span()) for each in draft.passages for found in pattern.finditer(each.text))  # type: ignore[attr-defined]


def in_sentences(draft: Written, pattern: object) -> list[tuple[object, int, int]]:
    return [
        (passage, found.start() + sentence.start, found.end() + sentence.start)
        for passage in draft.passages
        for sentence in passage.sentences
        for found in pattern.finditer(sentence.text)  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize(("reads", "sign"), [(written, "_"), (signed, MASK)])
def test_a_name_is_masked_as_a_word_or_as_a_sign(reads: object, sign: str) -> None:
    draft = reads(CHECKS, draft_of({"body": "Free at Best Buy. No fees!"}))  # type: ignore[operator]
    assert draft.text == f"Free at {sign * 8}. No fees!"
    assert [sentence.text for _, sentence in draft.sentences()] == [f"Free at {sign * 8}.", "No fees!"]


def test_a_draft_is_read_once_for_all_detectors() -> None:
    draft = snapshot(draft_of({"body": "Free at Best Buy."}))
    assert written(CHECKS, draft) is written(CHECKS, draft)
    assert signed(CHECKS, draft) is signed(CHECKS, draft)
    assert CHECKS.readings(draft) is CHECKS.readings(draft)


def test_terms_met_before_are_read_once_for_all_drafts_of_their_offer() -> None:
    memory, terms = Memory(), {"terms": "Free at Best Buy. No fees!"}
    one, other, changed = (
        snapshot(draft, memory)
        for draft in (draft_of({"body": "Limits!", **terms}), draft_of(terms), draft_of({"terms": "Free."}))
    )
    free = any_of(r"free")
    (found,) = written(CHECKS, one).find(free)
    (again,) = written(CHECKS, other).find(free)
    (apart,) = written(CHECKS, changed).find(free)
    assert found[0] is again[0] is not apart[0]
    assert found[0].reading is dict(CHECKS.readings(other))["terms"]
