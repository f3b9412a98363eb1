"""What somebody changed in the index behind its back: told by what the last sync left there, and named in the log."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final, Literal

from tools.policy_index.chunks import embedded_text, metadata_of
from tools.policy_index.difference import StoredEntry
from tools.policy_index.documents import PolicyChunk

ALTERED_VECTOR: Final[StoredEntry] = ("", {})
"""Stands for an entry whose text is right and whose vector is another text's: it has to be written again."""

Change = Literal["added", "deleted", "altered"]


def entry_sha(entry: StoredEntry) -> str:
    """Return the hash of an entry's text and metadata."""
    text, metadata = entry
    return hashlib.sha256(json.dumps([text, dict(metadata)], sort_keys=True).encode()).hexdigest()[:32]


def manifest_of(chunks: Mapping[str, PolicyChunk]) -> dict[str, str]:
    """Return the hash of each entry as a sync leaves it."""
    return {entry: entry_sha((embedded_text(chunk), metadata_of(chunk))) for entry, chunk in chunks.items()}


def changes(manifest: Mapping[str, str], stored: Mapping[str, StoredEntry]) -> dict[str, Change]:
    """Return what happened, by entry id, to the entries since the sync that left the manifest."""
    found: dict[str, Change] = {}
    for entry in sorted(manifest.keys() | stored.keys()):
        if entry not in stored:
            found[entry] = "deleted"
        elif entry not in manifest:
            found[entry] = "added"
        elif entry_sha(stored[entry]) != manifest[entry]:
            found[entry] = "altered"
    return found
