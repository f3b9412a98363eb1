"""Budgets of every scope hold, however many processes spend, whoever is killed, and whatever is set meanwhile."""

import asyncio
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.ledger.conftest import ZONE, prepare, process
from tests.tools.ledger.rows import CLAIM, anything, ask, end_lease, in_use, outcome, reserve, rows
from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.claims import Claim, Claims, Taken
from tools.ledger.money import Lost, Money, Short
from tools.ledger.records import Records

ROOT = Path(__file__).parents[3]
TOTAL, TRAVEL, DINING = BudgetKey("campaign"), BudgetKey("domain", "Travel"), BudgetKey("domain", "Dining")
DAY, MEMBER = BudgetKey("day"), BudgetKey("member")

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


async def kept(database: Database) -> bool:
    """Return whether what the ledger counts as in use is what its reservations add up to."""
    found = await rows(
        database,
        "select u.scope, u.name, u.used_usd, coalesce(sum(r.amount_usd), 0) from budget_use u left join reservation r"
        " on r.state <> 'released' and case u.scope when 'campaign' then true when 'day' then r.day = u.name"
        " else r.domain = u.name end and r.campaign_id = u.campaign_id group by u.campaign_id, 1, 2, 3",
    )
    return all(used == summed for _, _, used, summed in found)


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


@dataclass
class Book:
    """What a reader of the rules expects of one campaign: an amount per prediction, and limits."""

    limits: dict[BudgetKey, Decimal] = field(default_factory=dict)
    amounts: dict[int, Decimal] = field(default_factory=dict)
    lapsed: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)

    def keys(self, prediction: int) -> set[BudgetKey]:
        return {TOTAL, DAY, MEMBER, BudgetKey("domain", DOMAIN_OF[prediction % 2])} & self.limits.keys()

    def others(self, key: BudgetKey, prediction: int) -> Decimal:
        """What other predictions hold of a budget of this one."""
        same = {TOTAL: lambda _: True, DAY: lambda _: True, MEMBER: lambda other: other // 2 == prediction // 2}
        counted = same.get(key, lambda other: other % 2 == prediction % 2)
        return sum((usd for other, usd in self.amounts.items() if other != prediction and counted(other)), Decimal(0))

    def fits(self, prediction: int, usd: Decimal) -> bool:
        held = None if prediction in self.lapsed else self.amounts.get(prediction)
        return (held is not None and usd <= held) or all(
            self.others(key, prediction) + usd <= self.limits[key] for key in self.keys(prediction)
        )

    def release(self) -> None:
        for prediction in self.lapsed:
            del self.amounts[prediction]
        self.lapsed.clear()

    def reserve(self, prediction: int, usd: Decimal) -> bool:
        if not self.fits(prediction, usd):
            self.release()
            if not self.fits(prediction, usd):
                return False
        if self.keys(prediction):
            self.amounts[prediction] = usd
            self.lapsed.discard(prediction)
        return True

    def finish(self, prediction: int, usd: Decimal | None) -> bool:
        if usd is None:
            self.amounts.pop(prediction, None)
        elif not self.fits(prediction, usd):
            return False
        else:
            self.amounts[prediction] = usd
            self.settled.add(prediction)
        self.lapsed.discard(prediction)
        return True


DOMAIN_OF = ("Travel", "Dining")
USD = st.integers(0, 800).map(lambda cents: Decimal(cents) / 100)
PREDICTION = st.integers(0, 5)
ACTS = st.one_of(
    st.tuples(st.just("reserve"), PREDICTION, USD),
    st.tuples(st.just("reserve"), PREDICTION, USD),
    st.tuples(st.just("finish"), PREDICTION, st.none() | USD),
    st.tuples(st.just("lapse"), PREDICTION, st.none()),
    st.tuples(
        st.just("set"), st.sampled_from([TOTAL, TRAVEL, DINING, DAY, MEMBER]), st.none() | USD.map(lambda u: 2 * u)
    ),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(limits=st.dictionaries(st.sampled_from([TOTAL, TRAVEL, DAY, MEMBER]), USD), acts=st.lists(ACTS, max_size=20))
async def test_whatever_happens_in_turn_the_ledger_grants_what_the_rules_say(
    claims: Claims, money: Money, records: Records, budgets: Budgets, database: Database,
    limits: dict[BudgetKey, Decimal], acts: list[tuple[str, Any, Any]],
) -> None:  # fmt: skip
    name = secrets.token_hex(6)
    campaign = (await rows(database, "insert into campaign (name) values (%s) returning campaign_id", name))[0][0]
    await budgets.change(name, limits)
    book = Book(limits=dict(limits))
    made = [
        replace(
            CLAIM, campaign_id=campaign, prediction_key=f"{n}", run_id=f"{name} {n}", user_id=f"USER_{n // 2}",
            domain=DOMAIN_OF[n % 2],
        )
        for n in range(6)
    ]  # fmt: skip
    ended: set[int] = set()
    for claim in made:
        assert isinstance(await claims.claim(claim, anything), Taken)
    for act, which, usd in acts:
        if act == "set":
            await budgets.change(name, {} if usd is None else {which: usd}, clear={which} if usd is None else set())
            book.limits = {key: limit for key, limit in book.limits.items() if key != which}
            book.limits |= {} if usd is None else {which: usd}
        elif which in ended:
            assert await ask(money, made[which], 0) == Lost()
        elif act == "reserve":
            assert await reserve(money, made[which], usd) == book.reserve(which, usd)
        elif act == "lapse" and which in book.amounts:
            await rows(database, "update reservation set expires_at = now() where run_id = %s", made[which].run_id)
            book.lapsed.add(which)
        elif act == "finish":
            assert await records.finish(outcome(made[which], cost=usd)) == book.finish(which, usd)
            ended |= {which} if usd is None or which in book.settled else set()
        found = await rows(
            database,
            "select prediction_key, amount_usd from reservation where campaign_id = %s and state <> 'released'",
            campaign,
        )  # fmt: skip
        assert {int(key): usd for key, usd in found} == book.amounts
    shown = await budgets.show(name)
    assert {BudgetKey(b.scope, b.name if b.scope == "domain" else "") for b in shown} == book.limits.keys() | {TOTAL}
    assert await kept(database)
