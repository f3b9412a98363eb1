"""One Chroma collection read whole: its entries, its vectors, and whether the search finds what is stored."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from langchain_core.embeddings import Embeddings

from tools.policy_index.chunks import embedded_text, metadata_of
from tools.policy_index.difference import StoredEntry
from tools.policy_index.documents import PolicyChunk

if TYPE_CHECKING:
    from chromadb import Collection

SELF_DISTANCE: Final = 1e-3
"""Cosine distance above which a vector is not the one of its text, or not what the search holds."""

_Item = TypeVar("_Item")
_BATCH: Final = 500


class Damaged(Exception):
    """The index answers, but not with what was stored."""


def entries_of(collection: "Collection") -> dict[str, StoredEntry]:
    """Return the text and metadata of every entry, by id."""
    held = collection.get(include=["documents", "metadatas"])
    rows = zip(held["ids"], held["documents"] or [], held["metadatas"] or [], strict=True)
    return {entry: (text or "", dict(metadata or {})) for entry, text, metadata in rows}


def check(collection: "Collection", expected: set[str]) -> None:
    """Let every stored vector search for itself. Raises Damaged when one is not found.

    An HNSW graph can lose its way to an entry when its neighbours are updated (seen in one of twenty syncs that rewrote
    every entry); its policy would then never be found, and nothing would say so.
    """
    held = collection.get(include=["embeddings"])
    if set(held["ids"]) != expected:
        raise Damaged(f"it lists {len(held['ids'])} entries where {len(expected)} were stored")
    for vectors in batches(tuple(np.asarray(held["embeddings"], dtype=np.float32))):
        found = collection.query(query_embeddings=list(vectors), n_results=1, include=["distances"])["distances"] or []
        if len(found) != len(vectors) or any(not near or near[0] > SELF_DISTANCE for near in found):
            raise Damaged("an entry isn't found by its own vector")


def astray(
    collection: "Collection",
    expected: Mapping[str, PolicyChunk],
    stored: Mapping[str, StoredEntry],
    embeddings: Embeddings,
) -> list[str]:
    """Return the entries whose text is right and whose vector is another text's: found where they don't belong."""
    right = [
        entry for entry, chunk in expected.items() if stored.get(entry) == (embedded_text(chunk), metadata_of(chunk))
    ]
    if not right:
        return []
    held = collection.get(ids=right, include=["embeddings"])
    vectors = dict(zip(held["ids"], np.asarray(held["embeddings"], dtype=np.float32), strict=True))
    meant = embeddings.embed_documents([embedded_text(expected[entry]) for entry in right])
    return [
        entry
        for entry, vector in zip(right, meant, strict=True)
        if entry not in vectors or _is_astray(vectors[entry], vector)
    ]


def batches(items: tuple[_Item, ...]) -> Iterator[tuple[_Item, ...]]:
    """Return the items in runs that one call to Chroma takes."""
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _is_astray(vector: np.ndarray[tuple[int, ...], np.dtype[np.float32]], expected: list[float]) -> bool:
    """Tell whether a stored vector is not the one of its text: it would bring up the text where it doesn't belong."""
    right = np.asarray(expected, dtype=np.float32)
    size = float(np.linalg.norm(vector) * np.linalg.norm(right))
    return vector.shape != right.shape or size == 0 or 1 - float(vector @ right) / size > SELF_DISTANCE
