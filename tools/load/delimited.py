"""Read a CSV file, keeping count of lines as an editor does."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from tools.columns import EMAIL
from tools.errors import InputInvalid
from tools.load.encoding import not_utf8
from tools.load.rejects import ROW, Reject
from tools.load.source import Batches, Findings, RawBatch, Source, check_header, text_frame

MAX_LINES_PER_ROW: Final = 64
"""A quoted value may hold line breaks; a row longer than this is taken for a quote that nobody closed."""


class _Lines:
    """Physical lines of the file, which can be handed out again when a row turns out to be broken."""

    def __init__(self, file: TextIO) -> None:
        self.number = 0
        self._file = file
        self._again: list[str] = []
        self._of_row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._of_row) >= MAX_LINES_PER_ROW:
            raise csv.Error("unexpected end of data")
        line = self._again.pop() if self._again else next(self._file)
        self._of_row.append(line)
        self.number += 1
        return line

    def start_row(self) -> int:
        self._of_row.clear()
        return self.number + 1

    def back_to_second_line(self) -> None:
        """Undo reading all but the row's first line: an unclosed quote must not swallow the good rows after it."""
        swallowed = self._of_row[1:]
        self._again.extend(reversed(swallowed))
        self.number -= len(swallowed)


def open_csv(path: Path, *, batch_rows: int) -> Source:
    """Open a CSV file and check its header.

    Raises InputInvalid for a bad header, and while reading for bytes that are not UTF-8.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            header = [name.strip() for name in next(csv.reader(file, strict=True), [])]
        except UnicodeDecodeError as error:
            raise not_utf8(path) from error
        except csv.Error as error:
            raise InputInvalid(f"{path.name}: the header can't be read: {error}") from error
    if not header:
        raise InputInvalid(f"{path.name}: the first line is empty; expected a header with the columns' names")
    check_header(path, header)
    return Source(path.stat().st_size, _batches(path, header, batch_rows), Findings(has_email=EMAIL.name in header))


def _batches(path: Path, header: list[str], batch_rows: int) -> Batches:
    with path.open("rb") as binary, io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as file:
        source = _Lines(file)
        reader = csv.reader(source, strict=True)
        next(reader)
        lines: list[int] = []
        rows: list[list[str]] = []
        rejects: list[Reject] = []
        while True:
            line = source.start_row()
            try:
                row = next(reader)
            except StopIteration:
                break
            except UnicodeDecodeError as error:
                raise not_utf8(path) from error
            except csv.Error as error:
                source.back_to_second_line()
                rejects.append(Reject(line, ROW, "", _broken(error)))
                continue
            if len(row) == len(header):
                lines.append(line)
                rows.append(row)
            elif row:
                reason = f"expected {len(header)} values, found {len(row)}: quote a value that holds a comma"
                rejects.append(Reject(line, ROW, ",".join(row), reason))
            if len(rows) + len(rejects) >= batch_rows:
                yield RawBatch(text_frame(header, lines, rows), rejects, len(rejects), binary.tell())
                lines, rows, rejects = [], [], []
        yield RawBatch(text_frame(header, lines, rows), rejects, len(rejects), binary.tell())


def _broken(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quote is opened and never closed"
    if "field limit" in str(error):
        return f"a value is longer than {csv.field_size_limit()} characters"
    return f"misplaced quote: {error}"
