import pytest

from tests.tools.claims.claim_case import CREDIT, REWARD, TRANSFER, quotes

INTRODUCTORY = {**TRANSFER, "apr_kind": "introductory", "promo_apr": 0, "go_to_apr": "20.49% variable"}
DEFERRED = {**CREDIT, "offer_type": "deferred_interest", "deferred_interest": True, "deferral_months": 12}
INSTALLMENTS = {
    **CREDIT,
    "offer_type": "installments",
    "monthly_payment_usd": 49,
    "total_of_payments_usd": 1176,
    "promo_months": 24,
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0% intro APR for 12 months.", []),
        ("An introductory APR of 0% for 12 months.", []),
        ("0% APR for 12 months.", ["0%"]),
        ("0% intro APR for 12 months. That is 0% on all you buy.", ["0%"]),
        ("Zero percent APR for a year.", ["Zero percent"]),
    ],
)
def test_each_mention_of_an_introductory_rate_says_so(text: str, found: list[str]) -> None:
    assert quotes("introductory_named", text, INTRODUCTORY) == found


def test_a_rate_for_members_is_never_introductory() -> None:
    assert quotes("introductory_named", "An intro APR of 3.99%.", TRANSFER) == ["intro APR"]
    assert quotes("introductory_named", "Introducing a promotional APR of 3.99%.", TRANSFER) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3.99% promotional APR for 12 months, then 19.24%-29.24% variable APR.", False),
        ("3.99% promotional APR, then 19.24%-29.24% variable APR.", True),
        ("3.99% promotional APR for 12 months. See the terms for more.", True),
        ("3.99% promotional APR for 12 months, then 19.24%-29.24% APR.", True),
        ("3.99% promotional APR for 12 months." + " We like to help." * 20 + " Then 19.24%-29.24% variable APR.", True),
        ("A 3% transfer fee applies.", False),
    ],
)
def test_a_promotional_rate_says_close_by_when_it_ends_and_what_follows(text: str, found: bool) -> None:
    assert bool(quotes("promotion_ends", text, TRANSFER)) is found


def test_a_headline_reads_on_into_the_body_and_not_into_the_terms() -> None:
    rest = "For 12 months; after that, 19.24%-29.24% variable APR."
    assert quotes("promotion_ends", {"headline": "3.99% promotional APR", "body": rest}, TRANSFER) == []
    text = {"headline": "3.99% promotional APR", "body": "Move a balance.", "terms": rest}
    assert quotes("promotion_ends", text, TRANSFER) == ["3.99%"]


def test_a_fee_free_first_year_says_what_comes_after() -> None:
    changes = {"annual_fee_new_card": 95}
    assert quotes("promotion_ends", "No annual fee for the first year.", CREDIT, **changes) != []
    assert quotes("promotion_ends", "No annual fee for the first year; after that it is $95.", CREDIT, **changes) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("No interest if paid in full within 12 months.", False),
        ("No interest if paid in full by November 30, 2027.", False),
        ("No interest if paid in full within 6 months.", True),
        ("No interest if paid in full.", True),
        ("No interest for 12 months.", True),
        ("12 months same as cash.", True),
        ("Interest is waived for 12 months.", True),
        ("To avoid interest, pay in full within 12 months.", False),
        ("Interest will be charged from the purchase date.", False),
    ],
)
def test_no_interest_is_said_only_with_its_condition_and_period(text: str, found: bool) -> None:
    assert bool(quotes("deferred_interest_conditioned", text, DEFERRED)) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Interest will be charged from the purchase date if the balance is not paid in full within 12 months.", False),
        ("Interest accrues from the day you buy and is added unless all is paid within 12 months.", False),
        ("Pay less than the full balance and interest is charged from the original purchase date.", False),
        ("Interest may apply if the balance is not paid in full.", True),
        ("Interest accrues from the purchase date.", True),
        ("Relax for 12 months.", True),
    ],
)
def test_deferred_interest_says_from_when_and_why_it_is_owed(text: str, found: bool) -> None:
    assert bool(quotes("deferred_interest_charged", text, DEFERRED)) is found
    assert quotes("deferred_interest_charged", text, REWARD) == []


@pytest.mark.parametrize(
    ("text", "offer", "found"),
    [
        ("$49 a month for 24 months, $1,176 total of payments.", INSTALLMENTS, []),
        ("$49 a month.", INSTALLMENTS, ["$49"]),
        ("$49 a month for 24 months, $1,100 in total.", INSTALLMENTS, ["$49"]),
        ("Forty-nine dollars per month.", INSTALLMENTS, ["Forty-nine dollars"]),
        ("Dinner for $25 a month.", REWARD, ["$25"]),
        ("Four installments of $30.", REWARD, ["$30"]),
        ("Spend $50 a month and earn.", REWARD, []),
        ("StreamNest is $14.99 a month.", {**CREDIT, "addon_price_usd_month": 14.99}, []),
    ],
)
def test_a_payment_stands_with_its_number_and_total(text: str, offer: dict[str, object], found: list[str]) -> None:
    assert quotes("payments_complete", text, offer) == found


def test_a_total_in_the_terms_is_not_equally_prominent() -> None:
    text = {"body": "$49 a month.", "terms": "24 months, $1,176 total of payments."}
    assert quotes("payments_complete", text, INSTALLMENTS) == ["$49"]
