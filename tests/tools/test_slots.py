from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.offer_content import catalogue, long_named_terms, menus
from tools.braces import fill_text, literal_text
from tools.drafts import Copy
from tools.email.names import FALLBACK
from tools.offer_terms import terms_from
from tools.slots import (
    FALLBACK_NAME,
    SLOTS,
    FilledCopy,
    SlotFaults,
    fill,
    legal_slots,
    offer_value,
    renderings,
)
from tools.terms import OfferTerms


def _terms(option_id: str = "travel_points_far_gold", **changes: object) -> OfferTerms:
    option = next(o for menu in menus().menus.values() for o in menu.options if o.option_id == option_id)
    ids = ("MERCH_HYATT_103", "MERCH_AVIS_203", "MERCH_TIFFANY_1701")
    merchants = [merchant for merchant_id in ids if (merchant := catalogue().get(merchant_id))]
    terms = terms_from(option, merchants, domain="Travel", card_type="gold", send_date=date(2026, 11, 22))
    return terms.model_copy(update=changes)


def _copy(**fields: str) -> Copy:
    return Copy.model_validate({"subject": "s", "preheader": "p", "headline": "h", "body": "b", "cta": "c"} | fields)


def test_each_slot_is_rendered_from_its_term() -> None:
    assert renderings(_terms()) == {
        "offer_value": "4X points",
        "base_rate": "1X",
        "minimum_spend": "$150",
        "reward_cap": "6,000 bonus points",
        "merchants": "Hyatt Hotels, Avis and Tiffany & Co.",
        "domain": "Travel",
        "start_date": "November 22, 2026",
        "expiry_date": "January 21, 2027",
        "enroll_by": "December 22, 2026",
        "offer_days": "60 days",
        "fulfillment": "6 to 8 weeks",
        "card_type": "Gold",
    }
    assert renderings(_terms()).keys() == SLOTS - {"first_name"}


@pytest.mark.parametrize(
    ("option_id", "changes", "words"),
    [
        ("travel_credit_trip_gold", {}, "$75 statement credit"),
        ("travel_credit_trip_gold", {"reward_value": Decimal("1250.5")}, "$1,250.50 statement credit"),
        ("travel_cash_back_gold", {}, "8% cash back"),
        ("travel_cash_back_gold", {"reward_value": Decimal("2.50")}, "2.5% cash back"),
        ("travel_discount_online_gold", {"reward_value": Decimal("20")}, "20% discount"),
        ("travel_points_far_gold", {"reward_value": Decimal("10")}, "10X points"),
        ("travel_access_gold", {}, "early access to travel sales"),
    ],
)
def test_the_value_is_worded_per_offer_type(option_id: str, changes: dict[str, object], words: str) -> None:
    assert offer_value(_terms(option_id, **changes), "Travel") == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reward_cap": Decimal(50), "reward_cap_unit": "usd"}, "$50"),
        ({"reward_cap": Decimal(1500), "reward_cap_unit": "usd_spend"}, "$1,500 in purchases"),
        ({"reward_cap": Decimal(5000), "reward_cap_unit": "points"}, "5,000 bonus points"),
        ({"reward_cap": None, "reward_cap_unit": None}, None),
    ],
)
def test_the_cap_is_worded_per_unit(changes: dict[str, object], words: str | None) -> None:
    assert renderings(_terms(**changes))["reward_cap"] == words


@pytest.mark.parametrize(
    ("weeks", "words"), [((6, 8), "6 to 8 weeks"), ((2, 2), "2 weeks"), ((1, 1), "1 week"), ((0, 1), "0 to 1 week")]
)
def test_weeks_are_singular_and_plural(weeks: tuple[int, int], words: str) -> None:
    assert renderings(_terms(fulfillment_weeks=weeks))["fulfillment"] == words


@pytest.mark.parametrize("value", ["$8", "$80", "$11", "$18 credit", "8%", "$11,000", "Electronics", "early"])
def test_an_stands_before_a_vowel_sound(value: str) -> None:
    assert fill_text("Get a {x}. A {x}", {"x": value}) == f"Get an {value}. An {value}"


@pytest.mark.parametrize("value", ["$25", "$110", "$1,800", "10%", "Travel", "Gold", "$180"])
def test_a_stays_before_a_consonant(value: str) -> None:
    assert fill_text("Get a {x}", {"x": value}) == f"Get a {value}"


