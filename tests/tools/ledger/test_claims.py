"""Claiming: one owner per prediction, counts that miss nothing, and nobody who waits for ever."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.tools.ledger.conftest import ZONE, prepare
from tests.tools.ledger.rows import CLAIM, outcome, rows
from tools.database import Database
from tools.errors import DatabaseUnavailable
from tools.ledger.claims import Busy, Claims, Foreign, Recorded, Taken
from tools.ledger.records import Records
from tools.screening import NEVER, Hold, Usage

OPEN = (
    "insert into offer_item (campaign_id, prediction_key, user_id, domain, reserves, owner, lease_until)"
    " values (1, %s, %s, %s, true, %s, now() + interval '1 minute')"
)
ISSUE = (
    "with d as (insert into decision (run_id, campaign_id, prediction_key, recommendation, record)"
    " values (%(run)s, 1, %(run)s, 'offer_generated', '{}') returning run_id)"
    " insert into offer (campaign_id, prediction_key, run_id, user_id, domain, offer_type, option_id, compliant,"
    " high_value, expected_cost_usd, issued_at, start_date, end_date, html_sha256)"
    " select 1, run_id, run_id, 'USER_1', %(domain)s, 'cashback', 'o', true, false, 1, %(at)s,"
    " '2026-11-01', '2026-12-01', '' from d"
)


def anything(_: Usage) -> tuple[Hold, ...]:
    return ()


def capped(usage: Usage, *, most: int = 1) -> tuple[Hold, ...]:
    used = usage.issued_this_month + usage.pending
    return (("monthly_cap", f"{used} of {most} are used"),) if used >= most else ()


async def owners(database: Database) -> list[tuple[str, str, str | None]]:
    return await rows(database, "select user_id, status, owner from offer_item order by prediction_key")


async def issued(database: Database, *, domain: str = "Travel", at: datetime) -> None:
    async with database.connection() as connection:
        await connection.execute(ISSUE, {"run": f"{domain} {at}", "domain": domain, "at": at})


async def test_a_key_that_another_member_claims_in_between_is_not_taken_from_them(
    claims: Claims, database: Database, database_url: str
) -> None:
    def meanwhile(_: Usage) -> tuple[Hold, ...]:
        with psycopg.connect(database_url) as connection:
            connection.execute(OPEN, ("key", "USER_2", "Travel", "theirs"))
        return ()

    assert await claims.claim(CLAIM, meanwhile) == Foreign()
    assert await owners(database) == [("USER_2", "pending", "theirs")]


async def test_two_members_with_one_key_at_once_never_both_own_it(claims: Claims, others: Claims) -> None:
    for place in range(25):
        mine = replace(CLAIM, prediction_key=f"key {place}", run_id=f"a{place}")
        theirs = replace(mine, user_id="USER_2", run_id=f"b{place}")
        answers = await asyncio.gather(claims.claim(mine, anything), others.claim(theirs, anything))
        assert {type(answer) for answer in answers} == {Taken, Foreign}


@pytest.mark.parametrize("state", ["status = 'retry'", "lease_until = now() - interval '1 second'"])
@pytest.mark.parametrize("other", [{"user_id": "USER_2"}, {"domain": "Dining"}], ids=str)
async def test_an_open_prediction_goes_on_with_its_own_member_and_domain_only(
    claims: Claims, database: Database, state: str, other: dict[str, str]
) -> None:
    await claims.claim(CLAIM, anything)
    await rows(database, f"update offer_item set {state}")
    assert await claims.claim(replace(CLAIM, run_id="second", **other), anything) == Foreign()
    assert isinstance(await claims.claim(replace(CLAIM, run_id="second"), anything), Taken)
    assert await owners(database) == [("USER_1", "pending", "second")]


async def test_a_prediction_is_busy_until_it_is_recorded(claims: Claims, records: Records) -> None:
    again = replace(CLAIM, run_id="again")
    await claims.claim(CLAIM, anything)
    assert await claims.claim(again, anything) == Busy()
    await records.finish(outcome(CLAIM))
    assert await claims.claim(again, anything) == Recorded("run", {"run": "run"})


async def test_a_members_lock_that_is_held_keeps_no_connection_waiting(
    claims: Claims, database: Database, database_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute("select pg_advisory_xact_lock(hashtextextended('USER_1', 0))")
        claimed = [replace(CLAIM, prediction_key=f"key {n}", run_id=f"run {n}") for n in range(30)]
        answers = await asyncio.wait_for(asyncio.gather(*(claims.claim(one, anything) for one in claimed)), timeout=60)
        assert answers == [Busy()] * 30
        assert isinstance(await claims.claim(replace(CLAIM, user_id="USER_2"), anything), Taken)
    assert isinstance(await claims.claim(claimed[0], anything), Taken)


async def test_a_hold_that_rests_on_an_open_place_alone_is_not_final(
    claims: Claims, others: Claims, records: Records, database: Database
) -> None:
    waiting = replace(CLAIM, prediction_key="second", run_id="second", domain="Dining")
    assert isinstance(await claims.claim(CLAIM, capped), Taken)
    assert await others.claim(waiting, capped) == Busy()
    assert await owners(database) == [("USER_1", "pending", "run")]
    await records.finish(outcome(CLAIM))
    assert await others.claim(waiting, capped) == Taken(Usage(), ())
    await records.finish(outcome(waiting, cost=Decimal(1)))
    held = await claims.claim(replace(CLAIM, prediction_key="third", run_id="third", domain="Retail"), capped)
    assert isinstance(held, Taken) and held.holds == (("monthly_cap", "1 of 1 are used"),)


async def test_a_hold_that_stands_by_itself_is_final_and_named_without_the_open_places(claims: Claims) -> None:
    def unsure(usage: Usage) -> tuple[Hold, ...]:
        return (*capped(usage), ("low_confidence", "0.1"))

    await claims.claim(CLAIM, capped)
    held = await claims.claim(replace(CLAIM, prediction_key="second", run_id="second"), unsure)
    assert isinstance(held, Taken) and held.holds == (("low_confidence", "0.1"),)


async def test_a_preview_says_what_open_places_hold_and_writes_nothing(claims: Claims, database: Database) -> None:
    await claims.claim(CLAIM, capped)
    seen = await claims.look(replace(CLAIM, prediction_key="second", run_id="second"), capped)
    assert (seen.usage.pending, seen.usage.pending_in_domain, len(seen.holds)) == (1, 1, 1)
    assert len(await owners(database)) == 1


async def test_a_place_whose_lease_ended_is_withdrawn_by_the_members_next_claim(
    claims: Claims, records: Records, database: Database
) -> None:
    late = replace(CLAIM, lease_s=0)
    await claims.claim(late, capped)
    taken = await claims.claim(replace(CLAIM, prediction_key="second", run_id="second"), capped)
    assert isinstance(taken, Taken) and (taken.usage.pending, taken.holds) == (0, ())
    await rows(database, "update offer_item set lease_until = now() + interval '1 minute'")
    assert not await records.finish(outcome(late, cost=Decimal(1)))


async def test_a_run_that_is_finishing_past_its_lease_is_counted(claims: Claims, database_url: str) -> None:
    await claims.claim(CLAIM, capped)
    async with await psycopg.AsyncConnection.connect(database_url) as finishing:
        await finishing.execute("update offer_item set lease_until = now() - interval '1 second'")
        await finishing.commit()
        await finishing.execute("update offer_item set status = 'done', reserves = false, lease_until = null")
        await finishing.execute(ISSUE, {"run": "run", "domain": "Travel", "at": datetime.now(UTC)})
        second = asyncio.create_task(
            claims.claim(replace(CLAIM, prediction_key="second", run_id="second", domain="Dining"), capped)
        )
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as onlooker:
            waits = "select 1 from pg_locks where not granted"
            while not second.done() and not await (await onlooker.execute(waits)).fetchone():
                await asyncio.sleep(0.01)
        await finishing.commit()
    held = await second
    assert isinstance(held, Taken) and (held.usage.issued_this_month, len(held.holds)) == (1, 1)


@pytest.mark.parametrize("seed", [1, 2])
async def test_however_many_ask_at_once_and_die_the_cap_holds_and_all_come_to_an_end(
    claims: Claims, others: Claims, database: Database, elsewhere: Database, seed: int
) -> None:
    chance = random.Random(seed)
    most = 3

    def decide(usage: Usage) -> tuple[Hold, ...]:
        return capped(usage, most=most)

    async def run(number: int) -> str:
        here, there = ((claims, database), (others, elsewhere))[number % 2]
        claim = replace(CLAIM, prediction_key=f"key {number // 2}", run_id=f"run {number}", domain=f"d{number // 2}")
        fate = chance.choice(["offer", "offer", "none", "gone", "dead"])
        if fate == "dead":
            claim = replace(claim, lease_s=0.05)
        while True:
            answer = await here.claim(claim, decide)
            if isinstance(answer, Recorded):
                return "recorded"
            if isinstance(answer, Taken):
                break
            await asyncio.sleep(chance.uniform(0.005, 0.02))
        if answer.holds:
            return "held" if await Records(there, zone=ZONE).finish(outcome(claim)) else "lost"
        await asyncio.sleep(chance.uniform(0, 0.03))
        if fate == "gone":
            here.let_go(claim.run_id)
        elif fate == "offer":
            return "offer" if await Records(there, zone=ZONE).finish(outcome(claim, cost=Decimal(1))) else "lost"
        elif fate == "none":
            await Records(there, zone=ZONE).finish(outcome(claim))
        return fate

    ends = await asyncio.wait_for(asyncio.gather(*(run(number) for number in range(40))), timeout=120)
    await others.aclose()
    assert (await rows(database, "select count(*) from offer"))[0][0] == ends.count("offer") == most


async def test_days_are_those_of_the_brands_calendar(claims: Claims, database: Database) -> None:
    today = datetime.now(ZONE).date()
    late = datetime.combine(today - timedelta(days=7), time(23, 59, 59), ZONE)
    early = datetime.combine(today - timedelta(days=8), time(0, 0), ZONE)
    await issued(database, domain="Travel", at=late)
    await issued(database, domain="Dining", at=early)
    await rows(database, "insert into offer_decline values ('USER_1', 'Travel', %s)", late)
    travel = (await claims.look(CLAIM, anything)).usage
    dining = (await claims.look(replace(CLAIM, domain="Dining"), anything)).usage
    retail = (await claims.look(replace(CLAIM, domain="Retail"), anything)).usage
    assert (travel.days_since_domain_offer, travel.days_since_domain_decline) == (7, 7)
    assert (dining.days_since_domain_offer, dining.days_since_domain_decline) == (8, NEVER)
    assert retail.days_since_domain_offer == NEVER


async def test_offers_are_counted_from_the_snapshot_and_an_earlier_months_is_told(
    claims: Claims, database: Database
) -> None:
    month = datetime.combine(datetime.now(ZONE).date().replace(day=1), time(), ZONE)
    now = datetime.now(UTC)
    await issued(database, at=now)
    counted = {}
    for taken_at in (None, month - timedelta(seconds=1), month, now + timedelta(seconds=1)):
        if taken_at is not None:
            await rows(
                database,
                "insert into cardmember_snapshot values ('cardmember', %s)"
                " on conflict (table_name) do update set taken_at = excluded.taken_at",
                taken_at,
            )
        usage = (await claims.look(CLAIM, anything)).usage
        counted[taken_at] = (usage.snapshot_is_current, usage.issued_this_month)
    assert list(counted.values()) == [(True, 1), (False, 1), (True, 1), (True, 0)]


async def test_a_claim_let_go_of_is_free_here_at_once_and_elsewhere_once_told(claims: Claims, others: Claims) -> None:
    await claims.claim(CLAIM, anything)
    claims.let_go("run")
    second = await claims.claim(replace(CLAIM, run_id="second"), capped)
    assert isinstance(second, Taken)
    claims.let_go("second")
    await claims.aclose()
    third = await others.claim(replace(CLAIM, run_id="third"), capped)
    assert isinstance(third, Taken)
    assert await others.claim(replace(CLAIM, run_id="fourth"), capped) == Busy()


async def test_the_place_of_a_claim_let_go_of_is_free_at_once(claims: Claims, records: Records) -> None:
    await claims.claim(CLAIM, capped)
    claims.let_go("run")
    taken = await claims.claim(replace(CLAIM, prediction_key="second", run_id="second"), capped)
    assert taken == Taken(Usage(), ())
    await claims.aclose()
    assert not await records.finish(outcome(CLAIM))


async def test_what_the_ledger_could_not_be_told_it_is_told_at_the_end(
    claims: Claims, others: Claims, database: Database, database_url: str
) -> None:
    away = True

    async def locate() -> str:
        if away:
            raise DatabaseUnavailable("away")
        return database_url

    await others.claim(CLAIM, anything)
    cut_off = Claims(Database(locate, prepare=prepare), table="cardmember", zone=ZONE)
    cut_off.let_go("run")
    await asyncio.gather(*cut_off._letting_go)
    assert await claims.claim(replace(CLAIM, run_id="second"), anything) == Busy()
    await cut_off.aclose()  # still away: it raises nothing
    away = False
    await cut_off.aclose()
    assert isinstance(await claims.claim(replace(CLAIM, run_id="second"), anything), Taken)
    await cut_off._database.aclose()


async def test_a_let_go_during_the_close_is_told_too(claims: Claims, others: Claims) -> None:
    first, second = CLAIM, replace(CLAIM, prediction_key="second", run_id="second")
    await claims.claim(first, anything)
    await claims.claim(second, anything)
    claims.let_go("run")
    closing = asyncio.create_task(claims.aclose())
    await asyncio.sleep(0)
    claims.let_go("second")
    await closing
    for claim in (first, second):
        assert isinstance(await others.claim(replace(claim, run_id=f"{claim.run_id} again"), anything), Taken)
