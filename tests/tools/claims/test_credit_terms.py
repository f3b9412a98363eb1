from datetime import date

import pytest

from tests.tools.claims.claim_case import CREDIT, REWARD, TRANSFER, quotes

GRACE = "A 3% transfer fee ($5 minimum) applies. You may lose the grace period on new purchases."


@pytest.mark.parametrize(
    "text",
    [
        "Enjoy 0% APR on dinner.",
        "Pay nothing in interest until spring.",
        "Order now, pay later.",
        "The yearly fee? Consider it taken care of.",
        "Got balances elsewhere? We have room.",
        "Skip your next payment.",
        "Late fees are on hold.",
        "Spread the cost of dinner over six months.",
    ],
)
def test_a_reward_offer_can_claim_no_term_of_credit(text: str) -> None:
    assert quotes("credit_terms_offered", text) != []


@pytest.mark.parametrize(
    "text",
    [
        "This offer does not change your credit limit or your APR.",
        "Your card's annual fee of $250 still applies.",
        "Balance transfers, fees and interest charges are not eligible purchases.",
        "If Italian food interests you, come in.",
        "Split the bill with friends.",
        "A new balance of flavors.",
    ],
)
def test_words_that_leave_the_account_alone_are_no_claim(text: str) -> None:
    assert quotes("credit_terms_offered", text) == []
    assert quotes("credit_terms_disclosed", text) == []


def test_a_term_the_offer_has_may_be_claimed() -> None:
    text = "Move a balance at a 3.99% promotional APR for 12 months."
    assert quotes("credit_terms_offered", text, TRANSFER) == []
    assert quotes("credit_terms_offered", text, CREDIT) != []


def test_a_rate_of_zero_is_a_term_like_any_other() -> None:
    assert quotes("credit_terms_offered", "0% APR for 12 months.", TRANSFER, promo_apr=0, rates_fees_link=None) == []


@pytest.mark.parametrize(
    ("text", "changes", "found"),
    [
        ("Transfers at 3.99% APR.", {"rates_fees_link": None}, ["APR"]),
        ("Transfers at 3.99% APR. See Rates & Fees.", {}, []),
        ("3.99% APR, then 19.24%-29.24% variable APR. The fee is 3%.", {"rates_fees_link": None}, []),
        ("3.99% APR, then 19.24%-29.24% APR. The fee is 3%.", {"rates_fees_link": None}, ["APR"]),
        ("3.99% APR, then 19.24%-29.24% variable APR.", {"rates_fees_link": None}, ["APR"]),
    ],
)
def test_a_trigger_term_calls_for_every_rate_and_fee_or_their_table(
    text: str, changes: dict[str, object], found: list[str]
) -> None:
    assert quotes("credit_terms_disclosed", text, TRANSFER, **changes) == found


def test_the_members_own_fee_is_said_only_in_its_own_amount() -> None:
    assert quotes("credit_terms_disclosed", "The annual fee of $250 still applies.") == []
    assert quotes("credit_terms_disclosed", "The annual fee is $95.") == ["annual fee"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3.99% promotional APR for 12 months.", True),
        ("3.99% promotional APR for 12 months. Details somewhere on our site.", True),
        ("3.99% promotional APR for 12 months. See Rates & Fees.", False),
        ("3.99% promotional APR for 12 months. View our Pricing and Terms.", False),
        ("Move a balance today.", False),
    ],
)
def test_rates_in_a_table_are_referred_to_by_name(text: str, found: bool) -> None:
    assert bool(quotes("rates_table_referred", text, TRANSFER)) is found


@pytest.mark.parametrize(
    ("text", "changes", "found"),
    [
        ("No enrollment needed.", {}, True),
        ("No enrollment needed.", {"requires_enrollment": False}, False),
        ("There is no minimum purchase.", {}, True),
        ("There is no minimum purchase.", {"minimum_spend": None}, False),
        ("Shop at your local Olive Garden store.", {"channel": "online_only"}, True),
        ("In-store purchases don't count.", {"channel": "online_only"}, False),
        ("Order online and earn.", {"channel": "in_store_only"}, True),
        ("Use any card you like.", {"eligible_card_types": ["gold"]}, True),
        ("Points post instantly.", {}, True),
        ("Points post instantly.", {"fulfillment_weeks": None}, False),
        ("Gift cards count too.", {"exclusions": ["gift cards"]}, True),
        ("Cash advances earn nothing.", {"exclusions": ["cash advances"]}, False),
        ("Earn cash back on pasta.", {}, True),
        ("Points can be redeemed for statement credits as usual.", {}, False),
        ("This offer never expires.", {}, True),
    ],
)
def test_words_are_held_to_the_typed_facts(text: str, changes: dict[str, object], found: bool) -> None:
    assert bool(quotes("offer_facts_contradicted", text, **changes)) is found


def test_a_single_credit_is_not_promised_each_time_but_purchases_may_add_up() -> None:
    assert quotes("offer_facts_contradicted", "Every visit brings you another $20.", CREDIT) != []
    assert quotes("offer_facts_contradicted", "Every purchase counts toward your $100.", CREDIT) == []


@pytest.mark.parametrize(
    ("sent", "text", "found"),
    [
        (date(2026, 11, 23), "Earn 3X points.", []),
        (date(2027, 1, 6), "Earn 3X points.", []),
        (date(2027, 1, 7), "Earn 3X points.", ["2027-01-06"]),
        (date(2026, 11, 20), "Earn 3X points.", ["2026-11-23"]),
        (date(2026, 11, 20), "Earn 3X points from November 23, 2026.", []),
    ],
)
def test_no_message_goes_out_after_the_offer_or_before_it_without_its_start(
    sent: date, text: str, found: list[str]
) -> None:
    assert quotes("sent_in_window", text, send_date=sent) == found


@pytest.mark.parametrize(
    ("text", "offer", "found"),
    [
        ("Consolidate your debt with us.", REWARD, True),
        ("Balance transfers do not count.", REWARD, False),
        (f"3.99% promotional APR on transfers. {GRACE}", TRANSFER, False),
        ("3.99% promotional APR on transfers. A 5% fee applies; no grace period.", TRANSFER, True),
        ("3.99% promotional APR on transfers. The fee is 3%, at least $5.", TRANSFER, True),
    ],
)
def test_transfers_come_with_their_fee_and_a_word_on_new_purchases(
    text: str, offer: dict[str, object], found: bool
) -> None:
    assert bool(quotes("transfer_costs_stated", text, offer)) is found
