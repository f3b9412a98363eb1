import re
from pathlib import Path

import pytest

from tests.tools.offer_content import POLICIES, blocks, cases, long_named_terms
from tools.braces import literal_text, slots_in
from tools.copy_approvals import FILE
from tools.copy_blocks import load_copy_blocks, text_sha
from tools.drafts import Copy
from tools.errors import PolicyInvalid
from tools.readability import grade
from tools.slots import FilledCopy, SlotFaults, fill
from tools.vocabulary import COPY_FIELDS, CopyField

LENGTHS = {"subject": (15, 70), "preheader": (30, 110), "headline": (1, 60), "body": (60, 900), "cta": (5, 25)}
LEAST = {"subject": 4, "preheader": 4, "headline": 8, "body": 8, "cta": 4}
BARRED_WORDS = (
    r"free|gift|complimentary|on us|bonus|instant\w*|immediate\w*|right away|automatic\w*|guarantee\w*|approved",
    r"unlimited|no limits?|everywhere|anywhere|every purchase|all (your )?purchases|whatever",
    r"no catch|no strings|risk[- ]free|selected",
    r"best|highest|lowest|unbeatable|number one|most rewarding|better than|up to|worth|value|equals?",
    r"hurry|last chance|final|act (now|fast)|limited|don't miss|only \w+ left|today|tonight|soon",
    r"urgent|action required",
    r"APR|interest|annual fee|no fees?|at no cost|debt|credit score|winner|refund|verify|subscription|membership|trial",
    r"we( have|'ve)? (noticed|seen|tracked)|you spent|your spending|you haven't|segment|persona|loyal\w*",
    r"one|two|three|once|twice|double|triple|half",
    r"senior|single|mom|dad|men|women|married|black|white|dear|mr|mrs",
)
SAID_TWICE: tuple[tuple[CopyField, CopyField, int], ...] = (
    ("subject", "headline", 3),
    ("subject", "preheader", 3),
    ("headline", "preheader", 3),
    ("headline", "body", 3),
    ("subject", "body", 4),
    ("preheader", "body", 4),
)
BARRED = re.compile(rf"\b({'|'.join(BARRED_WORDS)})\b", re.IGNORECASE)


def test_every_option_of_every_menu_has_enough_blocks_for_every_field() -> None:
    for case in cases():
        found = blocks().blocks_for(case.option, domain=case.domain, strategy=case.strategy, card_type=case.card_type)
        assert tuple(found) == COPY_FIELDS
        for field, least in LEAST.items():
            assert len(found[field]) >= least, (case.option.option_id, field)
        assert not blocks().gaps([case.option], domain=case.domain, strategy=case.strategy, card_type=case.card_type)


def test_every_block_fills_within_its_length_for_every_offer_it_may_speak_for() -> None:
    used = set()
    for case, terms in long_named_terms():
        found = blocks().blocks_for(case.option, domain=case.domain, strategy=case.strategy, card_type=case.card_type)
        for field, group in found.items():
            for block in group:
                used.add(block.id)
                text = Copy.model_validate(dict.fromkeys(COPY_FIELDS, "x") | {field: block.text})
                filled = fill(text, terms)
                assert isinstance(filled, FilledCopy), (block.id, filled)
                words = filled.fields[field]
                least, most = LENGTHS[field]
                assert least <= len(words) <= most, (block.id, words)
                assert not set("{}") & set(words)
                assert words[0].isupper(), (block.id, words)
                assert not re.search(r"\ba (?:8|\$8|11%|[AEIOaeio])|\s\s|\.\.|\s[.,]", words), (block.id, words)
    assert used == {block.id for block in blocks().blocks}


def test_a_body_says_every_condition_of_its_offer_and_no_other() -> None:
    for case in cases():
        option = case.option
        found = blocks().blocks_for(option, domain=case.domain, strategy=case.strategy, card_type=case.card_type)
        for block in found["body"]:
            slots = slots_in(block.text)
            assert {"offer_value", "merchants", "card_type", "expiry_date"} <= slots
            assert ("enroll_by" in slots) == option.requires_enrollment
            assert ("minimum_spend" in slots) == (option.minimum_spend is not None)
            assert ("reward_cap" in slots) == (option.reward_cap is not None)
            assert ("online purchases" in block.text) == (option.channel == "online_only")
            assert ("in-store purchases" in block.text) == (option.channel == "in_store_only")
            if not option.requires_enrollment:
                assert re.search(r"No enrollment is needed|not need to enroll", block.text)


def test_merchants_stay_out_of_the_short_fields() -> None:
    assert not [
        b.id
        for b in blocks().blocks
        if b.field in ("subject", "preheader", "headline", "cta") and "{merchants}" in b.text
    ]


def test_a_headline_or_subject_never_names_two_amounts() -> None:
    for block in blocks().blocks:
        if block.field in ("subject", "headline"):
            assert not slots_in(block.text) & {"minimum_spend", "reward_cap", "base_rate"}, block.id


def test_blocks_hold_no_digit_no_barred_word_and_no_shouting() -> None:
    for block in blocks().blocks:
        words = literal_text(block.text)
        assert not any(char.isdigit() for char in words), block.id
        assert not BARRED.search(words), (block.id, BARRED.search(words))
        assert "!" not in words
        assert not re.search(r"[*†<>&\[\]|]|https?:|\b[A-Z]{2,}\b", words), block.id


def test_blocks_read_at_or_under_eighth_grade() -> None:
    # A slot counts as one short word: what fills it is a name, a date or an amount.
    for block in blocks().blocks:
        if block.field == "body":
            plain = re.sub(r"\{\w+\}", "this", block.text)
            assert grade(plain) <= 8, (block.id, grade(plain))


