"""A link that says no, and an offer that is being written: whichever comes first, none follows the link's answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.tools.ledger.conftest import ZONE
from tests.tools.ledger.rows import CLAIM, DAY, MEMBER, TOTAL, anything, in_use, kept, outcome, reserve, rows
from tools.database import Database
from tools.ledger.budgets import Budgets
from tools.ledger.claims import Claims
from tools.ledger.money import Money
from tools.ledger.opt_outs import OptOuts, Recipient
from tools.ledger.records import Records

READER = Recipient("USER_1", "earlier-run")
WRITTEN = "select (select count(*) from offer), (select count(*) from decision)"
LOCKS = {
    "budgets": "select pg_advisory_xact_lock(budgets_lock(1))",
    "prediction": "select from offer_item for update",
    "reservation": "select from reservation for update",
    "in use": "select from budget_use where scope = 'campaign' for update",
    "spending": "select pg_advisory_xact_lock(hashtextextended('1/USER_1', 2))",
}
"""What a finishing run waits for, each held by another transaction, in the order of `money.sql`."""


@pytest.fixture
def opt_outs(elsewhere: Database) -> OptOuts:
    """Members' choices as another process writes them."""
    return OptOuts(elsewhere, zone=ZONE)


@asynccontextmanager
async def transaction(url: str, statement: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Hold what a statement locks until the end; yields a wait for somebody to want it."""
    async with (
        await psycopg.AsyncConnection.connect(url) as holder,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as onlooker,
    ):
        await holder.execute(statement.encode())

        async def wanted() -> None:
            asked = "select from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
            while (await onlooker.execute(asked, (holder.info.backend_pid,))).rowcount == 0:
                await asyncio.sleep(0.01)

        yield wanted


async def say_stop(opt_outs: OptOuts) -> None:
    await opt_outs.stop(READER, source="one_click")


async def say_no_travel(opt_outs: OptOuts) -> None:
    await opt_outs.prefer(READER, refused={"Travel"}, paused_until=None)


async def say_pause(opt_outs: OptOuts) -> None:
    await opt_outs.prefer(READER, refused=(), paused_until=date.today() + timedelta(days=60))


@pytest.mark.parametrize(
    ("lock", "say"), [*((lock, say_stop) for lock in LOCKS), ("in use", say_no_travel), ("in use", say_pause)]
)
async def test_no_offer_is_written_after_a_link_answered_a_run_that_waits_for_money(
    claims: Claims, records: Records, money: Money, budgets: Budgets, database: Database, database_url: str,
    opt_outs: OptOuts, lock: str, say: Callable[[OptOuts], Awaitable[None]],
) -> None:  # fmt: skip
    await budgets.change("online", {TOTAL: Decimal(10), DAY: Decimal(10), MEMBER: Decimal(10)})
    await claims.claim(CLAIM, anything)
    assert await reserve(money, CLAIM, 8)
    async with transaction(database_url, LOCKS[lock]) as wanted:
        finishing = asyncio.create_task(records.finish(outcome(CLAIM, cost=Decimal(8))))
        await wanted()
        await say(opt_outs)  # it waits for no money
    assert not await finishing
    assert await rows(database, WRITTEN) == [(0, 0)]
    held = "select state, amount_usd from reservation"
    assert await rows(database, held) == [("reserved", Decimal(8))]  # the run's own still, until it ends
    assert await records.finish(outcome(CLAIM, recommendation="suppressed_marketing_opt_out"))
    assert (await in_use(database), await kept(database)) == ({"": Decimal(0)}, True)
    assert await rows(database, held) == [("released", Decimal(8))]


@pytest.mark.parametrize("say", [say_stop, say_no_travel, say_pause])
async def test_a_link_answers_after_an_offer_that_was_being_written_when_it_came(
    claims: Claims, database: Database, database_url: str, opt_outs: OptOuts, say: Callable[[OptOuts], Awaitable[None]]
) -> None:
    await claims.claim(CLAIM, anything)
    settle = "select settle_money(1, 'key', 'run', 8, '2026-11-28')"
    async with transaction(database_url, settle) as wanted:
        saying = asyncio.create_task(say(opt_outs))
        await wanted()
        assert not saying.done()
        assert await rows(database, "select opted_out('USER_1', 'Travel')") == [(False,)]
    await saying
    assert await rows(database, "select opted_out('USER_1', 'Travel')") == [(True,)]


async def test_links_of_other_members_and_words_for_offers_wait_for_nothing(
    claims: Claims, database_url: str, opt_outs: OptOuts
) -> None:
    await claims.claim(CLAIM, anything)
    async with transaction(database_url, "select settle_money(1, 'key', 'run', 8, '2026-11-28')"):
        await opt_outs.stop(Recipient("USER_2", "r"), source="one_click")
        assert not await opt_outs.resume(READER)


@pytest.mark.parametrize(
    ("rows_of", "say"),
    [
        ("insert into suppression (user_id, source) values ('USER_1', 'an import under way')", say_stop),
        ("insert into contact_preference (user_id, refused_domains) values ('USER_1', '{}')", say_pause),
    ],
)
async def test_an_offer_waits_for_no_link_that_waits_for_rows_of_somebody_else(
    claims: Claims, records: Records, database: Database, database_url: str, opt_outs: OptOuts,
    rows_of: str, say: Callable[[OptOuts], Awaitable[None]],
) -> None:  # fmt: skip
    await claims.claim(CLAIM, anything)
    async with transaction(database_url, rows_of) as wanted:
        saying = asyncio.create_task(say(opt_outs))
        await wanted()
        assert await records.finish(outcome(CLAIM, cost=Decimal(8)))  # it holds money that all runs need
        assert not saying.done()
    await saying
    assert await rows(database, WRITTEN) == [(1, 1)]
    assert await rows(database, "select opted_out('USER_1', 'Travel')") == [(True,)]
