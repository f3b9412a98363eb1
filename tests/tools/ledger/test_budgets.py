"""Setting budgets: what they count, who may keep what, and how a ledger of an earlier version comes to have them."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.tools.ledger.conftest import ZONE, prepare, process
from tests.tools.ledger.rows import (
    CLAIM,
    DAY,
    DINING,
    MEMBER,
    TOTAL,
    TRAVEL,
    anything,
    ask,
    end_lease,
    in_use,
    kept,
    outcome,
    reserve,
    rows,
)  # fmt: skip
from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.budgets import MOST_USD, BudgetKey, Budgets
from tools.ledger.claims import Claim, Claims, Taken
from tools.ledger.money import Money, Short
from tools.ledger.records import Records


async def claimed(claims: Claims, number: int, *, user: str = "USER_1", domain: str = "Travel") -> Claim:
    """Return a claim of a prediction of its own."""
    claim = replace(CLAIM, prediction_key=f"key {number}", run_id=f"run {number}", user_id=user, domain=domain)
    assert isinstance(await claims.claim(claim, anything), Taken)
    return claim


async def test_a_budget_counts_what_was_promised_before_it_was_set(
    claims: Claims, money: Money, records: Records, budgets: Budgets, database: Database
) -> None:
    spent, under_way = [await claimed(claims, number, domain=name) for number, name in enumerate(("Travel", "Dining"))]
    assert await records.finish(outcome(spent, cost=Decimal(30)))
    await budgets.change("online", {DINING: Decimal(10)})
    assert await reserve(money, under_way, 8)
    await budgets.change("online", {key: Decimal(50) for key in (TOTAL, TRAVEL, DAY, MEMBER)})
    today = datetime.now(ZONE).date().isoformat()
    assert (await in_use(database), await in_use(database, "day")) == ({"": 38}, {today: 38})
    assert await in_use(database, "domain") == {"Dining": 8, "Travel": 30}
    third = await claimed(claims, 3)
    short = await ask(money, third, "12.01")
    assert isinstance(short, Short)
    assert {(b.scope, b.left_usd) for b in short.budgets} == {("campaign", 12), ("day", 12), ("member", 12)}
    assert await reserve(money, third, 12)


async def test_a_run_may_keep_what_it_holds_under_a_lower_budget_and_nobody_gets_more(
    claims: Claims, money: Money, records: Records, budgets: Budgets, database: Database
) -> None:
    first, second = await claimed(claims, 1), await claimed(claims, 2, user="USER_2")
    await budgets.change("online", {TOTAL: Decimal(100)})
    assert await reserve(money, first, 60)
    await budgets.change("online", {TOTAL: Decimal(20)})
    assert [await reserve(money, first, usd) for usd in (60, 61, 50, 51)] == [True, False, True, False]
    assert not await reserve(money, second, "0.01")
    assert await records.finish(outcome(first, cost=Decimal(50)))
    assert await in_use(database) == {"": 50}


async def test_what_lapsed_has_to_fit_a_lower_budget_like_anything_new(
    claims: Claims, money: Money, records: Records, budgets: Budgets
) -> None:
    first = await claimed(claims, 1)
    await budgets.change("online", {TOTAL: Decimal(100)})
    assert await reserve(money, first, 60, lease_s=0)
    await budgets.change("online", {TOTAL: Decimal(20)})
    assert not await records.finish(outcome(first, cost=Decimal(60)))
    assert [await reserve(money, first, usd) for usd in (60, 20)] == [False, True]


async def test_an_offer_counts_on_the_day_its_money_was_reserved_alone(
    claims: Claims, money: Money, records: Records, budgets: Budgets, database: Database
) -> None:
    first, second = await claimed(claims, 1), await claimed(claims, 2)
    await budgets.change("online", {DAY: Decimal(10)})
    assert await reserve(money, first, 9)
    for table in ("update reservation set day = '2026-01-01'", "update budget_use set name = '2026-01-01'"):
        await rows(database, table)
    assert await reserve(money, second, 10)
    assert await records.finish(outcome(first, cost=Decimal(9)))
    today = datetime.now(ZONE).date().isoformat()
    assert await in_use(database, "day") == {"2026-01-01": 9, today: 10}


async def test_a_prediction_taken_over_holds_one_amount(
    claims: Claims, money: Money, budgets: Budgets, database: Database
) -> None:
    await budgets.change("online", {TOTAL: Decimal(10), MEMBER: Decimal(10)})
    first = await claimed(claims, 1)
    assert await reserve(money, first, 7)
    await end_lease(database, first.run_id)
    second = replace(first, run_id="second")
    assert isinstance(await claims.claim(second, anything), Taken)
    assert await reserve(money, second, 9)
    assert (await rows(database, "select run_id, amount_usd from reservation"), await in_use(database)) == (
        [("second", Decimal(9))],
        {"": 9},
    )


async def test_an_unknown_campaign_is_named_with_those_there_are(budgets: Budgets) -> None:
    for asked in (budgets.change("spring", {TOTAL: Decimal(1)}), budgets.show("spring")):
        with pytest.raises(InputInvalid, match=r"^campaign is 'spring': .* there are online$"):
            await asked


@pytest.mark.parametrize("key", [TOTAL, TRAVEL, DAY, MEMBER])
async def test_the_highest_budget_can_be_set_and_spent_from_and_none_higher(
    claims: Claims, money: Money, records: Records, budgets: Budgets, key: BudgetKey
) -> None:
    """One that the tables can't hold would stop every run of the campaign with a fault of the database."""
    for amount in (MOST_USD + Decimal("0.01"), Decimal(-1), Decimal("0.001"), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(InputInvalid, match=r"allowed are 0 to 9999999999\.99 USD"):
            await budgets.change("online", {key: amount})
    await budgets.change("online", {key: MOST_USD})
    first = await claimed(claims, 1)
    assert await reserve(money, first, 10)
    assert await records.finish(outcome(first, cost=Decimal(10)))
    assert {b.left_usd for b in await budgets.show("online") if b.scope == key.scope} == {MOST_USD - 10}


async def test_the_table_refuses_more_than_a_budget_whatever_a_statement_does(
    budgets: Budgets, database: Database
) -> None:
    await budgets.change("online", {TOTAL: Decimal(10)})
    with pytest.raises(psycopg.errors.CheckViolation):
        await rows(database, "update budget_use set used_usd = used_usd + 10.01")


async def test_a_ledger_of_the_version_before_keeps_its_budget_and_what_counts_against_it(
    database_url: str,
) -> None:
    """The columns and rows that version left, brought up to date twice."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await prepare(connection)
        await connection.execute(BEFORE)
        for _ in range(2):
            await prepare(connection)
    async with process(database_url) as database:
        budgets, claims = Budgets(database, zone=ZONE), Claims(database, table="cardmember", zone=ZONE)
        assert [(b.scope, b.limit_usd, b.left_usd) for b in await budgets.show("online")] == [("campaign", 100, 60)]
        await budgets.change("online", {DAY: Decimal(50), MEMBER: Decimal(35)})
        claim = await claimed(claims, 1, user="USER_OLD")
        short = await ask(Money(database, zone=ZONE), claim, 11)
        assert isinstance(short, Short)
        assert [(b.scope, b.left_usd) for b in short.budgets] == [("day", 10), ("member", 5)]


async def test_money_that_a_run_of_the_version_before_reserved_on_another_day_can_be_taken_over_and_given_back(
    database_url: str,
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await prepare(connection)
        await connection.execute(BEFORE)
        await connection.execute("update reservation set changed_at = now() - interval '3 days', expires_at = now()")
        await prepare(connection)
    async with process(database_url) as database:
        budgets, claims = Budgets(database, zone=ZONE), Claims(database, table="cardmember", zone=ZONE)
        await budgets.change("online", {DAY: Decimal(50)})
        await rows(database, "update offer_item set status = 'retry'")
        claim = replace(CLAIM, prediction_key="b", run_id="run", user_id="USER_2", domain="Dining")
        assert isinstance(await claims.claim(claim, anything), Taken)
        assert await reserve(Money(database, zone=ZONE), claim, 4)
        assert await kept(database)
        assert await Records(database, zone=ZONE).finish(outcome(claim))
        assert (await kept(database), set(await in_use(database, "day")), await in_use(database)) == (
            True,
            {(datetime.now(ZONE) - timedelta(days=3)).date().isoformat()},
            {"": 30},
        )


BEFORE = """
drop table budget, budget_use;
comment on table campaign is null;
alter table reservation drop column user_id, drop column day;
alter table campaign add column budget_usd numeric(14, 2), add column reserved_usd numeric(14, 4) not null default 0,
    add check (budget_usd is null or reserved_usd <= budget_usd);
update campaign set budget_usd = 100, reserved_usd = 40;
insert into offer_item (campaign_id, prediction_key, user_id, domain, status) values
    (1, 'a', 'USER_OLD', 'Travel', 'done'), (1, 'b', 'USER_2', 'Dining', 'done'),
    (1, 'c', 'USER_OLD', 'Retail', 'done');
insert into reservation values
    (1, 'a', 'run a', 'Travel', 30, 'settled', now()), (1, 'b', 'run b', 'Dining', 10, 'reserved', now() + '1 day'),
    (1, 'c', 'run c', 'Retail', 70, 'released', now());
"""
