from typing import Any

import pytest

from tests.tools.grounding.conftest import CORPUS, Find

BODY = (
    "Enroll by December 15, 2026, spend $50 or more at Olive Garden, Shake Shack or Chipotle, and earn 3X points "
    "through January 6, 2027."
)
TERMS = "Cap: $1,500 in purchases. Excludes gift cards. Limit one per Card. Enroll by December 15, 2026."


def offer(name: str, **changes: Any) -> dict[str, object]:
    merged = {**CORPUS["offers"][name], **changes}
    return {key: value for key, value in merged.items() if value is not None}


@pytest.mark.parametrize(
    ("name", "text", "quotes"),
    [
        ("dining_points", "Earn 3X points.", []),
        ("dining_points", "Earn 4X points.", ["4X"]),
        ("dining_points", "Earn 1X points.", ["1X"]),
        ("dining_points", "Earn an additional 2 points per dollar.", []),
        ("dining_points", "Earn an additional 3 points per dollar.", ["3 points per dollar"]),
        ("dining_points", "Earn 4,500 points.", ["4,500 points"]),
        ("dining_points", "Earn up to 4,500 points.", []),
        ("dining_points", "Earn up to 3,000 extra points.", []),
        ("dining_points", "Earn 150 points on a $50 dinner.", []),
        ("dining_points", "Earn 200 points on a $50 dinner.", ["200 points on a $50"]),
        ("dining_points", "A $100 dinner earns 300 points instead of 100.", []),
        ("dining_points", "A $100 dinner earns 500 points.", ["$100", "500 points"]),
        ("dining_points", "A $20 dinner earns 60 points.", ["$20", "60 points"]),
        ("dining_points", "Spend $100 and earn 300 points.", ["$100", "300 points"]),
        ("dining_points", "Enjoy 200% more points.", []),
        ("dining_points", "Minimum spend: $1,500.", ["$1,500"]),
        ("dining_points", "4,500 points are worth $45.", []),
        ("dining_points", "4,500 points are worth $90.", ["$90"]),
        ("dining_points", "Points post in 6 to 8 weeks.", []),
        ("dining_points", "Points post in 2 to 8 weeks.", ["2"]),
        ("dining_points", "Points post in 2 to 4 weeks.", ["2 to 4 weeks"]),
        ("dining_points", "Points post within 56 days.", []),
        ("dining_points", "Card ending in 8431.", []),
        ("dining_points", "Visit 8431 times.", ["8431 times"]),
        ("dining_points", "€50 minimum.", ["€50"]),
        ("tech_credit", "$25 x 4 = $100 in credits.", []),
        ("tech_credit", "Spend $400 in all and get $100 back in total.", []),
        ("tech_credit", "Spend $100, get $25.", []),
        ("tech_credit", "Spend $25, get $100.", ["$25", "$100"]),
        ("tech_credit", "Spend $100 in one order, then three more times.", []),
        ("retail_cashback", "Ten cents back on every dollar.", []),
        ("tech_credit", "$100 back on $25.", ["$100", "$25"]),
        ("retail_cashback", "10% back, up to $60, on $600 or more.", []),
        ("retail_cashback", "10% back, up to $600.", []),
        ("retail_cashback", "10% back, up to $500.", ["$500"]),
        ("travel_bonus", "20,000 points, a $200 value.", []),
        ("travel_bonus", "20,000 points, a $300 value.", ["$300"]),
        ("access", "Save $5.", ["$5"]),
        ("dining_points", "Limit two per cardmember.", ["two per cardmember"]),
        ("dining_points", "Two for one entrees.", ["Two", "Two for one"]),
        ("dining_points", "Buy one pizza, get one free.", ["Buy one pizza, get one"]),
        ("dining_points", "Spend up to a grand.", ["a grand"]),
        ("dining_points", "Our grand opening is a grand party.", []),
        ("dining_points", "Lasts a month.", ["a month"]),
        ("dining_points", "1,500 points a month.", ["1,500 points"]),
        ("dining_points", "Earning stops once you've spent $1,500.", []),
        ("dining_points", "Dinner for six, a family of four, a five-minute break.", []),
        ("dining_points", "A 4K TV and 4K in points.", ["4K"]),
        ("tech_credit", "A fifth of your order back.", ["A fifth"]),
        ("tech_credit", "Use it four times and that's $100 in credits.", []),
        ("tech_credit", "Use it twice and that's $100 in credits.", ["twice", "$100"]),
        ("retail_cashback", "Spend $40, get $4 back.", []),
        ("retail_cashback", "Spend $40, get $6 back.", ["$6"]),
    ],
)
def test_numbers_agree_with_the_offer_in_value_unit_and_role(
    find: Find, name: str, text: str, quotes: list[str]
) -> None:
    assert [evidence.quote for evidence in find("grounded_numbers", text, name)] == quotes


