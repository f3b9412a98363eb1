"""The revision loop: what a re-draft may change, and why the loop ends before its attempts are spent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.build import build_graph
from graph.case import candidates_of, menu_of
from graph.context import Context
from graph.deps import Deps
from graph.run import decide
from graph.schemas import OfferOutput
from tests.conftest import Decide
from tests.graph.test_revisions import BODY, compose
from tests.scripted_model import Call, Latency, ScriptedModel
from tools.draft_parts import PARTS, opened
from tools.drafting import Brief, draft_ask, draft_of
from tools.drafts import Draft
from tools.report import Violation
from tools.views import MemberView
from tools.vocabulary import COPY_FIELDS, CopyMode

BAD = "Hurry, this is your last chance! "
ISSUE = Context(mode="issue")


@pytest.fixture
def composing(deps: Deps) -> Deps:
    return replace(deps, copy_mode="compose")


async def run(deps: Deps, context: Context = ISSUE, **fields: Any) -> tuple[OfferOutput, dict[str, Any]]:
    """Return the outcome of one run, and its record."""
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9, "use_llm_insights": False} | fields
    outcome = await decide(raw, build_graph(deps), context, deadline_s=60)
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    return outcome, record


def asked(call: Call) -> set[str]:
    """Return the keys a request's schema holds."""
    return set((call.schema or {})["properties"])


# What a re-draft may change.


async def test_a_redraft_is_asked_for_the_criticised_field_alone_and_shown_its_last_text(
    composing: Deps, script: ScriptedModel
) -> None:
    script.reply("draft_compose", [lambda call: compose(call, body=BAD + BODY), compose])
    outcome, record = await run(composing)
    assert outcome.copy_source == "model"
    first, second = [call for call in script.calls if call.step == "draft_compose"]
    assert asked(first) == set(PARTS)
    assert asked(second) == {"body"}
    assert f'Last body: "{BAD}{BODY}"' in second.text
    assert "Last subject" not in second.text and "answer with body only" in second.text
    drafts = [attempt["draft"] for attempt in record["history"]]
    for part in ("option_id", "merchant_ids"):
        assert drafts[0][part] == drafts[1][part]
    assert {field for field in COPY_FIELDS if drafts[0]["text"][field] != drafts[1]["text"][field]} == {"body"}


async def test_a_clause_found_in_two_fields_opens_both(composing: Deps, script: ScriptedModel) -> None:
    script.reply(
        "draft_compose",
        [lambda call: compose(call, subject="Hurry, {domain} offers inside today", body=BAD + BODY), compose],
    )
    outcome, _ = await run(composing)
    assert outcome.copy_source == "model"
    assert asked(script.calls[1]) == {"subject", "body"}


async def test_the_prompt_of_a_redraft_holds_slots_and_no_filled_text(composing: Deps, script: ScriptedModel) -> None:
    script.reply("draft_compose", [lambda call: compose(call, body=BAD + BODY), compose])
    _, record = await run(composing)
    filled = {str(record["terms"][name]) for name in ("start_date", "end_date", "enroll_by")}
    assert "{expiry_date}" in script.calls[1].text
    assert not any(value in script.calls[1].text for value in filled | {"Cardmember,"})


FIELDS = st.sampled_from(["", "terms", "offer.reward_value", "offer.merchants", "message", *PARTS])
ANSWERS = st.dictionaries(
    st.sampled_from([*PARTS, "source", "terms"]), st.text(max_size=40) | st.lists(st.text(max_size=12), max_size=4)
)
VIEW = MemberView(
    domain="Dining", card_type="gold", strategy="persuadable", spend_trend="stable", engagement="medium",
    domain_interest="preferred", tenure_band="established",
)  # fmt: skip


def brief_of(deps: Deps, mode: CopyMode, **changes: Any) -> Brief:
    menu = menu_of(VIEW, deps)
    plain: dict[str, Any] = {
        "mode": mode, "view": VIEW, "menu": menu, "candidates": candidates_of(VIEW, menu, "online", deps),
        "policies": (), "hypotheses": (), "violations": (), "excluded": frozenset(), "cohort": "c",
    }  # fmt: skip
    return Brief(**plain | changes)


