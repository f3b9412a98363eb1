from decimal import Decimal

import pytest

from tools.folding import fold
from tools.grounding.dates import dates_of
from tools.grounding.quantities import quantities_of
from tools.grounding.roles import roles_of
from tools.grounding.tokens import tokens_of


def read(text: str) -> list[tuple[str, str, Decimal, str]]:
    folded = fold(text).text
    tokens = tokens_of(folded)
    taken = {at for mention in dates_of(tokens) for at in range(mention.first, mention.last)}
    return [
        (folded[quantity.start : quantity.end], quantity.unit, quantity.value.normalize(), quantity.edge)
        for quantity in quantities_of(tokens, taken)
    ]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("$25", "money", "25"),
        ("$ 25", "money", "25"),
        ("US$25", "money", "25"),
        ("USD 25", "money", "25"),
        ("25 USD", "money", "25"),
        ("25 dollars", "money", "25"),
        ("25-dollar", "money", "25"),
        ("25 bucks", "money", "25"),
        ("25¢", "money", "0.25"),
        ("50 cents", "money", "0.5"),
        ("$1,500.50", "money", "1500.5"),
        ("$1.5K", "money", "1500"),
        ("$2 million", "money", "2000000"),
        ("twenty-five dollars", "money", "25"),
        ("a hundred and fifty dollars", "money", "150"),
        ("one hundred fifty bucks", "money", "150"),
        ("€25", "foreign", "25"),
        ("15%", "percent", "15"),
        ("15 %", "percent", "15"),
        ("fifteen percent", "percent", "15"),
        ("18.99 per cent", "percent", "18.99"),
        ("half", "percent", "50"),
        ("two-thirds of", "percent", "66.66666666666666666666666667"),
        ("a quarter off", "percent", "25"),
        ("3X", "multiplier", "3"),
        ("3x points", "multiplier", "3"),
        ("3 X points", "multiplier", "3"),
        ("3×", "multiplier", "3"),
        ("three times the points", "multiplier", "3"),
        ("fivefold", "multiplier", "5"),
        ("3-fold", "multiplier", "3"),
        ("double", "multiplier", "2"),
        ("tripling", "multiplier", "3"),
        ("twice your points", "multiplier", "2"),
        ("twice", "count", "2"),
        ("3 points per dollar", "multiplier", "3"),
        ("three points a dollar", "multiplier", "3"),
        ("3 pts/$1", "multiplier", "3"),
        ("3 points for every $2", "multiplier", "1.5"),
        ("1.5 points on every eligible dollar", "multiplier", "1.5"),
        ("12K", "count", "12000"),
        ("1.5k points", "points", "1500"),
        ("twelve thousand points", "points", "12000"),
        ("20,000 bonus points", "points", "20000"),
        ("two and a half thousand", "count", "2500"),
        ("half a million points", "points", "500000"),
        ("45 days", "days", "45"),
        ("45-day", "days", "45"),
        ("six weeks", "days", "42"),
        ("8 business days", "days", "8"),
        ("a dozen", "count", "12"),
        ("three months", "months", "3"),
        ("2 years", "months", "24"),
        ("36 hours", "hours", "36"),
        ("11:59 p.m", "clock", "1439"),
        ("5 PM", "clock", "1020"),
        ("7", "count", "7"),
        ("4th", "count", "4"),
        ("thousands", "count", "1000"),
        ("٣", "count", "3"),
        ("３", "count", "3"),
        ("zero", "count", "0"),
    ],
)
def test_every_form_of_a_number_has_its_unit_and_value(text: str, unit: str, value: str) -> None:
    found = read(text)
    assert (found[0][1], found[0][2]) == (unit, Decimal(value).normalize())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6-8 weeks", [("days", 42, "low"), ("days", 56, "high")]),
        ("six to eight weeks", [("days", 42, "low"), ("days", 56, "high")]),
        ("between 6 and 8 weeks", [("days", 42, "low"), ("days", 56, "high")]),
        ("2X–4X points", [("multiplier", 2, "low"), ("multiplier", 4, "high")]),
        ("$25 to 50", [("money", 25, "low"), ("money", 50, "high")]),
        ("from one point to three points per dollar", [("multiplier", 1, "low"), ("multiplier", 3, "high")]),
        ("$25 x 4", [("money", 25, ""), ("count", 4, "")]),
        ("for every $1 you spend, earn 3 points", [("money", 1, ""), ("multiplier", 3, "")]),
        ("3 points per dollar, up to 4,500 points", [("multiplier", 3, ""), ("points", 4500, "")]),
        ("1.2.3", [("count", 1.2, ""), ("count", 3, "")]),
        ("13/45/2027", [("count", -1, "")]),
        ("open 24/7, B2B, dinner for two", []),
        ("first half of the show, half an hour", []),
    ],
)
def test_ranges_and_sequences(text: str, expected: list[tuple[str, float, str]]) -> None:
    assert [(unit, float(value), edge) for _, unit, value, edge in read(text)] == expected


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("Spend $50", [{"minimum_spend", "spend_for_cap", "spend_total"}]),
        ("$50 or more", [{"minimum_spend", "spend_for_cap"}]),
        ("up to $1,500 in purchases", [{"spend_cap"}]),
        ("Get $25 back", [{"reward"}]),
        ("Get up to $100 back", [{"reward_cap", "reward_total"}]),
        ("$25 back on $100", [{"reward"}, {"minimum_spend", "spend_for_cap", "spend_cap"}]),
        ("You normally earn 1X", [{"base"}]),
        ("earn 3X instead of 1X", [{"reward"}, {"base"}]),
        ("at 18.99% APR", [{"apr"}]),
        ("a $95 annual fee", [{"fee"}]),
        ("points post in 8 weeks", [{"fulfillment"}]),
        ("enroll within 14 days", [{"enroll"}]),
        ("valid for 45 days", [{"validity"}]),
        ("up to four times", [{"redemptions"}]),
        ("our three partners", [{"merchants"}]),
        ("worth $200", [{"worth", "point_value"}]),
        ("2 extra points per dollar", [{"extra"}]),
        ("$25", [set()]),
    ],
)
def test_words_around_a_number_bind_it_to_a_role(text: str, roles: list[set[str]]) -> None:
    tokens = tokens_of(text)
    quantities = quantities_of(tokens, ())
    assert [set(roles_of(tokens, quantities, at)) for at in range(len(quantities))] == roles
