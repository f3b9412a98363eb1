"""The blocking half of the policy index: reads, repairs and queries one Chroma collection."""

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import numpy as np

from tools.errors import IndexUnavailable, InputInvalid
from tools.policy_index.chunks import chunk_from, chunks_of, embedded_text, metadata_of, scope_filter
from tools.policy_index.difference import StoredEntry, difference
from tools.policy_index.documents import IndexStatus, PolicyChunk, PolicyDocument, SyncReport
from tools.policy_index.embeddings import CachedEmbeddings
from tools.policy_index.location import Location

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client
    from langchain_chroma import Chroma

SELF_DISTANCE: Final = 1e-3
"""Cosine distance above which an entry's own vector is not what the search holds."""

_Item = TypeVar("_Item")
_BATCH: Final = 500
_TRANSIENT: Final = re.compile(r"\(code: (?:5|6|8|10|13|14)\)")
"""SQLite: busy, locked, read-only, I/O error, disk full, can't open. None of them says that the data is damaged."""

_log = logging.getLogger(__name__)


class _Damaged(Exception):
    """The index answers, but not with what was stored."""


class _Opened(NamedTuple):
    client: "Client"
    collection: "Collection"
    vectors: "Chroma"
    token: str


class PolicyStore:
    """One collection, named after the embedding model: another model, another index. Use from one thread."""

    def __init__(self, location: Location, embeddings: CachedEmbeddings) -> None:
        self._location = location
        self._embeddings = embeddings
        self._opened: _Opened | None = None
        self._synced: dict[str, str] | None = None

    def sync(self, documents: Sequence[PolicyDocument]) -> SyncReport:
        """Make the index equal to the documents; right entries stay, a damaged index is erased and built again."""
        wanted = {document.policy_id: chunks_of(document) for document in documents}
        if len(wanted) != len(documents):
            raise InputInvalid("policy_id: two documents have the same one; each policy can be indexed once")
        with self._location.locked(), self._faults("sync"):
            try:
                report = self._repair(wanted)
            except _chroma_errors() as error:
                if not self._is_damage(error):
                    raise
                _log.warning("policy index %s is not whole and built anew: %s", self._location.name, error)
                self.close()
                self._location.write_mark(self._name(), "syncing")
                self._location.erase(self._name())
                report = replace(self._repair(wanted), rebuilt=True)
        self._synced = {document.policy_id: document.sha for document in documents}
        return report

    def nearest(self, query: str, scope: Mapping[str, str | None], k: int) -> tuple[PolicyChunk, ...]:
        """Return the k chunks nearest to the query among the policies in scope, nearest first."""
        with self._faults("query"):
            found = self._current().vectors.similarity_search(
                query,
                k=k,
                filter=scope_filter(scope),  # type: ignore[arg-type]  # its annotation leaves out Chroma's operators
            )
            chunks = tuple(chunk_from(entry.page_content, entry.metadata) for entry in found)
        for chunk in chunks:
            if self._synced is not None and self._synced.get(chunk.policy_id) != chunk.sha:
                raise IndexUnavailable(
                    f"policy index {self._location.name} was changed by another process: it holds {chunk.policy_id} "
                    f"{chunk.version} with another text than this process loaded; sync again or restart"
                )
        return chunks

    def status(self) -> IndexStatus:
        """Return what the collection holds."""
        with self._faults("status"):
            stored = _entries(self._current().collection)
            versions = {str(metadata["policy_id"]): str(metadata["version"]) for _, metadata in stored.values()}
            name = self._name()
        return IndexStatus(
            location=self._location.name,
            collection=name,
            embedding_model=self._embeddings.model,
            versions=dict(sorted(versions.items())),
            chunks=len(stored),
        )

    def close(self) -> None:
        """Let go of Chroma; the next call opens it again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(AttributeError):  # Chroma's own, when another sharer of the folder has closed it
                opened.client.close()

    def _repair(self, wanted: Mapping[str, Mapping[str, PolicyChunk]]) -> SyncReport:
        name = self._name()
        state, token = self._location.read_mark(name)
        opened = self._open(token, create=True)
        gap = difference(wanted, _entries(opened.collection))
        if gap:
            self._location.write_mark(name, "syncing")  # killed from here on, it leaves an index that no query trusts
            for ids in _batches(gap.surplus):
                opened.vectors.delete(ids=list(ids))
            for ids in _batches(tuple(gap.wrong)):
                opened.vectors.add_texts(
                    texts=[embedded_text(gap.wrong[entry]) for entry in ids],
                    metadatas=[dict(metadata_of(gap.wrong[entry])) for entry in ids],
                    ids=list(ids),
                )
        _check(opened.collection, {entry for chunks in wanted.values() for entry in chunks})
        if gap or state != "clean":
            self._opened = opened._replace(token=self._location.write_mark(name, "clean"))
        return gap.report

    def _current(self) -> _Opened:
        """Return the collection, reopened after another process's change: Chroma keeps opened vectors in memory."""
        state, token = self._location.read_mark(self._name())
        if state != "clean":
            reason = "was never synced" if state == "never_synced" else "is being synced, or its sync was interrupted"
            raise IndexUnavailable(f"policy index {self._location.name} {reason}; sync it first")
        if self._opened is not None and self._opened.token == token:
            return self._opened
        with self._location.locked():
            return self._open(token, create=False)

    def _open(self, token: str, *, create: bool) -> _Opened:
        from langchain_chroma import Chroma

        self.close()
        client = self._location.open()
        name = self._name()
        vectors = Chroma(
            client=client,
            collection_name=name,
            embedding_function=self._embeddings,
            collection_metadata={"hnsw:space": "cosine"},
            create_collection_if_not_exists=create,
        )
        collection = client.get_collection(name, embedding_function=None)
        self._opened = _Opened(client, collection, vectors, token)
        return self._opened

    def _name(self) -> str:
        return f"policies-{hashlib.sha256(self._embeddings.identity().encode()).hexdigest()[:12]}"

    def _is_damage(self, error: Exception) -> bool:
        if isinstance(error, _Damaged):
            return True
        return self._location.is_folder and not isinstance(error, OSError) and not _TRANSIENT.search(str(error))

    @contextmanager
    def _faults(self, doing: str) -> Iterator[None]:
        try:
            yield
        except _chroma_errors() as error:
            self.close()
            raise IndexUnavailable(f"policy index {self._location.name}: {doing} failed: {error}") from error