def criticism(fields: list[str]) -> list[Violation]:
    return [
        Violation(policy_id="p", clause_id=f"c{n}", severity="fix", message="m", field=field)
        for n, field in enumerate(fields)
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.lists(FIELDS, min_size=1, max_size=4), answer=ANSWERS, texts=st.tuples(*[st.text(max_size=30)] * 5))
async def test_a_closed_part_keeps_its_bytes_whatever_is_criticised_and_whatever_the_model_answers(
    deps: Deps, fields: list[str], answer: Mapping[str, Any], texts: tuple[str, ...]
) -> None:
    blank = brief_of(deps, "compose")
    last = Draft.model_validate(
        {
            "source": "model",
            "option_id": blank.menu.options[0].option_id,
            "merchant_ids": [merchant.merchant_id for merchant in blank.candidates[:3]],
            "text": dict(zip(COPY_FIELDS, texts, strict=True)),
        }
    )
    brief = replace(blank, violations=criticism(fields), last=last)
    ask = draft_ask(deps.rulebook.prompts.pick("draft", {}), brief, deps.rulebook.blocks)
    assert set(ask.schema["properties"]) == brief.open == opened(brief.violations)
    whole = {part: "new" for part in PARTS} | {"merchant_ids": ["new"]}
    fitting = {part: value for part, value in answer.items() if isinstance(value, list) == (part == "merchant_ids")}
    draft = draft_of(ask.reply.model_validate(whole | fitting), brief, deps.rulebook.blocks)
    assert draft.source == "model"
    for field in COPY_FIELDS:
        if field not in brief.open:
            assert getattr(draft.text, field).encode() == getattr(last.text, field).encode()
    if "option_id" not in brief.open:
        assert draft.option_id == last.option_id
    if "merchant_ids" not in brief.open:
        assert draft.merchant_ids == last.merchant_ids


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.lists(FIELDS, min_size=1, max_size=4), pick=st.integers(0, 5), option=st.integers(0, 5))
async def test_in_select_mode_a_closed_field_keeps_its_block(
    deps: Deps, fields: list[str], pick: int, option: int
) -> None:
    blocks, blank = deps.rulebook.blocks, brief_of(deps, "select")
    prompt = deps.rulebook.prompts.pick("draft", {})
    last = draft_of(_chosen(draft_ask(prompt, blank, blocks), option, 0), blank, blocks)
    assert last.block_ids is not None and set(last.block_ids) == set(COPY_FIELDS)
    violations = criticism(fields)
    criticised = frozenset(last.block_ids[field] for field in COPY_FIELDS if field in opened(violations))
    brief = replace(blank, violations=violations, last=last, excluded=criticised)
    if brief.asked:
        draft = draft_of(_chosen(draft_ask(prompt, brief, blocks), option, pick), brief, blocks)
    else:
        draft = draft_of(None, brief, blocks)
    chosen = draft.block_ids or {}
    terms = brief.menu.option(draft.option_id)
    assert terms is not None
    for field in COPY_FIELDS:
        block, before = blocks.get(chosen[field]), blocks.get(last.block_ids[field])
        assert block is not None and block.text == getattr(draft.text, field)
        assert before is not None
        suits = before.suits(terms, domain="Dining", strategy="persuadable", card_type="gold")
        if field not in brief.open and suits:
            assert block == before
    if "option_id" not in brief.open:
        assert draft.option_id == last.option_id
    if "merchant_ids" not in brief.open:
        assert draft.merchant_ids == last.merchant_ids


def _chosen(ask: Any, option: int, pick: int) -> Any:
    """Answer as a model bound to the schema would: the same place of every list."""
    choices = ask.schema["properties"]["choice"]["anyOf"]
    form = choices[option % len(choices)]["properties"]
    answer = {
        part: schema["items"]["enum"][:2] if part == "merchant_ids" else schema["enum"][pick % len(schema["enum"])]
        for part, schema in form.items()
    }
    return ask.reply.model_validate({"choice": answer})


async def test_a_redraft_whose_open_blocks_code_chooses_asks_no_model(deps: Deps) -> None:
    blocks, blank = deps.rulebook.blocks, brief_of(deps, "select")
    last = draft_of(_chosen(draft_ask(deps.rulebook.prompts.pick("draft", {}), blank, blocks), 0, 0), blank, blocks)
    assert last.block_ids is not None
    brief = replace(blank, last=last, violations=criticism([""]), excluded=frozenset({last.block_ids["body"]}))
    assert not brief.asked
    draft = draft_of(None, brief, blocks)
    assert draft.block_ids is not None
    assert {field for field in COPY_FIELDS if draft.block_ids[field] != last.block_ids[field]} == {"body"}


