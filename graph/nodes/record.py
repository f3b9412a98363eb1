"""record: every path ends here. What is decided is written in one transaction, or no offer leaves."""

from decimal import Decimal
from typing import Any, Final

from langgraph.runtime import Runtime

from graph.affording import OUTLIVED
from graph.context import Context, context_of
from graph.deps import Deps
from graph.late_opt_out import held_since
from graph.nodes.render import checked_message, person_of
from graph.outcome import outcome_of
from graph.replay import replayed
from graph.run_prompts import prompts_used
from graph.schemas import UNSETTLED, OfferOutput
from graph.sealed import Sealed
from graph.state import OfferState
from graph.versions import versions_of
from tools.email.message import Person
from tools.ledger.records import Close, Finish, IssuedRow

_KEPT: Final = (
    "prediction",
    "run",
    "screening",
    "analysis",
    "view",
    "hypotheses",
    "dropped",
    "menu",
    "candidates",
    "draft",
    "history",
    "money",
    "terms",
    "terms_text",
    "report",
    "message_report",
    "deliveries",
    "calls",
    "degraded",
    "review",
    "attempts",
    "loop_end",
)
"""What of the state explains a decision; the member is not in it."""


async def record(state: OfferState, runtime: Runtime[Context], *, deps: Deps) -> dict[str, Any]:
    """Write the outcome; only the run that owns the prediction writes, the others answer what it wrote."""
    recorded, run = state.get("recorded"), state["run"]
    neutral = context_of(runtime).neutral
    if recorded is not None:
        return _reply(await replayed(recorded["run_id"], deps, neutral=neutral))
    if state.get("message") is None and state.get("message_report") is not None:
        state = await _rebuilt(state, deps, neutral=neutral)
    output = outcome_of(state, deps)
    if run.mode == "preview":
        return {"output": output}
    if output.error_code in ("database_unavailable", "invalid_input"):
        return {"output": output}  # nothing can be written, or the prediction is another one's
    if output.error_code == "policies_unavailable" and "screening" not in state:
        return {"output": output}  # nothing was claimed: the run starts again under the policies in force
    if not await deps.records.finish(_finish(state, output, deps)):
        return _reply(await _lost(state, output, deps, neutral=neutral))
    message = state.get("message")
    if output.success and message is not None:
        text = output.model_dump_json(indent=2)
        await deps.exporter.hand_over(run_id=run.run_id, output_json=text, message=message.open())
    return _reply(output)


def _reply(output: OfferOutput) -> dict[str, Any]:
    """Keep the email, which names the member, out of what shows a state: `graph.run` puts it back into the reply."""
    if output.email_html is None:
        return {"output": output}
    return {"output": output.model_copy(update={"email_html": None}), "reply_html": Sealed(output.email_html)}


async def _lost(state: OfferState, output: OfferOutput, deps: Deps, *, neutral: bool) -> OfferOutput:
    """Answer for a run that wrote nothing: what the winner recorded, an opt-out since, or that there is no outcome."""
    run = state["run"]
    winner = await deps.records.outcome(run.campaign_id, run.prediction_key)
    if winner is not None:
        return await replayed(winner, deps, neutral=neutral)
    if not output.success:
        return output
    held = await held_since(state, deps)
    if held is not None:
        suppressed = outcome_of(held, deps)
        if await deps.records.finish(_finish(held, suppressed, deps)):
            return suppressed
    return OfferOutput.failure("deadline", OUTLIVED, run_id=run.run_id, prediction=state["prediction"], mode=run.mode)


async def _rebuilt(state: OfferState, deps: Deps, *, neutral: bool) -> OfferState:
    """Render and check again after a resume: no checkpoint holds the message."""
    member = await deps.members.load(state["prediction"].user_id)
    if member is None:
        return state
    message, report = checked_message(state, member, person_of(member), deps)
    html = checked_message(state, member, Person(), deps)[0].html if neutral else message.html
    return {
        **state,
        "message": Sealed(message),
        "message_report": report,
        "reply_html": Sealed(html),
        "member": Sealed(member),
    }


def _finish(state: OfferState, output: OfferOutput, deps: Deps) -> Finish:
    run, prediction = state["run"], state["prediction"]
    message, member = state.get("message"), state.get("member")
    person = person_of(member.open()) if output.success and member is not None else Person()
    calls = state.get("calls", [])
    close: Close = "retry" if output.error_code in UNSETTLED else "done"
    return Finish(
        campaign_id=run.campaign_id,
        prediction_key=run.prediction_key,
        user_id=prediction.user_id,
        run_id=run.run_id,
        recommendation=output.recommendation,
        close=close,
        record=_record(state, output, deps, html_sha256=message.open().html_sha256 if message else None),
        first_name=person.first_name,
        email=person.email,
        issued=issued_of(state, deps) if output.success else None,
        error_class=output.error_code,
        error_text=output.error,
        input_tokens=sum(call.input_tokens for call in calls),
        output_tokens=sum(call.output_tokens for call in calls),
    )


def issued_of(state: OfferState, deps: Deps) -> IssuedRow:
    """Return the ledger's row of an offer that was found issuable."""
    terms, message = state["terms"], state["message"]
    assert terms is not None and message is not None  # `issuable` saw both
    limits = deps.limits(terms.domain)
    return IssuedRow(
        domain=terms.domain,
        offer_type=terms.offer_type,
        option_id=terms.option_id,
        high_value=float(terms.expected_cost_usd) >= limits.high_value_usd,
        credit_usd=(terms.reward_value or Decimal(0)) if terms.offer_type == "statement_credit" else Decimal(0),
        expected_cost_usd=terms.expected_cost_usd,
        start_date=terms.start_date,
        end_date=terms.end_date,
        html_sha256=message.open().html_sha256,
    )


def _record(state: OfferState, output: OfferOutput, deps: Deps, *, html_sha256: str | None) -> dict[str, Any]:
    """Return what explains and replays the decision. It names no person but by user_id."""
    return {
        **{name: value for name in _KEPT if (value := state.get(name)) is not None},
        "policies": [extract.policy_id for extract in state.get("policies", ())],
        "versions": versions_of(deps, variants=state.get("variants", {}), prompts=prompts_used(state, deps)),
        "html_sha256": html_sha256,
        "output": output.model_dump(mode="json", exclude={"email_html"}),
    }
