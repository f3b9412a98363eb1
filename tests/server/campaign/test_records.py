"""A campaign's run is traced, replayed, held and erased as any other, though its record is in pieces."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from graph.cohort import CohortDraft
from graph.deps import Deps
from graph.member_offer import MemberOffers, Offered
from graph.replay import ERASED, replayed
from graph.schemas import OfferInput, OfferOutput
from graph.settings import Settings
from graph.state import Screening
from graph.stencils import Stencils
from graph.trace import read_trace
from server.campaign.intake import take_in
from server.campaign.plan import plan
from server.campaign.run import Driver
from server.commands.again_view import email_again
from server.commands.loading import erase_member
from server.commands.reevaluation import Wanted, reevaluate
from tests.graph.test_cohort_members import credits as credits
from tests.members import add_members
from tests.server.campaign.files import row, spec, write
from tests.server.commands import Offers
from tests.server.test_impact import FORBIDS
from tests.server.test_impact import folder as folder
from tests.tools.ledger.rows import rows
from tests.tools.policies.written import write_policy
from tools.cardmembers import fetch_members
from tools.ledger.campaigns import Campaigns
from tools.ledger.decisions import decision, latest
from tools.ledger.erasure import exported_runs
from tools.ledger.holds import live_offers
from tools.ledger.opt_outs import OptOuts
from tools.terms import MenuOption

NAME = "spring"
MEMBERS = ("USER_GOLD", "USER_PLATINUM", "USER_THIRD")
FIRST = "Xiomara"

Run = Callable[[], Awaitable[dict[str, str]]]


@pytest.fixture
def runs(deps: Deps, credits: list[MenuOption], tmp_path: Path) -> Run:
    """Run a campaign with money for the dearest offer twice and a cheaper one; return the runs by member."""

    async def run() -> dict[str, str]:
        await add_members(deps.database, "USER_THIRD", name=f"{FIRST} Ruiz")
        file = write(tmp_path / "scores.csv", [row(user, idempotency_key=f"k-{user}") for user in MEMBERS])
        dearest, cheaper = (option.expected_cost_usd for option in credits[:2])
        terms = spec(NAME, budget_usd=(2 * dearest + cheaper).quantize(Decimal("0.01")), holdout=0)
        campaign = (await take_in(deps.database, terms, file)).campaign
        await plan(campaign, deps)
        ran = await Driver(deps, await Campaigns(deps.database).named(NAME), workers=0).run()
        assert ran.is_done
        found = await rows(deps.database, "select user_id, run_id from offer order by user_id")
        assert [user for user, _ in found] == list(MEMBERS)
        return dict(found)

    return run


async def record_of(deps: Deps, run_id: str) -> dict[str, Any]:
    found = await deps.records.read(run_id)
    assert found is not None
    return found[0]


async def decided_again(deps: Deps, record: dict[str, Any]) -> Offered:
    """Decide a member's offer once more, of the same draft and counts, without a ledger in between."""
    prediction = OfferInput.model_validate(record["prediction"])
    (shared, option_id), = await rows(
        deps.database,
        "select whole_cohort(c.record), o.option_id from offer o join decision d using (run_id)"
        " join campaign_cohort c on (c.campaign_id, c.cohort_id) = (d.campaign_id, d.cohort_id)"
        " where o.run_id = %(run_id)s",
        run_id=record["run"]["run_id"],
    )  # fmt: skip
    members = await fetch_members(await deps.database.pool(), [prediction.user_id], table="cardmember")
    offers = MemberOffers(CohortDraft.of_record(shared), deps, Stencils(deps.mailer), option_id=option_id)
    usage = Screening.model_validate(record["screening"]).usage
    ids = {"run_id": record["run"]["run_id"], "key": record["run"]["prediction_key"]}
    found = offers.decide(prediction, members[prediction.user_id], usage, **ids)
    assert isinstance(found, Offered)
    return found


