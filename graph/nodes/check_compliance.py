"""check_compliance: fill the slots, reserve the money, and put every clause to the draft."""

import time
from typing import Any

from langgraph.runtime import Runtime

from graph.affording import Paid, afforded
from graph.assembly import Assembled, assemble, feedback_of, refused, subject_of, unknown_option
from graph.case import member_of
from graph.context import Context, context_of
from graph.deps import Deps
from graph.judging import noted, ruled
from graph.nodes.draft import LEFT_FOR_THE_REST_S
from graph.run_prompts import prompt_of
from graph.state import Failure, OfferState
from tools.errors import InputInvalid


async def check_compliance(state: OfferState, runtime: Runtime[Context], *, deps: Deps) -> dict[str, Any]:
    """Judge the draft by every active clause of the stages member, terms and copy."""
    draft = state["draft"]
    if draft is None:
        return noted(state, None, refused((), deps))
    chosen = state["menu"].option(draft.option_id)
    if chosen is None:
        return noted(state, draft, refused(unknown_option(draft), deps))
    paid = await afforded(state, draft, chosen, deps)
    if isinstance(paid, Failure):
        return {**noted(state, draft, refused((), deps)), "failure": paid}
    if not isinstance(paid, Paid):
        return {
            **noted(state, draft, refused((), deps)),
            "money": None,
            "screening": state["screening"].model_copy(update={"holds": (paid,)}),
        }
    money = {"money": paid.reserved}
    offer = assemble(state, draft, paid.option, deps)
    if not isinstance(offer, Assembled):
        return {**noted(state, draft, refused(offer, deps), () if paid.replaced else None), **money}
    member = await member_of(state, deps)
    if member is None:
        raise InputInvalid("the member vanished from the table during the run")
    subject = subject_of(state, draft, offer, member=member, deps=deps)
    context = context_of(runtime)
    left = state["deadline_at"] - time.time() - LEFT_FOR_THE_REST_S
    if context.mode == "preview":
        left = context.run_deadline_s or deps.settings.run_deadline_s  # a person may have stopped the run for long
    prompt = prompt_of("judge", state, deps)
    ruling = await ruled(
        subject, deps, prompt=prompt, left_s=max(left, 0.0), keep=context.mode == "issue", ask=not paid.replaced
    )
    report = ruling.report
    passes = report.verdict == "pass"
    feedback = () if passes or paid.replaced else feedback_of(subject, deps, judge=ruling.judge)
    return {
        **noted(state, draft, report, feedback, passes=passes, offer_sha=offer.sha(draft), calls=ruling.calls),
        "calls": list(ruling.calls),
        "degraded": ["check_compliance: the judge gave no answer that counts"] if ruling.silent else [],
        "terms": offer.terms,
        "copy": offer.copy,
        "terms_text": offer.terms_text,
        "needs_person": context.require_review,
        **money,
    }