# Why the loop ends early.


async def test_a_violation_that_was_fixed_and_returns_ends_the_loop(composing: Deps, script: ScriptedModel) -> None:
    wrong = BODY.replace("{minimum_spend}", "$13")
    bodies = [BAD + BODY, wrong, "Last chance, hurry. " + wrong]
    script.reply("draft_compose", [lambda call, body=body: compose(call, body=body) for body in bodies])
    outcome, record = await run(composing, Context(mode="issue", max_revisions=8))
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "fallback")
    assert (record["attempts"], record["loop_end"]["reason"]) == (3, "oscillation")
    broken = {(v["policy_id"], v["clause_id"]) for v in record["history"][0]["report"]["violations"]}
    named = record["loop_end"]["detail"].removeprefix("fixed once and broken again: ").split(", ")
    assert {tuple(name.split("/")) for name in named} <= broken


async def test_a_violation_that_stays_is_no_oscillation(composing: Deps, script: ScriptedModel) -> None:
    bodies = iter(f"Hurry, number {word}! {BODY}" for word in ("one", "two", "three", "four"))
    script.reply("draft_compose", lambda call: compose(call, body=next(bodies)))
    outcome, record = await run(composing, Context(mode="issue", max_revisions=3))
    assert outcome.copy_source == "fallback"
    assert (record["attempts"], record["loop_end"]["reason"]) == (4, "attempts")


async def test_a_redraft_that_changes_nothing_ends_the_loop(composing: Deps, script: ScriptedModel) -> None:
    script.reply("draft_compose", lambda call: compose(call, body=BAD + BODY))
    outcome, record = await run(composing, Context(mode="issue", max_revisions=8))
    assert outcome.copy_source == "fallback"
    assert (record["attempts"], record["loop_end"]["reason"]) == (2, "no_change")


@pytest.mark.parametrize(("budget", "reason"), [(0, "tokens"), (4_000, "tokens"), (1_000_000, "attempts")])
async def test_no_redraft_is_begun_that_the_token_budget_does_not_hold(
    composing: Deps, script: ScriptedModel, budget: int, reason: str
) -> None:
    bodies = iter(f"Hurry, number {word}! {BODY}" for word in ("one", "two", "three", "four", "five"))
    script.reply("draft_compose", lambda call: compose(call, body=next(bodies)))
    outcome, record = await run(composing, Context(mode="issue", max_revisions=4, draft_token_budget=budget))
    calls = [call for call in record["calls"] if call["step"] == "draft_compose"]
    each = [call["input_tokens"] + call["output_tokens"] for call in calls]
    assert (outcome.copy_source, record["loop_end"]["reason"]) == ("fallback", reason)
    assert record["attempts"] == len(calls)
    assert sum(each) <= budget or len(calls) == 1
    assert sum(each) + max(each) > budget or len(calls) == 5  # one more would not have fitted


async def test_the_budget_is_a_setting_that_a_run_may_change(composing: Deps, script: ScriptedModel) -> None:
    script.reply("draft_compose", lambda call: compose(call, body=BAD + BODY))
    frugal = replace(composing, settings=composing.settings.model_copy(update={"draft_token_budget": 10}))
    _, record = await run(frugal)
    assert (record["run"]["draft_token_budget"], record["loop_end"]["reason"]) == (10, "tokens")


@pytest.mark.parametrize("mode", ["issue", "preview"])
async def test_no_redraft_is_begun_that_the_deadline_does_not_hold(
    composing: Deps, script: ScriptedModel, mode: Any
) -> None:
    slow = Latency(1.5, lambda call: compose(call, body=BAD + BODY))
    script.reply("draft_compose", [slow, compose])
    context = Context(mode=mode, run_deadline_s=4.5)
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9, "use_llm_insights": False}
    final = await build_graph(composing).ainvoke(raw, context=context, output_keys=["attempts", "loop_end", "draft"])
    assert (final["attempts"], final["draft"].source) == (1, "fallback")
    assert final["loop_end"].reason == "seconds"


async def test_a_passing_run_names_no_end(run_one: Decide, deps: Deps) -> None:
    outcome = await run_one()
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    assert outcome.copy_source == "blocks"
    assert record.get("loop_end") is None
