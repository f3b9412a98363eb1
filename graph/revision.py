"""Why a draft that did not pass is not sent back again. Said where the draft is judged, so that routing stays pure."""

import time
from collections.abc import Iterable, Sequence
from typing import Final

from graph.assembly import FORM_POLICY
from graph.nodes.draft import LEFT_FOR_THE_REST_S
from graph.state import LoopEnd, OfferState, Run
from tools.chat.calls import ModelCall
from tools.draft_parts import PARTS
from tools.drafts import Draft
from tools.report import SATISFIED, ComplianceReport, Violation

ClauseKey = tuple[str, str]

FREE_STEP: Final = "analyze"
"""Calls of this step are not the loop's: its budgets count drafts and what judges them."""

UNREPORTED_TOKENS: Final = 2_200
"""What a request counts for at an endpoint that reports no usage: a full prompt and a full reply."""

_FORM: Final = frozenset((FORM_POLICY, part) for part in PARTS)


def loop_end(
    state: OfferState,
    draft: Draft | None,
    report: ComplianceReport,
    told: Sequence[Violation],
    *,
    calls: Sequence[ModelCall] = (),
) -> LoopEnd | None:
    """Return why the loop ends at this draft, judged by `report` in `calls`; None when a re-draft may be made.

    In a preview, which a person may have stopped for long, the time models took stands for the time since the start.
    """
    if draft is None:
        return LoopEnd(reason="no_draft", detail="the model gave no draft")
    if not told:
        return LoopEnd(
            reason="nothing_to_tell", detail="what is wrong has to do with the member, the judge or the money"
        )
    run, attempts = state["run"], state["attempts"]
    if attempts > run.max_revisions:
        return LoopEnd(reason="attempts", detail=f"{attempts} drafts were made, MAX_REVISIONS is {run.max_revisions}")
    earlier = state["history"][-(attempts - 1) :] if attempts > 1 else []
    if any(attempt.draft == draft for attempt in earlier):
        return LoopEnd(reason="no_change", detail="the re-draft is one that was sent back before")
    if back := returned([*(attempt.report for attempt in earlier), report]):
        names = ", ".join(f"{policy}/{clause}" for policy, clause in back)
        return LoopEnd(reason="oscillation", detail=f"fixed once and broken again: {names}")
    return _over_budget(run, [call for call in (*state.get("calls", [])[run.earlier_calls :], *calls) if _counts(call)])


def returned(reports: Iterable[ComplianceReport]) -> tuple[ClauseKey, ...]:
    """Return the clauses the last report finds broken that an earlier one found broken and one between them in order.

    A clause that was not evaluated is neither: only a result that satisfies shows it to be fixed.
    """
    broken: set[ClauseKey] = set()
    fixed: set[ClauseKey] = set()
    back: set[ClauseKey] = set()
    for report in reports:
        now = _broken(report)
        back = now & fixed
        fixed |= broken & _in_order(report) - now
        broken |= now
    return tuple(sorted(back))


def _broken(report: ComplianceReport) -> set[ClauseKey]:
    found = {(item.policy_id, item.clause_id) for item in report.violations}
    unknown = {(item.policy_id, item.clause_id) for item in report.results if item.result == "unknown"}
    return found - unknown


def _in_order(report: ComplianceReport) -> set[ClauseKey]:
    """Return what the report shows to hold; once clauses ran, the draft's form was right as well."""
    held = {(item.policy_id, item.clause_id) for item in report.results if item.result in SATISFIED}
    return held | _FORM if report.results else held


def _counts(call: ModelCall) -> bool:
    return not call.step.startswith(FREE_STEP)


def _over_budget(run: Run, calls: Sequence[ModelCall]) -> LoopEnd | None:
    """Foresee one more round from what this run's rounds took: the dearest call of each step, in tokens and seconds."""
    steps = {call.step for call in calls}
    spent = sum(map(_tokens, calls))
    need = sum(max(_tokens(call) for call in calls if call.step == step) for step in steps)
    budget = run.draft_token_budget
    if budget is not None and spent + need > budget:
        detail = f"{spent} tokens spent, about {need} more needed, DRAFT_TOKEN_BUDGET is {budget}"
        return LoopEnd(reason="tokens", detail=detail)
    took = sum(max(call.elapsed_ms for call in calls if call.step == step) for step in steps) / 1000
    gone = sum(call.elapsed_ms for call in calls) / 1000 if run.mode == "preview" else time.time() - run.started_at
    left = run.deadline_s - gone - LEFT_FOR_THE_REST_S
    if took > left:
        return LoopEnd(reason="seconds", detail=f"a round took {took:.1f} s, {max(left, 0):.1f} s are left for one")
    return None


def _tokens(call: ModelCall) -> int:
    return call.input_tokens + call.output_tokens or call.attempts * UNREPORTED_TOKENS
