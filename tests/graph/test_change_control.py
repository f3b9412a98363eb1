"""Policies under change control: a draft does nothing, a second person puts it in force everywhere at once."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import SecretStr

from graph.change_control import Approved, CopyToReview, PolicyDesk
from graph.context import Context
from graph.live import FILES_ONLY, Live
from graph.run import decide
from graph.schemas import OfferOutput
from graph.settings import Settings
from tests.graph.test_revisions import compose
from tests.members import add_members
from tests.policies_sent import QUIET, ZEBRA, policy_text
from tests.scripted_model import ScriptedModel
from tools.database import Database
from tools.errors import DatabaseUnavailable, PoliciesUnavailable, PolicyInvalid
from tools.ledger.policy_changes import ChangeRefused
from tools.ledger.versions import Versions
from tools.policies.prose_only import CLAUSE

ROOT = Path(__file__).parents[2]
ISSUE = Context(mode="issue")


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[Live]:
    """Open graph and services as one process would."""
    live = await Live.open(settings)
    yield live
    await live.aclose()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings without a judge: only approved copy answers for a judge clause."""
    return settings.model_copy(update={"judge_model": "none"})


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    """A process whose database has members enough."""
    async with process(settings) as opened:
        await add_members(opened.deps.database, *(f"USER_{number:02}" for number in range(30)))
        yield opened


def desk_of(live: Live) -> PolicyDesk:
    return PolicyDesk(live.deps.database, live.files)


async def run(live: Live, user_id: str, *, renewed: bool = True, **context: Any) -> OfferOutput:
    raw = {"user_id": user_id, "domain": "Travel", "confidence_score": 0.9}
    renew = live.renew if renewed else None
    asked = ISSUE.model_copy(update=context)
    return await decide(raw, live.graph, asked, deadline_s=60, deps=live.deps, renew=renew)


async def propose(live: Live, text: str, by: str = "A. Author") -> str:
    return (await desk_of(live).propose({"content": text}, by=by)).policy.sha


async def approve(live: Live, policy_id: str = "zebra_policy", by: str = "C. Officer", **how: Any) -> Approved:
    done = await desk_of(live).approve(policy_id, by=by, **how)
    assert isinstance(done, Approved)
    return done


async def approve_with_copy(live: Live, policy_id: str) -> Approved:
    """Read the list, then approve."""
    asked = await desk_of(live).approve(policy_id, by="C. Officer")
    assert isinstance(asked, CopyToReview)
    done = await approve(live, policy_id, sha=asked.version.sha, copy_reviewed=asked.listing)
    return done


async def record_of(live: Live, outcome: OfferOutput) -> dict[str, Any]:
    found = await live.deps.records.read(outcome.run_id)
    assert found is not None
    return found[0]


async def epoch_of(database: Database) -> int:
    async with database.connection() as connection:
        cursor = await connection.execute("select epoch from policy_epoch")
        row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def test_a_draft_that_would_block_everything_is_not_enforced_retrieved_or_hashed(
    live: Live, script: ScriptedModel
) -> None:
    sha = live.deps.rulebook.policies.sha
    await propose(live, policy_text())
    await live.refresh()
    await live.deps.sync_index()
    composing = Live(replace(live.deps, copy_mode="compose"))
    script.reply("draft_compose", compose)
    outcome = await run(composing, "USER_00")
    assert outcome.recommendation == "offer_generated"
    assert "draft_compose" in script.steps()
    assert "zebra" not in "".join(call.text for call in script.calls).lower()
    record = await record_of(live, outcome)
    assert record["versions"]["policy_set_sha"] == sha == live.deps.rulebook.policies.sha
    assert "zebra_policy" not in str(record)
    nearest = await live.deps.index.nearest("zebra crossing", domain="Travel", k=4)
    assert nearest and "zebra_policy" not in {chunk.policy_id for chunk in nearest}


