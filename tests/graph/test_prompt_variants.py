"""Variants in a run: asked for or by the split, in what the model gets, the reply, the record and its replay."""

import json
import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graph.build import Graph, build_graph
from graph.context import Context
from graph.deps import Deps
from graph.rulebook import PROMPTS, load_rulebook
from graph.run import decide
from graph.schemas import OfferOutput
from graph.settings import Settings, load_settings
from tests.members import add_members
from tests.scripted_model import ScriptedModel
from tools.errors import PromptInvalid, SettingInvalid
from tools.variants import arm, bucket

SHIPPED = Path(__file__).parents[2] / "prompts"
MARK = "Choose one offer for a card, with care"


@pytest.fixture
def varied(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a variant b of drafting that half of the members get."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "prompts"))
    text = (folder / "draft.md").read_text(encoding="utf-8")
    (folder / "draft@b.md").write_text(text.replace("Choose one card offer", MARK), encoding="utf-8")
    return settings.model_copy(update={"prompts_dir": folder, "prompt_split": {"draft": {"b": 50}}})


@pytest.fixture
def split(deps: Deps, varied: Settings) -> tuple[Deps, Graph]:
    ours = replace(deps, settings=varied, rulebook=load_rulebook(varied))
    return ours, build_graph(ours)


def member_of(variant: str | None) -> str:
    """Return a new member the split gives this variant."""
    users = (f"USER_{uuid.uuid4().hex}" for _ in range(100))
    return next(user for user in users if arm({"b": 50}, bucket("online", "draft", user)) == variant)


async def run(user: str, parts: tuple[Deps, Graph], domain: str = "Travel", **asked: Any) -> OfferOutput:
    deps, graph = parts
    await add_members(deps.database, user, card_type="Gold")
    raw = {"user_id": user, "domain": domain, "confidence_score": 0.9}
    return await decide(raw, graph, Context(**{"mode": "issue"} | asked), deadline_s=60, deps=deps)


def marked(script: ScriptedModel) -> set[bool]:
    """Return whether the drafting calls had the variant's text, and clear the script's memory."""
    found = {MARK in call.text for call in script.calls if call.step == "draft_select"}
    script.calls.clear()
    return found


async def test_the_variant_of_a_run_is_in_prompt_reply_and_record(
    split: tuple[Deps, Graph], script: ScriptedModel
) -> None:
    deps, _ = split
    digests = deps.rulebook.prompts.digests
    for variant, asked, name, domain in (
        ("b", {}, "draft@b", "Travel"),
        (None, {}, "draft", "Travel"),
        (None, {"prompt_variants": {"draft": "b"}}, "draft@b", "Dining"),
        ("b", {"prompt_variants": {"draft": "base"}}, "draft", "Dining"),
    ):
        outcome = await run(member_of(variant), split, domain, **asked)
        assert outcome.recommendation == "offer_generated", outcome.error
        used = {each: digests[each] for each in ("analyze", name, "judge")}
        assert outcome.prompts == used
        record, *_ = await deps.records.read(outcome.run_id) or ({},)
        assert record["versions"]["prompts"] == record["output"]["prompts"] == used
        assert set(record["versions"]["parameters"]) == set(used)
        assert marked(script) == {name == "draft@b"}


async def test_a_replay_names_the_prompts_that_were_used_not_todays(split: tuple[Deps, Graph], deps: Deps) -> None:
    ours, _ = split
    user = member_of("b")
    first = await run(user, split)
    raw = {"user_id": user, "domain": "Travel", "confidence_score": 0.9}
    again = await decide(raw, build_graph(deps), Context(mode="issue"), deadline_s=60, deps=deps)
    assert (again.replayed, again.run_id) == (True, first.run_id)
    assert again.prompts == first.prompts == ours.rulebook.prompts.used({"draft": "b"})
    assert "draft@b" not in deps.rulebook.prompts.digests


async def test_a_run_that_never_got_to_a_prompt_names_none(split: tuple[Deps, Graph]) -> None:
    deps, graph = split
    raw = {"user_id": "USER_NOBODY", "domain": "Travel", "confidence_score": 0.9}
    outcome = await decide(raw, graph, Context(mode="issue"), deadline_s=60, deps=deps)
    assert (outcome.recommendation, outcome.prompts) == ("user_not_found", None)


def test_a_split_on_a_variant_that_isnt_there_stops_the_start(varied: Settings) -> None:
    gone = varied.model_copy(update={"prompt_split": {"draft": {"z": 1}}})
    with pytest.raises(PromptInvalid, match=r"draft@z\.md:1: PROMPT_SPLIT gives draft@z a share, but there is no such"):
        load_rulebook(gone)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"draft": {"b": 70, "c": 40}}', "sum to at most 100 percent, not 110"),
        ('{"draft": {"b": 101}}', "shares of 0 to 100 percent; 'draft' has 101"),
        ('{"draft": 20}', "valid dictionary"),
        ("draft=b", "Expecting value"),
    ],
)
def test_a_split_that_cant_be_read_is_refused_with_its_setting(
    monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("PROMPT_SPLIT", value)
    with pytest.raises(SettingInvalid, match=r"PROMPT_SPLIT") as refused:
        load_settings(_env_file=None)
    assert said in str(refused.value)


def test_a_split_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPT_SPLIT", json.dumps({"draft": {"b": 12.5, "a": 0}}))
    read = load_settings(_env_file=None).prompt_split
    assert [*read["draft"].items()] == [("b", 12.5), ("a", 0)]


async def test_every_step_sends_a_schema_its_prompt_names(deps: Deps, run_one: Any, script: ScriptedModel) -> None:
    await run_one()
    for name, step in PROMPTS.items():
        assert deps.rulebook.prompts.named(name).header.schemas == step.schemas
    sent = {call.step for call in script.calls}
    assert (
        {"analyze_select", "draft_select"} <= sent <= {schema for step in PROMPTS.values() for schema in step.schemas}
    )
