"""Rows of CSV, whatever is in them: a stray quote costs its own line and none of those after it."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from server.campaign.tee import not_utf8
from server.commands.predictions import FIELDS, REQUIRED, cells
from tools.errors import InputInvalid

Row = tuple[str, Any, str | None]
"""A row's text, its fields, and why it can't be read."""


class _Lines:
    """Lines that remember which of them the current row is made of, and can give back all but the first."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        self.number += 1
        return line

    def row(self) -> str:
        """Return the text of the row that was just read, and begin the next one."""
        text = self.taken[0] if len(self.taken) == 1 else "".join(self.taken)
        self.taken.clear()
        return text.rstrip("\r\n")

    def give_back(self) -> None:
        """Let all lines but the row's first be read again."""
        rest = self.taken[1:]
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)
        del self.taken[1:]


def csv_rows(text: Iterable[str], name: str) -> Iterator[Row]:
    """Yield the rows of a CSV text below its header; `name` is the file's.

    A quote that is never closed, or closed lines later in the midst of a cell, makes one row of many: then its first
    line is the faulty row, and the others are read for themselves. Raises InputInvalid for a header that can't be used.
    """
    lines = _Lines(text)
    header = _header(lines, name)
    reader = csv.reader(lines, strict=True)
    while True:
        fault: str | None = None
        try:
            row = next(reader, None)
        except csv.Error as error:
            row, fault = [], f"line {lines.number}: not CSV: {error}"
        if row is None:
            return
        if len(lines.taken) > 1 and (fault or len(row) != len(header)):
            lines.give_back()
            reader = csv.reader(lines, strict=True)
            fault = f"line {lines.number}: not CSV: a quote is opened and not closed"
        raw = lines.row()
        if not row and fault is None:
            continue
        fault = fault or not_utf8(raw, lines.number)
        said = None if fault else cells(header, row)
        if isinstance(said, str):
            fault = f"{len(row)} cells for {len(header)} columns"
        yield raw, said, fault


def _header(lines: _Lines, name: str) -> list[str]:
    try:
        header = [cell.strip() for cell in next(csv.reader(lines, strict=True), [])]
    except csv.Error as error:
        raise InputInvalid(f"{name}: its header, line 1, is not CSV: {error}") from error
    lines.row()
    if missing := [field for field in REQUIRED if field not in header]:
        shown = ", ".join(header)[:200] or "nothing"
        raise InputInvalid(
            f"{name}: the header lacks {', '.join(missing)}; it has {shown}. The first line names the columns,"
            " in UTF-8, separated by commas"
        )
    if twice := [field for field in FIELDS if header.count(field) > 1]:
        raise InputInvalid(f"{name}: the header has {', '.join(twice)} twice; leave one of the columns out")
    return header
