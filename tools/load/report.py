"""What a load tells while it runs and when it ends."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Phase = Literal["reading", "upserting", "done"]


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """Where a load stands. `done` of `total` are bytes of the file, or rows of a Parquet file."""

    phase: Phase
    done: int
    total: int
    rows_read: int
    rows_rejected: int


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did. `rows_read` = inserted + updated + unchanged + duplicates + rows_rejected.

    `reasons` counts rejected cells by (column, reason), most frequent first. `rejects_path` is None when there was
    nothing to write or no folder to write it to.
    """

    path: Path
    table: str
    rows_read: int
    inserted: int
    updated: int
    unchanged: int
    duplicates: int
    rows_rejected: int
    cells_rejected: int
    reasons: tuple[tuple[str, str, int], ...]
    rejects_path: Path | None
    warnings: tuple[str, ...]
    elapsed_s: float

    @property
    def rows_loaded(self) -> int:
        """Members of the file that the table now holds."""
        return self.inserted + self.updated + self.unchanged
