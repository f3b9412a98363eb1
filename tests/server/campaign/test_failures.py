"""The failure matrix in one process: endpoint, database counts, poison, zombies, rules and money that change.

After each, rows of the file add up, every key has at most one offer, and the ledger's count of tries is the endpoint's.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from graph.cohort import CohortDrafter
from graph.deps import Deps, open_deps
from graph.member_offer import MemberOffers
from graph.settings import Settings
from graph.state import Failure
from server.campaign.fan_out import MOST_DEATHS, FanOut
from server.campaign.run import Driver
from server.campaign.verify import verify
from server.campaign.working import Worker
from tests.scripted_model import ScriptedModel
from tests.scripted_model.replies import Call, Default, Drop, Hang, Status
from tests.server.campaign.ran import members_of, planned, row, rows_of, run
from tools.errors import PoliciesUnavailable
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.campaigns import Campaign, Campaigns
from tools.ledger.chunks import Chunks
from tools.ledger.cohorts import Cohorts
from tools.ledger.finishing import BudgetCut
from tools.ledger.spent import usage_of
from tools.ledger.usage import Spending, spending_for


@asynccontextmanager
async def opened(settings: Settings, **changes: Any) -> AsyncIterator[Deps]:
    """Open the services under changed settings."""
    deps = await open_deps(settings.model_copy(update=changes))
    await deps.sync_index()
    try:
        yield deps
    finally:
        await deps.aclose()


async def adds_up(deps: Deps, campaign: Campaign, script: ScriptedModel) -> Campaign:
    """Check what must hold after every failure, and return the campaign as it is."""
    assert await deps.usage.flush()
    now = await Campaigns(deps.database).named(campaign.name)
    verdict = await verify(deps.database, now, most_per_month=deps.settings.max_offers_per_month, zone=deps.zone)
    assert verdict.ok, verdict.lines
    twice = await rows_of(deps, "select prediction_key from offer group by 1 having count(*) > 1")
    assert twice == []
    assert sum((await tries(deps, campaign)).values()) == script.count
    return now


async def tries(deps: Deps, campaign: Campaign) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in await usage_of(deps.database, campaign.campaign_id):
        found[one.outcome] += one.tries
    return found


async def statuses(deps: Deps) -> dict[str, int]:
    return dict(await rows_of(deps, "select status, count(*)::int from offer_item group by 1"))


async def small(deps: Deps, folder: Path, *, members: int = 4, **terms: Any) -> Campaign:
    """Plan a campaign of so many members of one view, and two of another."""
    ids = await members_of(deps, gold=members, platinum=2)
    return await planned(deps, folder, [row(user_id) for user_id in ids], **terms)


async def test_errors_of_the_endpoint_are_tried_again_and_counted(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await small(deps, tmp_path)
    script.reply("*", [Status(500), Drop(), Status(503), Default()])
    assert (await run(deps, campaign)).is_done
    assert await statuses(deps) == {"done": 6}
    assert await tries(deps, await adds_up(deps, campaign, script)) == {"answered": 4, "failed": 3}


async def test_being_told_to_wait_charges_no_attempt(deps: Deps, script: ScriptedModel, tmp_path: Path) -> None:
    campaign = await small(deps, tmp_path)
    script.reply("*", [*[Status(429, retry_after=0.02)] * 9, Default()])
    assert (await run(deps, campaign)).is_done
    assert await rows_of(deps, "select distinct attempt from campaign_cohort") == [(1,)]
    assert await tries(deps, await adds_up(deps, campaign, script)) == {"answered": 4, "throttled": 9}


async def test_who_is_told_to_wait_for_longer_than_a_call_may_take_still_gets_a_draft_of_the_model(
    settings: Settings, script: ScriptedModel, tmp_path: Path
) -> None:
    async with opened(settings, llm_timeout_s=0.3) as deps:
        campaign = await small(deps, tmp_path)
        script.reply("*", [*[Status(429, retry_after=0.1)] * 30, Default()])
        assert (await run(deps, campaign)).is_done
        assert await rows_of(deps, "select distinct attempt, source from campaign_cohort") == [(1, "blocks")]
        assert await tries(deps, await adds_up(deps, campaign, script)) == {"answered": 4, "throttled": 30}


async def test_an_endpoint_that_asks_to_be_left_alone_for_longer_than_a_call_may_take_is(
    settings: Settings, script: ScriptedModel, tmp_path: Path
) -> None:
    async with opened(settings, llm_timeout_s=0.3, llm_max_concurrency=1) as deps:
        campaign = await small(deps, tmp_path)
        script.reply("*", [Status(429, retry_after=1), Default()])
        assert (await run(deps, campaign)).is_done
        assert await rows_of(deps, "select distinct attempt, source from campaign_cohort") == [(1, "blocks")]
        told, then, *_ = script.calls
        assert then.at - told.at >= 0.7
        assert await tries(deps, await adds_up(deps, campaign, script)) == {"answered": 4, "throttled": 1}


async def test_calls_that_hang_end_at_their_deadline_and_are_counted(
    settings: Settings, script: ScriptedModel, tmp_path: Path
) -> None:
    async with opened(settings, llm_timeout_s=0.6) as deps:
        campaign = await small(deps, tmp_path)
        script.reply("draft_select", [Hang(), Default()])
        assert (await run(deps, campaign)).is_done
        assert await statuses(deps) == {"done": 6}
        assert (await tries(deps, await adds_up(deps, campaign, script)))["late"] == 1


async def test_an_endpoint_that_is_down_for_a_while_kills_nothing(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await small(deps, tmp_path, members=10, personalisation="individual")
    is_down = True

    def answer(_: Call) -> Drop | Default:
        return Drop() if is_down else Default()

    script.reply("*", answer)
    running = asyncio.create_task(run(deps, campaign))
    breaker = deps.model.traffic.breaker
    while not deps.model.traffic.breaker.is_open:
        await asyncio.sleep(0.01)
    breaker = deps.model.traffic.breaker
    count = script.count
    while not breaker.may_probe:
        await asyncio.sleep(0.01)
    assert script.count - count <= 12 and await statuses(deps) == {"pending": 12}  # what was under way, nothing more
    is_down = False
    assert (await running).is_done
    assert await statuses(deps) == {"done": 12}
    assert await rows_of(deps, "select count(*)::int from campaign_cohort where source = 'blocks'") == [(12,)]
    await adds_up(deps, campaign, script)


async def test_a_cohort_that_the_endpoint_fails_alone_gets_approved_copy(
    deps: Deps, script: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.campaign.drafting.MOST_ATTEMPTS", 1)
    campaign = await small(deps, tmp_path)
    script.reply(lambda call: call.step == "draft_select" and "platinum" in call.text.lower(), Status(500))
    assert (await run(deps, campaign)).is_done
    assert await statuses(deps) == {"done": 6}
    found = await rows_of(deps, "select view ->> 'card_type', source from campaign_cohort order by 1")
    assert found == [("gold", "blocks"), ("platinum", "fallback")]
    await adds_up(deps, campaign, script)


async def test_a_draft_that_never_passes_gets_approved_copy_and_else_a_reason(
    deps: Deps, script: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await small(deps, tmp_path)
    told = Failure(code="compliance", message="A-1/never: no draft gets through")
    whole = CohortDrafter.draft

    async def refused(self: CohortDrafter, ask: Any, **more: Any) -> Any:
        draft = await whole(self, ask, **more)
        return draft.model_copy(update={"failure": told}) if ask.view.card_type == "platinum" else draft

    monkeypatch.setattr(CohortDrafter, "draft", refused)
    assert (await run(deps, campaign)).is_done
    found = await rows_of(
        deps, "select status, error_class, error_text, count(*)::int from offer_item group by 1, 2, 3"
    )
    assert sorted(found) == [("dead", "compliance", told.message, 2), ("done", None, None, 4)]
    await adds_up(deps, campaign, script)


async def test_an_item_that_always_fails_is_a_dead_letter_after_three_tries_and_takes_nobody_along(
    deps: Deps, script: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await small(deps, tmp_path)
    asked: Counter[str] = Counter()
    whole = MemberOffers.decide

    def poisoned(self: MemberOffers, prediction: Any, member: Any, *rest: Any, **more: Any) -> Any:
        asked[prediction.user_id] += 1
        if prediction.user_id == "C_001":
            raise ZeroDivisionError("of this member")
        return whole(self, prediction, member, *rest, **more)

    monkeypatch.setattr(MemberOffers, "decide", poisoned)
    assert (await run(deps, campaign)).is_done
    assert await statuses(deps) == {"done": 5, "dead": 1}
    dead = await rows_of(deps, "select user_id, attempt, error_class, error_text from offer_item where status = 'dead'")
    assert dead == [("C_001", 3, "internal", "an unforeseen fault (ZeroDivisionError), logged by the worker")]
    assert asked["C_001"] == 3 and all(asked[user] == 1 for user in asked if user != "C_001")
    await adds_up(deps, campaign, script)


def chunks_of(deps: Deps, campaign: Campaign, owner: str) -> Chunks:
    table = deps.settings.cardmember_table
    return Chunks(deps.database, campaign_id=campaign.campaign_id, owner=owner, table=table, zone=deps.zone)


def cohorts_of(deps: Deps, campaign: Campaign, owner: str) -> Cohorts:
    return Cohorts(deps.database, campaign_id=campaign.campaign_id, owner=owner)


async def ready(deps: Deps, campaign: Campaign) -> Campaign:
    """Draft, allot, and leave the fan-out to the test."""
    await Campaigns(deps.database).move(campaign.campaign_id, "running", only_from=("planned", "paused"))
    now = await Campaigns(deps.database).named(campaign.name)
    worker, driver = Worker(deps, now), Driver(deps, now, workers=0)
    spending_for.set(Spending(campaign.campaign_id, strict=True))
    await worker._draft()
    await driver._allot()
    return await Campaigns(deps.database).named(campaign.name)


async def test_a_chunk_whose_workers_die_is_split_until_one_item_is_to_blame(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await ready(deps, await small(deps, tmp_path, members=38))
    dying, fine = chunks_of(deps, campaign, "dying"), chunks_of(deps, campaign, "fine")
    fan_out = FanOut(deps, fine, campaign=campaign.name)
    poison = "C_007"
    sizes = []
    while (await fine.left()).chunks:
        work = await dying.claim_chunk(0)  # a lease that has ended at once: its worker died
        assert work is not None
        items = await dying.items(work.chunk_no)
        if any(item.user_id == poison for item in items) and work.deaths < MOST_DEATHS:
            sizes.append(len(items))
            continue
        await rows_of(deps, "update campaign_chunk set owner = 'fine' where chunk_no = %s returning 1", work.chunk_no)
        assert await fan_out.run_chunk(work) is not None
    fan_out.close()
    assert sizes == [40, 3, 1]
    assert await statuses(deps) == {"done": 39, "dead": 1}
    dead = await rows_of(deps, "select user_id, error_class from offer_item where status = 'dead'")
    assert dead == [(poison, "poison")]
    assert (await run(deps, campaign)).is_done
    await adds_up(deps, campaign, script)


async def test_what_a_zombie_brings_after_its_lease_changes_nothing(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await ready(deps, await small(deps, tmp_path))
    zombie, other = chunks_of(deps, campaign, "zombie"), chunks_of(deps, campaign, "other")
    held = await zombie.claim_chunk(0)
    assert held is not None
    decided = FanOut(deps, other, campaign=campaign.name)
    while (work := await other.claim_chunk(60)) is not None:
        assert await decided.run_chunk(work) is not None
    decided.close()
    before = await rows_of(deps, "select prediction_key, run_id, html_sha256, issued_at from offer order by 1")
    late = FanOut(deps, zombie, campaign=campaign.name)
    assert await late.run_chunk(held) is None
    late.close()
    assert await rows_of(deps, "select prediction_key, run_id, html_sha256, issued_at from offer order by 1") == before
    assert len(before) == 6


async def test_a_zombies_draft_changes_nothing(deps: Deps, script: ScriptedModel, tmp_path: Path) -> None:
    campaign = await small(deps, tmp_path)
    await Campaigns(deps.database).move(campaign.campaign_id, "running", only_from=("planned",))
    zombie, other = cohorts_of(deps, campaign, "zombie"), cohorts_of(deps, campaign, "other")
    held = await zombie.claim_cohort(0)
    taken = [await other.claim_cohort(60), await other.claim_cohort(60)]  # those never claimed come first
    assert held is not None and taken[1] is not None and held.cohort_id == taken[1].cohort_id
    terms = {"record": {"x": 1}, "option_id": "a", "expected_cost_usd": Decimal(1), "source": "model"}
    assert not await zombie.finish_cohort(held.cohort_id, **terms)  # type: ignore[arg-type]
    assert not await zombie.bury_cohort(held.cohort_id, error_class="x", error_text="y", record={})
    await zombie.give_back_cohort(held.cohort_id, charged=True, error="z")
    found = await rows_of(
        deps, "select status, owner, record from campaign_cohort where cohort_id = %s", held.cohort_id
    )
    assert found == [("running", "other", None)]


async def test_policies_that_change_while_it_runs_stop_it_with_nothing_issued_under_them(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await ready(deps, await small(deps, tmp_path))
    await rows_of(deps, "update policy_epoch set epoch = epoch + 1 returning 1")
    with pytest.raises(PoliciesUnavailable, match="policies in force changed"):
        await run(deps, campaign)
    now = await adds_up(deps, campaign, script)
    assert now.state == "paused" and "policies in force changed" in now.note
    assert await statuses(deps) == {"pending": 6}


async def test_a_prompt_that_changed_is_refused_until_the_campaign_is_planned_again(
    deps: Deps, settings: Settings, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await small(deps, tmp_path)
    folder = tmp_path / "prompts"
    shutil.copytree(settings.prompts_dir, folder)
    draft = folder / "draft.md"
    draft.write_text(draft.read_text(encoding="utf-8") + "\nKeep it short.\n", encoding="utf-8")
    async with opened(settings, prompts_dir=folder) as other:
        with pytest.raises(PoliciesUnavailable, match=r"the prompt draft changed.*offers campaign plan"):
            await run(other, campaign)
    assert script.count == 0 and await statuses(deps) == {"pending": 6}
    assert (await run(deps, campaign)).is_done


async def test_spending_on_models_stops_at_the_budget(
    settings: Settings, script: ScriptedModel, tmp_path: Path
) -> None:
    prices = {"llm_input_usd_per_million": 10_000.0, "llm_output_usd_per_million": 10_000.0}
    async with opened(settings, llm_max_concurrency=1, **prices) as deps:
        campaign = await small(deps, tmp_path, members=10, personalisation="individual", budget_usd="12")
        ran = await run(deps, campaign)
        assert ran.campaign.state == "paused" and "its budget is 12.00 USD" in ran.campaign.note
        now = await adds_up(deps, campaign, script)
        spent = sum(row_.usd(deps.settings.prices) for row_ in await usage_of(deps.database, now.campaign_id))  # type: ignore[arg-type]
        most = Decimal(12) + 2 * spent / script.count  # the cohort that was under way: two calls
        assert Decimal(12) <= spent <= most
        count = script.count
        assert (await run(deps, now)).campaign.state == "paused"
        assert script.count == count


async def test_a_budget_that_is_cut_stops_the_campaign_before_it_is_exceeded(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await ready(deps, await small(deps, tmp_path))
    budgets = Budgets(deps.database, zone=deps.zone)
    await budgets.change(campaign.name, {BudgetKey("campaign"): Decimal("0.30")})
    with pytest.raises(BudgetCut, match="lowered below what is allotted"):
        await run(deps, campaign)
    now = await Campaigns(deps.database).named(campaign.name)
    assert now.state == "paused" and "lowered" in now.note
    assert await statuses(deps) == {"pending": 6}
    await budgets.change(campaign.name, {BudgetKey("campaign"): Decimal(1000)})
    assert (await run(deps, now)).is_done
    await adds_up(deps, campaign, script)


async def test_offers_that_members_got_elsewhere_meanwhile_count(deps: Deps, tmp_path: Path) -> None:
    campaign = await ready(deps, await small(deps, tmp_path))
    worker = chunks_of(deps, campaign, "w")
    work = await worker.claim_chunk(60)
    assert work is not None
    fan_out = FanOut(deps, worker, campaign=campaign.name)
    whole = worker.finish_chunk

    async def late(chunk_no: int, outcomes: Any, **more: Any) -> Any:
        for user in ("C_000", "C_001"):  # another campaign's offer, between deciding and writing
            await rows_of(
                deps,
                "with d as (insert into decision (run_id, campaign_id, prediction_key, recommendation, record)"
                " values (%s, 1, %s, 'offer_generated', '{}') returning run_id) insert into offer (campaign_id,"
                " prediction_key, run_id, user_id, domain, offer_type, option_id, compliant, high_value,"
                " expected_cost_usd, start_date, end_date, html_sha256)"
                " select 1, %s, run_id, %s, 'Travel', 'discount', 'x', true, false, 1, '2026-12-01', '2026-12-31', 'x'"
                " from d returning 1",
                f"online-{user}", user, user, user,
            )  # fmt: skip
        return await whole(chunk_no, outcomes, **more)

    worker.finish_chunk = late  # type: ignore[method-assign]
    written = await fan_out.run_chunk(work)
    assert written is not None and written.moved == 2
    worker.finish_chunk = whole  # type: ignore[method-assign]
    fan_out.close()
    assert (await run(deps, campaign)).is_done
    held = await rows_of(deps, "select user_id, recommendation from offer_item where status = 'skipped' order by 1")
    assert held == [("C_000", "suppressed_category_cooldown"), ("C_001", "suppressed_category_cooldown")]


async def test_the_same_draft_is_never_asked_for_twice(deps: Deps, script: ScriptedModel, tmp_path: Path) -> None:
    campaign = await small(deps, tmp_path)
    await Campaigns(deps.database).move(campaign.campaign_id, "running", only_from=("planned",))
    now = await Campaigns(deps.database).named(campaign.name)
    spending_for.set(Spending(campaign.campaign_id, strict=True))
    await Worker(deps, now)._draft()
    count = script.count
    await rows_of(deps, "update campaign_cohort set status = 'retry', record = null returning 1")  # as if never written
    assert (await run(deps, replace(now, state="paused"))).is_done
    assert script.count == count == 4
    await adds_up(deps, campaign, script)


async def test_a_worker_that_claimed_its_own_lapsed_chunk_again_finishes_it_once(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await ready(deps, await small(deps, tmp_path))
    slow = chunks_of(deps, campaign, "slow")
    late = await slow.claim_chunk(0)
    again = await slow.claim_chunk(60)
    assert late is not None and again is not None and late.chunk_no == again.chunk_no
    fan_out = FanOut(deps, slow, campaign=campaign.name)
    assert await fan_out.run_chunk(late) is None and not await slow.renew_chunk(late, 60)
    assert await rows_of(deps, "select count(*)::int from offer") == [(0,)]
    await slow.give_back_chunk(late.chunk_no, attempt=late.attempt)
    assert await slow.renew_chunk(again, 60)
    assert await fan_out.run_chunk(again) is not None
    fan_out.close()
    assert (await run(deps, campaign)).is_done
    await adds_up(deps, campaign, script)
