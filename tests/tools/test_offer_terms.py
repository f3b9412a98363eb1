from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.offer_content import catalogue, menus
from tools.errors import InputInvalid
from tools.offer_terms import terms_from
from tools.terms import MenuOption, Merchant


def _option(option_id: str) -> MenuOption:
    return next(option for menu in menus().menus.values() for option in menu.options if option.option_id == option_id)


def _merchants(*ids: str) -> list[Merchant]:
    return [merchant for merchant_id in ids if (merchant := catalogue().get(merchant_id))]


def test_dates_follow_from_the_send_date() -> None:
    terms = terms_from(
        _option("dining_points_table_gold"),
        _merchants("MERCH_OLIVE_504", "MERCH_STARBUCKS_801"),
        domain="Dining",
        card_type="gold",
        send_date=date(2026, 11, 22),
    )
    assert (terms.start_date, terms.end_date, terms.enroll_by) == (
        date(2026, 11, 22),
        date(2027, 1, 6),
        date(2026, 12, 13),
    )
    assert terms.eligible_card_types == ("gold",)
    facts = terms.facts()
    assert facts["merchants"] == ["Olive Garden", "Starbucks"]
    assert (facts["reward_value"], facts["minimum_spend"], facts["reward_cap"]) == (4.0, 50.0, 750.0)


def test_an_offer_without_enrollment_has_no_day_to_enroll_by() -> None:
    terms = terms_from(
        _option("dining_points_thanks_gold"),
        _merchants("MERCH_OLIVE_504", "MERCH_STARBUCKS_801"),
        domain="Dining",
        card_type="gold",
        send_date=date(2026, 1, 31),
    )
    assert terms.enroll_by is None
    assert "enroll_by" not in terms.facts()


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_window_is_as_long_as_the_option_says_on_any_day(day: date) -> None:
    option = _option("travel_points_far_platinum")
    terms = terms_from(
        option, _merchants("MERCH_AVIS_203", "MERCH_HYATT_103"), domain="Travel", card_type="platinum", send_date=day
    )
    assert terms.end_date - terms.start_date == timedelta(days=option.expiration_days)
    assert terms.enroll_by is not None
    assert terms.start_date < terms.enroll_by <= terms.end_date


@pytest.mark.parametrize(
    "ids",
    [
        (),
        ("MERCH_OLIVE_504",),
        ("MERCH_OLIVE_504", "MERCH_OLIVE_504"),
        ("MERCH_OLIVE_504", "MERCH_STARBUCKS_801", "MERCH_PFCHANG_502", "MERCH_RUTHS_402", "MERCH_MORTONS_403"),
    ],
)
def test_merchants_are_two_to_four_different_ones(ids: tuple[str, ...]) -> None:
    with pytest.raises(InputInvalid, match="2 to 4 different merchants"):
        terms_from(
            _option("dining_points_table_gold"),
            _merchants(*ids),
            domain="Dining",
            card_type="gold",
            send_date=date(2026, 11, 22),
        )


def test_a_merchant_that_does_not_sell_by_the_channel_is_refused() -> None:
    with pytest.raises(InputInvalid, match="sells online"):
        terms_from(
            _option("dining_cash_back_inside_gold"),
            _merchants("MERCH_OLIVE_504", "MERCH_AMAZON_1601"),
            domain="Dining",
            card_type="gold",
            send_date=date(2026, 11, 22),
        )