def test_a_one_month_offer_may_say_so(find: Find) -> None:
    month = offer("dining_points", end_date="2026-12-22", expiration_days=30)
    assert find("grounded_dates", "Valid for one month.", month) == []
    assert [e.quote for e in find("grounded_dates", "Valid for two months.", month)] == ["two months"]


def test_numbers_in_the_offers_own_notes_are_supported(find: Find) -> None:
    noted = offer("dining_points", reward_note="Available at 14 participating locations")
    assert find("grounded_numbers", "Now at 14 participating locations.", noted) == []
    apr = offer(
        "access", offer_type="balance_transfer", go_to_apr="19.24%-29.24% variable", promo_apr=3.99, bt_fee_pct=3
    )
    assert find("grounded_numbers", "3.99% promotional APR, then 19.24%-29.24% variable; 3% fee.", apr) == []
    assert [e.quote for e in find("grounded_numbers", "3% APR.", apr)] == ["3%"]


def test_the_cards_own_annual_fee_is_supported_as_a_fee_only(find: Find) -> None:
    member = {"annual_fee": 250.0}
    assert find("grounded_numbers", "The annual fee is $250.", "dining_points", member=member) == []
    assert [e.quote for e in find("grounded_numbers", "Get $250.", "dining_points", member=member)] == ["$250"]


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Dine at Olive Garden, Shake Shack or Chipotle Mexican Grill.", []),
        ("Dine at Starbucks.", ["Starbucks"]),
        ("Dine at P.F. Chang's.", ["P.F. Chang's"]),
        ("Dine at PF Changs.", ["PF Changs"]),
        ("Also on Disney+ and at Bed Bath and Beyond.", ["Disney+", "Bed Bath and Beyond"]),
        ("Earn at costco too.", ["costco"]),
        ("The best buy in town, on target and on budget.", []),
        ("Shop at Target.", ["Target"]),
        ("Target has it.", []),
        ("Slack off, zoom in.", []),
        ("Оlive Garden", ["Оlive Garden"]),
        ("Ｏlive Garden", ["Ｏlive Garden"]),
        ("Olive Gardn is near.", ["Olive Gardn"]),
        ("Harbor Hotels recommends the Gold Card.", ["Harbor Hotels"]),
        ("Enjoy dinner at Luigi's tonight.", ["Luigi's"]),
        ("Order with DoorDash.", ["DoorDash"]),
        ("Valid at Olive Garden and Wendys.", ["Wendys"]),
        ("Example Bank offer for Gold Cardmembers in the United States.", []),
        ("Use it at home, in New York or Puerto Rico, on Thanksgiving.", []),
        ("Dinner is at its best in December with Italian wine.", []),
        ("Best. Buy now.", []),
    ],
)
def test_merchants_are_the_offers_own(find: Find, text: str, quotes: list[str]) -> None:
    assert [evidence.quote for evidence in find("grounded_merchants", text, "dining_points")] == quotes


@pytest.mark.parametrize(
    "headline",
    [
        "Triple Points, Double the Fun",
        "Dinner Is Served",
        "Savor Every Bite at Your Favorite Spots",
        "YOUR TABLE IS READY",
        "Treat Yourself to a Night Out",
        "3X Points at Shake Shack",
        "Brunch, Lunch & Dinner: All Rewarded",
        "Eat Out More, Earn More",
    ],
)
def test_headlines_in_title_case_name_no_merchant(find: Find, headline: str) -> None:
    assert find("grounded_merchants", {"headline": headline}, "dining_points") == []


def test_merchants_of_the_offer_need_not_be_in_the_catalogue(find: Find) -> None:
    own = offer("dining_points", merchants=["Juniper Home", "Pine & Co"])
    assert find("grounded_merchants", "Earn 3X at Juniper Home and Pine & Co.", own) == []
    assert [e.quote for e in find("grounded_merchants", "Earn 3X at Olive Garden.", own)] == ["Olive Garden"]


