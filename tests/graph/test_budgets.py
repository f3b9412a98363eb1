"""When money runs short: the next cheaper option, then a reason that names the budget; no prompt ever depends on it."""

from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from rich.console import Console

from graph.build import Graph, build_graph
from graph.context import Context
from graph.deps import Deps
from graph.run import decide, steps
from graph.trace import Trace
from server.commands.trace_view import trace_view
from tests.conftest import Decide
from tests.graph.test_revisions import BODY, compose
from tests.scripted_model import Call, ScriptedModel, sample
from tools.email.message import Mailer
from tools.ledger.budgets import BudgetKey, Budgets
from tools.terms import MenuOption

TOTAL = BudgetKey("campaign")
ISSUE = Context(mode="issue")


@pytest.fixture
def budgets(deps: Deps) -> Budgets:
    return Budgets(deps.database, zone=deps.zone)


@pytest.fixture
def credits(deps: Deps, script: ScriptedModel) -> list[MenuOption]:
    """The statement credits of the member's menu, dearest first; the model always chooses that one."""
    menu = deps.rulebook.menus.menu_for("Travel", "gold", "persuadable")
    found = [option for option in menu.options if option.offer_type == "statement_credit"]
    dearest = sorted(found, key=lambda option: -option.expected_cost_usd)
    assert len(dearest) >= 2

    def choose(call: Call) -> Any:
        """Return the first valid answer found that takes the option."""
        assert call.schema is not None
        answers = (sample(call.schema, key=str(turn)) for turn in count())
        return next(answer for answer in answers if answer["choice"]["option_id"] == dearest[0].option_id)

    script.reply("draft_select", choose)
    script.reply("draft_compose", lambda call: compose(call) | {"option_id": dearest[0].option_id})
    return dearest


async def record_of(deps: Deps, run_id: str) -> dict[str, Any]:
    found = await deps.records.read(run_id)
    assert found is not None
    return found[0]


async def held(deps: Deps) -> list[tuple[str, Decimal]]:
    async with deps.database.connection() as connection:
        cursor = await connection.execute("select state, amount_usd from reservation order by user_id, prediction_key")
        return await cursor.fetchall()


async def test_the_record_says_what_was_reserved_and_of_which_budgets(
    run_one: Decide, deps: Deps, budgets: Budgets, credits: list[MenuOption]
) -> None:
    await budgets.change("online", {TOTAL: Decimal(100), BudgetKey("domain", "Travel"): Decimal(50)})
    outcome = await run_one()
    assert outcome.recommendation == "offer_generated"
    cost, record = credits[0].expected_cost_usd, await record_of(deps, outcome.run_id)
    assert record["money"] == {
        "option_id": credits[0].option_id,
        "amount_usd": str(cost),
        "budgets": [
            {"scope": "campaign", "name": "", "limit_usd": "100.00", "left_usd": str(100 - cost) + "00"},
            {"scope": "domain", "name": "Travel", "limit_usd": "50.00", "left_usd": str(50 - cost) + "00"},
        ],
        "in_place_of": None,
    }
    assert await held(deps) == [("settled", cost)]
    again = await run_one()
    assert (again.replayed, await held(deps)) == (True, [("settled", cost)])


async def test_without_a_budget_nothing_is_reserved_and_the_cost_is_kept(
    run_one: Decide, deps: Deps, credits: list[MenuOption]
) -> None:
    outcome = await run_one()
    assert "money" not in await record_of(deps, outcome.run_id)
    assert await held(deps) == [("settled", credits[0].expected_cost_usd)]


@pytest.mark.parametrize("mode", ["select", "compose"])
async def test_when_money_is_short_the_next_cheaper_option_of_the_type_is_offered(
    run_one: Decide, deps: Deps, budgets: Budgets, credits: list[MenuOption], script: ScriptedModel, mode: str
) -> None:
    dear, cheap = credits[:2]
    await budgets.change("online", {TOTAL: dear.expected_cost_usd - Decimal("0.01")})
    own = build_graph(replace(deps, copy_mode=mode))  # type: ignore[arg-type]
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    outcome = await decide(raw, own, ISSUE, deadline_s=60)
    assert outcome.recommendation == "offer_generated"
    record = await record_of(deps, outcome.run_id)
    assert record["terms"]["option_id"] == record["money"]["option_id"] == cheap.option_id
    assert record["money"]["in_place_of"] == dear.option_id
    told = "".join(segment.text for segment in Console(width=300).render(trace_view(Trace.model_validate(record))))
    limit, left = dear.expected_cost_usd - Decimal("0.01"), dear.expected_cost_usd - cheap.expected_cost_usd
    assert (
        f"{cheap.expected_cost_usd} USD reserved for {cheap.option_id}, in place of {dear.option_id}, which was not"
        f" affordable; left: campaign {left - Decimal('0.01')} USD of {limit} USD"
    ) in told
    assert await held(deps) == [("settled", cheap.expected_cost_usd)]


