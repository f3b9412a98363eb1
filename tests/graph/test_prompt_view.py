"""What `offers prompts show` prints is what a model gets."""

import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import astuple, replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.build import build_graph
from graph.context import Context
from graph.deps import Deps, open_deps
from graph.prompt_cost import shared_prefix, step_cost
from graph.prompt_population import Population, sample_population, table_population
from graph.prompt_shares import beginning, common_start, prompt_shares
from graph.prompt_view import prompt_view
from graph.run import decide
from graph.settings import Settings, load_settings
from tests.conftest import ATTESTED
from tests.graph.test_revisions import compose
from tests.judged_policies import approval_of_all
from tests.members import add_members
from tests.scripted_model import PlainText, ScriptedModel
from tools.copy_approvals import write_approvals
from tools.errors import InputInvalid
from tools.prices import Prices
from tools.prompt_budget import tokens
from tools.signals import read_signals
from tools.views import MemberView
from tools.vocabulary import CopyMode

VIEW = MemberView(
    domain="Travel", card_type="gold", strategy="persuadable", spend_trend="stable", engagement="medium",
    domain_interest="preferred", tenure_band="established",
)  # fmt: skip
RAW = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}


@pytest.fixture(scope="module")
async def desk(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deps]:
    """Services without a database or a model, for prompts that need neither."""
    own = {"chroma_dir": tmp_path_factory.mktemp("chroma"), "attestations": ATTESTED}
    opened = await open_deps(load_settings(_env_file=None, data_dir=data_dir, **own))
    await opened.sync_index()
    yield opened
    await opened.aclose()


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


@pytest.fixture
async def unapproved(settings: Settings, deps: Deps, tmp_path: Path) -> AsyncIterator[Deps]:
    """Services whose approved copy covers no judge clause, so that the judge reads even the fallback's."""
    folder = tmp_path / "policies"
    shutil.copytree(settings.policies_dir, folder)
    write_approvals(folder / "copy", [approval_of_all()])
    ours = settings.model_copy(update={"policies_dir": folder, "judge_model": "scripted", "copy_mode": "compose"})
    opened = await open_deps(ours)
    await opened.sync_index()
    yield opened
    await opened.aclose()


async def test_the_judges_bytes_are_those_a_run_sends_about_fallback_copy(
    unapproved: Deps, script: ScriptedModel
) -> None:
    script.reply("draft_compose", PlainText())
    outcome = await decide(RAW, build_graph(unapproved), Context(mode="issue"), deadline_s=60)
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "fallback")
    for mode in ("select", "compose"):  # the judge reads a draft; how it was made is no business of its prompt
        shown = await prompt_view("judge", await view_of_member(unapproved), unapproved, mode=mode)
        assert list(shown.ask.messages) == sent(script, "judge")


async def test_a_re_draft_is_asked_for_the_criticised_parts_with_the_clauses_own_words(desk: Deps) -> None:
    clause = "UDAAP-03/conditions_stated"
    shown = await prompt_view("draft", VIEW, desk, mode="compose", criticised={"body": clause})
    assert list(shown.ask.schema["properties"]) == ["body"] and shown.variables["asked"] == ["body"]
    (told,), (last,) = shown.variables["violations"], shown.variables["last"]
    assert last["field"] == "body" and last["text"].startswith(told["quote"])
    assert told["message"] == "A condition of the offer is not stated where the reward is."
    assert f'- [{clause}] body "{told["quote"]}": {told["message"]}' in shown.ask.messages[1][1]


async def test_a_re_draft_that_chooses_is_shown_no_criticised_headline(desk: Deps) -> None:
    shown = await prompt_view("draft", VIEW, desk, mode="select", criticised={"headline": "UDAAP-06/no_false_urgency"})
    (told,), headlines = shown.variables["violations"], [each["text"] for each in shown.variables["headlines"]]
    assert shown.variables["asked"] == ["headline"]
    assert len(headlines) == 2 and not any(text.startswith(told["quote"]) for text in headlines)


@pytest.mark.parametrize(
    ("mode", "criticised", "said"),
    [
        ("compose", {"bdy": "UDAAP-06/no_false_urgency"}, "names the part 'bdy': allowed are option_id, merchant_ids"),
        ("compose", {"body": "UDAAP-06/nothing"}, "'UDAAP-06/nothing': UDAAP-06 has no_false_urgency"),
        ("compose", {"body": "NONE-01/nothing"}, "there is no policy 'NONE-01'"),
        ("select", {"body": "UDAAP-06/no_false_urgency"}, "no model is asked for this re-draft: in select"),
    ],
)
async def test_what_can_t_be_a_re_draft_is_named(
    desk: Deps, mode: CopyMode, criticised: dict[str, str], said: str
) -> None:
    with pytest.raises(InputInvalid, match=re.escape(said)):
        await prompt_view("draft", VIEW, desk, mode=mode, criticised=criticised)


