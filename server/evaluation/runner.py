"""Runs the golden set through the real graph, version beside version, and keeps each result as it comes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from graph.build import Graph, build_graph
from graph.context import Context
from graph.deps import EMBEDDED_SLOTS, Deps
from graph.run import steps
from graph.schemas import OfferOutput
from graph.settings import Settings
from server.evaluation.golden import GoldenCase, GoldenSet
from server.evaluation.plan import Version
from server.evaluation.records import CaseResult, Manifest
from server.evaluation.store import Store
from server.evaluation.watching import Watch

UNANSWERED: Final = "model_unavailable"


@dataclass(frozen=True, slots=True)
class Job:
    """One case to draft once under one evaluation's version."""

    manifest: Manifest
    case: GoldenCase
    repeat: int


def runs_at_once(settings: Settings) -> int:
    """Return how many cases run at the same time: as many as the model takes calls."""
    return EMBEDDED_SLOTS if settings.embedded_model else settings.llm_max_concurrency


def jobs(golden: GoldenSet, manifests: Sequence[Manifest], done: Iterable[tuple[str, str, int]]) -> list[Job]:
    """Return what is left to run: by repeat, then case, both versions side by side, which one first by turns.

    So an endpoint that grows slow, or changes, hits both alike. `done` are (eval_id, case_id, repeat).
    """
    over, left = frozenset(done), []
    for repeat in range(max(manifest.repeat for manifest in manifests)):
        for place, case in enumerate(golden.cases):
            turned = manifests if (place + repeat) % 2 == 0 else manifests[::-1]
            left += [
                Job(manifest, case, repeat)
                for manifest in turned
                if place < manifest.cases
                and repeat < manifest.repeat
                and (manifest.eval_id, case.case_id, repeat) not in over
            ]
    return left


class Runner:
    """Runs jobs over services of `evaluation_deps`. Results are on disk when `advanced` hears of them."""

    def __init__(self, deps: Deps, golden: GoldenSet, store: Store) -> None:
        self._deps, self._golden, self._store = deps, golden, store
        self._graph: Graph = build_graph(deps)
        self._writing = asyncio.Lock()

    async def run(self, left: Sequence[Job], *, advanced: Callable[[CaseResult], None]) -> None:
        """Run every job; what was kept stays, however this ends.

        Raises ModelUnavailable when the endpoint is gone: a case that got no answer then is left to a later run.
        """
        queue = deque(left)
        workers = [
            asyncio.create_task(self._work(queue, advanced))
            for _ in range(min(runs_at_once(self._deps.settings), len(left)))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def finish(self, manifest: Manifest) -> Manifest:
        """Mark an evaluation as complete."""
        return await asyncio.to_thread(self._store.finish, manifest.eval_id, datetime.now(UTC))

    async def _work(self, queue: deque[Job], advanced: Callable[[CaseResult], None]) -> None:
        while queue:
            job = queue.popleft()
            result = await self._result(job)
            if any(call.error_code == UNANSWERED for call in result.calls):
                await self._deps.model.probe()  # an endpoint that is gone says nothing of a prompt
            async with self._writing:
                await asyncio.to_thread(self._store.append, job.manifest.eval_id, [result])
            advanced(result)

    async def _result(self, job: Job) -> CaseResult:
        case, watch = job.case, Watch()
        context = Context(
            mode="preview",
            prompt_variants=Version.of(job.manifest.prompt).variants,
            send_date=self._golden.send_date,
        )
        prediction = {"user_id": case.user_id, "domain": case.domain, "confidence_score": case.confidence}
        started = time.perf_counter()
        output: OfferOutput | None = None
        deadline_s = self._deps.settings.run_deadline_s
        async for step in steps(prediction, self._graph, context, deadline_s=deadline_s, observer=watch):
            output = step.get("output")
        assert output is not None  # `steps` ends with the outcome
        elapsed_ms = (time.perf_counter() - started) * 1000
        return watch.result(case.case_id, job.repeat, output, elapsed_ms=elapsed_ms)
