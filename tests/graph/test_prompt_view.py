"""What `offers prompts show` prints is what a model gets."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from graph.build import build_graph
from graph.context import Context
from graph.deps import Deps, open_deps
from graph.prompt_cost import Population, sample_population, shared_prefix, step_cost
from graph.prompt_view import prompt_view
from graph.run import decide
from graph.settings import Settings
from tests.graph.test_revisions import compose
from tests.scripted_model import ScriptedModel
from tools.errors import InputInvalid
from tools.prices import Prices
from tools.signals import read_signals
from tools.views import MemberView
from tools.vocabulary import CopyMode

VIEW = MemberView(
    domain="Travel", card_type="gold", strategy="persuadable", spend_trend="stable", engagement="medium",
    domain_interest="preferred", tenure_band="established",
)  # fmt: skip
RAW = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}


def sent(script: ScriptedModel, name: str) -> list[tuple[str, str]]:
    (call,) = [call for call in script.calls if call.step == name]
    return [(message["role"], message["content"]) for message in call.body["messages"]]


async def view_of_member(deps: Deps) -> MemberView:
    member = await deps.members.load("USER_GOLD")
    assert member is not None
    view = read_signals(member, deps.today()).view("Travel")
    assert view is not None
    return view


@pytest.mark.parametrize("mode", ["select", "compose"])
async def test_the_bytes_shown_are_the_bytes_a_run_sends(deps: Deps, script: ScriptedModel, mode: CopyMode) -> None:
    deps = replace(deps, copy_mode=mode)
    script.reply("draft_compose", compose)
    view = await view_of_member(deps)
    outcome = await decide(RAW, build_graph(deps), Context(mode="issue"), deadline_s=60)
    assert outcome.recommendation == "offer_generated"
    for step in ("analyze", "draft"):
        shown = await prompt_view(step, view, deps, mode=mode, asking=True)  # analysis answers from the cache now
        assert list(shown.ask.messages) == sent(script, f"{step}_{mode}")
        (call,) = [call for call in script.calls if call.step == f"{step}_{mode}"]
        assert call.body["temperature"] == shown.ask.temperature and shown.notes == ()
        joined = {
            role: "\n\n".join(part.text for part in shown.parts if part.role == role) for role, _ in shown.ask.messages
        }
        assert joined == dict(shown.ask.messages)


async def test_showing_a_prompt_asks_and_writes_nothing(deps: Deps, script: ScriptedModel) -> None:
    for step in ("analyze", "draft", "judge"):
        shown = await prompt_view(step, VIEW, deps, mode="compose")
        assert [role for role, _ in shown.ask.messages] == ["system", "user"]
    assert script.calls == []
    async with deps.database.statement() as connection:
        cursor = await connection.execute("select (select count(*) from offer_item), (select count(*) from completion)")
        assert await cursor.fetchone() == (0, 0)


async def test_a_judges_prompt_asks_each_judge_clause_in_scope_about_approved_copy(deps: Deps) -> None:
    shown = await prompt_view("judge", VIEW, deps, mode="compose")
    system, user = (text for _, text in shown.ask.messages)
    names = shown.ask.schema["properties"]["answers"]["items"]["properties"]["question"]["enum"]
    assert len(names) == 21 and all(f"[{name}]" in user for name in names)
    assert "body: " in user and "offer_type: " in user and "{" not in system.partition("Reply with JSON")[0]


async def test_a_draft_without_analysis_says_so(deps: Deps) -> None:
    shown = await prompt_view("draft", VIEW, deps, mode="compose")
    assert shown.notes == ("without hypotheses: analysis is a model's, and none was asked",)
    told = await prompt_view("draft", VIEW, deps, mode="compose", hypotheses=["Travel may be near."])
    assert told.notes == () and "- Travel may be near." in told.ask.messages[1][1]


async def test_a_variant_that_is_not_there_is_named(deps: Deps) -> None:
    with pytest.raises(InputInvalid, match="prompt is 'draft@zz': there is none; there are analyze, draft, judge"):
        await prompt_view("draft", VIEW, deps, mode="compose", variant="zz")


async def test_a_day_decides_the_order_and_nothing_else_of_the_prompt(deps: Deps) -> None:
    one, same, next_week = [
        await prompt_view("draft", VIEW, deps, mode="select", day=day)
        for day in (date(2026, 6, 1), date(2026, 6, 3), date(2026, 6, 9))
    ]
    assert one.ask.messages == same.ask.messages != next_week.ask.messages


async def test_a_population_costs_what_its_distinct_prompts_cost(deps: Deps) -> None:
    people = Population(10, Counter({VIEW: 3, VIEW.model_copy(update={"engagement": "low"}): 1}))
    cost = await step_cost("draft", people, deps, mode="compose")
    texts = []
    for view in people.views:
        fitting = sorted((each.text for each in deps.rulebook.hypotheses.applicable(view)), key=len)
        shown = await prompt_view("draft", view, deps, mode="compose", hypotheses=fitting[-3:])
        texts.append("\0".join(text for _, text in shown.ask.messages))
    assert (cost.distinct, cost.most_out, cost.prompt) == (2, 700, "draft")
    assert cost.calls(people.offers) == 500.0
    assert cost.shared == shared_prefix(texts) > 0.1
    prices = Prices(input_usd=1.0, output_usd=10.0, cached_usd=0.1)
    plain = cost.usd(prices, offers=4, tokens_out=100, prefix_cached=False)
    assert plain == pytest.approx(500 * (cost.mean_in * 1.0 + 100 * 10.0) / 1e6)
    assert cost.usd(prices, offers=4, tokens_out=100, prefix_cached=True) == pytest.approx(
        plain - 500 * cost.mean_in * cost.shared * 0.9 / 1e6
    )


def test_a_population_is_screened_as_one_by_one(deps: Deps) -> None:
    people = sample_population(1000, deps)
    assert people.predictions == 1000
    assert 250 < people.offers < 400 and people.offers == sum(people.views.values())
    assert sample_population(1000, deps).views == people.views


@pytest.mark.parametrize(
    ("texts", "share"), [([], 0.0), (["abcd"], 0.0), (["abcd", "abce"], 3 / 8), (["ab", "abcd", "x"], 2 / 7)]
)
def test_the_shared_beginning_is_what_a_prefix_cache_would_serve(texts: list[str], share: float) -> None:
    assert shared_prefix(texts) == share


async def test_prompts_are_built_without_any_service(settings: Settings) -> None:
    alone = await open_deps(settings.model_copy(update={"database_url": None, "llm_base_url": None}))
    shown = await prompt_view("draft", VIEW, alone, mode="select")
    assert shown.ask.messages[1][1].startswith("Options:")
    await alone.aclose()
