import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.claims.claim_case import CREDIT, DETECTORS, REWARD, quotes

ADDON = {**CREDIT, "offer_type": "add_on", "addon_name": "CreditWatch", "addon_price_usd_month": 9.99}
TRIAL = {**CREDIT, "minimum_spend": None, "negative_option": True, "addon_price_usd_month": 14.99}
CASHBACK = {
    **CREDIT,
    "offer_type": "cashback",
    "reward_value": 10,
    "reward_unit": "percent",
    "minimum_spend": 50,
    "reward_cap": 60,
    "reward_cap_unit": "usd",
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Lunch is on us.", ["on us"]),
        ("Enroll and spend $50, and lunch is on us.", []),
        ("Lunch is on us. Enroll and spend $50 at Olive Garden.", []),
        ("Lunch is on us. Come in. Enroll and spend $50 at Olive Garden.", ["on us"]),
        ("Enroll and spend $50 for a free* lunch.", ["free"]),
        ("A gift from us.", ["A gift"]),
        ("Feel free to come in; the bread is gluten-free.", []),
        ("Count on us. Shopping for gifts? Gift cards are excluded.", []),
        ("Earn 3X on US purchases.", []),
    ],
)
def test_what_is_free_states_its_conditions_beside_it(text: str, found: list[str]) -> None:
    assert quotes("free_conditioned", text) == found


def test_an_offer_without_conditions_states_its_last_day() -> None:
    changes = {"minimum_spend": None, "requires_enrollment": False}
    assert quotes("free_conditioned", "A free coffee through January 6, 2027.", **changes) == []
    assert quotes("free_conditioned", "A free coffee.", **changes) == ["free"]


@pytest.mark.parametrize(
    ("text", "offer", "found"),
    [
        ("Free $20 for you.", CREDIT, True),
        ("20,000 points, absolutely free.", CREDIT, True),
        ("Spend $100 and get a free $20 credit.", CREDIT, False),
        ("CreditWatch is a free extra.", ADDON, True),
        ("CreditWatch is free for a month, then $9.99 a month.", ADDON, False),
        ("Free standard shipping, provided by the merchant.", ADDON, False),
        ("CreditWatch is not free.", ADDON, False),
    ],
)
def test_nothing_is_free_that_the_member_pays_for(text: str, offer: dict[str, object], found: bool) -> None:
    assert bool(quotes("free_is_free", text, offer)) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("No fees, ever.", True),
        ("All at no cost to you.", True),
        ("It won't cost you a dime.", True),
        ("No fee to enroll.", False),
        ("Enrolling costs nothing.", False),
        ("No fees beyond your $250 annual fee.", False),
        ("No booking fee at Olive Garden.", False),
    ],
)
def test_no_cost_is_claimed_only_where_there_is_none(text: str, found: bool) -> None:
    assert bool(quotes("cost_claims_true", text)) is found
    assert quotes("cost_claims_true", text, annual_fee=0) == []


def test_a_fee_of_the_offer_counts_like_one_of_the_card() -> None:
    assert quotes("cost_claims_true", "Transfer with zero fees.", CREDIT, annual_fee=0, bt_fee_pct=3) != []


@pytest.mark.parametrize(
    ("text", "offer", "found"),
    [
        ("CreditWatch is optional and costs $9.99 a month.", ADDON, False),
        ("CreditWatch is optional.", ADDON, True),
        ("CreditWatch costs $9.99 a month.", ADDON, True),
        ("Your Card now comes with CreditWatch. It is optional and costs $9.99 a month.", ADDON, True),
        ("Activate CreditWatch to finish setting up your Card.", ADDON, True),
        ("Add identity theft protection today.", REWARD, True),
        ("No add-on product is required.", REWARD, False),
    ],
)
def test_an_addon_is_optional_and_has_a_price(text: str, offer: dict[str, object], found: bool) -> None:
    assert bool(quotes("addon_described", text, offer)) is found


@pytest.mark.parametrize(
    ("text", "offer", "found"),
    [
        ("After 30 days it renews at $14.99 a month until you cancel.", TRIAL, False),
        ("After 30 days it renews at $14.99 a month.", TRIAL, True),
        ("After 30 days it renews at $12.99 a month until you cancel.", TRIAL, True),
        ("Try it and love it.", TRIAL, True),
        ("Start a free trial of the club.", REWARD, True),
        ("No trial is started; this is for existing subscriptions.", REWARD, False),
        ("Try it and love it.", REWARD, False),
    ],
)
def test_a_trial_says_what_comes_after_it(text: str, offer: dict[str, object], found: bool) -> None:
    assert bool(quotes("trial_described", text, offer)) is found


def test_the_terms_of_a_trial_are_not_left_to_the_fine_print() -> None:
    text = {"body": "Try it.", "terms": "After 30 days it renews at $14.99 a month until you cancel."}
    assert quotes("trial_described", text, TRIAL) != []


@pytest.mark.parametrize(
    ("text", "offer", "found"),
    [
        ("10% back, up to $60 in total.", CASHBACK, []),
        ("Up to $60 back on $600 in purchases.", CASHBACK, []),
        ("Up to $60 back.", CASHBACK, ["$60"]),
        ("10% back, up to $90.", CASHBACK, ["$90"]),
        ("As much as sixty dollars back.", CASHBACK, ["sixty dollars"]),
        ("3X on up to $1,500 in purchases.", REWARD, []),
        ("Up to 10X points on $50.", REWARD, ["10X"]),
        ("3X points, up to 4,500 points.", REWARD, []),
        ("Up to 8 weeks. Up to you.", REWARD, []),
    ],
)
def test_up_to_is_the_real_maximum_with_what_it_takes(text: str, offer: dict[str, object], found: list[str]) -> None:
    assert quotes("maximum_qualified", text, offer) == found


@given(st.sampled_from(["Free People", "Zero Interest Records", "No Fees Cafe", "Trial Run Sports", "Gift Shop & Co"]))
def test_the_name_of_a_merchant_is_no_claim(name: str) -> None:
    said = {"body": f"Spend $100 at {name} and get a $20 credit.", "terms": "This offer is made by Example Bank."}
    for detector in DETECTORS:
        assert quotes(detector, said, {**CREDIT, "merchants": [name]}) == [], detector


@given(st.text(max_size=200), st.sampled_from(sorted(DETECTORS)))
def test_no_text_breaks_a_detector(text: str, detector: str) -> None:
    quotes(detector, {"body": text, "headline": text[:40], "terms": text[::-1]}, ADDON)
