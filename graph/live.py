"""The graph under the policies in force now. Files are read once; what the ledger holds, whenever it changes.

A change makes new `Deps` of the same services and a new graph over them. A run keeps the graph it started with, so all
its clauses are of one set; the ledger refuses its claim when that set is not the one in force any more.
"""

import asyncio
import logging
from typing import Final

from graph.build import Graph, build_graph
from graph.context import Context
from graph.deps import Deps, open_deps, with_rulebook
from graph.policy_texts import loaded_set
from graph.rulebook import Rulebook, rulebook_with
from graph.settings import Settings
from tools.errors import IndexUnavailable, OfferGraphError, PoliciesUnavailable, PolicyInvalid
from tools.ledger.versions import note_set, read_epoch, read_standing

FILES_ONLY: Final = "on files only: the policies of the database could not be read yet, so nothing is issued"

_logger = logging.getLogger(__name__)


class Live:
    """One process's graph and services, replaced as a whole when the policies change. Close with `aclose`."""

    def __init__(self, deps: Deps, *, context: type[Context] = Context) -> None:
        self._files, self._context = deps.rulebook, context
        self._deps, self._graph = deps, build_graph(deps, context=context)
        self._refreshing: asyncio.Task[None] | None = None
        self._indexing: asyncio.Task[None] | None = None
        self._read = False
        self._fault: str | None = None
        self._refused: int | None = None

    @classmethod
    async def open(cls, settings: Settings, *, context: type[Context] = Context) -> "Live":
        """Open services and graph on the files; the database is asked at the first `refresh`.

        Raises PolicyInvalid or PromptInvalid, with file and line, for what can't be enforced as written.
        """
        deps = await open_deps(settings)
        return await asyncio.to_thread(cls, deps, context=context)

    @property
    def files(self) -> Rulebook:
        """The rulebook of the policies folder alone."""
        return self._files

    @property
    def deps(self) -> Deps:
        """The services under the policies loaded last."""
        return self._deps

    @property
    def graph(self) -> Graph:
        """The graph over these services."""
        return self._graph

    @property
    def condition(self) -> str:
        """Return "ok" when the database's policies are loaded, else why they are not."""
        return self._fault or ("ok" if self._read else FILES_ONLY)

    async def refresh(self, *, at_least: int = 0) -> None:
        """Take over the policies in force, if they changed; callers of the moment share one look.

        With `at_least`, look again until that epoch is loaded: a look that was under way may have come before it.
        Raises DatabaseUnavailable, and PoliciesUnavailable when a version of the database can't be enforced.
        """
        while True:
            if self._refreshing is None:
                self._refreshing = asyncio.create_task(self._refresh())
                self._refreshing.add_done_callback(self._refreshed)
            await asyncio.shield(self._refreshing)
            if self._deps.rulebook.epoch >= at_least:
                return

    async def renew(self, seen: Graph) -> tuple[Graph, Deps]:
        """Return graph and services under the policies in force, for a run whose graph `seen` was not.

        Raises as `refresh` does.
        """
        if self._graph is seen:
            await self.refresh()
        return self._graph, self._deps

    async def settled(self) -> None:
        """Wait until the policy index follows the policies loaded last, or failed to (prompts then see briefs only)."""
        if self._indexing is not None:
            await asyncio.shield(self._indexing)

    async def aclose(self) -> None:
        """Stop looking and close the services."""
        for task in (self._refreshing, self._indexing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._deps.aclose()

    async def _refresh(self) -> None:
        database = self._deps.database
        async with database.statement() as connection:
            epoch = await read_epoch(connection)
            if epoch == self._deps.rulebook.epoch:
                self._read, self._fault = True, None
                return
            if epoch == self._refused and self._fault is not None:  # nothing changed since: don't compile it again
                raise PoliciesUnavailable(self._fault)
            standing = await read_standing(connection)
        try:
            rulebook = await asyncio.to_thread(rulebook_with, self._files, standing)
        except PolicyInvalid as error:
            self._refused = standing.epoch
            self._fault = f"nothing is issued: {error}; mend that version or `offers policies retire` it"
            raise PoliciesUnavailable(self._fault) from error
        async with database.connection() as connection:
            await note_set(connection, loaded_set(rulebook.policies))
        deps = with_rulebook(self._deps, rulebook)
        graph = await asyncio.to_thread(build_graph, deps, context=self._context)
        self._deps, self._graph, self._read, self._fault = deps, graph, True, None
        _logger.info("policies of epoch %d loaded: set %s", rulebook.epoch, rulebook.policies.sha[:12])
        if self._indexing is not None:
            self._indexing.cancel()
        self._indexing = asyncio.create_task(_follow(deps))

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshing = None
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, OfferGraphError):
            _logger.error("the policies could not be refreshed", exc_info=error)


async def _follow(deps: Deps) -> None:
    try:
        await deps.sync_index()
    except IndexUnavailable as error:
        _logger.warning("drafts go on without the policies' prose: %s", error)