async def test_an_approved_policy_blocks_the_next_offer_here_and_in_another_process(
    live: Live, settings: Settings, script: ScriptedModel
) -> None:
    async with process(settings) as other:
        assert (await run(live, "USER_00")).success and (await run(other, "USER_01")).success
        await propose(live, policy_text())
        done = await approve(live)
        for each, user_id in ((live, "USER_02"), (other, "USER_03")):
            outcome = await run(each, user_id)
            assert (outcome.recommendation, outcome.error_code) == ("generation_failed", "compliance")
            record = await record_of(each, outcome)
            assert record["versions"]["policy_set_sha"] == record["report"]["policy_set_sha"] == done.policy_set_sha
            broken = {(found["policy_id"], found["clause_id"]) for found in record["report"]["violations"]}
            assert broken == {("zebra_policy", "names_a_zebra")}
        await other.settled()
        assert "Every offer names the zebra crossing" in " ".join(
            chunk.text for chunk in await other.deps.index.nearest("zebra crossing", domain="Travel", k=3)
        )


async def test_its_brief_reaches_the_writer_once_it_is_in_force(
    settings: Settings, live: Live, script: ScriptedModel
) -> None:
    await propose(live, policy_text(QUIET))
    await approve(live)
    async with process(settings.model_copy(update={"copy_mode": "compose"})) as composing:
        script.reply("draft_compose", compose)
        outcome = await run(composing, "USER_00")
        assert outcome.success and "zebra_policy" in {policy.id for policy in outcome.applied_policies or ()}
    (asked,) = [call.text for call in script.calls if call.step == "draft_compose"]
    assert "Zebras are named in every offer." in asked


async def test_a_process_that_can_not_renew_decides_nothing_under_old_policies(live: Live) -> None:
    stale = live.graph
    await propose(live, policy_text(QUIET))
    await approve(live)
    raw = {"user_id": "USER_00", "domain": "Travel", "confidence_score": 0.9}
    for mode in ("issue", "preview"):
        outcome = await decide(raw, stale, Context(mode=mode), deadline_s=60)
        assert (outcome.recommendation, outcome.error_code) == ("error", "policies_unavailable")
        assert await live.deps.records.read(outcome.run_id) is None
    assert (await run(live, "USER_00")).success


async def test_a_recorded_outcome_is_replayed_whatever_became_of_the_policies(live: Live) -> None:
    first = await run(live, "USER_00")
    await propose(live, policy_text())
    await approve(live)
    again = await run(live, "USER_00", renewed=False)
    assert (again.replayed, again.run_id) == (True, first.run_id)


@pytest.mark.parametrize(
    "by",
    [
        "A. Author", "a. author", "  A.  AUTHOR ", "\uff21. Author", "\u0410. Author",
        "A. Aut\u200bhor", "A. A\u0301uthor",
    ],
)  # fmt: skip
async def test_whoever_proposed_a_text_does_not_approve_it(live: Live, by: str) -> None:
    await propose(live, policy_text())
    with pytest.raises(ChangeRefused) as refused:
        await approve(live, by=by)
    assert refused.value.kind == "own_proposal"
    assert await epoch_of(live.deps.database) == 0


async def test_nor_does_an_earlier_proposer_of_the_same_text(live: Live) -> None:
    sha = await propose(live, policy_text(), by="C. Officer")
    await propose(live, policy_text(ZEBRA, QUIET), by="A. Author")  # replaces the first draft
    assert await propose(live, policy_text(), by="A. Author") == sha
    with pytest.raises(ChangeRefused, match=r"C\. Officer proposed this version"):
        await approve(live, by="C. Officer")


async def test_only_the_draft_that_was_read_is_approved(live: Live) -> None:
    read = await propose(live, policy_text(QUIET))
    swapped = await propose(live, policy_text())
    with pytest.raises(ChangeRefused, match=f"the draft that waits is 1.0.0 {swapped}"):
        await approve(live, sha=read)
    assert (await approve(live, sha=swapped[:8])).version.sha == swapped


async def test_what_is_unknown_or_does_not_wait_is_refused(live: Live) -> None:
    for policy_id, kind in (("never_sent", "unknown"), ("travel_offer_policy", "nothing_to_approve")):
        with pytest.raises(ChangeRefused) as refused:
            await approve(live, policy_id)
        assert refused.value.kind == kind
    await propose(live, policy_text(QUIET))
    await approve(live)
    with pytest.raises(ChangeRefused, match="no draft of it waits"):
        await approve(live)


