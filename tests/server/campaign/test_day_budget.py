"""A campaign's budget per day: the best offers of a chunk are issued today, the others wait, none is beyond it."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from graph.deps import Deps
from server.campaign.verify import verify
from tests.server.campaign.ran import NAME, members_of, planned, row, rows_of, run
from tests.server.campaign.test_attacks import RUNNING, chunks_of, cut_in_four
from tests.server.campaign.written import offer_outcome
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.campaigns import Campaign, Campaigns
from tools.ledger.finishing import DaySpent

OPEN = "select count(*)::int from offer_item where campaign_id = %s and status in ('pending', 'retry')"
BEST = """
select i.confidence::float8 from offer o join offer_item i using (campaign_id, prediction_key)
where o.campaign_id = %s order by 1
"""
YESTERDAY = (
    "update reservation set day = '2026-01-01' where campaign_id = %s returning 1",
    "update budget_use set name = '2026-01-01' where campaign_id = %s and scope = 'day' returning 1",
)
USED = "select used_usd from budget_use where campaign_id = %s and scope = 'day'"


async def of_confidence(deps: Deps, folder: Path, *confidences: float) -> Campaign:
    """Plan a campaign of one cohort, a member for each confidence."""
    ids = await members_of(deps, gold=len(confidences), platinum=0)
    rows = [row(user_id, confidence_score=each) for user_id, each in zip(ids, confidences, strict=True)]
    return await planned(deps, folder, rows)


async def per_day(deps: Deps, usd: str) -> None:
    await Budgets(deps.database, zone=deps.zone).change(NAME, {BudgetKey("day"): Decimal(usd)})


async def test_what_the_day_pays_is_issued_by_worth_and_the_rest_waits(deps: Deps, tmp_path: Path) -> None:
    campaign = await of_confidence(deps, tmp_path, 0.81, 0.95, 0.85, 0.99, 0.9)
    of = campaign.campaign_id
    await per_day(deps, "0")
    with pytest.raises(DaySpent, match="no day pays that, raise it with `offers budget set --campaign"):
        await run(deps, campaign)
    ((cost,),) = await rows_of(deps, "select expected_cost_usd from campaign_cohort where campaign_id = %s", of)
    limit = round(cost * 5 / 2, 2)
    await per_day(deps, str(limit))
    with pytest.raises(DaySpent, match="resume on a later day, or raise it"):
        await run(deps, await Campaigns(deps.database).named(NAME))
    assert await rows_of(deps, BEST, of) == [(0.95,), (0.99,)]
    assert (await rows_of(deps, OPEN, of), await rows_of(deps, USED, of)) == ([(3,)], [(2 * cost,)])
    now = await Campaigns(deps.database).named(NAME)
    assert (now.state, now.note) == (
        "paused",
        f"the campaign's budget per day is {limit:,.2f} USD and has {limit - 2 * cost:,.2f} USD left; the cheapest"
        f" offer that waits is expected to cost {cost:,.2f} USD: resume on a later day, or raise it with `offers budget"
        f" set --campaign {NAME} --per-day USD`",
    )
    chunks = await rows_of(deps, "select status, deaths, owner from campaign_chunk where campaign_id = %s", of)
    assert chunks == [("pending", 0, None)]
    verdict = await verify(deps.database, now, most_per_month=3, zone=deps.zone)
    assert [line.name for line in verdict.lines if not line.ok] == []
    for change in YESTERDAY:
        await rows_of(deps, change, of)
    with pytest.raises(DaySpent):
        await run(deps, now)
    assert (await rows_of(deps, BEST, of))[:2] == [(0.85,), (0.9,)]
    await per_day(deps, "10000")
    assert (await run(deps, await Campaigns(deps.database).named(NAME))).is_done
    assert len(await rows_of(deps, BEST, of)) == 5


async def test_workers_at_once_issue_what_the_day_pays_and_no_more(deps: Deps, tmp_path: Path) -> None:
    campaign = await of_confidence(deps, tmp_path, *(0.9,) * 24)
    of = campaign.campaign_id
    await rows_of(deps, RUNNING, of)
    await cut_in_four(deps, of, items=6)
    await per_day(deps, "16.30")

    async def one(owner: str) -> bool:
        chunks = chunks_of(deps, campaign, owner)
        work = await chunks.claim_chunk(60)
        assert work is not None
        items = await chunks.items(work.chunk_no)
        usages = await chunks.usages(items)
        offers = [offer_outcome(item, usages[item.prediction_key]) for item in items]  # of 1.25 USD each
        try:
            await chunks.finish_chunk(work.chunk_no, offers, policy_epoch=deps.rulebook.epoch)
        except DaySpent:
            return False
        return True

    ended = await asyncio.gather(*(one(f"w{number}") for number in range(4)))
    assert sorted(ended) == [False, False, True, True]
    assert await rows_of(deps, USED, of) == [(Decimal("16.25"),)]
    assert await rows_of(deps, "select count(*)::int from offer where campaign_id = %s", of) == [(13,)]
    assert await rows_of(deps, OPEN, of) == [(11,)]
