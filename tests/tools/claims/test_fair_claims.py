"""Detectors of fair marketing: urgency, worth, counting, posting time, eligibility, agreement, fine print."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.claims import claim_detectors
from tools.grounding import grounding_checks
from tools.policies.standard import SEND_DATE, standard_subject
from tools.subject import Subject

NAMES = {"Olive Garden": (), "Panera Bread": (), "Wolfgang Puck": ()}
REGIONS = {"Wolfgang Puck": frozenset({"US-SOUTH", "US-WEST"})}
DETECTORS = {
    detector.name: detector
    for detector in claim_detectors(grounding_checks(merchant_names=NAMES, issuer="Example Bank"), regions=REGIONS)
}
END = date(2027, 1, 6)


def subject(
    text: dict[str, str], *, sent: date = SEND_DATE, member: dict[str, object] | None = None, **offer: object
) -> Subject:
    standard = standard_subject()
    facts = {name: value for name, value in {**standard.offer, **offer}.items() if value is not None}
    return replace(
        standard,
        text={**standard.text, **text},
        offer=facts,
        send_date=sent,
        member={**standard.member, **(member or {})},
    )


def quotes(name: str, given_subject: Subject, **params: object) -> list[str]:
    return [evidence.quote for evidence in DETECTORS[name].run(given_subject, params)]


@given(days=st.integers(0, 60), said=st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_days_left_are_true_exactly_when_the_calendar_says_so(days: int, said: int) -> None:
    copy = subject({"body": f"Only {said} days left."}, sent=END - timedelta(days=days), enroll_by=None)
    true = said - 1 <= days <= said + 1
    assert bool(quotes("last_chance_true", copy)) is not true


@pytest.mark.parametrize(
    ("words", "days", "is_true"),
    [
        ("Last chance", 3, True),
        ("Last chance", 4, False),
        ("Final hours", 1, True),
        ("Final hours", 2, False),
        ("Ends tonight", 0, True),
        ("Ends tonight", 1, False),
        ("Ends tomorrow", 1, True),
        ("Ends tomorrow", 5, False),
        ("Ends Wednesday", 2, True),
        ("Ends Friday", 2, False),
        ("Today only", 0, True),
        ("Today only", 9, False),
    ],
)
def test_nearness_is_measured_against_the_last_day(words: str, days: int, is_true: bool) -> None:
    copy = subject({"body": f"{words}: 3X points."}, sent=END - timedelta(days=days), enroll_by=None)
    assert bool(quotes("last_chance_true", copy)) is not is_true


def test_pressure_needs_a_near_last_day_named_in_the_same_field() -> None:
    near = END - timedelta(days=10)
    named, unnamed = "Hurry, the offer ends January 6, 2027.", "Hurry, the points won't wait."
    assert quotes("urgency_true", subject({"body": named}, sent=near, enroll_by=None), days=14) == []
    assert quotes("urgency_true", subject({"body": unnamed}, sent=near, enroll_by=None), days=14) != []
    assert quotes("urgency_true", subject({"body": named}), days=14) == ["Hurry"]


def test_limited_time_needs_the_last_day_and_not_any_day() -> None:
    assert quotes("limited_time_dated", subject({"headline": "Limited-time: from November 23, 2026"})) == [
        "Limited-time"
    ]
    assert quotes("limited_time_dated", subject({"headline": "Limited-time: through January 6, 2027"})) == []


def test_only_a_note_that_limits_the_reward_bears_scarcity() -> None:
    text = {"body": "For the first 500 members who enroll."}
    assert quotes("scarcity_true", subject(text)) != []
    assert quotes("scarcity_true", subject(text, reward_note="limited to the first 500 enrollments")) == []


@given(points=st.integers(100, 99_999), cents=st.integers(-300, 300))
@settings(max_examples=60, deadline=None)
def test_points_are_worth_their_number_times_the_present_value_to_the_cent(points: int, cents: int) -> None:
    worth = points * Decimal("0.01") + Decimal(cents) / 100
    if worth < 1:
        return
    copy = subject({"body": f"{points:,} points are worth ${worth:,.2f} as a statement credit."})
    assert bool(quotes("point_value_true", copy)) is (abs(cents) > 1)


def test_without_a_value_on_file_no_worth_can_be_stated() -> None:
    copy = subject({"body": "1,000 points are worth $10."}, point_value_usd=None)
    assert quotes("point_value_true", copy) == ["$10"]


@pytest.mark.parametrize(
    "headline",
    ["3X points plus $45 back", "Earn 3X points and a $45 bonus", "3X points + 3% cash back", "Two rewards in one"],
)
def test_a_second_reward_beside_the_only_one_is_found(headline: str) -> None:
    assert quotes("one_reward_once", subject({"headline": headline})) != []


@pytest.mark.parametrize(
    "body",
    [
        "Spend $50 or more and earn 3X points.",
        "Earn 3X points, worth $45 at most when redeemed.",
        "Redeem points for cash back or a statement credit.",
        "No cash back, just 3X points.",
    ],
)
def test_a_condition_or_a_worth_is_no_second_reward(body: str) -> None:
    assert quotes("one_reward_once", subject({"body": body})) == []


def test_a_headline_may_promise_the_reward_and_a_true_extra_but_not_more() -> None:
    assert quotes("headline_not_larger", subject({"headline": "Earn 4X points"})) == ["4X"]
    assert quotes("headline_not_larger", subject({"body": "An extra 3X points on top of your usual 1X."})) == ["3X"]
    assert quotes("headline_not_larger", subject({"body": "An extra 2X points on top of your usual 1X."})) == []


@pytest.mark.parametrize("weeks", [[6, 8], [1, 2], None])
def test_a_reward_that_posts_later_is_not_instant(weeks: list[int] | None) -> None:
    assert quotes("posting_time_true", subject({"body": "Points land instantly."}, fulfillment_weeks=weeks)) == [
        "instantly"
    ]


def test_what_is_truly_quick_may_be_called_so() -> None:
    honest = "Enroll in seconds. You get an instant confirmation. Points don't post right away."
    assert quotes("posting_time_true", subject({"body": honest})) == []
    assert quotes("posting_time_true", subject({"body": "Points land instantly."}, fulfillment_weeks=[0, 0])) == []
    at_till = {"offer_type": "discount", "reward_unit": "percent", "reward_value": 10, "fulfillment_weeks": None}
    assert quotes("posting_time_true", subject({"body": "Take 10% off instantly."}, **at_till)) == []


def test_the_card_in_the_copy_is_the_members() -> None:
    text = {"body": "Pay with your Platinum Card."}
    assert quotes("card_named_is_eligible", subject(text)) == ["your Platinum Card"]
    assert quotes("card_named_is_eligible", subject(text, member={"card_type": "platinum"})) == []


def test_a_merchant_that_does_not_serve_the_members_region_is_found() -> None:
    merchants = ["Wolfgang Puck", "Olive Garden"]
    here = subject({}, merchants=merchants, member={"region": "US-WEST"})
    away = subject({}, merchants=merchants, member={"region": "US-MIDWEST"})
    assert quotes("region_is_served", here) == []
    assert quotes("region_is_served", away) == ["Wolfgang Puck"]
    everywhere = subject({"body": "Dine nationwide at Wolfgang Puck."}, merchants=merchants)
    assert quotes("region_is_served", everywhere) == ["nationwide"]


def test_a_place_near_the_reader_is_claimed_or_merely_looked_up() -> None:
    assert quotes("place_not_claimed", subject({"body": "Olive Garden is just around the corner."})) != []
    assert quotes("place_not_claimed", subject({"body": "Find an Olive Garden near you."})) == []
    assert quotes("place_not_claimed", subject({"body": "The holidays are just around the corner."})) == []


def test_a_condition_is_denied_neither_against_the_offer_nor_against_another_field() -> None:
    assert quotes("conditions_agree", subject({"headline": "3X points, no enrollment needed"})) == ["no enrollment"]
    assert quotes("conditions_agree", subject({"headline": "3X points, uncapped"})) == ["uncapped"]
    free = {"requires_enrollment": False, "enroll_by": None}
    plain = {"preheader": "Terms apply.", "body": "No enrollment needed.", "cta": "View offer", "terms": "Terms apply."}
    assert quotes("conditions_agree", subject(plain, **free)) == []
    assert quotes("conditions_agree", subject({**plain, "terms": "Enrollment required."}, **free)) == ["No enrollment"]


@pytest.mark.parametrize(
    "terms",
    [
        "The credit is the total across two stays of $250 each.",
        "Excludes restaurants and bars.",
        "New cardmembers only.",
        "Paid in four installments.",
        "The actual rate may be lower.",
    ],
)
def test_terms_that_take_back_the_headline_are_found(terms: str) -> None:
    assert quotes("headline_kept", subject({"headline": "Earn on dining", "terms": terms})) != []


@pytest.mark.parametrize(
    "terms",
    [
        "Gift cards and tips are excluded.",
        "Purchases made before you enroll don't count.",
        "Purchases at other restaurants are excluded.",
        "Dining means restaurants in the U.S.",
    ],
)
def test_terms_that_explain_the_headline_pass(terms: str) -> None:
    assert quotes("headline_kept", subject({"headline": "Earn on dining", "terms": terms})) == []