def test_a_button_begins_with_an_allowed_verb() -> None:
    verbs = ("Enroll", "View offer", "See terms")
    assert all(block.text.startswith(verbs) for block in blocks().blocks if block.field == "cta")


def test_fallback_copy_is_the_same_for_the_same_cohort_and_varies_over_cohorts() -> None:
    for case, terms in long_named_terms():
        where = {"domain": case.domain, "strategy": case.strategy, "card_type": case.card_type}
        copy, ids = blocks().fallback_copy(case.option, **where, cohort_hash="cohort")
        assert (copy, ids) == blocks().fallback_copy(case.option, **where, cohort_hash="cohort")
        assert not isinstance(fill(copy, terms), SlotFaults)
        for field, text in copy.fields().items():
            block = blocks().get(ids[field])
            assert block is not None
            assert (block.field, block.text) == (field, text)
        heads = {blocks().fallback_copy(case.option, **where, cohort_hash=str(n))[1]["headline"] for n in range(40)}
        assert len(heads) >= 3


def test_no_subject_is_repeated_by_its_preheader_or_headline() -> None:
    for case, _ in long_named_terms():
        found = blocks().blocks_for(case.option, domain=case.domain, strategy=case.strategy, card_type=case.card_type)
        subjects = {block.text for block in found["subject"]}
        assert not subjects & {block.text for block in found["preheader"]}


def test_no_two_fields_of_an_offer_say_the_same_phrase() -> None:
    """Phrases of four words, of three in what is read first; what a slot says may be said again."""
    seen: set[tuple[str, ...]] = set()
    for case in cases():
        found = blocks().blocks_for(case.option, domain=case.domain, strategy=case.strategy, card_type=case.card_type)
        key = tuple(block.id for group in found.values() for block in group)
        if key in seen:
            continue
        seen.add(key)
        for first, second, length in SAID_TWICE:
            said = {words: block.id for block in found[first] for words in phrases(block.text, length)}
            again = {words: block.id for block in found[second] for words in phrases(block.text, length)}
            shared = said.keys() & again.keys()
            assert not shared, [(words, said[words], again[words]) for words in shared]


def phrases(text: str, length: int) -> set[tuple[str, ...]]:
    """Return the runs of so many words that no slot and no stop breaks."""
    runs = [re.findall(r"[a-z'-]+", run.lower()) for run in re.split(r"\{\w+\}|[.?!:]", text)]
    return {tuple(words[at : at + length]) for words in runs for at in range(len(words) - length + 1)}


def test_no_text_stands_twice_where_both_may_be_chosen() -> None:
    for case in cases():
        found = blocks().blocks_for(case.option, domain=case.domain, strategy=case.strategy, card_type=case.card_type)
        for group in found.values():
            assert len({block.text for block in group}) == len(group), case.option.option_id


def test_headlines_and_bodies_are_written_for_one_domain() -> None:
    """So that offers of two domains never have the same."""
    assert not [b.id for b in blocks().blocks if b.field in ("headline", "body") and len(b.scope.domains) != 1]


def test_a_text_is_approved_as_its_field() -> None:
    assert text_sha("cta", "View offer") != text_sha("headline", "View offer")
    assert text_sha("cta", "View offer") == "6058de1e6001f35e4d9f855e2f5bbc6dc4d7264564cd3a908ffe2262a55978d7"


def _folder(tmp_path: Path, old: str, new: str, *, resign: bool = False) -> Path:
    text = (POLICIES / "copy" / "any_offer.yaml").read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    records = (POLICIES / "copy" / FILE).read_text(encoding="utf-8")
    if resign:
        block = next(b for b in blocks().blocks if old in b.text)
        signed = text_sha(block.field, block.text.replace(old, new, 1), block.scope)
        records = records.replace(block.text_sha, signed)
    (tmp_path / "any_offer.yaml").write_text(changed, encoding="utf-8")
    (tmp_path / FILE).write_text(records, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Enroll in this offer", "Enroll in this great offer"),
        ("Enroll in this offer", "enroll in this offer"),
        ("scope: {enrollment: [required]}\n  text: >-\n    Enroll in this offer", "text: Enroll in this offer"),
    ],
    ids=["words", "one letter", "scope"],
)
def test_a_changed_text_or_scope_is_refused_and_the_remedy_named(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        load_copy_blocks(_folder(tmp_path, old, new))
    assert caught.value.path.name == "any_offer.yaml"
    assert caught.value.line > 1
    assert "nobody approved this text and scope" in caught.value.reason
    assert re.search(r"`offers copy approve any_cta_enroll_\d --by NAME`", caught.value.reason)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Enroll in this offer", "Enroll in {this} offer", "unknown slot {this}"),
        ("Enroll in this offer", "Enroll in 1 offer", "a digit or a brace"),
        ("Enroll in this offer", "Enroll in this offer }", "a digit or a brace"),
        ("Enroll in this offer", "Enroll {first_name}", "is only used in"),
    ],
)
def test_a_signed_text_must_still_be_a_template(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(PolicyInvalid, match=re.escape(words)):
        load_copy_blocks(_folder(tmp_path, old, new, resign=True))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("id: any_cta_enroll_2", "id: any_cta_enroll_1", "exists already"),
        ("enrollment: [required]", "enrollment: [sometimes]", "scope.enrollment"),
        ("field: subject", "field: subjects", "field"),
        ("field: subject", "approval: {}\n  field: subject", "approval"),
    ],
)
def test_a_bad_block_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(PolicyInvalid, match=words):
        load_copy_blocks(_folder(tmp_path, old, new))


def test_a_folder_without_blocks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="no approved copy blocks"):
        load_copy_blocks(tmp_path)