async def test_when_none_can_be_paid_the_reason_names_the_budget_and_the_amounts(
    run_one: Decide, deps: Deps, budgets: Budgets, credits: list[MenuOption]
) -> None:
    names = {
        TOTAL: "the budget of campaign online",
        BudgetKey("domain", "Travel"): "the Travel budget of campaign online",
        BudgetKey("day"): f"the budget of campaign online for {deps.today().isoformat()}",
        BudgetKey("member"): "the budget of campaign online for this member",
    }
    dear, cheap = credits[0], credits[-1]
    for key, name in names.items():
        ample = {other: Decimal(1000) for other in names if other != key}
        await budgets.change("online", {key: Decimal("0.50"), **ample})
        outcome = await run_one(pred_version=key.scope)
        assert outcome.recommendation == "suppressed_budget_exhausted"
        assert outcome.suppression is not None and outcome.suppression.detail == (
            f"budget_exhausted: {dear.option_id} is expected to cost {dear.expected_cost_usd} USD, the cheapest"
            f" statement_credit option, {cheap.option_id}, {cheap.expected_cost_usd} USD;"
            f" {name} has 0.50 USD left of 0.50 USD",
        )
    assert await held(deps) == []
    assert all(budget.reserved_usd == 0 for budget in await budgets.show("online"))


async def test_a_failed_offer_gives_its_money_back(deps: Deps, budgets: Budgets, credits: list[MenuOption]) -> None:
    """An email too large to be delivered whole breaks a message clause after the money is reserved."""
    await budgets.change("online", {TOTAL: Decimal(100)})
    large = replace(deps.mailer.brand, postal_address="Example Bank, " + "100 Main Street, " * 8_000)
    graph = build_graph(replace(deps, mailer=Mailer(large, token_secret=b"0" * 32)))
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    outcome = await decide(raw, graph, ISSUE, deadline_s=60)
    assert (outcome.recommendation, outcome.error_code) == ("generation_failed", "template_fault")
    assert await held(deps) == [("released", credits[0].expected_cost_usd)]
    assert [budget.left_usd for budget in await budgets.show("online")] == [Decimal(100)]


async def test_a_preview_reserves_nothing_and_sees_no_budget(
    run_one: Decide, deps: Deps, budgets: Budgets, credits: list[MenuOption]
) -> None:
    await budgets.change("online", {TOTAL: Decimal(0)})
    outcome = await run_one(context=Context())
    assert (outcome.recommendation, outcome.mode) == ("offer_generated", "preview")
    assert await held(deps) == []


async def test_a_budget_set_while_a_run_is_under_way_counts_for_it(
    graph: Graph, deps: Deps, budgets: Budgets, credits: list[MenuOption]
) -> None:
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    async for step in steps(raw, graph, ISSUE, deadline_s=60):
        if step.get("node") == "screen":
            await budgets.change("online", {TOTAL: Decimal("0.01")})
        outcome = step.get("output")
    assert outcome.recommendation == "suppressed_budget_exhausted"


@pytest.mark.parametrize("mode", ["select", "compose"])
async def test_no_prompt_depends_on_money(
    deps: Deps, budgets: Budgets, credits: list[MenuOption], script: ScriptedModel, mode: str
) -> None:
    """Written drafts name the dear option's value: right for it, wrong for what money puts in its place."""
    value = f"${credits[0].reward_value:f}"
    script.reply(
        "draft_compose",
        lambda call: (
            compose(call, body=BODY.replace("{offer_value}", f"{value} statement credit"))
            | {"option_id": credits[0].option_id}
        ),
    )
    own = build_graph(replace(deps, copy_mode=mode))  # type: ignore[arg-type]
    dear, cheap = (option.expected_cost_usd for option in (credits[0], credits[1]))
    outcomes, steps_taken = [], []
    for turn, total in enumerate((cheap, Decimal(0), dear, Decimal(1000))):
        async with deps.database.connection() as connection:
            for table in ("offer", "reservation", "budget_use", "budget"):
                await connection.execute(f"delete from {table}".encode())
        await budgets.change("online", {TOTAL: total})
        raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9, "pred_version": str(turn)}
        outcome = await decide(raw, own, ISSUE, deadline_s=60)
        outcomes.append((outcome.recommendation, outcome.copy_source))
        steps_taken.append([call["step"] for call in (await record_of(deps, outcome.run_id))["calls"]])
    generated, own_copy = "offer_generated", "blocks" if mode == "select" else "model"
    assert outcomes[1:] == [("suppressed_budget_exhausted", None), (generated, own_copy), (generated, own_copy)]
    assert outcomes[0] == (generated, own_copy if mode == "select" else "fallback")
    asked = ["analyze_select" if mode == "select" else "analyze_compose", f"draft_{mode}"]
    own_offer = asked if mode == "select" else [*asked, "judge"]
    assert steps_taken == [asked, asked, own_offer, own_offer]
    assert script.count == len(own_offer)  # the same prompts every time: one completion of each served all
