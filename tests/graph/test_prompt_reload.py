"""A process whose prompts are edited: each run has one version of them, and the policies are what they were."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

import graph.build
from graph.build import make_graph
from graph.change_control import Approved, PolicyDesk
from graph.context import Context
from graph.live import Live
from graph.rulebook import load_rulebook, read_prompts, with_prompts
from graph.run import decide
from graph.run_prompts import prompt_of, recited
from graph.schemas import OfferOutput
from graph.settings import Settings
from tests.graph.test_revisions import BODY, compose
from tests.members import add_members
from tests.policies_sent import QUIET, policy_text
from tests.prompt_edits import BROKEN, DRAFT, PROMPTS, note, put
from tests.scripted_model import Call, ScriptedModel
from tools.errors import InputInvalid

HURRY = "Hurry, this is your last chance! "


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings under which the model writes, and edits of a prompts folder of the test's own count."""
    folder = Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))
    ours = {"prompts_dir": folder, "reload_prompts": True, "copy_mode": "compose", "judge_model": "none"}
    return settings.model_copy(update=ours)


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    """A process whose database has members."""
    opened = await Live.open(settings)
    await add_members(opened.deps.database, *(f"USER_{number}" for number in range(6)))
    yield opened
    await opened.aclose()


async def run(live: Live, user_id: str, **context: Any) -> OfferOutput:
    """Start a run as the server does."""
    ours, deps = await live.current()
    raw = {"user_id": user_id, "domain": "Travel", "confidence_score": 0.9}
    asked = Context(mode="issue", **context)
    return await decide(raw, ours, asked, deadline_s=60, deps=deps, renew=live.renew)


async def approve(live: Live) -> Approved:
    """Put a policy in force that all our copy obeys."""
    desk = PolicyDesk(live.deps.database, live.files)
    await desk.propose({"content": policy_text(QUIET)}, by="A. Author")
    done = await desk.approve("zebra_policy", by="C. Officer")
    assert isinstance(done, Approved)
    return done


def used_by(settings: Settings) -> dict[str, str]:
    """Return the digests of the folder as it is."""
    return read_prompts(settings.prompts_dir).used({})


def drafts(script: ScriptedModel) -> list[str]:
    """Return what drafting calls said, in order."""
    return [call.text for call in script.calls if call.step == "draft_compose"]


def hurried(then: Callable[[], object]) -> Callable[[Call], dict[str, Any]]:
    """Return a reply that breaks a clause, after something happened."""

    def reply(call: Call) -> dict[str, Any]:
        then()
        return compose(call, body=HURRY + BODY)

    return reply


async def test_an_edit_during_a_run_counts_for_the_next_one(
    live: Live, settings: Settings, script: ScriptedModel
) -> None:
    note(settings.prompts_dir, 1)
    before = used_by(settings)
    script.reply("draft_compose", [hurried(lambda: note(settings.prompts_dir, 2)), compose])
    first = await run(live, "USER_0")
    assert (first.success, first.prompts) == (True, before)
    assert ["Note 1." in text for text in drafts(script)] == [True, True]  # the re-draft too
    second = await run(live, "USER_1")
    assert (second.success, second.prompts) == (True, used_by(settings))
    assert "Note 2." in drafts(script)[-1]
    for outcome in (first, second):
        found = await live.deps.records.read(outcome.run_id)
        assert found is not None and found[0]["versions"]["prompts"] == outcome.prompts


async def test_an_edit_leaves_policies_and_gate_and_new_policies_leave_the_edit(live: Live, settings: Settings) -> None:
    await live.refresh()
    first = live.deps.rulebook
    note(settings.prompts_dir, 1)
    await live.follow_prompts()
    edited = live.deps.rulebook
    assert edited.gate is first.gate and edited.policies is first.policies and edited.sha != first.sha
    assert edited.instructions.recited({"body": "As an example, note one thing: Note 1."}) == ()
    await approve(live)
    await live.refresh()
    both = live.deps.rulebook
    assert (both.epoch, both.prompts) == (1, edited.prompts)
    assert "zebra_policy" in {policy.id for policy in both.policies.active}
    note(settings.prompts_dir, 2)
    await live.follow_prompts()
    last = live.deps.rulebook
    assert (last.epoch, last.gate) == (1, both.gate)
    assert last.prompts.digests == read_prompts(settings.prompts_dir).digests
    assert len({first.sha, edited.sha, both.sha, last.sha}) == 4
    assert (live.condition, live.prompts_condition) == ("ok", "ok")


async def test_edits_and_policies_at_the_same_time_both_count(live: Live, settings: Settings) -> None:
    await live.refresh()
    await approve(live)
    note(settings.prompts_dir, 1)
    await asyncio.gather(live.refresh(), live.follow_prompts(), live.refresh(), live.follow_prompts())
    assert live.deps.rulebook.epoch == 1
    assert live.deps.rulebook.prompts.digests == read_prompts(settings.prompts_dir).digests


async def test_a_run_under_old_policies_is_renewed_though_only_prompts_were_replaced_since(
    live: Live, settings: Settings
) -> None:
    await live.refresh()
    stale = live.graph
    await approve(live)
    note(settings.prompts_dir, 1)
    ours, deps = await live.current()
    assert ours is not stale and deps.rulebook.epoch == 0
    renewed, deps = await live.renew(stale)
    assert (renewed is live.graph, deps.rulebook.epoch) == (True, 1)
    assert (await live.renew(stale))[0] is live.graph