async def test_shares_say_what_others_prompts_begin_with(desk: Deps) -> None:
    shown = await prompt_view("draft", VIEW, desk, mode="compose")
    shares = await prompt_shares(shown, "draft", VIEW, desk, mode="compose")
    system, user = (text for _, text in shown.ask.messages)
    menus = [
        VIEW.model_copy(update=dict(zip(("domain", "card_type", "strategy"), key, strict=True)))
        for key in desk.rulebook.menus.menus
    ]
    others = [(await prompt_view("draft", each, desk, mode="compose")).ask.messages[0][1] for each in menus]
    alike = max(end for end in range(len(system)) if all(other.startswith(system[:end]) for other in others))
    assert shares.everyone == tokens(system[:alike])
    assert shares.everyone + shares.menu == tokens(system) + tokens("Options:\ntravel_")  # options turn with the cohort
    assert sum(astuple(shares)) == tokens(system) + tokens(user)


@pytest.mark.parametrize(
    ("prompts", "count"),
    [([["a b", "x"], ["a b", "y"]], 2), ([["a b", "x"], ["a c", "x"]], 1), ([["a", "x"]], 2), ([["a"], ["b"]], 0)],
)
def test_a_beginning_ends_in_the_first_message_that_differs(prompts: list[list[str]], count: int) -> None:
    assert beginning(prompts) == count


@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_a_common_start_is_the_longest(one: str, other: str) -> None:
    start = common_start(one, other)
    assert one.startswith(start) and other.startswith(start)
    assert one[len(start) :][:1] != other[len(start) :][:1] or one == other


async def test_showing_a_prompt_asks_and_writes_nothing(deps: Deps, script: ScriptedModel) -> None:
    for step in ("analyze", "draft", "judge"):
        shown = await prompt_view(step, VIEW, deps, mode="compose")
        assert [role for role, _ in shown.ask.messages] == ["system", "user"]
    assert script.calls == []
    async with deps.database.statement() as connection:
        cursor = await connection.execute("select (select count(*) from offer_item), (select count(*) from completion)")
        assert await cursor.fetchone() == (0, 0)


async def test_a_judges_prompt_asks_each_judge_clause_in_scope_about_approved_copy(desk: Deps) -> None:
    shown = await prompt_view("judge", VIEW, desk, mode="compose")
    system, user = (text for _, text in shown.ask.messages)
    names = shown.ask.schema["properties"]["answers"]["items"]["properties"]["question"]["enum"]
    assert len(names) == 21 and all(f"[{name}]" in user for name in names)
    assert "body: " in user and "offer_type: " in user and "{" not in system.partition("Reply with JSON")[0]


async def test_a_draft_without_analysis_says_so(desk: Deps) -> None:
    shown = await prompt_view("draft", VIEW, desk, mode="compose")
    assert shown.notes == ("without hypotheses: analysis is a model's, and none was asked",)
    told = await prompt_view("draft", VIEW, desk, mode="compose", hypotheses=["Travel may be near."])
    assert told.notes == () and "- Travel may be near." in told.ask.messages[1][1]


async def test_a_variant_that_is_not_there_is_named(desk: Deps) -> None:
    with pytest.raises(InputInvalid, match="prompt is 'draft@zz': there is none; there are analyze, draft, judge"):
        await prompt_view("draft", VIEW, desk, mode="compose", variant="zz")


async def test_a_day_decides_the_order_and_nothing_else_of_the_prompt(desk: Deps) -> None:
    one, same, next_week = [
        await prompt_view("draft", VIEW, desk, mode="select", day=day)
        for day in (date(2026, 6, 1), date(2026, 6, 3), date(2026, 6, 9))
    ]
    assert one.ask.messages == same.ask.messages != next_week.ask.messages


async def test_a_population_costs_what_its_distinct_prompts_cost(desk: Deps) -> None:
    people = Population(10, Counter({VIEW: 3, VIEW.model_copy(update={"engagement": "low"}): 1}), Counter())
    cost = await step_cost("draft", people, desk, mode="compose")
    texts = []
    for view in people.views:
        fitting = sorted((each.text for each in desk.rulebook.hypotheses.applicable(view)), key=len)
        shown = await prompt_view("draft", view, desk, mode="compose", hypotheses=fitting[-3:])
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


async def test_a_table_s_members_are_screened_with_a_view_each(deps: Deps) -> None:
    await add_members(deps.database, *(f"USER_T{n}" for n in range(40)), card_type="Platinum")
    await add_members(deps.database, *(f"USER_N{n}" for n in range(20)), opt_in_marketing=False)
    people = await table_population(1000, deps)
    assert people.predictions == 62 and people.held["marketing_opt_out"] > 10
    assert people.offers + people.held.total() == 62
    assert {view.card_type for view in people.views} == {"gold", "platinum"}
    assert {view.tenure_band for view in people.views} == {"established"}
    assert (await table_population(1000, deps)).views == people.views
    assert (await table_population(10, deps)).predictions == 10


async def test_an_empty_table_has_no_population(deps: Deps) -> None:
    async with deps.database.connection() as connection:
        await connection.execute("delete from cardmember")
    with pytest.raises(InputInvalid, match="table 'cardmember' holds no members; load some"):
        await table_population(10, deps)


def test_a_population_is_screened_as_one_by_one(desk: Deps) -> None:
    people = sample_population(1000, desk)
    assert people.predictions == 1000
    assert 250 < people.offers < 400 and people.offers + people.held.total() == 1000
    assert people.held["no_offer_needed"] > 40 < people.held["monthly_cap"]
    assert sample_population(1000, desk).views == people.views


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
