"""The blocking half of the policy index: reads, repairs and queries one Chroma collection."""

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from tools.errors import IndexUnavailable, InputInvalid
from tools.policy_index.chunks import chunks_of, embedded_text, metadata_of, scope_filter
from tools.policy_index.collection import Damaged, astray, batches, check, entries_of
from tools.policy_index.difference import StoredEntry, difference
from tools.policy_index.documents import IndexStatus, PolicyChunk, PolicyDocument, SyncReport
from tools.policy_index.embeddings import CachedEmbeddings
from tools.policy_index.location import Location
from tools.policy_index.tampering import ALTERED_VECTOR, changes, manifest_of

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client
    from langchain_chroma import Chroma

_TRANSIENT: Final = re.compile(r"\(code: (?:5|6|8|10|13|14)\)")
"""SQLite: busy, locked, read-only, I/O error, disk full, can't open. None of them says that the data is damaged."""

_log = logging.getLogger(__name__)


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
        self._synced: Sequence[PolicyDocument] | None = None
        self._expected: dict[str, PolicyChunk] = {}
        self._synced_token = ""

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
        self._synced = tuple(documents)
        self._expected = {entry: chunk for chunks in wanted.values() for entry, chunk in chunks.items()}
        return report

    def nearest(self, query: str, scope: Mapping[str, tuple[str, ...]], k: int) -> tuple[PolicyChunk, ...]:
        """Return the k chunks nearest to the query among the policies in scope, nearest first.

        Nothing is returned but what this process synced: an entry that holds anything else is repaired, not shown.
        """
        with self._faults("query"):
            opened = self._current()
            found = opened.vectors.similarity_search(
                query,
                k=k,
                filter=scope_filter(scope),  # type: ignore[arg-type]  # its annotation leaves out Chroma's operators
            )
            held = opened.collection.count()
        if self._synced is None:
            raise IndexUnavailable(
                f"policy index {self._location.name} was not synced by this process, which can't check what it says"
            )
        answers = {str(entry.id): (entry.page_content, entry.metadata) for entry in found}
        wrong = [entry for entry, stored in answers.items() if stored != self._stored(entry)]
        if opened.token == self._synced_token and (wrong or held != len(self._expected)):
            raise self._repaired(self._synced)
        if wrong:
            raise IndexUnavailable(
                f"policy index {self._location.name} was changed by another process: it holds {wrong[0]} with another "
                "text than this process loaded; sync again or restart"
            )
        return tuple(self._expected[entry] for entry in answers)

    def _stored(self, entry: str) -> StoredEntry | None:
        chunk = self._expected.get(entry)
        return None if chunk is None else (embedded_text(chunk), metadata_of(chunk))

    def _repaired(self, documents: Sequence[PolicyDocument]) -> IndexUnavailable:
        """Write the index again where somebody changed it, and return what this query is answered."""
        with self._faults("query"):
            names = changes(manifest_of(self._expected), entries_of(self._current().collection))
        self.sync(documents)
        told = ", ".join(f"{entry} was {change}" for entry, change in names.items()) or "an entry was altered"
        return IndexUnavailable(
            f"policy index {self._location.name}: {told} behind its back; repaired from the policies"
        )

    def status(self) -> IndexStatus:
        """Return what the collection holds."""
        with self._faults("status"):
            stored = entries_of(self._current().collection)
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
        manifest = self._location.read_manifest(name)
        opened = self._open(token, create=True)
        stored = entries_of(opened.collection)
        expected = {entry: chunk for chunks in wanted.values() for entry, chunk in chunks.items()}
        lost = astray(opened.collection, expected, stored, self._embeddings)
        self._tell(manifest, stored, lost)
        gap = difference(wanted, {**stored, **dict.fromkeys(lost, ALTERED_VECTOR)})
        if gap:
            self._location.write_mark(name, "syncing")  # killed from here on, it leaves an index that no query trusts
            # What is written again is deleted first: an upsert would leave metadata keys that the chunk doesn't have.
            for ids in batches((*gap.surplus, *(entry for entry in gap.wrong if entry in stored))):
                opened.vectors.delete(ids=list(ids))
            for ids in batches(tuple(gap.wrong)):
                opened.vectors.add_texts(
                    texts=[embedded_text(gap.wrong[entry]) for entry in ids],
                    metadatas=[dict(metadata_of(gap.wrong[entry])) for entry in ids],
                    ids=list(ids),
                )
        check(opened.collection, set(expected))
        left = manifest_of(expected)
        if gap or state != "clean" or manifest != left:
            self._opened = opened._replace(token=self._location.write_mark(name, "clean", left))
        self._synced_token = token if self._opened is None else self._opened.token
        return gap.report

    def _tell(
        self, manifest: Mapping[str, str] | None, stored: Mapping[str, StoredEntry], astray: Sequence[str]
    ) -> None:
        """Name in the log what somebody else did to the index; what a changed policy changes is no news."""
        found: dict[str, str] = {} if manifest is None else {**changes(manifest, stored)}
        for entry, change in {**dict.fromkeys(astray, "given another vector"), **found}.items():
            _log.warning(
                "policy index %s: entry %r was %s behind its back and is repaired from the policies",
                self._location.name, entry, change,
            )  # fmt: skip

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
        if isinstance(error, Damaged):
            return True
        return self._location.is_folder and not isinstance(error, OSError) and not _TRANSIENT.search(str(error))

    @contextmanager
    def _faults(self, doing: str) -> Iterator[None]:
        try:
            yield
        except _chroma_errors() as error:
            self.close()
            raise IndexUnavailable(f"policy index {self._location.name}: {doing} failed: {error}") from error


def _chroma_errors() -> tuple[type[Exception], ...]:
    """Return what Chroma raises: ValueError for a missing server, Attribute- and KeyError for half a folder."""
    import httpx
    from chromadb.errors import ChromaError

    return (ChromaError, httpx.HTTPError, ValueError, AttributeError, KeyError, OSError, Damaged)
