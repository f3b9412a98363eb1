"""Money: never more than the budget, nothing leaks, each amount settles once."""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.tools.ledger.rows import CLAIM, outcome, rows
from tools.database import Database
from tools.ledger.claims import Claim, Claims, Recorded, Taken
from tools.ledger.money import Money
from tools.ledger.records import Records
from tools.screening import Hold, Usage

BUDGET = Decimal(100)


def anything(_: Usage) -> tuple[Hold, ...]:
    return ()


async def reserve(money: Money, claim: Claim, usd: Decimal | int, *, lease_s: float = 60) -> bool:
    return await money.reserve(
        campaign_id=claim.campaign_id,
        prediction_key=claim.prediction_key,
        run_id=claim.run_id,
        domain=claim.domain,
        amount_usd=Decimal(usd),
        lease_s=lease_s,
    )


async def reserved(database: Database) -> Decimal:
    return Decimal((await rows(database, "select reserved_usd from campaign"))[0][0])


async def states(database: Database) -> list[tuple[str, Decimal]]:
    return await rows(database, "select state, amount_usd from reservation order by prediction_key")


@pytest.fixture
async def claimed(claims: Claims, database: Database) -> tuple[Claim, ...]:
    """Three members' claims in a campaign that may spend 100 USD."""
    await rows(database, "update campaign set budget_usd = %s", BUDGET)
    made = tuple(replace(CLAIM, prediction_key=f"key {n}", run_id=f"run {n}", user_id=f"USER_{n}") for n in range(3))
    for claim in made:
        await claims.claim(claim, anything)
    return made


async def test_a_campaign_without_a_budget_reserves_nothing(money: Money, database: Database) -> None:
    assert await reserve(money, CLAIM, 10**6)
    assert not await reserve(money, replace(CLAIM, campaign_id=99), 1)
    assert await states(database) == []


async def test_a_reservation_replaces_the_predictions_earlier_one(
    money: Money, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first, second, _ = claimed
    assert [await reserve(money, first, usd) for usd in (60, 100, "100.01", 40)] == [True, True, False, True]
    assert [await reserve(money, second, usd) for usd in ("60.01", 60)] == [False, True]
    assert await reserved(database) == BUDGET


async def test_what_expired_is_released_by_the_next_who_asks(
    money: Money, records: Records, database: Database, claimed: tuple[Claim, ...]
) -> None:
    dead, second, third = claimed
    assert await reserve(money, dead, 90, lease_s=0)
    assert await reserve(money, second, 80)
    assert (await reserved(database), await states(database)) == (80, [("released", 90), ("reserved", 80)])
    assert not await reserve(money, third, 21)
    assert await records.finish(outcome(second))
    assert (await reserved(database), await reserve(money, third, 100)) == (0, True)


async def test_an_amount_settles_once_and_stays_settled(
    money: Money, records: Records, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first = claimed[0]
    await reserve(money, first, 30)
    assert [await records.finish(outcome(first, cost=Decimal(30))) for _ in range(2)] == [True, False]
    for late in (first, replace(first, run_id="superseded")):
        assert not await reserve(money, late, 5)
    await rows(database, "update reservation set expires_at = now() - interval '1 day'")
    await reserve(money, claimed[1], 1)
    assert (await reserved(database), await states(database)) == (31, [("settled", 30), ("reserved", 1)])


async def test_only_the_run_that_owns_the_prediction_reserves(
    money: Money, claims: Claims, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first = claimed[0]
    await rows(database, "update offer_item set lease_until = now() where owner = 'run 0'")
    assert not await reserve(money, first, 10)
    second = replace(first, run_id="second")
    assert isinstance(await claims.claim(second, anything), Taken)
    assert [await reserve(money, one, 10) for one in (first, second)] == [False, True]
    assert await reserved(database) == 10


async def test_a_claim_let_go_of_gives_its_money_back(
    money: Money, claims: Claims, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first, second, _ = claimed
    await reserve(money, first, 90)
    claims.let_go(first.run_id)
    await claims.aclose()
    assert await reserve(money, second, 90)
    assert await reserved(database) == 90


@pytest.mark.parametrize("seed", range(3))
async def test_however_runs_race_and_die_the_sum_keeps_to_the_budget_and_nothing_leaks(
    money: Money, claims: Claims, records: Records, others: Claims, elsewhere: Database, database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    await rows(database, "update campaign set budget_usd = %s", BUDGET)
    won: list[str] = []

    async def run(number: int) -> None:
        here = number % 2 == 0
        mine, purse, book = (claims, money, records) if here else (others, Money(elsewhere), Records(elsewhere))
        key = f"key {number % 20}"
        claim = replace(CLAIM, prediction_key=key, run_id=f"run {number}", user_id=f"USER_{key}")
        lease_s = chance.choice([60, 60, 60, 60, 0.01, 0.03])
        while not isinstance(answer := await mine.claim(replace(claim, lease_s=lease_s), anything), Taken):
            if isinstance(answer, Recorded):
                return
            await asyncio.sleep(chance.uniform(0.002, 0.01))
        afforded = None
        for _ in range(chance.randint(0, 3)):
            asked = Decimal(chance.randint(1, 3000)) / 100
            afforded = asked if await reserve(purse, claim, asked, lease_s=lease_s) else afforded
            await asyncio.sleep(chance.uniform(0, 0.02))
        match chance.choice(["offer", "offer", "offer", "offer", "none", "retry", "gone"]):
            case "offer" if afforded is not None:
                won.extend([key] if await book.finish(outcome(claim, cost=afforded)) else [])
            case "retry":
                await book.finish(outcome(claim, close="retry"))
            case "gone":
                mine.let_go(claim.run_id)
            case _:
                await book.finish(outcome(claim))

    await asyncio.wait_for(asyncio.gather(*(run(number) for number in range(60))), timeout=120)
    await claims.aclose()
    await others.aclose()
    held = await rows(database, "select coalesce(sum(amount_usd), 0) from reservation where state <> 'released'")
    assert await reserved(database) == held[0][0] <= BUDGET

    await rows(database, "update reservation set expires_at = now()")
    last = replace(CLAIM, user_id="USER_LAST", run_id="last", prediction_key="last")
    await claims.claim(last, anything)
    assert await reserve(money, last, 0)
    settled = await rows(
        database, "select coalesce(sum(amount_usd), 0), count(*) from reservation where state = 'settled'"
    )
    assert await reserved(database) == settled[0][0]
    offers = await rows(database, "select prediction_key from offer")
    assert len(won) == len(set(won)) == len(offers) == settled[0][1] > 0
