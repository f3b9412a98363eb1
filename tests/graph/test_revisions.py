"""The loop that sends a non-conforming draft back, and what happens when the model misbehaves."""

import re
from typing import Any

import pytest

from graph.deps import Deps
from graph.settings import Settings
from tests.conftest import Decide
from tests.scripted_model import (
    Call,
    Drop,
    EmptyChoices,
    HalfBody,
    HalfJson,
    Hang,
    PlainText,
    Refusal,
    ScriptedModel,
    Status,
    Truncated,
)

GOOD = {
    "subject": "A {domain} offer for your {card_type} Card",
    "preheader": "See the offer, the partners and the dates inside this email.",
    "headline": "Get {offer_value} with {domain} partners",
    "cta": "View offer",
}
BODY = (
    "Enroll by {enroll_by}, then spend {minimum_spend} or more at {merchants} on your {card_type} Card. "
    "You get a {offer_value} through {expiry_date}."
)


def compose(call: Call, **changes: str) -> dict[str, Any]:
    """Return a conforming draft of the statement credit on offer, changed by field; of a re-draft, what is asked."""
    properties = call.schema["properties"]  # type: ignore[index]
    whole = {"body": BODY, **GOOD, **changes}
    if "option_id" in properties:
        whole["option_id"] = next(i for i in properties["option_id"]["enum"] if "credit" in i)
    if "merchant_ids" in properties:
        whole["merchant_ids"] = properties["merchant_ids"]["items"]["enum"][:2]
    return {part: whole[part] for part in properties}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"copy_mode": "compose", "llm_timeout_s": 3.0})


async def test_a_draft_that_breaks_a_clause_twice_is_sent_back_twice_then_issued(
    run_one: Decide, script: ScriptedModel, deps: Deps
) -> None:
    script.reply(
        "draft_compose",
        [
            lambda call: compose(call, body="Hurry, this is your last chance! " + BODY),
            lambda call: compose(call, body=BODY.replace("{minimum_spend}", "$13")),
            compose,
        ],
    )
    outcome = await run_one()
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "model")
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    assert record["attempts"] == 3
    verdicts = [attempt["report"]["verdict"] for attempt in record["history"]]
    assert verdicts == ["violate", "violate", "pass"]


async def test_the_next_draft_is_told_which_clauses_the_last_one_broke(
    run_one: Decide, script: ScriptedModel, deps: Deps
) -> None:
    script.reply("draft_compose", [lambda call: compose(call, body=BODY.replace("{minimum_spend}", "$13")), compose])
    outcome = await run_one()
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    report = record["history"][0]["report"]
    found = {(item["policy_id"], item["clause_id"]) for item in report["results"] if item["result"] == "violate"}
    broken = [item for item in report["violations"] if (item["policy_id"], item["clause_id"]) in found]
    assert any(violation["quote"] == "$13" for violation in broken)
    second = [call.text for call in script.calls if call.step == "draft_compose"][1]
    for violation in broken:
        assert f"[{violation['policy_id']}/{violation['clause_id']}] {violation['field']}" in second
        assert violation["fix_hint"] in second


async def test_a_model_that_never_conforms_gets_the_fallback_copy(
    run_one: Decide, script: ScriptedModel, deps: Deps
) -> None:
    bodies = iter(("Guaranteed 50% back everywhere, act now!", "Hurry, 50% back, guaranteed!", "Always 50% back."))
    script.reply("draft_compose", lambda call: compose(call, body=next(bodies)))
    outcome = await run_one()
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "fallback")
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    assert record["attempts"] == 3
    assert [attempt["draft"]["source"] for attempt in record["history"]] == ["model", "model", "model", "fallback"]
    assert outcome.offer is not None
    shown = re.sub(r"<[^>]+>", " ", outcome.email_html or "")  # a tag may say width:50%
    assert "50%" not in f"{outcome.model_dump(exclude={'email_html'})} {shown}"


@pytest.mark.parametrize(
    "fault",
    [Hang(), Status(500), Status(400), Status(401), HalfJson(), HalfBody(), PlainText("Sorry!"), Truncated(), Refusal(),
     EmptyChoices(), Drop(), "no JSON here", {"choice": 1}, {}],
    ids=lambda fault: type(fault).__name__ + str(getattr(fault, "code", "")),
)  # fmt: skip
async def test_a_model_that_fails_gets_the_fallback_copy_and_nothing_is_raised(
    run_one: Decide, script: ScriptedModel, deps: Deps, fault: Any
) -> None:
    script.reply(lambda call: True, fault)
    outcome = await run_one(use_llm_insights=False)
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "fallback")
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    assert record["attempts"] == 0
    assert record["history"][0]["draft"] is None
    assert record["calls"][-1]["error_code"] in ("model_unavailable", "model_reply_invalid")
    assert [attempt["report"]["verdict"] for attempt in record["history"]] == ["unknown", "pass"]


async def test_an_invented_option_or_merchant_is_sent_back(run_one: Decide, script: ScriptedModel, deps: Deps) -> None:
    script.reply(
        "draft_compose",
        [
            lambda call: (
                compose(call)
                | {"option_id": "half_price_everything", "merchant_ids": ["MERCH_INVENTED", "MERCH_DELTA_001"]}
            ),
            compose,
            compose,
        ],
    )
    outcome = await run_one()
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    clauses = [attempt["report"]["violations"][0]["clause_id"] for attempt in record["history"][:2]]
    assert clauses == ["option_id", "merchant_ids"]
    assert outcome.copy_source == "model"


async def test_in_select_mode_a_made_up_block_id_is_never_shown(
    run_one: Decide, script: ScriptedModel, settings: Settings
) -> None:
    script.reply("draft_select", {"choice": {"option_id": "x", "merchant_ids": [], "headline": "y", "cta": "z"}})
    script.reply("draft_compose", {"choice": {"option_id": "x", "merchant_ids": [], "headline": "y", "cta": "z"}})
    outcome = await run_one()
    assert outcome.copy_source == "fallback"
