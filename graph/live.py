"""The graph under the policies in force now. Files are read once; what the ledger holds, whenever it changes.

A change makes new `Deps` of the same services and a new graph over them. A run keeps the graph it started with, so all
its clauses are of one set; the ledger refuses its claim when that set is not the one in force any more. With
RELOAD_PROMPTS the prompts, and no other file, are read again when a run starts after they were edited.
"""

import asyncio
import logging
from functools import partial
from typing import Final
from weakref import WeakSet

from graph.build import Graph, build_graph
from graph.context import Context
from graph.deps import Deps, open_deps, with_rulebook
from graph.policy_texts import loaded_set
from graph.prompt_watch import PromptWatch
from graph.rulebook import Rulebook, read_prompts, rulebook_with, with_prompts
from graph.settings import Settings
from tools.errors import IndexUnavailable, OfferGraphError, PoliciesUnavailable, PolicyInvalid
from tools.ledger.versions import note_set, read_epoch, read_standing
from tools.prompt_files import PromptSet

FILES_ONLY: Final = "on files only: the policies of the database could not be read yet, so nothing is issued"

_logger = logging.getLogger(__name__)


class Live:
    """One process's graph and services, replaced as a whole when policies or prompts change. Close with `aclose`."""

    def __init__(self, deps: Deps, *, context: type[Context] = Context) -> None:
        self._files, self._context = deps.rulebook, context
        self._deps, self._graph = deps, build_graph(deps, context=context)
        self._renewed = WeakSet([self._graph])  # the graphs under the policies loaded last; they differ in prompts
        self._replacing = asyncio.Lock()
        self._watch: PromptWatch | None = None
        if deps.settings.reload_prompts:
            folder, prompts = deps.settings.prompts_dir, deps.rulebook.prompts
            read = partial(read_prompts, split=deps.settings.split_names)
            self._watch = PromptWatch(folder, prompts, read=read, adopt=self._adopt)
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

    @property
    def prompts_condition(self) -> str | None:
        """Return "ok" or what is wrong with the prompts as they were edited; None when edits don't count."""
        return None if self._watch is None else self._watch.condition

    async def current(self) -> tuple[Graph, Deps]:
        """Return graph and services for a run that starts now, under the prompts as they were saved before."""
        await self.follow_prompts()
        return self._graph, self._deps

    async def follow_prompts(self) -> None:
        """Take over an edit of the prompts, if edits count; a broken one is kept in `prompts_condition`."""
        if self._watch is not None:
            await self._watch.look()

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
        if seen in self._renewed:  # other prompts alone don't help it
            await self.refresh()
        return self._graph, self._deps

    async def settled(self) -> None:
        """Wait until the policy index follows the policies loaded last, or failed to (prompts then see briefs only)."""
        if self._indexing is not None:
            await asyncio.shield(self._indexing)

    async def aclose(self) -> None:
        """Stop looking and close the services."""
        if self._watch is not None:
            await self._watch.aclose()
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
        async with self._replacing:
            if self._files.prompts is not rulebook.prompts:  # edited while the policies were compiled
                rulebook = await asyncio.to_thread(with_prompts, rulebook, self._files.prompts)
            deps, graph = await self._built(rulebook)
            self._deps, self._graph, self._renewed = deps, graph, WeakSet([graph])
        self._read, self._fault = True, None
        _logger.info("policies of epoch %d loaded: set %s", rulebook.epoch, rulebook.policies.sha[:12])
        if self._indexing is not None:
            self._indexing.cancel()
        self._indexing = asyncio.create_task(_follow(deps))

    async def _adopt(self, prompts: PromptSet) -> None:
        """Put other prompts in place of those in use; the policies stay as they were loaded last."""
        async with self._replacing:
            files = await asyncio.to_thread(with_prompts, self._files, prompts)
            rulebook = files
            if self._deps.rulebook is not self._files:
                rulebook = await asyncio.to_thread(with_prompts, self._deps.rulebook, prompts)
            deps, graph = await self._built(rulebook)
            self._files, self._deps, self._graph = files, deps, graph
            self._renewed.add(graph)

    async def _built(self, rulebook: Rulebook) -> tuple[Deps, Graph]:
        deps = with_rulebook(self._deps, rulebook)
        return deps, await asyncio.to_thread(build_graph, deps, context=self._context)

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshing = None
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, OfferGraphError):
            _logger.error("the policies could not be refreshed", exc_info=error)


async def _follow(deps: Deps) -> None:
    try:
        await deps.sync_index()
    except IndexUnavailable as error:
        _logger.warning("drafts go on without the policies' prose: %s", error)
