import re
from pathlib import Path

import pytest

from tests.tools.offer_content import POLICIES, disclosures, long_named_terms
from tools.disclosures import When, load_disclosures
from tools.errors import PolicyInvalid
from tools.readability import grade
from tools.slots import renderings


def _text(terms: object) -> str:
    return disclosures().terms_text(terms, issuer="Example Bank", time_zone="America/New_York")  # type: ignore[arg-type]


def test_the_terms_say_every_value_of_the_offer() -> None:
    for case, terms in long_named_terms():
        text = _text(terms)
        words = renderings(terms)
        for slot in (
            "offer_value",
            "base_rate",
            "minimum_spend",
            "reward_cap",
            "start_date",
            "expiry_date",
            "enroll_by",
        ):
            if (value := words[slot]) is not None:
                assert value in text, (case.option.option_id, slot)
        for slot in ("fulfillment", "card_type"):
            assert str(words[slot]) in text
        assert all(merchant.merchant_name in text for merchant in terms.merchants)
        assert all(phrase in text for phrase in terms.exclusions)
        assert "New York time" in text
        assert text.startswith("Who: This offer is made by Example Bank")
        assert "unsubscribe" in text
        assert "Limit one offer per cardmember." in text
        assert not set("{}") & set(text)


def test_each_group_is_a_line_with_its_label() -> None:
    for _, terms in long_named_terms():
        labels = [line.partition(": ")[0] for line in _text(terms).split("\n")]
        assert labels[:4] == ["Who", "When", "Enrollment", "What you get"]
        assert labels[-1] == "How to stop"
        assert ("How much" in labels) == (terms.minimum_spend is not None or terms.reward_cap is not None)
        assert ("What does not count" in labels) == (bool(terms.exclusions) or terms.offer_type != "exclusive_access")
        assert len(set(labels)) == len(labels)


def test_a_condition_the_offer_lacks_is_not_mentioned() -> None:
    for _, terms in long_named_terms():
        text = _text(terms)
        assert ("You must enroll" in text) == terms.requires_enrollment
        assert ("You do not need to enroll" in text) == (not terms.requires_enrollment)
        assert ("or more" in text) == (terms.minimum_spend is not None)
        assert (" cap" in text or "applies to a total" in text) == (terms.reward_cap is not None)
        assert ("Only online purchases count." in text) == (terms.channel == "online_only")
        assert ("Only in-store purchases count" in text) == (terms.channel == "in_store_only")
        assert ("Blackout" in text) == (terms.domain == "Travel")


def test_every_number_comes_from_the_terms() -> None:
    for _, terms in long_named_terms():
        text = _text(terms)
        for value in sorted((v for v in renderings(terms).values() if v), key=len, reverse=True):
            text = text.replace(value, "")
        assert not re.search(r"\d", text), text


def test_the_terms_read_at_or_under_tenth_grade() -> None:
    for _, terms in long_named_terms():
        assert grade(_text(terms)) <= 10


def test_redemptions_are_said_when_they_are_limited() -> None:
    _, terms = long_named_terms()[0]
    text = disclosures().terms_text(
        terms.model_copy(update={"max_redemptions": 3}), issuer="Example Bank", time_zone="UTC"
    )
    assert "You can use this offer 3 times." in text
    assert "at the end of the day, UTC." in text


def test_every_condition_of_the_table_is_judged() -> None:
    _, terms = long_named_terms()[0]
    assert When().holds(terms)
    for field, wanted in {
        "offer_types": ("discount",),
        "domains": ("Retail",),
        "card_types": ("platinum",),
        "channels": ("online_only",),
        "cap_units": ("usd",),
        "requires_enrollment": False,
        "has_minimum": False,
        "has_cap": False,
        "has_exclusions": False,
        "has_fulfillment": False,
        "one_per_member": False,
        "has_max_redemptions": True,
    }.items():
        assert not When.model_validate({field: wanted}).holds(terms), field


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{issuer} for", "{issuers} for", "unknown slot {issuers}"),
        ("Limit one offer", "Limit 1 offer", "a digit or a brace"),
        ("id: sponsor", "id: issuer", "id 'issuer' is used twice"),
        ("label: When\n", "label: Who\n", "label 'Who' is used twice"),
        ("label: When\n", "label: 'When: now'\n", "label"),
        ("label: When\n", "label: When 2\n", "label"),
        ("has_minimum: true", "has_minimums: true", "has_minimums"),
    ],
)
def test_a_bad_sentence_is_refused_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = (POLICIES / "disclosures.yaml").read_text(encoding="utf-8")
    path = tmp_path / "disclosures.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=re.escape(words)) as caught:
        load_disclosures(path)
    assert caught.value.line > 7


def test_a_sentence_for_a_term_the_offer_lacks_is_refused(tmp_path: Path) -> None:
    text = (POLICIES / "disclosures.yaml").read_text(encoding="utf-8")
    path = tmp_path / "disclosures.yaml"
    path.write_text(text.replace("        when: {has_minimum: true}\n", "", 1), encoding="utf-8")
    loaded = load_disclosures(path)
    terms = next(terms for _, terms in long_named_terms() if terms.minimum_spend is None)
    with pytest.raises(PolicyInvalid, match=r"sentence 'minimum' uses \{minimum_spend\}"):
        loaded.terms_text(terms, issuer="Example Bank", time_zone="UTC")
