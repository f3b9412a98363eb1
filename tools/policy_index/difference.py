"""What separates a collection from the policies it should hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.policy_index.chunks import embedded_text, metadata_of
from tools.policy_index.documents import PolicyChunk, SyncReport

StoredEntry = tuple[str, Mapping[str, object]]
"""An entry's text and metadata."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Entry ids to delete (`surplus`), chunks to write (`wrong`: missing, outdated, mangled), and both per policy."""

    surplus: tuple[str, ...]
    wrong: Mapping[str, PolicyChunk]
    report: SyncReport

    def __bool__(self) -> bool:
        """Whether anything must be written."""
        return bool(self.surplus or self.wrong)


def difference(wanted: Mapping[str, Mapping[str, PolicyChunk]], stored: Mapping[str, StoredEntry]) -> Difference:
    """Compare the chunks wanted per policy with the stored entries: id, version, hash, scope and text must agree."""
    expected = {entry: chunk for chunks in wanted.values() for entry, chunk in chunks.items()}
    surplus = tuple(sorted(stored.keys() - expected.keys()))
    wrong = {
        entry: chunk
        for entry, chunk in expected.items()
        if stored.get(entry) != (embedded_text(chunk), metadata_of(chunk))
    }
    held = {_owner(entry) for entry in stored}
    touched = {_owner(entry) for entry in (*surplus, *wrong)}
    report = SyncReport(
        added=tuple(sorted((wanted.keys() - held) & touched)),
        updated=tuple(sorted(wanted.keys() & held & touched)),
        removed=tuple(sorted(held - wanted.keys())),
        unchanged=tuple(sorted(wanted.keys() - touched)),
    )
    return Difference(surplus, wrong, report)


def _owner(entry: str) -> str:
    return entry.rpartition("#")[0] or entry