async def test_a_paused_run_goes_on_with_the_prompts_it_began_with(
    live: Live, settings: Settings, script: ScriptedModel
) -> None:
    script.reply("draft_compose", compose)
    note(settings.prompts_dir, 1)
    put(settings.prompts_dir / "draft@b.md", f"{DRAFT}\nNote B.\n")
    raw = {"user_id": "USER_0", "domain": "Travel", "confidence_score": 0.9}
    saver, (ours, _) = InMemorySaver(), await live.current()
    began = used_by(settings)
    for thread, context in (("paused", Context()), ("variant", Context(prompt_variants={"draft": "b"}))):
        ours.checkpointer = saver
        config: Any = {"configurable": {"thread_id": thread}}
        await ours.ainvoke(raw, config, context=context, interrupt_before=["draft"])
    note(settings.prompts_dir, 2)
    put(settings.prompts_dir / "draft@b.md", None)
    ours, _ = await live.current()
    ours.checkpointer = saver
    for thread, marker in (("paused", "Note 1."), ("variant", "Note B.")):
        config = {"configurable": {"thread_id": thread}}
        outcome = (await ours.ainvoke(None, config, context=Context()))["output"]
        assert outcome.success and marker in drafts(script)[-1]
        assert outcome.prompts["analyze"] == began["analyze"]
    assert outcome.prompts.keys() == {"analyze", "draft@b", "judge"}
    config = {"configurable": {"thread_id": "again"}}
    outcome = (await ours.ainvoke(raw, config, context=Context()))["output"]
    assert outcome.prompts == used_by(settings)


async def test_a_deleted_variant_is_the_runs_clear_error_and_a_new_one_is_there(
    live: Live, settings: Settings, script: ScriptedModel
) -> None:
    script.reply("draft_compose", compose)
    put(settings.prompts_dir / "draft@b.md", f"{DRAFT}\nNote B.\n")
    asked = {"prompt_variants": {"draft": "b"}}
    outcome = await run(live, "USER_0", **asked)
    assert outcome.success and outcome.prompts is not None and "draft@b" in outcome.prompts
    put(settings.prompts_dir / "draft@b.md", None)
    outcome = await run(live, "USER_1", **asked)
    assert (outcome.error_code, outcome.prompts) == ("invalid_input", None)
    assert outcome.error == ("prompt_variants: there is no prompts/draft@b.md; allowed: analyze, draft, judge")
    assert live.prompts_condition == "ok"


def test_a_displaced_prompt_is_held_by_its_digest_and_may_not_be_recited_by_its_runs(settings: Settings) -> None:
    old = "Sardines waltz across purple ledgers each foggy Wednesday."
    put(settings.prompts_dir / "draft.md", f"{DRAFT}\n{old}\n")
    first = load_rulebook(settings)
    state: dict[str, Any] = {"variants": {}, "prompts": first.prompts.used({})}
    book = first
    for number in (1, 2):
        note(settings.prompts_dir, number)
        book = with_prompts(book, read_prompts(settings.prompts_dir))
    deps: Any = SimpleNamespace(rulebook=book)
    assert prompt_of("draft", state, deps) is first.prompts.named("draft")
    assert prompt_of("draft", {"variants": {}, "prompts": {}}, deps) is book.prompts.named("draft")
    assert [field for field, _ in recited({"body": old}, state, deps)] == ["body"]
    assert recited({"body": old}, {"variants": {}, "prompts": book.prompts.used({})}, deps) == ()
    deps.rulebook = replace(book, displaced={})
    with pytest.raises(InputInvalid, match=r"prompts.draft is '\w{16}': the run began with a version of prompts/draft"):
        prompt_of("draft", state, deps)


async def test_without_the_flag_prompts_are_read_once(settings: Settings) -> None:
    live = await Live.open(settings.model_copy(update={"reload_prompts": False}))
    ours, deps = live.graph, live.deps
    BROKEN["deleted"](settings.prompts_dir)
    assert await live.current() == (ours, deps)
    assert live.prompts_condition is None
    await live.aclose()


async def test_studio_follows_edits_and_a_broken_one_fails_no_look(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert settings.database_url is not None
    monkeypatch.chdir(tmp_path)  # no .env
    for name, value in {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "LLM_BASE_URL": settings.llm_base_url,
        "OPENROUTER_MODEL": "scripted",
        "DATA_DIR": str(settings.data_dir),
        "PROMPTS_DIR": str(settings.prompts_dir),
        "JUDGE_MODEL": "none",
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("RELOAD_PROMPTS", raising=False)
    first = await make_graph()
    assert await make_graph() is first
    note(settings.prompts_dir, 1)
    second = await make_graph()
    assert second is not first and await make_graph() is second
    BROKEN["broken YAML"](settings.prompts_dir)
    assert await make_graph() is second
    note(settings.prompts_dir, 2)
    assert await make_graph() is not second
    live = await graph.build._opening.pop(asyncio.get_running_loop())
    await live.aclose()
