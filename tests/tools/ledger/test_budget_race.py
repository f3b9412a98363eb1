"""No budget is ever exceeded, however many processes spend, whoever is killed, and whatever is set meanwhile."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from tests.tools.ledger.rows import DAY, DINING, MEMBER, TOTAL, TRAVEL, in_use, kept, rows
from tools.database import Database
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.money import Money

ROOT = Path(__file__).parents[3]
DEAD = ["spender 0 %", "spender 1 %"]
AT_WORK = """
select count(*) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'
"""


async def held(database: Database) -> dict[BudgetKey, Decimal]:
    """Sum up the rows that hold money: in all, per domain, on the dearest day, for the dearest member."""
    found = await rows(
        database,
        "with held as (select * from reservation where state <> 'released')"
        " select coalesce((select sum(amount_usd) from held), 0),"
        " coalesce((select sum(amount_usd) from held where domain = 'Travel'), 0),"
        " coalesce((select sum(amount_usd) from held where domain = 'Dining'), 0),"
        " coalesce((select max(usd) from (select sum(amount_usd) as usd from held group by day) as days), 0),"
        " coalesce((select max(usd) from (select sum(amount_usd) as usd from held group by user_id) as members), 0)",
    )
    return dict(zip((TOTAL, TRAVEL, DINING, DAY, MEMBER), found[0], strict=True))


class Spender:
    """A spending process; `wait_for` returns once it has printed so many letters."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process, self.told = process, ""

    async def wait_for(self, letters: str, many: int) -> None:
        assert self.process.stdout is not None
        while sum(map(self.told.count, letters)) < many:
            read = await self.process.stdout.read(1024)
            assert read, f"the spender ended: {self.told}"
            self.told += read.decode()

    @property
    def ended(self) -> int:
        """How many of its runs have ended with an outcome, as far as was read."""
        return sum(map(self.told.count, "ox"))

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.communicate()


@asynccontextmanager
async def spenders(url: str, many: int) -> AsyncIterator[list[Spender]]:
    started = [
        Spender(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.tools.ledger.spender", url, f"spender {number}", cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
            )
        )
        for number in range(many)
    ]  # fmt: skip
    try:
        yield started
    finally:
        for spender in started:
            if spender.process.returncode is None:
                await spender.kill()


async def test_no_budget_is_exceeded_by_52_runs_in_four_processes_that_are_killed(
    database_url: str, database: Database, budgets: Budgets, money: Money
) -> None:
    limits = {key: Decimal(usd) for key, usd in ((TOTAL, 300), (TRAVEL, 170), (DINING, 150), (DAY, 290), (MEMBER, 12))}
    most = dict(limits)
    await budgets.change("online", limits)
    exceeded: list[tuple[BudgetKey, Decimal]] = []
    looks = 0

    async def watch() -> None:
        nonlocal looks
        while True:
            before = dict(most)
            found = await held(database)
            exceeded.extend((key, usd) for key, usd in found.items() if usd > max(before[key], most[key]))
            looks += 1

    async with spenders(database_url, 4) as running:
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(spender.wait_for("ox", 5) for spender in running))
        for spender in running[:2]:
            await spender.wait_for("d", 1)
            await spender.kill()
        # What dead runs had ends as their leases do; those who go on take it over while it is released.
        await rows(database, "update reservation set expires_at = now() where run_id like any(%s)", DEAD)
        await rows(database, "update offer_item set lease_until = now() where owner like any(%s)", DEAD)
        for total in (150, 310, 0, 320):  # down under what is promised, up, stopped, up
            most[TOTAL] = max(most[TOTAL], Decimal(total))
            await budgets.change("online", {TOTAL: Decimal(total)})
            most[TOTAL] = max((await held(database))[TOTAL], Decimal(total))
            await asyncio.gather(*(spender.wait_for("ox", spender.ended + 5) for spender in running[2:]))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    while (await rows(database, AT_WORK))[0][0]:  # a server goes on with what a client asked before it was killed
        await asyncio.sleep(0.01)
    assert (exceeded, looks > 0, await kept(database)) == ([], True, True)

    await rows(database, "update reservation set expires_at = now()")
    await money.release_expired(1)
    settled = await rows(database, "select sum(amount_usd), count(*) from reservation where state = 'settled'")
    offers = await rows(database, "select sum(expected_cost_usd), count(*) from offer")
    assert settled == offers and settled[0][1] > 0
    assert (await held(database))[TOTAL] == settled[0][0] == (await in_use(database))[""]
    assert await kept(database)