async def test_a_version_in_force_once_keeps_its_number(live: Live) -> None:
    await propose(live, policy_text(QUIET))
    await approve(live)
    with pytest.raises(ChangeRefused, match="in force with this very text"):
        await propose(live, policy_text(QUIET))
    with pytest.raises(ChangeRefused, match=r"version is '1\.0\.0': another text of zebra_policy was in force"):
        await propose(live, policy_text(QUIET, brief="Other words."))
    await propose(live, policy_text(QUIET, brief="Other words.", version="1.1.0"))
    await approve(live)
    rows = {row.version: row.state for row in await Versions(live.deps.database).of("zebra_policy")}
    assert rows == {"1.0.0": "retired", "1.1.0": "active"}


async def test_a_policy_that_leaves_no_menu_does_not_come_into_force(live: Live) -> None:
    await propose(live, policy_text(QUIET, limits={"max_multiplier": 1}))
    with pytest.raises(PolicyInvalid, match=r"ladders\.yaml:\d+:\d+: .*is over max_multiplier 1"):
        await approve(live)
    assert (await run(live, "USER_00")).success


async def test_a_retired_policy_lets_offers_through_again(live: Live, settings: Settings) -> None:
    before = live.deps.rulebook.policies.sha
    await propose(live, policy_text())
    await approve(live)
    async with process(settings) as other:
        assert not (await run(other, "USER_00")).success
        await desk_of(live).retire("zebra_policy", by="C. Officer")
        outcome = await run(other, "USER_01")
        assert outcome.success
        assert (await record_of(other, outcome))["versions"]["policy_set_sha"] == before
    with pytest.raises(ChangeRefused, match="no version in force in the database"):
        await desk_of(live).retire("zebra_policy", by="C. Officer")


