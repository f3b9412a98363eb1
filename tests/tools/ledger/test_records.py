"""Finishing: one outcome, by the run that owns the prediction, all of it or nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest
from psycopg.errors import CheckViolation

from tests.tools.ledger.rows import CLAIM, in_use, outcome, reserve, rows
from tools.database import Database
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.claims import Claims, Taken
from tools.ledger.money import Money
from tools.ledger.records import Records
from tools.screening import Hold, Usage

WRITTEN = "select (select count(*) from decision), (select count(*) from offer), (select count(*) from reservation)"


def anything(_: Usage) -> tuple[Hold, ...]:
    return ()


async def test_an_outcome_is_written_once_and_read_back(claims: Claims, records: Records, database: Database) -> None:
    await claims.claim(CLAIM, anything)
    finish = outcome(CLAIM, cost=Decimal(7), first_name="Wei", email="wei@mail.example")
    assert [await records.finish(finish), await records.finish(finish)] == [True, False]
    assert await records.outcome(1, "key") == "run"
    assert await records.read("run") == ({"run": "run"}, "Wei", "wei@mail.example")
    assert await rows(database, "select run_id, user_id, compliant, expected_cost_usd from offer") == [
        ("run", "USER_1", True, Decimal("7.0000"))
    ]
    assert await rows(database, "select status, reserves, lease_until, recommendation from offer_item") == [
        ("done", False, None, "offer_generated")
    ]


@pytest.mark.parametrize("cost", [None, Decimal(1)], ids=["none", "offer"])
async def test_a_run_past_its_lease_writes_nothing(
    claims: Claims, records: Records, database: Database, cost: Decimal | None
) -> None:
    await claims.claim(replace(CLAIM, lease_s=0), anything)
    assert not await records.finish(outcome(CLAIM, cost=cost))
    assert await rows(database, WRITTEN) == [(0, 0, 0)]
    assert await rows(database, "select status, owner from offer_item") == [("pending", "run")]


async def test_the_last_place_under_a_cap_is_not_issued_twice(claims: Claims, records: Records) -> None:
    def last_place(usage: Usage) -> tuple[Hold, ...]:
        return (("monthly_cap", ""),) if usage.issued_this_month + usage.pending else ()

    slow, quick = replace(CLAIM, lease_s=0), replace(CLAIM, prediction_key="second", run_id="quick", domain="Dining")
    await claims.claim(slow, last_place)
    assert isinstance(await claims.claim(quick, last_place), Taken)
    assert [await records.finish(outcome(one, cost=Decimal(1))) for one in (quick, slow)] == [True, False]


async def test_a_superseded_run_writes_nothing(claims: Claims, records: Records) -> None:
    await claims.claim(replace(CLAIM, lease_s=0), anything)
    await claims.claim(replace(CLAIM, run_id="second"), anything)
    assert not await records.finish(outcome(CLAIM, cost=Decimal(1)))
    assert await records.finish(outcome(replace(CLAIM, run_id="second"), cost=Decimal(1)))


async def test_a_passing_fault_leaves_the_prediction_open(claims: Claims, records: Records) -> None:
    await claims.claim(CLAIM, anything)
    assert await records.finish(outcome(CLAIM, close="retry", error_class="deadline"))
    assert await records.outcome(1, "key") is None
    assert isinstance(await claims.claim(replace(CLAIM, run_id="second"), anything), Taken)


async def test_a_row_the_ledger_refuses_leaves_no_trace(claims: Claims, records: Records, database: Database) -> None:
    await claims.claim(CLAIM, anything)
    with pytest.raises(CheckViolation):
        await records.finish(outcome(CLAIM, cost=Decimal(-1)))
    assert await rows(database, WRITTEN) == [(0, 0, 0)]
    assert await rows(database, "select status, owner from offer_item") == [("pending", "run")]


async def test_an_offer_whose_money_went_to_others_is_not_written(
    claims: Claims, records: Records, money: Money, budgets: Budgets, database: Database
) -> None:
    await budgets.change("online", {BudgetKey("campaign"): Decimal(10)})
    other = replace(CLAIM, prediction_key="other", run_id="other", user_id="USER_2")
    for claim, lease_s in ((CLAIM, 0.0), (other, 60.0)):
        await claims.claim(claim, anything)
        assert await reserve(money, claim, 8, lease_s=lease_s)
    assert not await records.finish(outcome(CLAIM, cost=Decimal(8)))
    assert await rows(database, "select count(*) from offer") == [(0,)]
    assert await records.finish(outcome(CLAIM, cost=Decimal(2)))
    assert await in_use(database) == {"": Decimal(10)}
