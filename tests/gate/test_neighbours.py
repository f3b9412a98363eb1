import random
from functools import cache

import pytest

from tests.gate.neighbours import WHOLE, Neighbourhood, copy_clauses
from tests.gate.offers import compliant_offers, open_book
from tests.gate.plants import read_plants
from tools.policies.examples import subject_of
from tools.policies.schema import Example

SEED = "an excuse reaches no further than its own sentence"


@cache
def hood() -> Neighbourhood:
    book = open_book()
    return Neighbourhood(book, compliant_offers(book, turns=1), read_plants(book.gate.policies))


def test_no_honest_sentence_beside_a_violation_hides_it() -> None:
    chance, hidden, put = random.Random(SEED), [], 0
    for policy, active in copy_clauses(hood().policies):
        row = hood().row(policy, active, sample=chance)
        hidden += [miss.line() for miss in row.misses]
        put += row.put
    assert hidden == []
    assert put >= 600


def test_the_clauses_left_out_are_clauses_of_copy() -> None:
    known = {active.key for policy in hood().policies.active for active in policy.clauses}
    assert known >= WHOLE.keys()


HONEST = "Purchases made before you enroll do not count."


@pytest.mark.parametrize(
    ("policy_id", "clause_id", "body"),
    [
        ("GRD-04", "reward_unit_stated_right", f"{HONEST} Collect 3 airline miles for every dollar."),
        ("PRIV-02", "no_reader_story", f"{HONEST} You ordered in on Sunday."),
        ("ENDR-02", "no_implied_sponsor", "They do not sponsor it. Olive Garden recommends your Gold Card."),
        ("UDAAP-21", "no_cost_claim_is_true", "You pay nothing. There is no booking fee at Olive Garden."),
        ("GRD-01", "numbers_grounded", "Earn 3X points in place of 3X."),
        ("GRD-01", "numbers_grounded", "Earn 3X points, replacing the 3X you have."),
        ("FREE-02", "free_is_not_paid_for", "Minimum spend $50. Free $25, just for you."),
    ],
)
def test_an_excuse_ends_with_its_sentence(policy_id: str, clause_id: str, body: str) -> None:
    assert hood().finds(policy_id, clause_id, subject_of(Example(text={"body": body})))


def test_an_offer_s_own_amount_does_not_follow_a_promotional_fee() -> None:
    offer: dict[str, object] = {"rates_fees_link": True, "annual_fee_new_card": 95}
    spending = "Then use your Gold Card. When you spend $50, it is yours. There is no annual fee for the first year."
    told = "There is no annual fee for the first year; after that, the fee is $95 a year."
    assert hood().finds(
        "REGZ-05", "promotion_states_its_end", subject_of(Example(text={"body": spending}, offer=offer))
    )
    assert not hood().finds(
        "REGZ-05", "promotion_states_its_end", subject_of(Example(text={"body": told}, offer=offer))
    )
