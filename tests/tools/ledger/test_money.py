"""Money: never more than the budget, nothing leaks, each amount settles once."""

import asyncio
import random
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from tests.tools.ledger.conftest import ZONE
from tests.tools.ledger.rows import CLAIM, TOTAL, anything, ask, end_lease, in_use, outcome, reserve, rows
from tools.database import Database
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.claims import Busy, Claim, Claims, Recorded, Taken
from tools.ledger.money import BudgetLeft, Granted, Lost, Money, Short
from tools.ledger.records import Records

BUDGET = Decimal(100)


async def used(database: Database) -> Decimal:
    return (await in_use(database))[""]


async def states(database: Database) -> list[tuple[str, Decimal]]:
    return await rows(database, "select state, amount_usd from reservation order by prediction_key")


@pytest.fixture
async def claimed(claims: Claims, budgets: Budgets) -> tuple[Claim, ...]:
    """Three members' claims in a campaign that may spend 100 USD."""
    await budgets.change("online", {TOTAL: BUDGET})
    made = tuple(replace(CLAIM, prediction_key=f"key {n}", run_id=f"run {n}", user_id=f"USER_{n}") for n in range(3))
    for claim in made:
        await claims.claim(claim, anything)
    return made


async def test_a_campaign_without_a_budget_reserves_nothing(money: Money, claims: Claims, database: Database) -> None:
    await claims.claim(CLAIM, anything)
    assert await ask(money, CLAIM, 10**6) == Granted(())
    assert await ask(money, replace(CLAIM, campaign_id=99), 1) == Lost()
    assert await states(database) == []


