"""One command's graph and services: opened, used, and let go whatever happens."""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graph.context import Context
from graph.deps import Deps
from graph.live import Live
from graph.nodes.render import sent_at
from graph.replay import message_of
from graph.run import Observer, steps
from graph.schemas import OfferOutput
from graph.settings import Settings
from graph.state import Run
from graph.trace import Trace
from server.commands.console import busy, warn
from tools.email.message import Person
from tools.errors import DatabaseUnavailable, IndexUnavailable
from tools.exports import export_folder, export_offer
from tools.ledger.holds import hold_reason
from tools.ledger.leases import end_leases

SUFFIXES = ("html", "txt", "eml", "json")


@dataclass(slots=True)
class Session:
    """Runs predictions. `_running` are the runs that would leave a claim behind if the process ended now."""

    settings: Settings
    live: Live
    _running: set[str] = field(default_factory=set)

    @property
    def deps(self) -> Deps:
        """Return the services under the policies in force."""
        return self.live.deps

    async def connect(self) -> None:
        """Reach the database, starting the embedded one, and load the policies it holds.

        Raises DatabaseUnavailable, PartMissing, or PoliciesUnavailable for a version that can't be enforced.
        """
        await self.live.refresh()

    async def sync_index(self) -> None:
        """Bring the policy index in step; without it drafts see fewer policies, and the gate misses nothing."""
        try:
            await self.deps.sync_index()
        except IndexUnavailable as error:
            warn(f"policy index: {error}; drafting sees the policies' briefs only, checking is complete")

    async def decide(self, raw: Any, context: Context, *, observer: Observer | None = None) -> OfferOutput:
        """Return the outcome of one prediction."""
        run_id, outcome = uuid.uuid4().hex, None
        context = context.model_copy(update={"run_id": run_id})
        self._running.add(run_id)
        deadline_s = self.settings.run_deadline_s
        live = self.live
        async for step in steps(raw, live.graph, context, deadline_s=deadline_s, observer=observer, renew=live.renew):
            outcome = step.get("output")
        self._running.discard(run_id)
        assert isinstance(outcome, OfferOutput)  # `steps` ends with the outcome
        return outcome

    async def recorded(self, run_id: str) -> Trace | None:
        """Return the recorded trace of a run, or None when the ledger has none."""
        found = await self.deps.records.read(run_id)
        return None if found is None else Trace.model_validate(found[0])

    async def files(self, output: OfferOutput) -> list[Path]:
        """Return the exported files of an issued offer; those of a replayed one are made again when they are gone."""
        if not output.success or output.mode == "preview":
            return []
        await self.deps.exporter.drain()
        found = await self.deps.records.read(output.run_id)
        if found is None or await hold_reason(self.deps.database, output.run_id) is not None:
            return []
        record, first_name, email = found
        sent = sent_at(Run.model_validate(record["run"]))
        folder = export_folder(self.settings.output_dir, run_id=output.run_id, sent_at=sent)
        paths = [folder / f"{output.run_id}.{suffix}" for suffix in SUFFIXES]
        if not output.replayed or output.email_html is None or all(path.exists() for path in paths):
            return [path for path in paths if path.exists()]
        message = message_of(record, Person(first_name=first_name, email=email), self.deps)
        original = output.model_copy(update={"replayed": False, "error": None}).model_dump_json(indent=2)
        return await export_offer(self.settings.output_dir, run_id=output.run_id, output_json=original, message=message)

    async def aclose(self) -> None:
        """Let go of what interrupted runs had claimed, write the exports, close the services."""
        if self._running:
            with suppress(DatabaseUnavailable):  # then the leases end by themselves
                await end_leases(self.deps.database, self._running)
        await self.live.aclose()


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncIterator[Session]:
    """Open the graph over its services. Raises PolicyInvalid or PromptInvalid."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its warnings come again as DatabaseUnavailable
    session = Session(settings, await Live.open(settings))
    try:
        yield session
    finally:
        await session.aclose()


@asynccontextmanager
async def ready_session(settings: Settings) -> AsyncIterator[Session]:
    """Open a session with its database connected and its policy index in step, behind one spinner."""
    async with open_session(settings) as session:
        with busy("starting the database and the policy index"):
            await session.connect()
            await session.sync_index()
        yield session
