"""The policy index as the graph uses it: asynchronous, lazy, and instant for a query it has answered before."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

from tools.errors import IndexUnavailable
from tools.policy_index.documents import IndexStatus, PolicyChunk, PolicyDocument, SyncReport
from tools.policy_index.embeddings import DEFAULT_MODEL, CachedEmbeddings
from tools.policy_index.location import Location
from tools.policy_index.store import PolicyStore
from tools.vocabulary import CardType, Channel, Domain

REMEMBERED: Final = 4096
"""Answers kept in memory; a query is made of a few enums, so a campaign asks fewer different ones."""

_Scope = tuple[tuple[str, tuple[str, ...]], ...]
_Key = tuple[str, _Scope, int]
_Answer = TypeVar("_Answer")


class PolicyIndex:
    """The policies' prose in Chroma, found by meaning.

    Give `chroma_dir` (a folder, made when missing) or `chroma_url` (a Chroma server). `cache_dir` keeps computed
    vectors. Nothing is imported, opened or read before the first call; all of it happens in one thread of its own, so
    that importing torch holds up no other work. Every method but `aclose` raises IndexUnavailable when Chroma or the
    model fails, and PartMissing when the packaged embedding model is not installed.
    """

    def __init__(
        self,
        *,
        chroma_dir: Path | None = None,
        chroma_url: str | None = None,
        embedding_model: str = DEFAULT_MODEL,
        cache_dir: Path,
    ) -> None:
        embeddings = CachedEmbeddings(embedding_model, cache_dir=cache_dir)
        location = Location(chroma_dir=chroma_dir, chroma_url=chroma_url, cache_dir=cache_dir)
        self._store = PolicyStore(location, embeddings)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="policy-index")
        self._answers = _Recent()
        self._closed = False

    async def sync(self, documents: Sequence[PolicyDocument]) -> SyncReport:
        """Make the index equal to the documents and tell what changed. Safe when several processes do it at once."""
        try:
            return await self._run(lambda: self._store.sync(documents))
        finally:
            self._answers.clear()

    async def nearest(
        self,
        query: str,
        *,
        domain: Domain | None,
        card_type: CardType | None = None,
        channels: Collection[Channel] = (),
        offer_types: Collection[str] = (),
        k: int = 4,
    ) -> tuple[PolicyChunk, ...]:
        """Return the k chunks nearest to the query, nearest first.

        Searched are the policies of the domain and those open to all domains, and so on for each kind; a kind left out
        admits only policies open to all of that kind. Every chunk is what this process synced, letter by letter.
        Raises IndexUnavailable before this process's sync, after another's of other policies, and when somebody changed
        what the index holds: then it names the entries, and the next query finds them repaired.
        """
        scope: _Scope = (
            ("domain", () if domain is None else (domain,)),
            ("card_type", () if card_type is None else (card_type,)),
            ("channel", tuple(sorted(channels))),
            ("offer_type", tuple(sorted(offer_types))),
        )
        key: _Key = (query, scope, k)
        known = self._answers.get(key)
        if known is not None:
            return known
        return await self._run(lambda: self._nearest(key))

    async def status(self) -> IndexStatus:
        """Return what the index holds now, read from Chroma."""
        return await self._run(self._store.status)

    async def aclose(self) -> None:
        """Close Chroma and end the thread. Calls made afterwards raise IndexUnavailable."""
        if self._closed:
            return
        await self._run(self._store.close)
        self._closed = True
        self._thread.shutdown(wait=False)

    def _nearest(self, key: _Key) -> tuple[PolicyChunk, ...]:
        known = self._answers.get(key)  # the same query may have waited for this thread more than once
        if known is None:
            query, scope, k = key
            known = self._store.nearest(query, dict(scope), k)
            self._answers.put(key, known)
        return known

    async def _run(self, call: Callable[[], _Answer]) -> _Answer:
        if self._closed:
            raise IndexUnavailable("policy index: it was closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


class _Recent:
    """The answers used last, for any thread and event loop."""

    def __init__(self) -> None:
        self._answers: OrderedDict[_Key, tuple[PolicyChunk, ...]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: _Key) -> tuple[PolicyChunk, ...] | None:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: _Key, answer: tuple[PolicyChunk, ...]) -> None:
        with self._lock:
            self._answers[key] = answer
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()