async def test_a_file_of_the_same_id_wins_and_the_start_says_so(
    live: Live, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await propose(live, policy_text())
    await approve(live)
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", folder)
    (folder / "zebra_policy.md").write_text(policy_text(QUIET, version="2.0.0", status="active"), encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="tools.policies.stored"):
        async with process(settings.model_copy(update={"policies_dir": folder})) as other:
            assert (await run(other, "USER_00")).success
            held = other.deps.rulebook.policies.get("zebra_policy")
            assert held is not None and (held.version, held.origin) == ("2.0.0", "file")
            with pytest.raises(ChangeRefused, match="a file of policies/ has it"):
                await propose(other, policy_text(QUIET, version="3.0.0"))
    (said,) = {record.getMessage() for record in caplog.records}
    assert str(folder / "zebra_policy.md") in said and "database/zebra_policy@1.0.0" in said


async def test_a_version_that_no_longer_compiles_stops_issuing_until_it_is_retired(
    live: Live, settings: Settings
) -> None:
    await propose(live, policy_text(QUIET))
    await approve(live)
    async with live.deps.database.connection() as connection:
        changed = policy_text(QUIET | {"forbid": ["(zebra"]})
        await connection.execute("update policy_version set content = %s where state = 'active'", (changed,))
    for each in (live, await Live.open(settings)):
        outcome = await run(each, "USER_00")
        assert (outcome.recommendation, outcome.error_code) == ("error", "policies_unavailable")
        assert "database/zebra_policy@1.0.0" in (outcome.error or "") and "names_no_zebra" in (outcome.error or "")
        with pytest.raises(PoliciesUnavailable, match=r"zebra_policy@1\.0\.0"):
            await each.refresh()
        assert each.condition.startswith("nothing is issued: database/zebra_policy@1.0.0")
        if each is not live:
            await each.aclose()
    await desk_of(live).retire("zebra_policy", by="C. Officer")
    assert (await run(live, "USER_00")).success
    assert live.condition == "ok"


async def test_every_version_and_set_is_readable_by_its_hash(live: Live) -> None:
    versions = Versions(live.deps.database)
    first, text = await run(live, "USER_00"), policy_text(QUIET)
    sha = await propose(live, text)
    await approve(live)
    second = await run(live, "USER_01")
    await desk_of(live).retire("zebra_policy", by="R. Officer")
    row = await versions.by_sha("zebra_policy", sha[:8])
    assert row is not None and (row.content, row.state) == (text, "retired")
    happened = (await versions.events("zebra_policy"))["1.0.0", sha]
    assert [(item.event, item.by) for item in happened] == [
        ("proposed", "A. Author"),
        ("approved", "C. Officer"),
        ("retired", "R. Officer"),
    ]
    for outcome, has_zebra in ((first, False), (second, True)):
        cited = (await record_of(live, outcome))["versions"]["policy_set_sha"]
        members = await versions.members(cited)
        assert ("zebra_policy" in {member[1] for member in members}) is has_zebra
        for _, policy_id, version, policy_sha in members:
            found = await versions.by_sha(policy_id, policy_sha)
            assert found is not None and found.version == version and found.content.startswith("---")


async def test_of_two_approvers_at_once_one_puts_it_in_force(live: Live, settings: Settings) -> None:
    async with process(settings) as other:
        await propose(live, policy_text(QUIET))
        acts = [approve(each, by=f"Officer {number}") for number in range(4) for each in (live, other)]
        done = await asyncio.gather(*acts, return_exceptions=True)
    won = [each for each in done if isinstance(each, Approved)]
    lost = [each for each in done if isinstance(each, ChangeRefused)]
    assert (len(won), len(lost)) == (1, 7)
    assert {each.kind for each in lost} == {"nothing_to_approve"}
    assert await epoch_of(live.deps.database) == won[0].epoch == 1


async def test_no_offer_mixes_policy_sets_while_they_change_under_it(live: Live, settings: Settings) -> None:
    versions, known = Versions(live.deps.database), [live.deps.rulebook.policies.sha]
    used = set()

    async def change() -> None:
        for number in range(4):
            await propose(live, policy_text(QUIET, version=f"{number}.0.0"))
            known.append((await approve(live)).policy_set_sha)

    async with process(settings) as other:
        outcomes = [await run(other, "USER_27")]
        changing = asyncio.create_task(change())
        for number in range(0, 27, 3):
            batch = [run((live, other)[i % 2], f"USER_{number + i:02}") for i in range(3)]
            outcomes += await asyncio.gather(*batch)
        await changing
        outcomes.append(await run(other, "USER_29"))
    assert {outcome.error_code for outcome in outcomes} <= {None, "policies_unavailable"}
    issued = [outcome for outcome in outcomes if outcome.success]
    assert outcomes[0] in issued and outcomes[-1] in issued
    for outcome in issued:
        record = await record_of(live, outcome)
        cited = record["versions"]["policy_set_sha"]
        assert cited in known
        used.add(cited)
        members = {member[1]: member[2] for member in await versions.members(cited)}
        for report in ("report", "message_report"):
            assert record[report]["policy_set_sha"] == cited
            assert all(members[item["policy_id"]] == item["policy_version"] for item in record[report]["results"])
    assert {known[0], known[-1]} <= used


async def paused(live: Live, context: Context, config: Any, **stop: Any) -> None:
    """Let a preview pause, and put a policy in force meanwhile."""
    raw = {"user_id": "USER_00", "domain": "Travel", "confidence_score": 0.9}
    live.graph.checkpointer = saver = InMemorySaver()
    await live.graph.ainvoke(raw, config, context=context, **stop)
    assert (await live.graph.aget_state(config)).next
    await propose(live, policy_text(QUIET))
    await approve(live)
    await live.refresh()
    live.graph.checkpointer = saver


async def test_what_a_person_approves_later_is_checked_by_the_set_of_that_day(live: Live) -> None:
    context, config = Context(require_review=True), {"configurable": {"thread_id": "paused"}}
    await paused(live, context, config)
    answer: Any = Command(resume={"decision": "approve"})
    resumed = await live.graph.ainvoke(answer, config, context=context)
    assert resumed["output"].success
    state = (await live.graph.aget_state(config)).values
    sha = live.deps.rulebook.policies.sha
    assert {state[name].policy_set_sha for name in ("report", "message_report")} == {sha}
    assert "zebra_policy" in {result.policy_id for result in state["report"].results}


async def test_what_was_judged_by_an_older_set_is_not_rendered_by_a_newer_one(live: Live) -> None:
    context, config = Context(), {"configurable": {"thread_id": "paused"}}
    await paused(live, context, config, interrupt_before=["render"])
    outcome: OfferOutput = (await live.graph.ainvoke(None, config, context=context))["output"]
    assert (outcome.recommendation, outcome.error_code) == ("error", "policies_unavailable")
    assert (outcome.success, outcome.offer) == (False, None)


async def test_without_a_database_at_the_start_nothing_is_issued(settings: Settings) -> None:
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:1/none")
    async with process(settings.model_copy(update={"database_url": nowhere})) as live:
        with pytest.raises(DatabaseUnavailable):
            await live.refresh()
        outcome = await run(live, "USER_00")
        assert (outcome.recommendation, outcome.error_code) == ("error", "database_unavailable")
        assert live.condition == FILES_ONLY
        assert len(live.deps.rulebook.policies.active) >= 10


PROSE = {"policy_id": "holiday_note", "content": "Copy never hurries the reader.", "policy_type": "offer"}


async def test_free_text_is_enforced_by_approved_copy_once_it_was_read_against_it(live: Live) -> None:
    draft = await desk_of(live).propose(PROSE | {"domain": "Travel"}, by="A. Author")
    assert draft.policy.note == "no machine clause: judge"
    asked = await desk_of(live).approve("holiday_note", by="C. Officer")
    assert isinstance(asked, CopyToReview)
    (ref,) = asked.unapproved
    assert ref.startswith(f"holiday_note/{CLAUSE}@1.0.0#") and "Copy never hurries the reader." in asked.questions[ref]
    assert await epoch_of(live.deps.database) == 0
    assert all(not block.scope.domains or "Travel" in block.scope.domains for block in asked.blocks)
    for unread in ("", "0" * 64):
        assert isinstance(
            await desk_of(live).approve("holiday_note", by="C. Officer", copy_reviewed=unread), CopyToReview
        )
    assert await epoch_of(live.deps.database) == 0
    done = await approve(live, "holiday_note", copy_reviewed=asked.listing, sha=asked.version.sha)
    assert done.copy_approved == len(asked.blocks) > 20
    outcome = await run(live, "USER_00")
    assert outcome.success
    record = await record_of(live, outcome)
    (judged,) = [item for item in record["report"]["results"] if item["policy_id"] == "holiday_note"]
    assert (judged["result"], record["report"]["judge"]) == ("approved", "approved_copy")
    async with live.deps.database.connection() as connection:
        cursor = await connection.execute("select distinct clause_ref, approved_by from copy_approval")
        assert await cursor.fetchall() == [(ref, "C. Officer")]


async def test_a_copy_approval_counts_for_the_text_it_was_given_for_alone(live: Live) -> None:
    await desk_of(live).propose(PROSE, by="A. Author")
    await approve_with_copy(live, "holiday_note")
    async with live.deps.database.connection() as connection:
        await connection.execute("update copy_approval set text_sha = %s", ("0" * 64,))
        await connection.execute("update policy_epoch set epoch = epoch + 1")
    outcome = await run(live, "USER_00")
    assert not outcome.success


async def test_the_same_free_text_again_is_the_draft_that_waits(live: Live) -> None:
    first = await desk_of(live).propose(PROSE, by="A. Author")
    again = await desk_of(live).propose(PROSE, by="A. Author")
    assert (first.is_new, again.is_new, again.policy.sha) == (True, False, first.policy.sha)
    await approve_with_copy(live, "holiday_note")
    other = await desk_of(live).propose(PROSE | {"content": "Copy never shouts."}, by="A. Author")
    assert other.policy.version == "2.0.0"
