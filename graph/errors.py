"""What becomes of an exception: the one place where a failed node turns into state.

A handler's `Command` replaces the failed node's own edges, so each names where the run goes on.
"""

import logging
import uuid
from typing import Any, Final

from langgraph.errors import NodeError, NodeTimeoutError
from langgraph.graph import END
from langgraph.types import Command

from graph.invalid import shown_id
from graph.schemas import ErrorCode, OfferOutput
from graph.state import Failure, OfferState
from tools.chat.calls import ModelCall
from tools.errors import (
    DatabaseUnavailable,
    InputInvalid,
    ModelReplyInvalid,
    ModelUnavailable,
    PoliciesUnavailable,
    TemplateFault,
)

_logger = logging.getLogger(__name__)


def to_record(state: OfferState, error: NodeError) -> Command[Any]:
    """End the run with a typed failure."""
    if "run" not in state:
        return Command(update={"output": _unnamed(state, error)}, goto=END)
    return Command(update={"failure": failure_of(state, error)}, goto="record")


def to_draft(state: OfferState, error: NodeError) -> Command[Any]:
    """Go on without what the node would have added: analysis and retrieval only help the draft."""
    return Command(update=_setback(state, error), goto="draft")


def to_compliance(state: OfferState, error: NodeError) -> Command[Any]:
    """Let the gate see that no draft arrived; the router then asks for the fallback."""
    return Command(update={"draft": None, **_setback(state, error)}, goto="check_compliance")


def to_end(state: OfferState, error: NodeError) -> Command[Any]:
    """Answer that nothing was recorded, so nothing was issued."""
    failure = failure_of(state, error)
    run, prediction = state["run"], state["prediction"]
    output = OfferOutput.failure(failure.code, failure.message, run_id=run.run_id, prediction=prediction, mode=run.mode)
    return Command(update={"failure": failure, "output": output}, goto=END)


RECORD: Final[Any] = to_record
DRAFT: Final[Any] = to_draft
COMPLIANCE: Final[Any] = to_compliance
FINISH: Final[Any] = to_end
"""The handlers as `add_node` takes them: LangGraph's stubs know no `error` parameter."""


def failure_of(state: OfferState, error: NodeError) -> Failure:
    """Return the typed failure of a node's exception; an unforeseen one is logged with the run's id."""
    cause = error.error
    code, message = _classify(cause)
    run = state.get("run")
    if code == "internal":
        _logger.error("run %s: node %s failed", run.run_id if run else "?", error.node, exc_info=cause)
    return Failure(code=code, message=message)


def _unnamed(state: OfferState, error: NodeError) -> OfferOutput:
    """Return the outcome of a run that ended before `fetch` could name it: there is nothing to record it under."""
    if isinstance(error.error, InputInvalid):
        failure = Failure(code="invalid_input", message=str(error.error))
    else:
        failure = failure_of(state, error)
    return OfferOutput.failure(
        failure.code,
        failure.message,
        run_id=uuid.uuid4().hex,
        user_id=shown_id(state.get("user_id")),
        mode="preview",  # nothing was claimed, so nothing can have been issued
    )


def _classify(cause: BaseException) -> tuple[ErrorCode, str]:
    if isinstance(cause, DatabaseUnavailable):
        return "database_unavailable", str(cause)
    if isinstance(cause, PoliciesUnavailable):
        return "policies_unavailable", str(cause)
    if isinstance(cause, TemplateFault):
        return "template_fault", str(cause)
    if isinstance(cause, NodeTimeoutError | TimeoutError):
        return "deadline", "the run took longer than RUN_DEADLINE_S; send the prediction again"
    return "internal", "an unforeseen fault, logged with this run_id"


def _setback(state: OfferState, error: NodeError) -> dict[str, Any]:
    cause = error.error
    foreseen = isinstance(cause, ModelUnavailable | ModelReplyInvalid)
    if not foreseen:
        run = state.get("run")
        _logger.warning("run %s: node %s failed", run.run_id if run else "?", error.node, exc_info=cause)
    note = f"{error.node}: {cause}" if foreseen else f"{error.node}: {type(cause).__name__}"
    call = getattr(cause, "call", None)
    return {"degraded": [note], "calls": [call] if isinstance(call, ModelCall) else []}