async def test_a_reservation_replaces_the_predictions_earlier_one(
    money: Money, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first, second, _ = claimed
    assert [await reserve(money, first, usd) for usd in (60, 100, "100.01", 40)] == [True, True, False, True]
    assert [await reserve(money, second, usd) for usd in ("60.01", 60)] == [False, True]
    assert await used(database) == BUDGET


async def test_an_answer_says_what_is_left_of_each_budget_and_which_is_short(
    money: Money, budgets: Budgets, claimed: tuple[Claim, ...]
) -> None:
    first, second, _ = claimed
    limits = {
        BudgetKey("domain", "Travel"): Decimal(50),
        BudgetKey("day"): Decimal(70),
        BudgetKey("member"): Decimal(45),
    }
    await budgets.change("online", limits | {BudgetKey("domain", "Dining"): Decimal(1)})
    today = datetime.now(ZONE).date().isoformat()
    assert await ask(money, first, 30) == Granted(
        (
            BudgetLeft("campaign", "", BUDGET, Decimal(70)),
            BudgetLeft("day", today, Decimal(70), Decimal(40)),
            BudgetLeft("domain", "Travel", Decimal(50), Decimal(20)),
            BudgetLeft("member", "", Decimal(45), Decimal(15)),
        )
    )
    assert await ask(money, second, 46) == Short(
        (
            BudgetLeft("day", today, Decimal(70), Decimal(40)),
            BudgetLeft("domain", "Travel", Decimal(50), Decimal(20)),
            BudgetLeft("member", "", Decimal(45), Decimal(45)),
        )
    )
    assert await ask(money, first, "45.01") == Short((BudgetLeft("member", "", Decimal(45), Decimal(45)),))


async def test_what_expired_is_released_by_the_next_who_needs_it(
    money: Money, records: Records, database: Database, claimed: tuple[Claim, ...]
) -> None:
    dead, second, third = claimed
    assert await reserve(money, dead, 90, lease_s=0)
    assert await reserve(money, second, 80)
    assert (await used(database), await states(database)) == (80, [("released", 90), ("reserved", 80)])
    assert not await reserve(money, third, 21)
    assert await records.finish(outcome(second))
    assert (await used(database), await reserve(money, third, 100)) == (0, True)


async def test_money_is_released_once_whoever_releases_it(
    money: Money, records: Records, elsewhere: Database, database: Database, claimed: tuple[Claim, ...]
) -> None:
    for claim in claimed:
        assert await reserve(money, claim, 30, lease_s=0)
    there = Money(elsewhere, zone=ZONE)
    released = await asyncio.gather(*(purse.release_expired(1) for purse in (money, there) * 10))
    assert (sum(released), await used(database)) == (3, 0)
    assert [await records.finish(outcome(claim)) for claim in claimed] == [True] * 3
    assert (await used(database), {state for state, _ in await states(database)}) == (0, {"released"})


async def test_an_amount_settles_once_and_stays_settled(
    money: Money, records: Records, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first = claimed[0]
    await reserve(money, first, 30)
    assert [await records.finish(outcome(first, cost=Decimal(30))) for _ in range(2)] == [True, False]
    for late in (first, replace(first, run_id="superseded")):
        assert await ask(money, late, 5) == Lost()
    await rows(database, "update reservation set expires_at = now() - interval '1 day'")
    await reserve(money, claimed[1], 1)
    assert await money.release_expired(1) == 0
    assert (await used(database), await states(database)) == (31, [("settled", 30), ("reserved", 1)])


async def test_an_offer_past_its_runs_lease_does_not_settle(
    money: Money, records: Records, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first = claimed[0]
    await reserve(money, first, 30)
    await end_lease(database, first.run_id)
    assert not await records.finish(outcome(first, cost=Decimal(30)))
    assert await states(database) == [("reserved", 30)]
    assert (await money.release_expired(1), await used(database)) == (1, 0)
    assert not await records.finish(outcome(first, cost=Decimal(30)))
    assert (await states(database), await rows(database, "select count(*) from offer")) == ([("released", 30)], [(0,)])


async def test_only_the_run_that_owns_the_prediction_reserves(
    money: Money, claims: Claims, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first = claimed[0]
    await rows(database, "update offer_item set lease_until = now() where owner = 'run 0'")
    assert await ask(money, first, 10) == Lost()
    second = replace(first, run_id="second")
    assert isinstance(await claims.claim(second, anything), Taken)
    assert [await reserve(money, one, 10) for one in (first, second)] == [False, True]
    assert await used(database) == 10


async def test_a_claim_let_go_of_gives_its_money_back(
    money: Money, claims: Claims, database: Database, claimed: tuple[Claim, ...]
) -> None:
    first, second, _ = claimed
    await reserve(money, first, 90)
    claims.let_go(first.run_id)
    await claims.aclose()
    assert await reserve(money, second, 90)
    assert await used(database) == 90


def fates(seed: int, number: int) -> tuple[str, int | None, list[Decimal]]:
    """Return how a run ends, after how many of its steps its time is over (None: never), and what it reserves."""
    chance = random.Random(f"{seed} {number}")
    doomed = chance.random() < 0.3
    end = chance.choice(["offer", "offer", "offer", "offer", "none", "retry", "gone"])
    asked = [Decimal(chance.randint(1, 3000)) / 100 for _ in range(chance.randint(0, 3))]
    return end, chance.randint(0, len(asked)) if doomed else None, asked


@pytest.mark.parametrize("seed", range(3))
async def test_however_runs_race_and_die_the_sum_keeps_to_the_budget_and_nothing_leaks(
    money: Money, claims: Claims, budgets: Budgets, records: Records, others: Claims, elsewhere: Database,
    database: Database, seed: int,
) -> None:  # fmt: skip
    await budgets.change("online", {TOTAL: BUDGET})
    won: list[str] = []
    stirs: dict[str, asyncio.Event] = {}

    def stir(key: str) -> None:
        """Wake who waits for this prediction: who owns it has changed."""
        if (event := stirs.pop(key, None)) is not None:
            event.set()

    async def run(number: int) -> None:
        mine, there = ((claims, database), (others, elsewhere))[number % 2]
        purse, book = Money(there, zone=ZONE), Records(there, zone=ZONE)
        key = f"key {number % 20}"
        claim = replace(CLAIM, prediction_key=key, run_id=f"run {number}", user_id=f"USER_{key}")
        end, time_over, asked = fates(seed, number)
        while True:
            stirred = stirs.setdefault(key, asyncio.Event())
            answer = await mine.claim(claim, anything)
            if not isinstance(answer, Busy):
                stir(key)
                break
            await stirred.wait()
        if isinstance(answer, Recorded):
            return
        afforded = None
        for step in range(len(asked) + 1):
            if step == time_over:
                await end_lease(database, claim.run_id)
                stir(key)
            if step < len(asked) and await reserve(purse, claim, asked[step]):
                afforded = asked[step]
        match end:
            case "offer" if afforded is not None:
                issued = await book.finish(outcome(claim, cost=afforded))
                assert not issued or time_over is None
                won.extend([key] if issued else [])
            case "retry":
                await book.finish(outcome(claim, close="retry"))
            case "gone":
                mine.let_go(claim.run_id)
                await mine.aclose()  # until the other process can know
            case _:
                await book.finish(outcome(claim))
        stir(key)

    await asyncio.wait_for(asyncio.gather(*(run(number) for number in range(60))), timeout=120)
    await claims.aclose()
    await others.aclose()
    held = await rows(database, "select coalesce(sum(amount_usd), 0) from reservation where state <> 'released'")
    assert await used(database) == held[0][0] <= BUDGET

    await rows(database, "update reservation set expires_at = now()")
    await money.release_expired(1)
    settled = await rows(
        database, "select coalesce(sum(amount_usd), 0), count(*) from reservation where state = 'settled'"
    )
    assert await used(database) == settled[0][0]
    offers = await rows(database, "select prediction_key from offer")
    assert len(won) == len(set(won)) == len(offers) == settled[0][1] > 0
