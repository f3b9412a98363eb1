"""What would break a campaign's promises: races, a plan made anew, money set while it runs, and what models write."""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from graph.deps import Deps
from server.campaign.engines.local import Processes
from server.campaign.plan import plan
from server.campaign.steering import CampaignRefused
from server.campaign.working import Worker
from tests.scripted_model import ScriptedModel
from tests.server.campaign.ran import NAME, members_of, planned, row, rows_of, run
from tests.server.campaign.written import offer_outcome
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.campaigns import Campaign, Campaigns
from tools.ledger.chunks import Chunks
from tools.ledger.cohorts import Cohorts, CohortWork
from tools.ledger.finishing import BudgetCut

RUNNING = "update campaign set state = 'running', allotted_at = now() where campaign_id = %s returning 1"


def chunks_of(deps: Deps, campaign: Campaign, owner: str) -> Chunks:
    return Chunks(
        deps.database,
        campaign_id=campaign.campaign_id,
        owner=owner,
        table=deps.settings.cardmember_table,
        zone=deps.zone,
        planned_at=campaign.planned_at,
    )


def cohorts_of(deps: Deps, campaign: Campaign, owner: str) -> Cohorts:
    return Cohorts(deps.database, campaign_id=campaign.campaign_id, owner=owner, planned_at=campaign.planned_at)


async def small(deps: Deps, folder: Path, *, gold: int = 2, **terms: object) -> Campaign:
    ids = await members_of(deps, gold=gold, platinum=0)
    return await planned(deps, folder, [row(user_id) for user_id in ids], **terms)


async def cut_in_four(deps: Deps, of: int, *, items: int) -> None:
    """Put a campaign's items in four chunks of so many each."""
    await rows_of(deps, "update offer_item set chunk_no = 1 + row_no %% 4 where campaign_id = %s returning 1", of)
    await rows_of(
        deps,
        "insert into campaign_chunk (campaign_id, chunk_no, wave, items)"
        " select %s, number, 1, %s from generate_series(1, 4) as number"
        " on conflict (campaign_id, chunk_no) do update set items = excluded.items returning 1",
        of,
        items,
    )


async def test_chunks_of_a_dead_worker_are_split_by_several_at_once(deps: Deps, tmp_path: Path) -> None:
    campaign = await small(deps, tmp_path, gold=40)
    of = campaign.campaign_id
    await rows_of(deps, RUNNING, of)
    await cut_in_four(deps, of, items=10)
    dead = chunks_of(deps, campaign, "dead")
    assert [await dead.claim_chunk(60) is not None for _ in range(4)] == [True] * 4
    await rows_of(deps, "update campaign_chunk set lease_until = now() where campaign_id = %s returning 1", of)
    claims = await asyncio.gather(*(chunks_of(deps, campaign, f"w{place}").claim_chunk(60) for place in range(4)))
    assert sorted(work.chunk_no for work in claims if work is not None) == [1, 2, 3, 4]
    found = await rows_of(
        deps,
        "select k.chunk_no, k.items, k.deaths, count(i.*)::int from campaign_chunk k"
        " left join offer_item i using (campaign_id, chunk_no) where k.campaign_id = %s group by 1, 2, 3",
        of,
    )
    assert len(found) == 40 and all(one[1:] == (1, 1, 1) for one in found)


async def test_workers_of_an_earlier_plan_get_no_work_of_the_next(deps: Deps, tmp_path: Path) -> None:
    before = await small(deps, tmp_path)
    await plan(before, deps)
    with pytest.raises(CampaignRefused, match="planned anew just now: run it again"):
        await run(deps, before)
    now = await Campaigns(deps.database).named(NAME)
    await rows_of(deps, RUNNING, now.campaign_id)
    old, new = chunks_of(deps, before, "old"), chunks_of(deps, now, "new")
    assert await old.claim_chunk(60) is None and await cohorts_of(deps, before, "old").claim_cohort(60) is None
    assert await new.claim_chunk(60) is not None and await cohorts_of(deps, now, "new").claim_cohort(60) is not None