def test_a_name_that_ends_in_a_full_stop_ends_the_sentence() -> None:
    assert fill_text("Shop at {m}. Then rest.", {"m": "Tiffany & Co."}) == "Shop at Tiffany & Co. Then rest."
    assert fill_text("Shop at {m}, then rest.", {"m": "Tiffany & Co."}) == "Shop at Tiffany & Co., then rest."


def test_filled_copy_keeps_all_fields_and_says_which_slots_each_used() -> None:
    filled = fill(_copy(subject="Hi {first_name}: {offer_value}", body="By {expiry_date}"), _terms(), first_name="José")
    assert isinstance(filled, FilledCopy)
    assert filled.fields["subject"] == "Hi José: 4X points"
    assert filled.fields["body"] == "By January 21, 2027"
    assert filled.slots["subject"] == {"first_name", "offer_value"}
    assert filled.slots["cta"] == frozenset()


def test_without_a_name_the_fallback_greets() -> None:
    filled = fill(_copy(body="Hi {first_name}"), _terms())
    assert isinstance(filled, FilledCopy)
    assert filled.fields["body"] == "Hi Cardmember"
    assert FALLBACK_NAME == FALLBACK


@pytest.mark.parametrize(
    ("body", "quote", "reason"),
    [
        ("ends {when}", "{when}", "unknown slot"),
        ("{Offer_Value}", "{Offer_Value}", "unknown slot"),
        ("{ offer_value }", "{ offer_value }", "unknown slot"),
        ("{offer_value!r}", "{offer_value!r}", "unknown slot"),
        ("{offer_value.__class__}", "{offer_value.__class__}", "unknown slot"),
        ("{merchants[0]}", "{merchants[0]}", "unknown slot"),
        ("{}", "{}", "unknown slot"),
        ("{{offer_value}}", "{", "stray brace"),
        ("{offer_{domain}}", "{", "stray brace"),
        ("open {offer_value", "{", "stray brace"),
        ("close } it", "}", "stray brace"),
    ],
)
def test_anything_else_in_braces_is_a_fault_with_its_place(body: str, quote: str, reason: str) -> None:
    found = fill(_copy(body=body), _terms())
    assert isinstance(found, SlotFaults)
    first = found.faults[0]
    assert (first.field, first.quote) == ("body", quote)
    assert first.reason.startswith(reason)
    assert body[first.start : first.end] == quote


@pytest.mark.parametrize(
    ("option_id", "slot"),
    [
        ("travel_points_near_gold", "enroll_by"),
        ("travel_credit_trip_gold", "reward_cap"),
        ("travel_credit_trip_gold", "base_rate"),
        ("travel_access_gold", "minimum_spend"),
    ],
)
def test_a_slot_whose_term_is_absent_is_a_fault(option_id: str, slot: str) -> None:
    terms = _terms(option_id)
    assert slot not in legal_slots(terms)
    found = fill(_copy(headline=f"Now {{{slot}}}"), terms)
    assert isinstance(found, SlotFaults)
    assert found.faults[0].reason == f"this offer has no {slot}; drop the sentence"


@pytest.mark.parametrize("field", ["headline", "cta"])
def test_the_name_stays_out_of_headline_and_button(field: str) -> None:
    found = fill(_copy(**{field: "{first_name}"}), _terms())
    assert isinstance(found, SlotFaults)
    assert found.faults[0].field == field


def test_what_a_slot_brings_in_is_never_read_again() -> None:
    filled = fill(_copy(body="Hi {first_name}, {domain}"), _terms(), first_name="{minimum_spend} {0} %s")
    assert isinstance(filled, FilledCopy)
    assert filled.fields["body"] == "Hi {minimum_spend} {0} %s, Travel"


@given(st.text(alphabet=st.sampled_from("{}ab_%s$ .!offer_value0"), max_size=60))
def test_any_text_is_filled_or_faulted_and_never_raises(body: str) -> None:
    found = fill(_copy(body=body), _terms())
    if isinstance(found, FilledCopy):
        assert not set("{}") & set(found.fields["body"])
    else:
        assert found.faults
        assert all(body[fault.start : fault.end] == fault.quote for fault in found.faults)


def test_legal_slots_are_those_that_render_for_every_option() -> None:
    for case, terms in long_named_terms():
        rendered = {name for name, words in renderings(terms).items() if words is not None}
        assert legal_slots(case.option) == rendered | {"first_name"}


def test_literal_text_is_what_no_slot_fills() -> None:
    assert literal_text("a {x} b } {{y}") == "a   b } { "
