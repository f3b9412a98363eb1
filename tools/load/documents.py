"""Read a JSON or JSON Lines file of flat rows or nested profiles."""

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, TextIO

from tools.columns import BY_NAME, EMAIL, NAMES
from tools.errors import InputInvalid
from tools.load.cells import as_cell
from tools.load.encoding import not_utf8
from tools.load.profiles import SECTIONS, flatten
from tools.load.rejects import ROW, SHOWN, Reject
from tools.load.source import ALL_NAMES, Batches, Findings, RawBatch, Source, check_header, text_frame

CHUNK: Final = 1 << 20
"""Characters read at a time."""

MAX_OBJECT: Final = 32 * CHUNK
"""Characters one member's object may have."""

GAP: Final = re.compile(r"[ \t\r\n,]*")

Found = tuple[int, object, str | None]
"""Line, value, and what is wrong with it if it isn't one."""


def open_documents(path: Path, *, batch_rows: int, as_of: date) -> Source:
    """Open a .json file (a list, or a single object) or a .jsonl file (an object a line).

    Raises InputInvalid while reading when a .json file is not JSON, and when its first flat row has unknown fields.
    """
    findings = Findings()
    return Source(path.stat().st_size, _Documents(path, findings, as_of).batches(batch_rows), findings)


class _Documents:
    """Rows out of objects, with what the file as a whole turns out to hold."""

    def __init__(self, path: Path, findings: Findings, as_of: date) -> None:
        self._path, self._findings, self._as_of = path, findings, as_of
        self._flat_names: set[str] = set()
        self._ignored: Counter[str] = Counter()

    def batches(self, batch_rows: int) -> Batches:
        find = _lines if self._path.suffix.lower() == ".jsonl" else _values
        with self._path.open("rb") as binary, io.TextIOWrapper(binary, encoding="utf-8-sig") as file:
            lines: list[int] = []
            rows: list[list[str | None]] = []
            rejects: list[Reject] = []
            refused = 0
            try:
                for line, value, fault in find(file, self._path):
                    faults = [Reject(line, ROW, "", fault)] if fault else []
                    row: dict[str, str | None] = {}
                    if not faults:
                        row, faults = self._row(line, value)
                    if faults:
                        rejects += faults
                        refused += 1
                    else:
                        lines.append(line)
                        rows.append([row.get(name) for name in ALL_NAMES])
                    if len(rows) + refused >= batch_rows:
                        yield RawBatch(text_frame(ALL_NAMES, lines, rows), rejects, refused, binary.tell())
                        lines, rows, rejects, refused = [], [], [], 0
            except UnicodeDecodeError as error:
                raise not_utf8(self._path) from error
            yield RawBatch(text_frame(ALL_NAMES, lines, rows), rejects, refused, binary.tell())
        self._warn()

    def _row(self, line: int, value: object) -> tuple[dict[str, str | None], list[Reject]]:
        if not isinstance(value, dict):
            return {}, [Reject(line, ROW, json.dumps(value)[:SHOWN], "expected an object per member")]
        if any(section in value for section in SECTIONS):
            row, faults, ignored = flatten(value, as_of=self._as_of)
            self._ignored.update(ignored)
        else:
            if not self._flat_names:
                known = [name for name in NAMES if name not in value]
                check_header(self._path, [*value, *known])
            self._flat_names.update(value)
            row, faults = {}, []
            for name, given in value.items():
                cell = as_cell(given)
                if name not in BY_NAME:
                    faults.append((name, cell.text or "", "unknown field"))
                elif cell.fault:
                    faults.append((name, cell.text or "", cell.fault))
                row[name] = cell.text
        self._findings.has_email |= row.get(EMAIL.name) is not None
        return row, [Reject(line, *fault) for fault in faults]

    def _warn(self) -> None:
        if self._flat_names and (absent := [name for name in NAMES if name not in self._flat_names]):
            self._findings.warnings.append(f"no row has {', '.join(absent)}: loaded as null")
        if self._ignored:
            named = ", ".join(f"{name} ({count})" for name, count in self._ignored.most_common(20))
            self._findings.warnings.append(f"profile fields that no column holds were ignored: {named}")


def _lines(file: TextIO, path: Path) -> Iterator[Found]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, None, f"not JSON: {error}"
        else:
            yield number, value, None


def _values(file: TextIO, path: Path) -> Iterator[Found]:
    """Yield the elements of the outer list one by one, so that a large file never lies in memory whole."""
    decode = json.JSONDecoder().raw_decode
    buffer, at, line, in_list = file.read(CHUNK), 0, 1, False
    while True:
        start = _gap_end(buffer, at)
        line += buffer.count("\n", at, start)
        at = start
        if at == len(buffer):
            buffer, at = file.read(CHUNK), 0
            if buffer:
                continue
            if in_list:
                raise InputInvalid(f"{path.name}: line {line}: the list is never closed; the file may be cut short")
            return
        if buffer[at] in "[]" and (buffer[at] == "[") != in_list:
            in_list, at = not in_list, at + 1
            continue
        try:
            value, end = decode(buffer, at)
        except (ValueError, RecursionError) as error:
            more = file.read(CHUNK) if len(buffer) - at <= MAX_OBJECT else ""
            if not more:  # not merely an object that the next chunk completes
                fault = getattr(error, "msg", "nested too deeply, or a number too long")
                line += buffer.count("\n", at, getattr(error, "pos", at))
                raise InputInvalid(f"{path.name}: line {line}: not JSON: {fault}") from error
            buffer, at = buffer[at:] + more, 0
            continue
        yield line, value, None
        line += buffer.count("\n", at, end)
        at = end


def _gap_end(buffer: str, at: int) -> int:
    found = GAP.match(buffer, at)
    return found.end() if found else at
