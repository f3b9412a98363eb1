"""One `offers eval`: the evaluations to run, opened over services of their own, resumed where they stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from graph.deps import Deps
from graph.live import Live
from graph.settings import Settings
from server.evaluation.golden import GoldenSet, load_golden
from server.evaluation.plan import Version, changed, is_version, planned, refuse_unlike, resumed, unfinished
from server.evaluation.records import CaseResult, Manifest
from server.evaluation.runner import Job, Runner, jobs
from server.evaluation.services import close_models, evaluation_deps, evaluation_settings
from server.evaluation.store import Store
from tools.errors import IndexUnavailable, InputInvalid
from tools.vocabulary import CopyMode


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for: a version, what to compare it with (a version or an evaluation's id), and how much of it."""

    prompt: str
    against: str | None
    members: int
    repeat: int
    mode: CopyMode | None
    golden: Path
    out: Path
    resume: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: evaluations in the order baseline, candidate; jobs left; notes on what was resumed or not."""

    baseline: Manifest | None
    candidate: Manifest
    running: tuple[Manifest, ...]
    left: tuple[Job, ...]
    kept: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvaluationSession:
    """Services, golden set and store of one request."""

    deps: Deps
    golden: GoldenSet
    store: Store
    warnings: tuple[str, ...]

    @contextmanager
    def prepared(self, asked: Request) -> Iterator[Work]:
        """Decide what to run, make its folders, and keep other processes from them in the block.

        Files: not for an event loop. Raises InputInvalid, also when another process runs it.
        """
        kept, notes = self.store.list(), list[str]()
        candidate = self._candidate(asked, kept, notes)
        baseline = None
        if asked.against is not None and is_version(asked.against):
            wanted = self._planned(asked.against, cases=candidate.cases, repeat=candidate.repeat)
            if not changed(wanted.model_copy(update={"prompt": candidate.prompt}), candidate):
                raise InputInvalid(f"--against {asked.against} is the very text of {candidate.prompt}; name another")
            if candidate.finished_at is not None:
                refuse_unlike(candidate, wanted)  # before the baseline is paid for
            baseline = self._taken_up(wanted, kept, notes)
        elif asked.against is not None:
            baseline = self.store.find(asked.against)
            if baseline.eval_id == candidate.eval_id:
                raise InputInvalid(f"--against {asked.against} is evaluation {candidate.eval_id} itself; name another")
            refuse_unlike(baseline, candidate)
        known = {manifest.eval_id for manifest in kept}
        running = tuple(one for one in (baseline, candidate) if one is not None and one.finished_at is None)
        for manifest in running:
            if manifest.eval_id not in known:
                self.store.create(manifest)
        with ExitStack() as held:
            for manifest in running:
                held.enter_context(self.store.held(manifest.eval_id))
            done = [
                (manifest.eval_id, result.case_id, result.repeat)
                for manifest in running
                for result in self.store.load(manifest.eval_id).results
            ]
            left = jobs(self.golden, running, done) if running else []
            yield Work(baseline, candidate, running, tuple(left), len(done), tuple(notes))

    async def run(self, work: Work, *, advanced: Callable[[CaseResult], None]) -> None:
        """Do the work; results are kept as they come. Raises ModelUnavailable when the endpoint is gone."""
        if work.left:
            await self.deps.model.probe()
        runner = await asyncio.to_thread(Runner, self.deps, self.golden, self.store)
        await runner.run(work.left, advanced=advanced)
        for manifest in work.running:
            await runner.finish(manifest)

    def _candidate(self, asked: Request, kept: tuple[Manifest, ...], notes: list[str]) -> Manifest:
        if asked.resume is None:
            wanted = self._planned(asked.prompt, cases=asked.members, repeat=asked.repeat)
            return self._taken_up(wanted, kept, notes)
        then = self.store.find(asked.resume)
        wanted = self._planned(then.prompt, cases=then.cases, repeat=then.repeat)
        if then.finished_at is None:
            resumed(then, wanted)
            notes.append(f"{then.eval_id} goes on where it stopped")
        else:
            notes.append(f"{then.eval_id} is finished; nothing is left to run")
        return then

    def _planned(self, prompt: str, *, cases: int, repeat: int) -> Manifest:
        return planned(Version.of(prompt), self.deps, self.golden, cases=cases, repeat=repeat)

    def _taken_up(self, wanted: Manifest, kept: tuple[Manifest, ...], notes: list[str]) -> Manifest:
        """Return the unfinished evaluation of the same, if there is one, else the wanted one."""
        if (found := unfinished(kept, wanted)) is not None:
            notes.append(f"{found.eval_id} ({found.prompt}) goes on where it stopped")
            return found
        for one in kept:
            asks_alike = (one.prompt, one.cases, one.repeat) == (wanted.prompt, wanted.cases, wanted.repeat)
            if one.finished_at is None and asks_alike:
                what = "; ".join(changed(one, wanted))
                notes.append(f"unfinished {one.eval_id} is left as it is, since it is of something else: {what}")
        return wanted


@asynccontextmanager
async def evaluation_session(settings: Settings, asked: Request) -> AsyncIterator[EvaluationSession]:
    """Open the services under the policies in force, with the golden set for members.

    Raises what `Live.open` and `Live.refresh` do, and InputInvalid without a golden set.
    """
    golden = await asyncio.to_thread(load_golden, asked.golden)
    live = await Live.open(evaluation_settings(settings, mode=asked.mode))
    try:
        await live.refresh()
        warnings: tuple[str, ...] = ()
        try:
            await live.deps.sync_index()
        except IndexUnavailable as error:
            warnings = (f"policy index: {error}; drafting sees the policies' briefs only",)
        deps = await asyncio.to_thread(evaluation_deps, live.deps, golden)
        try:
            yield EvaluationSession(deps, golden, Store(asked.out), warnings)
        finally:
            await close_models(deps)
    finally:
        await live.aclose()