def _entries(collection: "Collection") -> dict[str, StoredEntry]:
    held = collection.get(include=["documents", "metadatas"])
    rows = zip(held["ids"], held["documents"] or [], held["metadatas"] or [], strict=True)
    return {entry: (text or "", dict(metadata or {})) for entry, text, metadata in rows}


def _check(collection: "Collection", expected: set[str]) -> None:
    """Let every stored vector search for itself.

    An HNSW graph can lose its way to an entry when its neighbours are updated (seen in one of twenty syncs that rewrote
    every entry); its policy would then never be found, and nothing would say so.
    """
    held = collection.get(include=["embeddings"])
    if set(held["ids"]) != expected:
        raise _Damaged(f"it lists {len(held['ids'])} entries where {len(expected)} were stored")
    for vectors in _batches(tuple(np.asarray(held["embeddings"], dtype=np.float32))):
        found = collection.query(query_embeddings=list(vectors), n_results=1, include=["distances"])["distances"] or []
        if len(found) != len(vectors) or any(not near or near[0] > SELF_DISTANCE for near in found):
            raise _Damaged("an entry isn't found by its own vector")


def _batches(items: tuple[_Item, ...]) -> Iterator[tuple[_Item, ...]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _chroma_errors() -> tuple[type[Exception], ...]:
    """Return what Chroma raises: ValueError for a missing server, Attribute- and KeyError for half a folder."""
    import httpx
    from chromadb.errors import ChromaError

    return (ChromaError, httpx.HTTPError, ValueError, AttributeError, KeyError, OSError, _Damaged)