def timeless(value: Any) -> Any:
    """Return a value without what says how long something took."""
    if isinstance(value, dict):
        return {name: timeless(inner) for name, inner in value.items() if name != "elapsed_ms"}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


async def test_what_is_read_back_is_what_was_decided(deps: Deps, runs: Run) -> None:
    by_member = await runs()
    options = set()
    for user_id, run_id in by_member.items():
        record = await record_of(deps, run_id)
        whole = await decided_again(deps, record)
        options.add(record["terms"]["option_id"])
        state = whole.state
        said = whole.output.model_dump(mode="json", exclude={"email_html"})
        assert (said["run_id"], said["user_id"]) == (run_id, user_id)
        assert record["output"] == said and OfferOutput.model_validate(record["output"]).success
        for name in ("prediction", "run", "screening", "analysis", "view", "menu", "draft", "terms", "report"):
            assert timeless(record[name]) == timeless(json.loads(state[name].model_dump_json())), name  # type: ignore[literal-required]
        assert timeless(record["message_report"]) == timeless(whole.message_report.model_dump(mode="json"))
        assert record["history"][-1]["report"] == record["report"] and record["report"]["verdict"] == "pass"
        assert (record["terms_text"], record["html_sha256"]) == (state["terms_text"], whole.html_sha256)
        trace, unread = read_trace(record)
        assert unread == () and trace.report is not None and trace.message_report is not None
        assert trace.run is not None and trace.run.campaign == NAME
        assert not set(record) & {"ids", "results", "message_results", "output_patch"}
    assert len(options) == 2, "both the cohort's offer and a cheaper one are read"


async def test_a_run_is_replayed_byte_for_byte_and_leaves_nothing_while_it_is_held(
    deps: Deps, settings: Settings, runs: Run, folder: Path
) -> None:
    by_member = await runs()
    recorded = {run_id: (await record_of(deps, run_id))["html_sha256"] for run_id in by_member.values()}
    run_id = by_member["USER_THIRD"]
    again = await replayed(run_id, deps)
    assert again.success and again.replayed and again.email_html is not None and FIRST in again.email_html
    neutral = await replayed(run_id, deps, neutral=True)
    assert neutral.email_html is not None and FIRST not in neutral.email_html
    for other in recorded:
        found = await decision(deps.database, other)
        assert found is not None and found.issued_at is not None
        _, is_same = await email_again(found, deps)
        html = (await replayed(other, deps)).email_html
        assert is_same and html is not None and sha256(html.encode()).hexdigest() == recorded[other]

    same = await reevaluate(settings, folder, Wanted(hold=True))
    assert (same.tally.offers, same.tally.clauses, same.tally.held) == (3, {}, 0)
    await deps.exporter.drain()
    write_policy(folder, FORBIDS)
    told_of = await reevaluate(settings, folder, Wanted(hold=True))
    assert (told_of.tally.held, dict(told_of.tally.clauses["house_policy/no_card"])) == (3, {"not sent": 3})
    held = await replayed(run_id, deps)
    assert (held.success, held.recommendation, held.email_html, held.offer) == (False, "generation_failed", None, None)
    assert held.error is not None and "house_policy/no_card is broken" in held.error
    assert list(settings.output_dir.rglob(f"{run_id}.*")) == []
    (folder / "house_policy.md").unlink()
    assert (await reevaluate(settings, folder, Wanted(release=True))).tally.released == 3
    assert (await replayed(run_id, deps)).email_html == again.email_html


