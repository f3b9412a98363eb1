"""A plan says of every prediction what it would hear alone, adds up, and comes out the same again."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from graph.case import candidates_of, menu_of
from graph.cohort import versions_of
from graph.deps import Deps
from server.campaign.figures import Plan
from server.campaign.plan import plan
from server.campaign.steering import CampaignRefused
from server.campaign.verify import verify
from tests.server.campaign.sampled import NAME, SENT, create, sample_campaign, spec_of
from tests.server.campaign.test_cli_campaign_status import driven
from tests.tools.ledger.conftest import ZONE
from tests.tools.ledger.rows import rows
from tools.cardmembers import fetch_members
from tools.database import Database
from tools.errors import PoliciesUnavailable, SettingInvalid
from tools.ledger.campaigns import Campaign, Campaigns
from tools.ledger.planning import CHUNK
from tools.ledger.usages import Asked, count_usages
from tools.screening import Case, screen
from tools.signals import read_signals
from tools.variants import bucket
from tools.views import MemberView

PLANNED = """
select prediction_key, user_id, domain, confidence, offer_flag, use_llm, status, recommendation, detail, in_holdout,
    wave, cohort_id, chunk_no, option_id, error_class
from offer_item where campaign_id = %(id)s order by prediction_key
"""
COHORTS = "select * from campaign_cohort where campaign_id = %(id)s order by cohort_id"
CHUNKS = "select * from campaign_chunk where campaign_id = %(id)s order by chunk_no"
NAMES = (
    "key", "user_id", "domain", "confidence", "offer_flag", "use_llm", "status", "recommendation", "detail",
    "in_holdout", "wave", "cohort_id", "chunk_no", "option_id", "error_class",
)  # fmt: skip


async def items_of(database: Database, campaign: Campaign) -> list[dict[str, Any]]:
    found = await rows(database, PLANNED, id=campaign.campaign_id)
    return [dict(zip(NAMES, row, strict=True)) for row in found]


async def whole(database: Database, campaign: Campaign) -> list[Any]:
    return [await rows(database, query, id=campaign.campaign_id) for query in (PLANNED, COHORTS, CHUNKS)]


async def touched(database: Database) -> None:
    """Let some members have something in the ledger."""
    for statement in (
        "insert into suppression select user_id, 'officer' from cardmember where hashtext(user_id) %% 29 = 0",
        "insert into contact_preference (user_id, refused_domains, paused_until) select user_id, array['Travel'],"
        " case when hashtext(user_id) %% 2 = 0 then now() + interval '40 days' end from cardmember"
        " where hashtext(user_id) %% 23 = 1",
        "insert into offer_decline select user_id, 'Dining', now() - interval '5 days' from cardmember"
        " where hashtext(user_id) %% 7 = 2",
        "insert into offer_item (campaign_id, prediction_key, user_id, domain, reserves, lease_until)"
        " select 1, user_id, user_id, 'Retail', true, now() + interval '1 hour' from cardmember"
        " where hashtext(user_id) %% 5 = 3",
    ):
        await rows(database, statement)


async def test_each_prediction_is_told_what_screening_says_of_it_alone(deps: Deps) -> None:
    database = deps.database
    campaign = await sample_campaign(database, spec_of(), members=300, predictions=600, unknown=9)
    await rows(database, "alter table cardmember drop constraint cardmember_card_type_check")
    await rows(database, "update cardmember set card_type = upper(card_type) where hashtext(user_id) %% 3 = 0")
    await rows(database, "update cardmember set card_type = null where hashtext(user_id) %% 31 = 0")
    await touched(database)
    found = await plan(campaign, deps, bucket=150)
    items = await items_of(database, campaign)
    assert len(items) == 609 and found.items == 609
    members = await fetch_members(await database.pool(), [item["user_id"] for item in items], table="cardmember")
    asked = [Asked(item["key"], item["user_id"], item["domain"]) for item in items]
    async with database.connection() as connection:
        usages = await count_usages(
            connection, asked, campaign_id=campaign.campaign_id, table="cardmember", zone=deps.zone
        )
    views = {row[1]: row[3] for row in await rows(database, COHORTS, id=campaign.campaign_id)}
    passed: dict[str, list[str]] = {}
    kinds: Counter[str] = Counter()
    for item in sorted(items, key=lambda i: (i["user_id"], -i["confidence"], i["domain"], i["key"])):
        kinds[item["recommendation"] or "open"] += 1
        assert item["in_holdout"] == (bucket(NAME, "holdout", item["user_id"]) < 1000)
        member = members.get(item["user_id"])
        if member is None or item["offer_flag"] == 0:
            expected = "user_not_found" if member is None else "no_offer_needed"
            assert (item["status"], item["recommendation"], item["detail"]) == ("skipped", expected, None)
            assert item["wave"] is item["cohort_id"] is item["chunk_no"] is None
            continue
        before = passed.setdefault(item["user_id"], [])
        usage = usages[item["key"]]
        usage = replace(
            usage,
            pending=usage.pending + len(before),
            pending_in_domain=usage.pending_in_domain + before.count(item["domain"]),
        )
        signals = read_signals(member, SENT)
        view = signals.view(item["domain"])
        menu = None if view is None else menu_of(view, deps)
        holds = screen(
            Case(
                member=member,
                signals=signals,
                usage=usage,
                limits=deps.limits(item["domain"]),
                domain=item["domain"],
                confidence=item["confidence"],
                menu=menu,
                candidates=0
                if view is None or menu is None
                else len(candidates_of(view, menu, f"{NAME} 2026-12", deps)),
                account_standing_attested=True,
                today=SENT,
                holdout=item["in_holdout"],
                unattested=deps.unattested(SENT),
            )
        )
        if holds:
            assert item["detail"] == [f"{reason}: {words}" for reason, words in holds]
            assert (item["status"], item["recommendation"]) == ("skipped", f"suppressed_{holds[0][0]}")
            assert item["wave"] is item["cohort_id"] is item["chunk_no"] is None
        else:
            before.append(item["domain"])
            assert (item["status"], item["recommendation"], item["detail"]) == ("pending", None, None)
            assert item["wave"] == len(before)
            assert view == MemberView.model_validate(views[item["cohort_id"]])
    assert kinds["open"] == found.open > 50 and found.waves[2] > 5
    assert {"suppressed_monthly_cap", "suppressed_decline_cooldown", "suppressed_marketing_opt_out"} <= kinds.keys()
    assert {name: count for name, count in kinds.items() if name != "open"} == found.skipped_by


async def test_the_numbers_add_up_and_cohorts_and_chunks_hold_what_they_count(deps: Deps) -> None:
    campaign = await sample_campaign(deps.database, spec_of(), members=700, predictions=900, unknown=5)
    heard: list[tuple[int, int]] = []
    found = await plan(campaign, deps, bucket=400, progress=lambda done, of: heard.append((done, of)))
    assert heard[0] == (0, 905) and heard[-1] == (905, 905) and len(heard) == 4
    assert found.input_rows == found.items + found.rejected == 905
    assert found.items == found.open + found.decided + sum(found.skipped_by.values())
    assert found.open == sum(found.waves.values()) and found.members == 705
    assert list(found.skipped_by.values()) == sorted(found.skipped_by.values(), reverse=True)
    items = [item for item in await items_of(deps.database, campaign) if item["status"] == "pending"]
    cohorts = await rows(
        deps.database,
        "select cohort_id, items, key from campaign_cohort where campaign_id = %s order by cohort_id",
        campaign.campaign_id,
    )
    assert Counter(item["cohort_id"] for item in items) == {number: count for number, count, _ in cohorts}
    assert [number for number, *_ in cohorts] == list(range(1, found.cohorts + 1))
    assert cohorts == sorted(cohorts, key=lambda row: (-row[1], row[2]))
    chunks = await rows(
        deps.database,
        "select chunk_no, wave, items from campaign_chunk where campaign_id = %s order by chunk_no",
        campaign.campaign_id,
    )
    ordered = sorted(items, key=lambda item: (item["wave"], item["cohort_id"], item["key"]))
    numbers: dict[int, int] = {}
    for item in ordered:
        place = numbers[item["wave"]] = numbers.get(item["wave"], 0) + 1
        first = 1 + sum(-(-count // CHUNK) for wave, count in found.waves.items() if wave < item["wave"])
        assert item["chunk_no"] == first + (place - 1) // CHUNK
    assert Counter((item["chunk_no"], item["wave"]) for item in items) == {(n, w): count for n, w, count in chunks}
    now = await Campaigns(deps.database).named(NAME)
    assert (now.state, now.versions) == ("planned", json.loads(json.dumps(versions_of(deps))))
    assert now.planned_at is not None and Plan.model_validate(now.plan) == found
    verdict = await verify(deps.database, now, most_per_month=3, zone=ZONE)
    assert verdict.ok, verdict.summary


async def test_planning_again_changes_no_row_and_the_size_of_buckets_doesnt_matter(deps: Deps) -> None:
    split = {"draft": {"terse": 30.0}} if "draft@terse" in deps.rulebook.prompts.digests else {}
    campaign = await sample_campaign(deps.database, spec_of(variants=split), members=300, predictions=500)
    first = await plan(campaign, deps)
    before = await whole(deps.database, campaign)
    stamps = await rows(deps.database, "select xmin, finished_at from offer_item order by prediction_key")
    again = await plan(campaign, deps, bucket=60)
    assert again == first
    assert await whole(deps.database, campaign) == before
    assert await rows(deps.database, "select xmin, finished_at from offer_item order by prediction_key") == stamps


async def test_the_order_of_the_file_decides_nothing(deps: Deps) -> None:
    campaign = await sample_campaign(deps.database, spec_of(), members=200, predictions=300)
    await plan(campaign, deps)
    items, cohorts, chunks = await whole(deps.database, campaign)
    await rows(
        deps.database,
        "with gone as (delete from offer_item where campaign_id = %(id)s returning *) select campaign_id from gone",
        id=campaign.campaign_id,
    )
    rebuilt = "insert into offer_item (campaign_id, prediction_key, user_id, domain, confidence, offer_flag, use_llm)"
    for key, user, domain, confidence, flag, use_llm, *_ in reversed(items):
        values = (campaign.campaign_id, key, user, domain, confidence, flag, use_llm)
        await rows(deps.database, f"{rebuilt} values (%s, %s, %s, %s, %s, %s, %s)", *values)
    await plan(campaign, deps, bucket=77)
    assert await whole(deps.database, campaign) == [items, cohorts, chunks]


async def test_what_is_decided_stays_and_keeps_its_cohort(deps: Deps) -> None:
    campaign = await sample_campaign(deps.database, spec_of(), members=300, predictions=300)
    await plan(campaign, deps)
    of = campaign.campaign_id
    await rows(deps.database, "update campaign_cohort set status = 'done', record = '{}' where cohort_id <= 2")
    await rows(
        deps.database,
        "update offer_item set status = case when hashtext(prediction_key) %% 2 = 0 then 'done' else 'dead' end,"
        " error_class = 'compliance', run_id = 'run' || prediction_key, finished_at = now()"
        " where campaign_id = %(id)s and cohort_id in (1, 3)",
        id=of,
    )
    await rows(
        deps.database,
        "update offer_item set status = 'skipped', recommendation = 'suppressed_budget_exhausted'"
        " where campaign_id = %(id)s and cohort_id = 2",
        id=of,
    )
    await rows(deps.database, "update campaign set state = 'paused', allotted_at = now() where campaign_id = %s", of)
    decided = [item for item in await items_of(deps.database, campaign) if item["cohort_id"] in (1, 3)]
    keys = {row[1]: (row[2], row[7]) for row in await rows(deps.database, COHORTS, id=of)}
    found = await plan(campaign, deps)
    after = {item["key"]: item for item in await items_of(deps.database, campaign)}
    assert [after[item["key"]] for item in decided] == decided and found.decided == len(decided) > 2
    kept = {row[1]: (row[2], row[7]) for row in await rows(deps.database, COHORTS, id=of)}
    assert (kept[1], kept[2]) == (keys[1], keys[2])  # drafted under the same rules
    assert kept[3][0] == f"{keys[3][0]}#3"  # never drafted: decisions may refer to it, the plan has no use for it
    assert {item["cohort_id"] for item in after.values() if item["status"] == "pending"}.isdisjoint({1, 3})
    assert any(item["cohort_id"] == 2 for item in after.values())  # the money is dealt out anew
    now = await Campaigns(deps.database).named(NAME)
    assert (now.state, now.allotted_at) == ("planned", None)


async def test_a_draft_of_other_rules_serves_nobody_new(deps: Deps) -> None:
    campaign = await sample_campaign(deps.database, spec_of(), members=200, predictions=200)
    await plan(campaign, deps)
    await rows(deps.database, "update campaign_cohort set status = 'done', record = '{}'")
    await rows(deps.database, 'update campaign set versions = versions || \'{"template_sha": "other"}\'')
    found = await plan(campaign, deps)
    states = await rows(deps.database, "select status, count(*) from campaign_cohort group by 1")
    assert states == [("pending", found.cohorts)] and found.cohorts_open == found.cohorts


async def test_individual_offers_have_a_cohort_each(deps: Deps) -> None:
    spec = spec_of(personalisation="individual", holdout=0)
    campaign = await sample_campaign(deps.database, spec, members=150, predictions=150)
    found = await plan(campaign, deps, bucket=40)
    assert found.cohorts == found.open > 20 and found.holdout_p is None
    items = [item for item in await items_of(deps.database, campaign) if item["status"] == "pending"]
    assert len({item["cohort_id"] for item in items}) == len(items)


async def test_a_campaign_that_runs_or_has_ended_is_not_planned(deps: Deps, database_url: str) -> None:
    campaign = await sample_campaign(deps.database, spec_of(), members=20, predictions=20)
    with driven(database_url, campaign.campaign_id), pytest.raises(CampaignRefused, match="being run or planned"):
        await plan(campaign, deps)
    for state, words in (("running", "campaign pause spring_travel` comes first"), ("done", "is decided")):
        await rows(deps.database, "update campaign set state = %s where name = %s", state, NAME)
        with pytest.raises(CampaignRefused, match=words):
            await plan(campaign, deps)
    await rows(deps.database, "update campaign set state = 'created' where name = %s", NAME)
    await rows(deps.database, "update policy_epoch set epoch = epoch + 1")
    with pytest.raises(PoliciesUnavailable, match="plan again"):
        await plan(campaign, deps)
    assert (await Campaigns(deps.database).named(NAME)).state == "created"


async def test_a_value_no_column_can_mean_is_refused_without_being_quoted(deps: Deps) -> None:
    campaign = await sample_campaign(deps.database, spec_of(), members=20, predictions=20)
    await rows(deps.database, "alter table cardmember alter tenure_years type text using 'secret'")
    with pytest.raises(SettingInvalid, match="holds a value that its column can't mean") as refused:
        await plan(campaign, deps)
    assert "secret" not in str(refused.value)
    assert (await Campaigns(deps.database).named(NAME)).state == "created"


async def test_a_plan_without_items_says_that_nobody_is_left(deps: Deps) -> None:
    async with deps.database.connection() as connection:
        empty = {"user_id": pl.String(), "domain": pl.String(), "confidence_score": pl.Float64()}
        rest = {"offer_flag": pl.Int32(), "pred_version": pl.String(), "prediction_timestamp": pl.String()}
        await create(connection, spec_of(), pl.DataFrame(schema=empty | rest))
    found = await plan(await Campaigns(deps.database).named(NAME), deps)
    assert (found.items, found.open, found.calls, found.drafting_s) == (0, 0, 0, 0.0)
    assert "nobody is left" in found.warnings[0]
