"""One run step by step: watched while it goes, or read from its record. It shows nothing of the member's profile."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from graph.schemas import OfferInput
from graph.state import Analysis, Attempt, Delivery, Hypothesis, LoopEnd, PolicyExtract, Reserved, Run, Screening
from tools.chat.calls import ModelCall
from tools.report import ComplianceReport
from tools.terms import Menu, Merchant, OfferTerms
from tools.views import MemberView

_ADDED: Final = frozenset({"history", "calls", "degraded"})
"""Channels that nodes add to; each other one holds its last value."""


def _ids(value: Any) -> Any:
    return tuple(item.policy_id if isinstance(item, PolicyExtract) else item for item in value or ())


class Span(BaseModel):
    """One execution of a node. Times are milliseconds; `started_ms` counts from the run's first node."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    node: str
    started_ms: float
    elapsed_ms: float
    calls: tuple[ModelCall, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    error: str | None = None


class Trace(BaseModel):
    """How a run came to its outcome. A record keeps no node times, so that a trace read from one has no spans."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    spans: tuple[Span, ...] = ()
    run: Run | None = None
    seed: str | None = None
    """What took turns in place of the campaign's name; None in records of single requests: the name."""
    prediction: OfferInput | None = None
    screening: Screening | None = None
    analysis: Analysis | None = None
    view: MemberView | None = None
    menu: Menu | None = None
    candidates: tuple[Merchant, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    dropped: tuple[str, ...] = ()
    policies: Annotated[tuple[str, ...], BeforeValidator(_ids)] = ()
    history: tuple[Attempt, ...] = ()
    loop_end: LoopEnd | None = None
    money: Reserved | None = None
    terms: OfferTerms | None = None
    report: ComplianceReport | None = None
    message_report: ComplianceReport | None = None
    deliveries: tuple[Delivery, ...] = ()
    review: str | None = None
    calls: tuple[ModelCall, ...] = ()
    degraded: tuple[str, ...] = ()


def read_trace(record: Mapping[str, Any]) -> tuple[Trace, tuple[str, ...]]:
    """Return the trace of a record, and the names of its parts that another build wrote in a form of its own."""
    known = {name: value for name, value in record.items() if name in Trace.model_fields and value is not None}
    unread: list[str] = []
    while True:
        try:
            return Trace.model_validate(known), tuple(unread)
        except ValidationError as error:
            faulty = {str(fault["loc"][0]) for fault in error.errors()}
            unread += sorted(faulty)
            known = {name: value for name, value in known.items() if name not in faulty}


class Tracer:
    """Watches one run; hand it to `graph.run.steps` as its observer."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._running: dict[str, float] = {}
        self._spans: list[Span] = []
        self._state: dict[str, Any] = {}

    def started(self, task: str, node: str) -> None:
        """Note the start of one execution of a node."""
        self._running[task] = time.perf_counter()
        self._first = self._running[task] if self._first is None else self._first

    def finished(self, task: str, node: str, change: Mapping[str, Any], error: BaseException | None) -> None:
        """Note what an execution changed, or its error."""
        for name, value in change.items():
            self._state[name] = [*self._state.get(name, []), *value] if name in _ADDED else value
        if task not in self._running:  # an error handler: what it says belongs to the node that failed
            self._credit(tuple(change.get("calls", ())))
            return
        started = self._running.pop(task)
        self._spans.append(
            Span(
                node=node,
                started_ms=(started - (self._first or started)) * 1000,
                elapsed_ms=(time.perf_counter() - started) * 1000,
                calls=tuple(change.get("calls", ())),
                attempts=tuple(change.get("history", ())),
                error=None if error is None else type(error).__name__,
            )
        )

    def trace(self) -> Trace:
        """Return what was seen so far."""
        spans = sorted(self._spans, key=lambda span: span.started_ms)
        return Trace.model_validate({**self._state, "spans": spans})

    def _credit(self, calls: tuple[ModelCall, ...]) -> None:
        for place in reversed(range(len(self._spans))):
            if self._spans[place].error is not None:
                self._spans[place] = self._spans[place].model_copy(update={"calls": calls})
                return
