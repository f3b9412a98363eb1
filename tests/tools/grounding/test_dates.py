from datetime import date

import pytest

from tests.tools.grounding.conftest import Find
from tools.grounding.date_roles import DateMention
from tools.grounding.dates import dates_of
from tools.grounding.timewords import add_months
from tools.grounding.tokens import tokens_of


def read(text: str) -> list[DateMention]:
    return dates_of(tokens_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "January 6, 2027",
        "Jan 6, 2027",
        "Jan. 6, 2027",
        "January 6th, 2027",
        "6 January 2027",
        "the 6th of January 2027",
        "the sixth of January, 2027",
        "January the sixth, 2027",
        "1/6/2027",
        "01/06/27",
        "2027-01-06",
        "1-6-2027",
        "1.6.2027",
        "Wednesday, January 6, 2027",
        "Wed., Jan 6 2027",
        "January 6, 2027 (Wednesday)",
    ],
)
def test_any_usual_form_is_the_same_day(text: str) -> None:
    (mention,) = read(text)
    assert (mention.year, mention.month, mention.day) == (2027, 1, 6)
    assert mention.weekday in (None, 2)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("ends January 6", [{"end"}]),
        ("earn through January 6", [{"end"}]),
        ("Enroll by January 6", [{"enroll"}]),
        ("Enroll, then spend $50 by January 6", [{"end"}]),
        ("by January 6", [{"end", "enroll"}]),
        ("starting January 6", [{"start"}]),
        ("November 23 to January 6", [{"start"}, {"end"}]),
        ("between November 23 and January 6", [{"start"}, {"end"}]),
        ("December 1-31, 2026", [{"start"}, {"end"}]),
        ("Enroll between November 23 and December 15", [{"start"}, {"enroll"}]),
        ("January 6", [set()]),
    ],
)
def test_words_around_a_date_bind_it(text: str, roles: list[set[str]]) -> None:
    assert [set(mention.roles) for mention in read(text)] == roles


@pytest.mark.parametrize(
    "text",
    ["You may enroll", "March in and enjoy", "Sat down for dinner", "18.99% APR", "$2,027", "2027 points", "1/2 off"],
)
def test_words_and_numbers_that_only_look_like_dates(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Earn 3X through January 6.", []),
        ("Earn 3X through Wednesday, January 6.", []),
        ("Earn 3X through Thursday, January 6.", ["Thursday, January 6"]),
        ("Earn 3X through January 7.", ["January 7"]),
        ("Earn 3X before January 7.", []),
        ("Earn 3X before January 8.", ["January 8"]),
        ("Enroll by December 15.", []),
        ("Enroll by January 6.", ["January 6"]),
        ("Spend $50 by December 15.", ["December 15"]),
        ("Starting November 23.", []),
        ("Starting December 1.", ["December 1"]),
        ("February 30, 2027", ["February"]),
        ("Ends in January.", []),
        ("Ends in February.", ["February"]),
        ("Good through January.", ["January"]),
        ("Good until early January.", []),
        ("All winter long.", []),
        ("Enjoy it this summer.", ["this summer"]),
        ("Valid in 2027.", []),
        ("Valid in 2028.", ["2028"]),
        ("Enroll today.", []),
        ("Ends today.", ["today"]),
        ("Ends this weekend.", ["this weekend"]),
        ("Until next month.", ["next month"]),
        ("Ends Friday.", ["Friday"]),
        ("You have 45 days.", []),
        ("You have 44 days left.", []),
        ("You have 30 days.", ["30 days"]),
        ("Enroll within 22 days.", []),
        ("Enroll within 45 days.", ["45 days"]),
        ("Offer ends at 11:59 p.m. ET on January 6.", []),
        ("Offer ends at 5 p.m. ET on January 6.", ["5 p.m"]),
    ],
)
def test_dates_are_held_against_the_offer(find: Find, text: str, quotes: list[str]) -> None:
    assert [evidence.quote for evidence in find("grounded_dates", text, "dining_points")] == quotes


def test_terms_name_the_year_of_each_day(find: Find) -> None:
    assert [e.quote for e in find("grounded_dates", {"terms": "Ends January 6."}, "dining_points")] == ["January 6"]
    assert find("grounded_dates", {"terms": "Ends January 6, 2027. After January 6 it's gone."}, "dining_points") == []


def test_a_date_that_is_over_when_sent_is_found(find: Find) -> None:
    found = find("grounded_dates", "You have 45 days.", "dining_points", send_date=date(2026, 12, 1))
    assert found == []
    assert [
        e.quote for e in find("grounded_dates", "Ends tomorrow.", "dining_points", send_date=date(2027, 1, 5))
    ] == []


def test_months_are_added_by_the_calendar() -> None:
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
