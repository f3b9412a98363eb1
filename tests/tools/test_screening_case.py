"""What screening counts: certain offers, places still open, and which of the warehouse's numbers still hold."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.members import PROFILE
from tools.cardmembers import Cardmember
from tools.screening import screen
from tools.screening_case import Case, Limits, Usage
from tools.signals import read_signals
from tools.terms import Menu, MenuOption

TODAY = date(2026, 11, 22)
LIMITS = Limits(
    min_confidence=0.7,
    max_offers_per_month=3,
    category_cooldown_days=7,
    decline_cooldown_days=30,
    max_high_value_per_quarter=1,
    high_value_usd=50,
    max_multipliers_per_month=3,
    max_credits_per_year_usd=100,
    min_average_monthly_spend_usd=500,
    min_account_age_days=90,
)


def option(option_id: str, **changes: Any) -> MenuOption:
    fields: dict[str, Any] = {
        "option_id": option_id,
        "offer_type": "statement_credit",
        "reward_value": Decimal(25),
        "reward_unit": "usd",
        "expiration_days": 30,
        "requires_enrollment": True,
        "expected_cost_usd": Decimal(60),
    }
    return MenuOption(**fields | changes)


MENU = Menu(
    domain="Travel",
    card_type="gold",
    options=(
        option("a"),
        option("b", reward_value=Decimal(40)),
        option("c", offer_type="points_multiplier", reward_unit="X_points", reward_value=Decimal(3)),
    ),
)


def case(usage: Usage, *, limits: Limits = LIMITS, **member: Any) -> Case:
    row = Cardmember(**{"user_id": "USER_1", **PROFILE, "card_type": "gold", **member})
    return Case(
        member=row, signals=read_signals(row, TODAY), usage=usage, limits=limits, domain="Travel", confidence=0.9,
        menu=MENU, candidates=4, account_standing_attested=True, today=TODAY,
    )  # fmt: skip


def reasons(usage: Usage, **options: Any) -> list[str]:
    return [reason for reason, _ in screen(case(usage, **options))]


def test_a_member_within_every_limit_is_not_held() -> None:
    assert reasons(Usage(issued_this_month=1, pending=1)) == []


@pytest.mark.parametrize(
    ("used", "current", "expected"), [(3, True, ["monthly_cap"]), (3, False, []), (2, True, []), (0, True, [])]
)
def test_the_warehouses_count_of_an_earlier_month_is_not_this_months(
    used: int, current: bool, expected: list[str]
) -> None:
    assert reasons(Usage(snapshot_is_current=current), offers_sent_this_month=used) == expected


def test_what_the_ledger_counted_this_month_stays_whatever_the_snapshot() -> None:
    assert reasons(Usage(snapshot_is_current=False, issued_this_month=3), offers_sent_this_month=0) == ["monthly_cap"]


def test_an_open_place_of_any_domain_may_become_a_multiplier() -> None:
    limits = replace(LIMITS, max_offers_per_month=9)
    assert reasons(Usage(multipliers_this_month=1, pending=1), limits=limits) == []
    assert reasons(Usage(multipliers_this_month=1, pending=2), limits=limits) == ["multiplier_cap"]


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        (Usage(), "high_value_quarter_cap"),
        (Usage(high_value_this_quarter=-1, credits_this_year_usd=30), "annual_credit_cap"),
    ],
)
def test_an_open_place_of_the_domain_counts_even_where_no_cooldown_does(usage: Usage, reason: str) -> None:
    limits = replace(LIMITS, category_cooldown_days=0)
    assert reason not in reasons(usage, limits=limits)
    assert reasons(replace(usage, pending=1, pending_in_domain=1), limits=limits) == [reason]
    assert reasons(replace(usage, pending=1), limits=limits) == []


def test_the_gates_facts_count_open_places_as_screening_does() -> None:
    facts = case(
        Usage(pending=2, pending_in_domain=1, multipliers_this_month=1, credits_this_year_usd=5),
        offers_sent_this_month=0,
    ).facts()
    counted = ("offers_this_month", "active_multiplier_offers", "high_value_offers_quarter", "credits_this_year_usd")
    assert [facts[name] for name in counted] == [2, 3, 1, 45.0]
    assert facts["days_since_category_offer"] == 0


def test_what_is_certain_leaves_open_places_out() -> None:
    usage = Usage(issued_this_month=1, pending=2, pending_in_domain=1, suppressed=True)
    assert usage.without_pending() == Usage(issued_this_month=1, suppressed=True)