async def test_an_unsubscribe_link_and_an_erasure_reach_a_run(deps: Deps, settings: Settings, runs: Run) -> None:
    by_member = await runs()
    run_id, user_id = by_member["USER_THIRD"], "USER_THIRD"
    before = await replayed(run_id, deps)
    await deps.exporter.drain()
    (campaign,) = await rows(deps.database, "select sent_at from campaign where name = %(name)s", name=NAME)
    record = await record_of(deps, run_id)
    assert int(record["run"]["started_at"]) == int(campaign[0].timestamp())
    links = deps.mailer.links(run_id, campaign[0])
    claim = deps.mailer.claim_of_link("unsubscribe", links["unsubscribe"].rpartition("/")[2])
    assert claim is not None and claim.run_id == run_id and before.email_html is not None
    assert links["unsubscribe"] in before.email_html
    opt_outs = OptOuts(deps.database, zone=deps.zone)
    recipient = await opt_outs.recipient(claim.run_id)
    assert recipient is not None and recipient.user_id == user_id
    files = sorted(settings.output_dir.rglob(f"{run_id}.*"))
    assert len(files) == 4
    for file in files:
        file.unlink()
    await opt_outs.stop(recipient, source="one_click")
    await replayed(run_id, deps)
    await deps.exporter.drain()
    assert list(settings.output_dir.rglob(f"{run_id}.*")) == []

    assert [run for run, _ in await exported_runs(deps.database, user_id)] == [run_id]
    await opt_outs.resume(recipient)
    await replayed(run_id, deps)
    await deps.exporter.drain()
    assert await erase_member(settings, user_id) == (1, 4)
    assert list(settings.output_dir.rglob(f"{run_id}.*")) == []
    erased = await replayed(run_id, deps)
    assert erased.offer is not None and erased.offer.policy_compliance_notes[-1] == ERASED
    assert erased.email_html is not None and FIRST not in erased.email_html
    kept = await rows(
        deps.database,
        "select (select json_agg(d)::text from decision d) || (select json_agg(c)::text from campaign_cohort c)"
        " || (select json_agg(p)::text from campaign_part p) || (select json_agg(o)::text from offer o)",
    )
    assert user_id in kept[0][0] and FIRST not in kept[0][0] and "Ruiz" not in kept[0][0]
    found = await decision(deps.database, run_id)
    assert found is not None and (found.first_name, found.email, found.person_kept) == (None, None, False)
    assert (await replayed(by_member["USER_GOLD"], deps)).email_html is not None


async def test_holds_judge_what_the_record_holds(deps: Deps, runs: Run) -> None:
    by_member = await runs()
    async with deps.database.connection() as connection:
        found = {offer.run_id: offer async for batch in live_offers(connection, deps.today()) for offer in batch}
    assert set(found) == set(by_member.values())
    for run_id, offer in found.items():
        record = await record_of(deps, run_id)
        results = [*record["report"]["results"], *record["message_report"]["results"]]
        assert timeless(offer.record["results"]) == timeless(results)
        for name in ("run", "view", "menu", "draft", "terms", "terms_text", "versions"):
            assert offer.record[name] == record[name], name
        assert offer.campaign == NAME and offer.option_id == record["terms"]["option_id"]


async def test_traces_list_and_tell_a_campaigns_runs(deps: Deps, runs: Run, offers: Offers) -> None:
    by_member = await runs()
    run_id = by_member["USER_THIRD"]
    record = await record_of(deps, run_id)
    listed = {line.run_id: line for line in await latest(deps.database, limit=20)}
    assert set(listed) == set(by_member.values())
    line = listed[run_id]
    assert (line.user_id, line.domain, line.recommendation, line.error_code, line.drafts, line.tokens) == (
        "USER_THIRD", "Travel", "offer_generated", None, len(record["history"]), 0,
    )  # fmt: skip
    told = await asyncio.to_thread(offers, "trace", run_id[:12], "--clauses")
    assert told.code == 0 and NAME in told.told and FIRST not in told.told
    results = [*record["report"]["results"], *record["message_report"]["results"]]
    assert all(f"{one['policy_id']}/{one['clause_id']} {one['policy_version']}" in told.told for one in results)
    printed = await asyncio.to_thread(offers, "trace", run_id, "--json")
    assert json.loads(printed.out) == record