@pytest.mark.parametrize(
    ("name", "text", "quotes"),
    [
        ("dining_points", "3X points per dollar.", []),
        ("dining_points", "3% cash back.", ["3% cash back"]),
        ("dining_points", "Not cash back: points.", []),
        ("dining_points", "Points are redeemed as a statement credit.", []),
        ("dining_points", "Earn a statement credit.", ["statement credit"]),
        ("dining_points", "$20 back.", ["$20 back"]),
        ("tech_credit", "$40 back.", []),
        ("tech_credit", "$40 cash in your pocket.", ["$40 cash"]),
        ("tech_credit", "Earn 25X points.", ["25X points"]),
        ("tech_credit", "Earn bonus points.", ["Earn bonus points"]),
        ("tech_credit", "On top of your usual points.", []),
        ("tech_credit", "25% off.", ["25% off"]),
        ("retail_cashback", "10% cash back.", []),
        ("retail_cashback", "Up to $60 back.", []),
        ("retail_cashback", "$10 back.", ["$10 back"]),
        ("retail_cashback", "10% off.", ["10% off"]),
        ("retail_discount", "15% off.", []),
        ("retail_discount", "15% cash back.", ["15% cash back"]),
        ("access", "Earn points.", ["Earn points"]),
        ("travel_bonus", "Earn 2X points.", ["2X points"]),
    ],
)
def test_the_kind_of_reward_agrees(find: Find, name: str, text: str, quotes: list[str]) -> None:
    assert [evidence.quote for evidence in find("reward_unit_agrees", text, name)] == quotes


def test_all_conditions_stated(find: Find) -> None:
    assert find("conditions_stated", {"body": BODY, "terms": TERMS}, "dining_points") == []


@pytest.mark.parametrize(
    ("body", "terms", "missing"),
    [
        (BODY.replace("spend $50 or more", "dine"), TERMS + " Minimum $50.", [("body", "minimum_spend")]),
        (BODY.replace("through January 6, 2027", ""), TERMS + " Ends January 6, 2027.", [("body", "end_date")]),
        (BODY.replace("Enroll by December 15, 2026, s", "S"), TERMS, [("body", "requires_enrollment")]),
        (BODY.replace("Enroll by December 15, 2026, s", "No enrollment: s"), TERMS, [("body", "requires_enrollment")]),
        (BODY, TERMS.replace("Cap: $1,500 in purchases. ", ""), [("terms", "reward_cap")]),
        (BODY, TERMS.replace("Cap: $1,500 in purchases", "Up to 4,500 points"), []),
        (BODY, TERMS.replace("Excludes gift cards. ", ""), [("terms", "exclusions")]),
        (BODY, TERMS.replace("Limit one per Card. ", ""), [("terms", "one_per_member")]),
        (
            BODY.replace("by December 15, 2026", ""),
            TERMS.replace(" Enroll by December 15, 2026.", ""),
            [("terms", "enroll_by")],
        ),
        ("A table awaits.", f"{TERMS} Minimum spend $50. Ends January 6, 2027.", []),
    ],
)
def test_a_missing_condition_is_named(find: Find, body: str, terms: str, missing: list[tuple[str, str]]) -> None:
    found = find("conditions_stated", {"body": body, "terms": terms}, "dining_points")
    assert [(evidence.field, evidence.quote) for evidence in found] == missing
    assert all(evidence.start is None for evidence in found)


def test_conditions_may_be_checked_one_by_one(find: Find) -> None:
    found = find("conditions_stated", "Earn 3X points.", "dining_points", params={"conditions": ["end_date"]})
    assert [evidence.quote for evidence in found] == ["end_date"]
    weeks = find("conditions_stated", BODY, "dining_points", params={"conditions": ["fulfillment_weeks"]})
    assert [evidence.quote for evidence in weeks] == ["fulfillment_weeks"]


def test_the_channel_is_a_condition(find: Find) -> None:
    only = {"conditions": ["online_only", "in_store_only"]}
    found = find("conditions_stated", "Get $25 back.", "tech_credit", params=only)
    assert [evidence.quote for evidence in found] == ["online_only"]
    assert find("conditions_stated", "Get $25 back online.", "tech_credit", params=only) == []
    found = find("conditions_stated", "Take 15% off.", "retail_discount", params=only)
    assert [evidence.quote for evidence in found] == ["in_store_only"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ({"subject": "3X points", "body": "Earn 3 points per dollar."}, []),
        ({"subject": "5X points", "body": "Earn 3X points."}, [("subject", "5X")]),
        ({"subject": "3X points", "body": "Earn 3% back."}, [("body", "3%")]),
        ({"headline": "Ends June 30", "terms": "Ends January 6, 2027."}, [("headline", "June 30")]),
        ({"body": "Spend $50.", "terms": "Minimum spend $75."}, [("terms", "$75")]),
        ({"body": "Earn 3X points, not 5X."}, []),
    ],
)
def test_parts_agree(find: Find, text: dict[str, str], found: list[tuple[str, str]]) -> None:
    assert [(e.field, e.quote) for e in find("parts_agree", text, "dining_points")] == found


def test_an_empty_draft_or_offer_raises_nothing(find: Find) -> None:
    for name in ("grounded_numbers", "grounded_dates", "grounded_merchants", "reward_unit_agrees", "parts_agree"):
        assert find(name, {}, "dining_points") == []
    assert [e.quote for e in find("grounded_numbers", "Earn 3X.", {})] == ["3X"]


