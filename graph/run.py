"""The outermost edge of a run: anything in, exactly one typed outcome out."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final, Protocol

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.types import StreamMode
from pydantic import ValidationError

from graph.build import Graph
from graph.context import Context
from graph.invalid import explain as explain
from graph.invalid import shown_id
from graph.schemas import UNSETTLED, OfferInput, OfferOutput

RECURSION_LIMIT: Final = 40
GRACE_S: Final = 10.0
"""Seconds past its deadline after which a run is cut off; before that, nodes keep to the deadline themselves."""

_logger = logging.getLogger(__name__)

Step = dict[str, Any]
LetGo = Callable[[str], None]


class Observer(Protocol):
    """Watches a run; `task` names one execution of a node. An error handler's end comes without a start."""

    def started(self, task: str, node: str) -> None:
        """Hear that a node starts."""

    def finished(self, task: str, node: str, change: Mapping[str, Any], error: BaseException | None) -> None:
        """Hear what a node changed, or that it failed."""


async def decide(
    raw: Any, graph: Graph, context: Context, *, deadline_s: float, let_go: LetGo | None = None
) -> OfferOutput:
    """Run one prediction and return its outcome. Never raises but CancelledError."""
    outcome: OfferOutput | None = None
    async for step in steps(raw, graph, context, deadline_s=deadline_s, let_go=let_go):
        outcome = step.get("output")
    assert outcome is not None  # `steps` ends with the outcome
    return outcome


async def steps(
    raw: Any,
    graph: Graph,
    context: Context,
    *,
    deadline_s: float,
    observer: Observer | None = None,
    let_go: LetGo | None = None,
) -> AsyncIterator[Step]:
    """Yield `{"node": name}` as nodes finish, then one `{"output": OfferOutput}`.

    `let_go` (`Claims.let_go`) hears of an issuing run that ends without a recorded outcome, cancelled ones among them.
    """
    run_id = context.run_id or uuid.uuid4().hex
    context = context.model_copy(update={"run_id": run_id})
    try:
        prediction = OfferInput.model_validate(raw)
    except ValidationError as error:
        yield {"output": _invalid(raw, error, run_id, context)}
        return
    var_child_runnable_config.set(None)  # else a surrounding Runnable's stream_log shows the graph's state
    output: OfferOutput | None = None
    modes: list[StreamMode] = ["updates"] if observer is None else ["updates", "tasks"]
    try:
        async with asyncio.timeout(deadline_s + GRACE_S):
            chunk: Any  # (mode, payload) when the modes are a list
            async for chunk in graph.astream(
                prediction.model_dump(exclude_unset=True),
                {"recursion_limit": RECURSION_LIMIT, "configurable": {"thread_id": run_id}},
                context=context,
                stream_mode=modes,
            ):
                mode, update = chunk
                if mode == "tasks":
                    _tell(observer, update)
                    continue
                for node, change in update.items():
                    output = (change or {}).get("output", output) if isinstance(change, dict) else output
                    if not node.startswith("__"):  # LangGraph's own names of error handlers
                        yield {"node": node}
    except TimeoutError:
        output = OfferOutput.failure(
            "deadline", f"no outcome within {deadline_s:g} s; send the prediction again",
            run_id=run_id, prediction=prediction, mode=context.mode,
        )  # fmt: skip
    except Exception as error:  # the outermost edge: whatever got past the nodes' handlers still gets a typed outcome
        _logger.error("run %s failed", run_id, exc_info=error)
        output = OfferOutput.failure(
            "internal", "an unforeseen fault, logged with this run_id", run_id=run_id, prediction=prediction,
            mode=context.mode,
        )  # fmt: skip
    finally:
        unsettled = output is None or output.error_code in UNSETTLED
        if let_go is not None and unsettled and context.mode == "issue":
            let_go(run_id)
    yield {
        "output": output
        or OfferOutput.failure(
            "no_outcome", "the run ended without an outcome", run_id=run_id, prediction=prediction, mode=context.mode
        )
    }


def _tell(observer: Observer | None, event: Mapping[str, Any]) -> None:
    if observer is None:
        return
    if "input" in event:
        observer.started(event["id"], event["name"])
    else:
        observer.finished(event["id"], event["name"], event["result"] or {}, event["error"])


def _invalid(raw: Any, error: ValidationError, run_id: str, context: Context) -> OfferOutput:
    user_id = raw.get("user_id") if isinstance(raw, dict) else None
    return OfferOutput.failure(
        "invalid_input",
        explain(error),
        run_id=run_id,
        user_id=shown_id(user_id),
        mode=context.mode,
    )