async def test_models_may_cost_what_is_left_beside_the_offers_of_the_budget_as_it_is_set_now(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await small(deps, tmp_path, budget_usd="100")
    of = campaign.campaign_id
    await rows_of(deps, "update budget_use set used_usd = 99.50 where campaign_id = %s returning 1", of)
    await rows_of(
        deps,
        "insert into llm_usage (minute, campaign_id, step, model, outcome, tries, input_tokens)"
        " values (now(), %s, 'draft', 'scripted', 'answered', 1, 1000000) returning 1",
        of,
    )
    settings = deps.settings.model_copy(update={"llm_input_usd_per_million": 1.0, "llm_output_usd_per_million": 1.0})
    priced = replace(deps, settings=settings)
    ran = await run(priced, campaign)
    assert (ran.campaign.state, script.count) == ("paused", 0)
    assert "cost 1.00 USD, its offers 99.50 USD, and its budget is 100.00 USD" in ran.campaign.note
    await Budgets(deps.database, zone=deps.zone).change(NAME, {BudgetKey("campaign"): Decimal(200)})
    assert (await run(priced, ran.campaign)).is_done


async def test_a_budget_per_member_holds_when_it_is_set_after_the_money_was_allotted(
    deps: Deps, tmp_path: Path
) -> None:
    campaign = await small(deps, tmp_path)
    await rows_of(deps, RUNNING, campaign.campaign_id)
    chunks = chunks_of(deps, campaign, "w")
    work = await chunks.claim_chunk(60)
    assert work is not None
    items = await chunks.items(work.chunk_no)
    seen = await chunks.usages(items)
    offers = [offer_outcome(item, seen[item.prediction_key]) for item in items]  # of 1.25 USD each
    budgets, epoch = Budgets(deps.database, zone=deps.zone), deps.rulebook.epoch
    await budgets.change(NAME, {BudgetKey("member"): Decimal("1.24")})
    with pytest.raises(BudgetCut):
        await chunks.finish_chunk(work.chunk_no, offers, policy_epoch=epoch)
    assert await rows_of(deps, "select count(*)::int from offer") == [(0,)]
    await budgets.change(NAME, {BudgetKey("member"): Decimal("1.25")})
    written = await chunks.finish_chunk(work.chunk_no, offers, policy_epoch=epoch)
    assert written is not None and written.written == 2


async def test_a_day_without_money_is_no_death_of_a_chunk(deps: Deps, tmp_path: Path) -> None:
    campaign = await small(deps, tmp_path)
    budgets = Budgets(deps.database, zone=deps.zone)
    await budgets.change(NAME, {BudgetKey("day"): Decimal(0)})
    for _ in range(3):
        with pytest.raises(BudgetCut):
            await run(deps, await Campaigns(deps.database).named(NAME))
        found = await rows_of(deps, "select status, deaths, owner from campaign_chunk")
        assert found == [("pending", 0, None)]
    await budgets.change(NAME, {}, clear={BudgetKey("day")})
    assert (await run(deps, await Campaigns(deps.database).named(NAME))).is_done
    statuses = await rows_of(
        deps, "select status, count(*)::int from offer_item where campaign_id = %s group by 1", campaign.campaign_id
    )
    assert statuses == [("done", 2)]


async def test_a_campaign_is_not_run_long_after_its_offers_began(deps: Deps, tmp_path: Path) -> None:
    campaign = await small(deps, tmp_path, send_date=deps.today() - timedelta(days=8))
    with pytest.raises(CampaignRefused, match="its offers began 8 days ago"):
        await run(deps, campaign)
    assert await rows_of(deps, "select count(*)::int from offer") == [(0,)]


async def test_a_draft_with_a_nul_in_it_is_recorded(deps: Deps, tmp_path: Path) -> None:
    campaign = await small(deps, tmp_path)
    await rows_of(deps, RUNNING, campaign.campaign_id)
    chunks, cohorts = chunks_of(deps, campaign, "w"), cohorts_of(deps, campaign, "w")
    work = await cohorts.claim_cohort(60)
    assert work is not None
    record = {"draft": {"text": "a\0b"}, "calls": []}
    assert await cohorts.finish_cohort(
        work.cohort_id, record=record, option_id="o", expected_cost_usd=Decimal(1), source="model"
    )
    assert await chunks.cohort_records([work.cohort_id]) == {
        work.cohort_id: {"draft": {"text": "a\ufffdb"}, "calls": []}
    }


async def test_workers_are_stopped_though_one_of_them_has_just_ended(deps: Deps) -> None:
    engine = Processes(NAME, deps.settings, workers=1)
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await ended.wait()
    await asyncio.sleep(0)
    engine._processes.add(ended)
    engine.stop()


@pytest.mark.parametrize("last", [{"told": [], "report": {"verdict": "pass"}}, {"told": [], "report": None}])
async def test_a_report_that_history_repeats_is_kept_once_and_read_twice(
    deps: Deps, tmp_path: Path, last: dict[str, object]
) -> None:
    campaign = await small(deps, tmp_path)
    await rows_of(deps, RUNNING, campaign.campaign_id)
    chunks, cohorts = chunks_of(deps, campaign, "w"), cohorts_of(deps, campaign, "w")
    work = await cohorts.claim_cohort(60)
    assert work is not None
    first = {"told": [], "report": {"verdict": "pass"}}
    record = {"history": [first, last], "report": {"verdict": "pass"}, "calls": []}
    assert await cohorts.finish_cohort(
        work.cohort_id, record=record, option_id="o", expected_cost_usd=Decimal(1), source="model"
    )
    is_repeated = last["report"] == record["report"]
    kept = await rows_of(
        deps, "select (record #> '{history,0}') ? 'report', (record #> '{history,1}') ? 'report' from campaign_cohort"
        " where cohort_id = %s", work.cohort_id,
    )  # fmt: skip
    assert kept == [(True, not is_repeated)]
    assert await chunks.cohort_records([work.cohort_id]) == {work.cohort_id: record}


async def test_a_worker_asks_the_ledger_for_cohorts_once_where_there_are_none(
    deps: Deps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await small(deps, tmp_path)
    await Campaigns(deps.database).move(campaign.campaign_id, "running", only_from=("planned",))
    worker = Worker(deps, await Campaigns(deps.database).named(NAME))
    claimed: list[int | None] = []
    claim = worker.cohorts.claim_cohort

    async def noted(lease_s: float) -> CohortWork | None:
        work = await claim(lease_s)
        claimed.append(None if work is None else work.cohort_id)
        return work

    monkeypatch.setattr(worker.cohorts, "claim_cohort", noted)
    monkeypatch.setattr("server.campaign.working.POLL_S", 3600.0)
    assert deps.model.max_concurrency > 1 and await worker._draft()
    drafted = len(await rows_of(deps, "select from campaign_cohort where status = 'done'"))
    assert len(claimed) == drafted + 1 > 1 and claimed[-1] is None
    claimed.clear()
    assert not await worker._draft() and claimed == [None]
    await rows_of(deps, "update campaign_cohort set status = 'retry' returning 1")
    assert await worker._draft() and len(claimed) == drafted + 2  # one of them the look before