TRANSFER: dict[str, object] = {
    "offer_type": "balance_transfer",
    "reward_unit": "apr",
    "reward_value": 1.99,
    "promo_apr": 1.99,
    "promo_months": 15,
    "go_to_apr": "19.24% to 27.99% variable",
    "bt_fee_pct": 3,
    "bt_fee_min": 5,
    "start_date": "2026-11-23",
    "end_date": "2027-01-06",
}
PLAN: dict[str, object] = TRANSFER | {
    "offer_type": "installments",
    "promo_months": 12,
    "monthly_payment_usd": 45.83,
    "total_of_payments_usd": 549.96,
}
SHIELD: dict[str, object] = TRANSFER | {
    "offer_type": "add_on",
    "addon_name": "Purchase Shield Plus",
    "addon_price_usd_month": 7.99,
}


@pytest.mark.parametrize(
    ("terms", "text", "quotes"),
    [
        (TRANSFER, "1.99% promotional APR for 15 months, then 19.24% to 27.99% variable APR.", []),
        (TRANSFER, "19.24% promotional APR for 15 months.", ["19.24%"]),
        (TRANSFER, "1.99% promotional APR, then a 1.99% variable APR.", ["1.99%"]),
        (TRANSFER, "1.99% for 18 months.", ["18 months"]),
        (TRANSFER, "A fee of 3%, minimum $5, applies to each transfer.", []),
        (TRANSFER, "A fee of 4%, minimum $10, applies to each transfer.", ["4%", "$10"]),
        (PLAN, "Twelve payments of $45.83, $549.96 in total.", []),
        (PLAN, "Ten payments of $54.99, $549.96 a month.", ["Ten payments", "$54.99", "$549.96"]),
        (SHIELD, "Purchase Shield Plus is $7.99 a month, $95.88 a year.", []),
        (SHIELD, "Purchase Shield Plus is $7.99 a year.", ["$7.99"]),
    ],
)
def test_credit_products_have_their_numbers_in_their_roles(
    find: Find, terms: dict[str, object], text: str, quotes: list[str]
) -> None:
    assert [e.quote for e in find("grounded_numbers", text, terms)] == quotes


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("7-Eleven and Five Guys are in.", []),
        ("Work out at 24 Hour Fitness, order from 1-800-Flowers.", []),
        ("burgers at five guys", []),
        ("Pick seven of eleven.", ["seven", "eleven"]),
    ],
)
def test_numbers_in_the_names_of_the_offer_are_names(find: Find, text: str, quotes: list[str]) -> None:
    own = offer("dining_points", merchants=["7-Eleven", "Five Guys", "24 Hour Fitness", "1-800-Flowers"])
    assert [e.quote for e in find("grounded_numbers", text, own)] == quotes


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Saucy Nights Ahead", []),
        ("Meet Your New Favorite Weeknight", []),
        ("Slice, Dip, Savor", []),
        ("From Napa to New York, dinner is better shared.", []),
        ("Dinner at Bella Notte Nights", ["Bella Notte Nights"]),
        ("Zephyrine and Quillmont count too.", ["Quillmont"]),
    ],
)
def test_a_headline_in_title_case_names_nobody(find: Find, text: str, quotes: list[str]) -> None:
    assert [e.quote for e in find("grounded_merchants", text, "dining_points")] == quotes


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Enroll by the 15th.", []),
        ("Enroll on or before the fourteenth.", ["fourteenth"]),
        ("Enroll before the second course.", []),
        ("Enroll by Dec 15, '26.", []),
        ("Enroll by Dec 15, '27.", ["Dec 15, '27"]),
        ("It expires next Friday.", ["Friday"]),
    ],
)
def test_days_may_lack_their_month_or_century(find: Find, text: str, quotes: list[str]) -> None:
    assert [e.quote for e in find("grounded_dates", text, "dining_points")] == quotes


def test_airline_miles_are_no_points(find: Find) -> None:
    text = "Earn bonus miles, or 3 points per dollar at Miles & Co."
    own = offer("dining_points", merchants=["Miles & Co"])
    assert [e.quote for e in find("reward_unit_agrees", text, own)] == ["Earn bonus miles"]


@pytest.mark.parametrize("text", ["Two wheels and a view.", "A night on Route 66."])
def test_numbers_of_things_are_let_be_in_copy_from_outside_and_never_in_a_model_s(find: Find, text: str) -> None:
    outside = {name: value for name, value in CORPUS["offers"]["dining_points"].items() if name != "merchant_ids"}
    assert find("grounded_numbers", text, outside) == []
    assert find("grounded_numbers", text, {**outside, "merchant_ids": ["MERCH_A", "MERCH_B"]}) != []
