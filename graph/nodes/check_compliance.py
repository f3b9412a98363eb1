"""check_compliance: fill the slots, reserve the money, and put every clause to the draft."""

import time
from typing import Any

from langgraph.runtime import Runtime

from graph.affording import Paid, afforded
from graph.assembly import Assembled, assemble, feedback_of, refused, subject_of, unknown_option
from graph.case import member_of
from graph.context import Context, context_of
from graph.deps import Deps
from graph.judging import ruled
from graph.nodes.draft import LEFT_FOR_THE_REST_S
from graph.revision import loop_end
from graph.run_prompts import prompt_of
from graph.state import Attempt, Failure, OfferState
from tools.chat.calls import ModelCall
from tools.draft_parts import opened
from tools.drafts import Draft
from tools.errors import InputInvalid
from tools.report import ComplianceReport, Violation


async def check_compliance(state: OfferState, runtime: Runtime[Context], *, deps: Deps) -> dict[str, Any]:
    """Judge the draft by every active clause of the stages member, terms and copy."""
    draft = state["draft"]
    if draft is None:
        return _judged(state, None, refused((), deps))
    chosen = state["menu"].option(draft.option_id)
    if chosen is None:
        return _judged(state, draft, refused(unknown_option(draft), deps))
    paid = await afforded(state, draft, chosen, deps)
    if isinstance(paid, Failure):
        return {**_judged(state, draft, refused((), deps)), "failure": paid}
    if not isinstance(paid, Paid):
        return {
            **_judged(state, draft, refused((), deps)),
            "money": None,
            "screening": state["screening"].model_copy(update={"holds": (paid,)}),
        }
    money = {"money": paid.reserved}
    offer = assemble(state, draft, paid.option, deps)
    if not isinstance(offer, Assembled):
        return {**_judged(state, draft, refused(offer, deps), () if paid.replaced else None), **money}
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
    silent = report.verdict == "pass" or paid.replaced
    feedback = () if silent else feedback_of(subject, deps, judge=ruling.judge)
    return {
        **_judged(state, draft, report, feedback, offer_sha=offer.sha(draft), calls=ruling.calls),
        "calls": list(ruling.calls),
        "degraded": ["check_compliance: the judge gave no answer that counts"] if ruling.silent else [],
        "terms": offer.terms,
        "copy": offer.copy,
        "terms_text": offer.terms_text,
        "needs_person": context.require_review,
        **money,
    }


def _judged(
    state: OfferState,
    draft: Draft | None,
    report: ComplianceReport,
    feedback: tuple[Violation, ...] | None = None,
    *,
    offer_sha: str | None = None,
    calls: tuple[ModelCall, ...] = (),
) -> dict[str, Any]:
    """Return the report; unless told otherwise, what broke is about the draft alone and may be told to a model."""
    told = report.violations if feedback is None else feedback
    fields = opened(told)
    blocks = draft.block_ids if draft is not None and draft.block_ids else {}
    named = tuple(block_id for field, block_id in blocks.items() if field in fields)
    drafted = state["review"] is None and (draft is None or draft.source in ("model", "blocks"))
    ended = loop_end(state, draft, report, told, calls=calls) if drafted and report.verdict != "pass" else None
    return {
        **({"loop_end": ended} if drafted else {}),  # the fallback's report doesn't say why there is a fallback
        "report": report,
        "history": [Attempt(draft=draft, report=report, offer_sha=offer_sha, told=told)],
        "feedback": told,
        "criticised": tuple(dict.fromkeys((*state["criticised"], *named))),
    }
