"""One run of the graph, watched from outside and reduced to what an evaluation keeps of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graph.schemas import OfferOutput
from graph.state import Attempt
from server.evaluation.records import AttemptResult, CaseResult
from tools.report import ComplianceReport, Violation

_ADDED: Final = frozenset({"history", "calls"})
COUNTED: Final = frozenset({"block", "fix"})
"""Severities that keep an offer back."""


@dataclass(slots=True)
class Watch:
    """Watches one run; hand it to `graph.run.steps` as its observer."""

    _state: dict[str, Any] = field(default_factory=dict)

    def started(self, task: str, node: str) -> None:
        """Hear that a node starts."""

    def finished(self, task: str, node: str, change: Mapping[str, Any], error: BaseException | None) -> None:
        """Note what a node, or an error handler, changed."""
        for name, value in change.items():
            self._state[name] = [*self._state.get(name, []), *value] if name in _ADDED else value
        if "history" in change:
            self._state["copy"] = change.get("copy")  # a draft that is no offer has none

    def result(self, case_id: str, repeat: int, output: OfferOutput, *, elapsed_ms: float) -> CaseResult:
        """Return what is kept of the run."""
        state = self._state
        calls = tuple(state.get("calls", ()))
        history: list[Attempt] = state.get("history", [])
        draft = next((attempt.draft for attempt in reversed(history) if attempt.draft is not None), None)
        copy, ended = state.get("copy"), state.get("loop_end")
        return CaseResult(
            case_id=case_id,
            repeat=repeat,
            prompt_sha=next((call.prompt_sha for call in calls if call.step.startswith("draft")), ""),
            recommendation=output.recommendation,
            error_code=output.error_code,
            copy_source=output.copy_source,
            attempts=tuple(_attempt(attempt) for attempt in history),
            loop_end=None if ended is None else ended.reason,
            hypotheses_kept=len(state.get("hypotheses", ())),
            hypotheses_dropped=len(state.get("dropped", ())),
            copy_text={} if copy is None else {str(name): text for name, text in copy.fields().items()},
            option_id=None if draft is None else draft.option_id,
            merchant_ids=() if draft is None else draft.merchant_ids,
            calls=calls,
            elapsed_ms=elapsed_ms,
        )


def _attempt(attempt: Attempt) -> AttemptResult:
    broken = _broken(attempt.report)
    names = dict.fromkeys(f"{violation.policy_id}/{violation.clause_id}" for violation in broken)
    quotes = {f"{v.policy_id}/{v.clause_id}": v.quote for v in reversed(broken) if v.quote}
    return AttemptResult(
        draft=attempt.draft,
        verdict=attempt.report.verdict,
        violations=tuple(names),
        quotes={name: quotes[name] for name in names if name in quotes},
    )


def _broken(report: ComplianceReport) -> list[Violation]:
    """Leave out what only could not be shown to hold: the verdict says it."""
    unknown = {(item.policy_id, item.clause_id) for item in report.results if item.result == "unknown"}
    return [v for v in report.violations if v.severity in COUNTED and (v.policy_id, v.clause_id) not in unknown]
