"""The outermost edge of a run: anything in, exactly one typed outcome out."""

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.types import StreamMode
from pydantic import ValidationError

from graph.build import Graph
from graph.context import Context
from graph.deps import Deps
from graph.invalid import explain as explain
from graph.invalid import shown_id
from graph.replay import replayed
from graph.schemas import UNSETTLED, ErrorCode, OfferInput, OfferOutput, as_recommendation
from tools.errors import DatabaseUnavailable, PoliciesUnavailable

RECURSION_LIMIT: Final = 40
GRACE_S: Final = 10.0
"""Seconds past its deadline after which a run is cut off; before that, nodes keep to the deadline themselves."""
RENEWALS: Final = 3
"""Times a run starts again because the policies changed before it had claimed anything."""

_logger = logging.getLogger(__name__)

Step = dict[str, Any]


class Observer(Protocol):
    """Watches a run; `task` names one execution of a node. An error handler's end comes without a start."""

    def started(self, task: str, node: str) -> None:
        """Hear that a node starts."""

    def finished(self, task: str, node: str, change: Mapping[str, Any], error: BaseException | None) -> None:
        """Hear what a node changed, or that it failed."""


Renew = Callable[[Graph], Awaitable[tuple[Graph, Deps]]]
"""Gives graph and services under the policies in force, to a run whose graph was not (`graph.live`)."""


async def decide(
    raw: Any,
    graph: Graph,
    context: Context,
    *,
    deadline_s: float,
    deps: Deps | None = None,
    renew: Renew | None = None,
) -> OfferOutput:
    """Run one prediction and return its outcome. Never raises but CancelledError."""
    outcome: OfferOutput | None = None
    async for step in steps(raw, graph, context, deadline_s=deadline_s, deps=deps, renew=renew):
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
    deps: Deps | None = None,
    renew: Renew | None = None,
) -> AsyncGenerator[Step, None]:
    """Yield `{"node": name}` as nodes finish, then one `{"output": OfferOutput}`.

    With `deps`, an issuing run that is cut off lets go of its claim, and answers what it recorded if it got so far.
    With `renew`, one that finds the policies changed starts again under those in force; it had claimed nothing yet.
    """
    run_id = context.run_id or uuid.uuid4().hex
    context = context.model_copy(update={"run_id": run_id})
    try:
        prediction = OfferInput.model_validate(raw)
    except ValidationError as error:
        yield {"output": _invalid(raw, error, run_id, context)}
        return
    run = _Drive(graph, prediction, context, context.run_deadline_s or deadline_s, observer, deps, renew)
    # A task of its own: whoever asks for the steps may do so from a new task each time, where no time-out would hold.
    task = asyncio.create_task(run.drive())
    task.add_done_callback(run.ended)
    try:
        while (step := await run.steps.get()) is not None:
            yield step
    finally:
        task.cancel()


@dataclass(slots=True)
class _Drive:
    """Drives one run to its outcome; `steps` ends with the outcome and None, however the driving ends."""

    graph: Graph
    prediction: OfferInput
    context: Context
    deadline_s: float
    observer: Observer | None
    deps: Deps | None
    renew: Renew | None
    steps: asyncio.Queue[Step | None] = field(default_factory=asyncio.Queue)
    output: OfferOutput | None = None

    @property
    def run_id(self) -> str:
        assert self.context.run_id is not None  # `steps` names every run
        return self.context.run_id

    async def drive(self) -> None:
        var_child_runnable_config.set(None)  # else a surrounding Runnable's stream_log shows the graph's state
        try:
            async with asyncio.timeout(self.deadline_s + GRACE_S):
                await self._run_renewed()
        except TimeoutError:
            late = f"no outcome within {self.deadline_s:g} s; send the prediction again"
            self.output = await self._recorded() or self._failure("deadline", late)
        except Exception as error:  # the outermost edge: what got past the nodes' handlers still gets a typed outcome
            _logger.error("run %s failed", self.run_id, exc_info=error)
            unforeseen = "an unforeseen fault, logged with this run_id"
            self.output = await self._recorded() or self._failure("internal", unforeseen)
        finally:
            unsettled = self.output is None or self.output.error_code in UNSETTLED
            if self.deps is not None and unsettled and self.context.mode == "issue":
                self.deps.claims.let_go(self.run_id)

    def ended(self, task: asyncio.Task[None]) -> None:
        """Give the outcome once the driving is over, by whatever end: nobody may wait for one for ever."""
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("run %s: its record can't be told", self.run_id, exc_info=error)
            self.output = self._failure("internal", "an unforeseen fault, logged with this run_id")
        output = self.output or self._failure("no_outcome", "the run ended without an outcome")
        self.steps.put_nowait({"output": output})
        self.steps.put_nowait(None)

    async def _run_renewed(self) -> None:
        await self._run()
        for _ in range(RENEWALS):
            if self.renew is None or self.output is None or self.output.error_code != "policies_unavailable":
                return
            try:
                self.graph, self.deps = await self.renew(self.graph)
            except (DatabaseUnavailable, PoliciesUnavailable) as error:
                code: ErrorCode = "database_unavailable"
                self.output = self._failure(code if error.code == code else "policies_unavailable", str(error))
                return
            await self._run()

    async def _run(self) -> None:
        modes: list[StreamMode] = ["updates"] if self.observer is None else ["updates", "tasks"]
        chunk: Any  # (mode, payload), as the modes are a list
        async for chunk in self.graph.astream(
            self.prediction.model_dump(exclude_unset=True),
            {"recursion_limit": RECURSION_LIMIT, "configurable": {"thread_id": self.run_id}},
            context=self.context,
            stream_mode=modes,
        ):
            mode, update = chunk
            if mode == "tasks":
                _tell(self.observer, update)
                continue
            for node, change in update.items():
                self._take(node, change)

    def _take(self, node: str, change: Any) -> None:
        if node == "__interrupt__":
            self.output = OfferOutput.pending(self.prediction, run_id=self.run_id, mode=self.context.mode)
        if isinstance(change, dict) and (output := change.get("output")) is not None:
            html = change.get("reply_html")
            self.output = self._named(output if html is None else output.model_copy(update={"email_html": html.open()}))
        if not node.startswith("__"):  # LangGraph's own names of error handlers and interrupts
            self.steps.put_nowait({"node": node})

    def _named(self, output: OfferOutput) -> OfferOutput:
        """Name an outcome that failed before the run had its name."""
        if output.success or output.replayed or output.run_id == self.run_id:
            return output
        return output.model_copy(
            update={
                "run_id": self.run_id,
                "mode": self.context.mode,
                "ml_recommendation": as_recommendation(self.prediction),
            }
        )

    def _failure(self, code: ErrorCode, message: str) -> OfferOutput:
        return OfferOutput.failure(
            code, message, run_id=self.run_id, prediction=self.prediction, mode=self.context.mode
        )

    async def _recorded(self) -> OfferOutput | None:
        """Return what this very run recorded before it was cut off."""
        if self.deps is None or self.context.mode != "issue":
            return None
        try:
            found = await self.deps.records.read(self.run_id)
            if found is None or found[0]["output"]["error_code"] in UNSETTLED:
                return None
            told = await replayed(self.run_id, self.deps, neutral=self.context.neutral)
        except DatabaseUnavailable:
            return None
        return told.model_copy(update={"replayed": False})


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
