"""A campaign from file to outcomes on real parts: one outcome each, few calls, a whole passing report per member."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from graph.assembly import BEFORE_MESSAGE, MESSAGE, Assembled, fill_copy, subject_of
from graph.deps import Deps
from graph.replay import message_of, replayed
from graph.schemas import OfferInput
from graph.sealed import Sealed
from graph.state import Attempt, OfferState, Run, Screening
from server.campaign.fan_out import run_id_of
from server.campaign.run import Driver, driving
from server.campaign.steering import CampaignRefused
from server.campaign.verify import verify
from tests.scripted_model import ScriptedModel
from tests.server.campaign.ran import NAME, members_of, planned, row, rows_of, run
from tests.server.campaign.written import offer_outcome
from tools.cardmembers import Cardmember
from tools.drafts import Draft
from tools.email.message import Person
from tools.email.message_checks import message_facts
from tools.errors import PoliciesUnavailable
from tools.ledger.campaigns import Campaign, Campaigns
from tools.ledger.chunks import Chunks
from tools.ledger.outcomes import Outcome
from tools.report import ComplianceReport
from tools.screening import Usage
from tools.terms import Menu, OfferTerms
from tools.views import MemberView

STATUSES = (
    "select status, recommendation, count(*)::int from offer_item where campaign_id = %s group by 1, 2 order by 1, 2"
)


async def adds_up(deps: Deps, campaign: Campaign) -> bool:
    now = await Campaigns(deps.database).named(campaign.name)
    verdict = await verify(deps.database, now, most_per_month=deps.settings.max_offers_per_month, zone=deps.zone)
    return verdict.ok


async def test_every_prediction_gets_one_outcome_and_each_prompt_is_asked_once(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    ids = await members_of(deps)
    odd = [
        row("NOBODY"),
        row(ids[0], domain="Dining", offer_flag=0),
        row(ids[1], domain="Dining", confidence_score=0.2),
        row(ids[2], domain="Space"),
        row(ids[3]),
    ]
    campaign = await planned(deps, tmp_path, [*map(row, ids), *odd])
    ran = await run(deps, campaign)
    assert ran.is_done
    assert await rows_of(deps, STATUSES, campaign.campaign_id) == [
        ("done", "offer_generated", 17),
        ("skipped", "no_offer_needed", 1),
        ("skipped", "suppressed_low_confidence", 1),
        ("skipped", "user_not_found", 1),
    ]
    assert await rows_of(deps, "select row_no, user_id from campaign_reject order by 1") == [
        (21, "C_002"),
        (22, "C_003"),
    ]
    assert script.count == 2 * 2  # two cohorts, analysis and draft
    tries = await rows_of(deps, "select sum(tries)::int from llm_usage where campaign_id = %s", campaign.campaign_id)
    assert tries == [(4,)]
    assert await adds_up(deps, campaign)
    again = await run(deps, ran.campaign)
    assert again.is_done and script.count == 4


async def test_each_offer_has_the_report_of_judging_it_whole_for_its_member(deps: Deps, tmp_path: Path) -> None:
    ids = await members_of(deps, gold=6, platinum=2)
    campaign = await planned(deps, tmp_path, [row(user_id) for user_id in ids])
    await run(deps, campaign)
    offers = await rows_of(deps, "select run_id, user_id, html_sha256 from offer order by user_id")
    assert [user_id for _, user_id, _ in offers] == ids
    for run_id, user_id, sha in offers:
        found = await deps.records.read(run_id)
        member = await deps.members.load(user_id)
        assert found is not None and member is not None
        record, first_name, email = found
        told = [ComplianceReport.model_validate(record[name]) for name in ("report", "message_report")]
        assert [report.verdict for report in told] == ["pass", "pass"]
        state = whole_state(record, member)
        draft, terms = state["draft"], state["terms"]
        assert draft is not None and terms is not None
        filled = fill_copy(draft.text, terms)
        assert not isinstance(filled, tuple)
        subject = subject_of(state, draft, Assembled(terms, filled, record["terms_text"]), member=member, deps=deps)
        message = message_of(record, Person(first_name=first_name, email=email), deps)
        facts = message_facts(message, deps.mailer.brand, run_id)
        gate = deps.rulebook.gate
        whole = (
            gate.check(subject, stages=BEFORE_MESSAGE),
            gate.check(replace(subject, message=facts), stages=MESSAGE),
        )
        for mine, its in zip(told, whole, strict=True):
            assert mine.model_dump(exclude={"elapsed_ms"}) == its.model_dump(exclude={"elapsed_ms"})
        assert message.html_sha256 == sha == record["html_sha256"]
        output = await replayed(run_id, deps)
        assert output.success and output.user_id == user_id and output.email_html == message.html
        assert output.ml_recommendation["confidence_score"] == 0.9
        assert run_id == run_id_of(NAME, record["run"]["prediction_key"])


def whole_state(record: dict[str, object], member: Cardmember) -> OfferState:
    """Return the state a single run would have had at its gate."""
    return {
        "prediction": OfferInput.model_validate(record["prediction"]),
        "run": Run.model_validate(record["run"]),
        "found": True,
        "member": Sealed(member),
        "screening": Screening.model_validate(record["screening"]),
        "view": MemberView.model_validate(record["view"]),
        "menu": Menu.model_validate(record["menu"]),
        "draft": Draft.model_validate(record["draft"]),
        "terms": OfferTerms.model_validate(record["terms"]),
        "history": [Attempt.model_validate(one) for one in record["history"]],  # type: ignore[attr-defined]
    }


async def test_what_happened_since_the_plan_holds_a_member_back(deps: Deps, tmp_path: Path) -> None:
    ids = await members_of(deps, gold=4, platinum=0)
    campaign = await planned(deps, tmp_path, [row(user_id) for user_id in ids])
    async with deps.database.connection() as connection:
        await connection.execute("insert into suppression (user_id, source) values (%s, 'officer')", (ids[0],))
        await connection.execute("update cardmember set card_type = 'Platinum' where user_id = %s", (ids[1],))
        await connection.execute("delete from cardmember where user_id = %s", (ids[2],))
    await run(deps, campaign)
    found = await rows_of(
        deps, "select user_id, status, recommendation, error_class, detail from offer_item order by user_id"
    )
    assert found == [
        (ids[0], "skipped", "suppressed_marketing_opt_out", None,
         ["marketing_opt_out: the member is on the suppression list"]),
        (ids[1], "dead", "error", "stale_plan", None),
        (ids[2], "skipped", "user_not_found", None, None),
        (ids[3], "done", "offer_generated", None, None),
    ]  # fmt: skip
    assert await adds_up(deps, campaign)


async def test_an_offer_whose_member_got_another_one_meanwhile_is_not_written(deps: Deps, tmp_path: Path) -> None:
    ids = await members_of(deps, gold=2, platinum=0)
    campaign = await planned(deps, tmp_path, [row(user_id) for user_id in ids])
    chunks = Chunks(
        deps.database, campaign_id=campaign.campaign_id, owner="w", table=deps.settings.cardmember_table, zone=deps.zone
    )
    await rows_of(deps, "update campaign set state = 'running', allotted_at = now() returning 1")
    work = await chunks.claim_chunk(60)
    assert work is not None
    items = await chunks.items(work.chunk_no)
    seen = await chunks.usages(items)
    held = [
        Outcome(item.prediction_key, item.user_id, item.domain, "skipped", seen[item.prediction_key], "user_not_found")
        for item in items
    ]
    first, second = (offer_outcome(item, seen[item.prediction_key]) for item in items)
    moved = replace(first, usage=Usage(issued_this_month=1))
    written = await chunks.finish_chunk(work.chunk_no, [moved, second], policy_epoch=deps.rulebook.epoch)
    assert written is not None and (written.written, written.moved) == (1, 1)
    assert await rows_of(deps, "select user_id from offer") == [(second.user_id,)]
    left = await chunks.left()
    assert (left.chunks, left.chunks_held) == (1, 0)
    assert await chunks.finish_chunk(work.chunk_no, held, policy_epoch=deps.rulebook.epoch) is None  # given up


async def test_items_that_a_split_took_from_a_slow_workers_chunk_cost_nothing_there(deps: Deps, tmp_path: Path) -> None:
    ids = await members_of(deps, gold=2, platinum=0)
    campaign = await planned(deps, tmp_path, [row(user_id) for user_id in ids])
    chunks = Chunks(
        deps.database, campaign_id=campaign.campaign_id, owner="w", table=deps.settings.cardmember_table, zone=deps.zone
    )
    await rows_of(deps, "update campaign set state = 'running', allotted_at = now() returning 1")
    work = await chunks.claim_chunk(60)
    assert work is not None
    items = await chunks.items(work.chunk_no)
    seen = await chunks.usages(items)
    offers = [offer_outcome(item, seen[item.prediction_key]) for item in items]
    await rows_of(
        deps, "update offer_item set chunk_no = 99 where prediction_key = %s returning 1", offers[1].prediction_key
    )
    await chunks.finish_chunk(work.chunk_no, offers, policy_epoch=deps.rulebook.epoch)
    assert await rows_of(deps, "select user_id from offer") == [(offers[0].user_id,)]
    assert await rows_of(
        deps,
        "select used_usd, (select sum(amount_usd) from reservation) from budget_use where campaign_id = %s",
        campaign.campaign_id,
    ) == [(Decimal("1.25"), Decimal("1.25"))]


async def test_money_goes_to_what_is_worth_most_and_never_beyond_the_budget(deps: Deps, tmp_path: Path) -> None:
    ids = await members_of(deps, gold=6, platinum=6)
    rows = [row(user_id, confidence_score=0.8 + place / 100) for place, user_id in enumerate(ids)]
    campaign = await planned(deps, tmp_path, rows, budget_usd="1.10")
    await run(deps, campaign)
    spent = (await rows_of(deps, "select sum(expected_cost_usd) from offer"))[0][0]
    assert 0 < spent <= Decimal("1.10")
    found = await rows_of(
        deps,
        "select i.status, i.recommendation, i.detail[1], k.cohort_id, k.expected_cost_usd, i.confidence,"
        " (k.record #>> '{terms,incremental_value_usd}')::numeric / k.expected_cost_usd as worth"
        " from offer_item i join campaign_cohort k using (campaign_id, cohort_id)",
    )
    paid, held = [one for one in found if one[0] == "done"], [one for one in found if one[0] == "skipped"]
    assert len(paid) + len(held) == 12 and paid and held
    assert min(one[4] for one in held) > Decimal("1.10") - spent  # what is left pays nobody's
    assert all(one[1] == "suppressed_budget_exhausted" and f"{NAME} has" in one[2] for one in held)
    best = max(one[6] for one in found)
    assert {one[6] for one in paid} == {best}
    assert min(one[5] for one in paid) > max(one[5] for one in held if one[6] == best)
    used = await rows_of(deps, "select used_usd from budget_use where campaign_id = %s", campaign.campaign_id)
    assert used == [(spent,)]
    assert await adds_up(deps, campaign)


async def test_individual_members_have_drafts_of_their_own(deps: Deps, script: ScriptedModel, tmp_path: Path) -> None:
    ids = await members_of(deps, gold=3, platinum=0)
    campaign = await planned(deps, tmp_path, [row(user_id) for user_id in ids], personalisation="individual")
    await run(deps, campaign)
    assert await rows_of(deps, "select count(*)::int from campaign_cohort where status = 'done'") == [(3,)]
    assert await rows_of(deps, "select count(*)::int from offer") == [(3,)]
    assert await adds_up(deps, campaign)


async def test_other_rules_than_those_of_the_plan_are_refused_with_what_changed(deps: Deps, tmp_path: Path) -> None:
    ids = await members_of(deps, gold=2, platinum=0)
    campaign = await planned(deps, tmp_path, [row(user_id) for user_id in ids])
    old = replace(campaign, versions=campaign.versions | {"policy_set_sha": "0" * 64, "prompts": {"draft": "1" * 16}})
    with pytest.raises(
        PoliciesUnavailable, match=r"the policies in force changed.*prompt draft changed.*plans it anew"
    ):
        await run(deps, old)
    assert await rows_of(deps, "select count(*)::int from offer") == [(0,)]


async def test_a_second_driver_is_refused(deps: Deps, tmp_path: Path) -> None:
    ids = await members_of(deps, gold=2, platinum=0)
    campaign = await planned(deps, tmp_path, [row(user_id) for user_id in ids])
    async with driving(deps, campaign):
        with pytest.raises(CampaignRefused, match="another process runs it"):
            await Driver(deps, campaign, workers=0).run()
    assert (await run(deps, campaign)).is_done
