from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.tools.offer_content import blocks, cases
from tools.turns import in_turn, permuted, week_of

DAYS = st.dates(date(2026, 1, 1), date(2036, 1, 1))


@given(day=DAYS, later=st.integers(7, 30))
def test_days_a_cooldown_apart_are_in_different_weeks(day: date, later: int) -> None:
    assert week_of(day + timedelta(days=later)) > week_of(day)


@given(day=DAYS)
def test_a_week_begins_on_monday(day: date) -> None:
    monday = day - timedelta(days=day.weekday())
    assert {week_of(monday + timedelta(days=n)) for n in range(7)} == {week_of(day)}
    assert week_of(monday + timedelta(days=7)) == week_of(day) + 1


@given(count=st.integers(0, 20), cohort=st.text(max_size=20), week=st.integers(0, 200_000))
def test_the_order_holds_every_item_and_each_comes_first_before_one_does_again(
    count: int, cohort: str, week: int
) -> None:
    items = [str(number) for number in range(count)]
    order = in_turn(items, cohort, week, key=str)
    assert sorted(order) == sorted(items)
    assert len({in_turn(items, cohort, week + n, key=str)[0] for n in range(count)}) == count
    assert in_turn(items, cohort, 0, key=str) == permuted(items, cohort, key=str)


def test_two_offers_of_an_option_eight_weeks_running_differ_in_headline_body_and_opening() -> None:
    for case in cases():
        where = {"domain": case.domain, "strategy": case.strategy, "card_type": case.card_type}
        made = [blocks().fallback_copy(case.option, **where, cohort_hash="c", week=week)[1] for week in range(8)]
        assert len({ids["headline"] for ids in made}) == 8, case.option.option_id
        assert len({blocks().by_id[ids["body"]].turn_key for ids in made}) == 8, case.option.option_id


def test_a_fallback_takes_no_block_of_a_draft_that_failed() -> None:
    for case in list(cases())[::7]:
        where = {"domain": case.domain, "strategy": case.strategy, "card_type": case.card_type}
        _, failed = blocks().fallback_copy(case.option, **where, cohort_hash="c")
        _, other = blocks().fallback_copy(case.option, **where, cohort_hash="c", avoid=set(failed.values()))
        assert not set(failed.values()) & set(other.values())
