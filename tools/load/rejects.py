"""The rejects file: one line per bad cell, with its line in the source, column, value and reason."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from tools.spreadsheet import Sheet

ROW: Final = "(row)"
"""Stands in the column's place when the row as a whole is at fault."""

SHOWN: Final = 200
"""Characters of a bad value that are kept."""


class Reject(NamedTuple):
    """One bad cell. `line` is the line of the file as an editor shows it; in Parquet, the row counted from 1."""

    line: int
    column: str
    value: str
    reason: str


class Rejects:
    """Collect rejects on disk; the file takes its place only when the load has committed.

    With no folder they are counted, not kept. The file holds members' values: only its owner may read it,
    and no spreadsheet takes one of them for a formula (`tools.spreadsheet`).
    """

    def __init__(self, source: Path, folder: Path | None) -> None:
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.rows = 0
        self._noted = False
        self._target = folder / f"{source.name}.rejects.csv" if folder else None
        self._draft = folder / f".{source.name}.{os.getpid()}.rejects.csv" if folder else None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        """Open the draft of the file."""
        if self._draft is not None:
            self._file = open(self._draft, "w", encoding="utf-8", newline="", opener=_private)
            self._sheet = Sheet(self._file, Reject._fields)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop the draft unless it was published."""
        if self._draft is not None:
            self._file.close()
            self._draft.unlink(missing_ok=True)

    def add(self, rejects: Iterable[Reject], *, rows: int) -> None:
        """Take the rejects of a batch, which `rows` rows of it caused."""
        self.rows += rows
        for reject in rejects:
            self.reasons[reject.column, reject.reason] += 1
            if self._draft is not None:
                self._sheet.writerow(reject._replace(value=reject.value[:SHOWN]))

    def note(self, entries: Iterable[Reject]) -> None:
        """Write entries that say what became of rows that were not bad."""
        if self._draft is not None:
            for entry in entries:
                self._sheet.writerow(entry)
                self._noted = True

    def publish(self) -> Path | None:
        """Put the file in its place and return it; with nothing to tell, remove the one an earlier load left."""
        if self._draft is None or self._target is None:
            return None
        self._file.close()
        if not self.reasons and not self._noted:
            self._target.unlink(missing_ok=True)
            return None
        self._draft.replace(self._target)
        return self._target


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
