"""Reading a campaign's file row by row, in any of its formats, with memory that doesn't grow with it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import polars as pl

from server.campaign.csv_rows import csv_rows
from server.campaign.tee import Tee, not_utf8
from server.commands.predictions import REQUIRED, known, parse_line
from tools.errors import InputInvalid

BATCH_ROWS: Final = 20_000
"""Rows in memory at a time."""
SUFFIXES: Final = (".csv", ".jsonl", ".parquet")


class Found(NamedTuple):
    """A row as it stands in the file: its number from 1, without a header, its text, and what it says.

    `fault` says why a row can't be read at all; then it says nothing.
    """

    number: int
    raw: str
    said: Any
    fault: str | None


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when it was opened. `mark` changes with its content."""

    path: Path
    sha256: str
    mark: tuple[int, int, int]

    @classmethod
    def of(cls, path: Path) -> "File":
        """Read the file's hash. Raises InputInvalid for one that can't be read, is empty or has another form."""
        if path.is_dir():
            raise InputInvalid(f"{path}: it is a folder; give one file of predictions: {', '.join(SUFFIXES)}")
        if path.suffix.lower() not in SUFFIXES:
            raise InputInvalid(
                f"{path.name}: can't read predictions from {path.suffix or 'a file without suffix'};"
                f" use {', '.join(SUFFIXES)}"
            )
        try:
            mark = _mark(path)
            with path.open("rb") as file:
                sha = _sha256(file)
        except OSError as error:
            raise InputInvalid(f"{path}: can't be read ({error.strerror})") from error
        if mark[1] == 0:
            raise InputInvalid(f"{path.name}: it is empty; give a file with a prediction in each row")
        return cls(path, sha, mark)


class Reading:
    """One pass over a file. `share` is how much of it is read, 0 to 1."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._read = 0
        self._of = max(file.mark[1], 1)
        self._sha: str | None = None

    @property
    def share(self) -> float:
        """Return how much of the file is read."""
        return min(self._read / self._of, 1.0)

    def rows(self) -> Iterator[Found]:
        """Yield every row, blank lines left out.

        Raises InputInvalid when the file lacks columns, can't be read, or was changed since its hash was taken.
        """
        path = self._file.path
        try:
            yield from self._parquet_rows() if path.suffix.lower() == ".parquet" else self._text_rows()
            if self._sha != self._file.sha256 or _mark(path) != self._file.mark:
                raise InputInvalid(f"{path.name}: it was changed while it was read; nothing was taken in, try again")
        except OSError as error:
            raise InputInvalid(f"{path}: can't be read ({error.strerror})") from error

    def _text_rows(self) -> Iterator[Found]:
        path = self._file.path
        is_csv = path.suffix.lower() == ".csv"
        with path.open("rb", buffering=0) as raw, Tee(raw) as tee:
            lines = tee.text(newline="" if is_csv else "\n")
            for number, found in enumerate(csv_rows(lines, path.name) if is_csv else _json_rows(lines, path), start=1):
                self._read = tee.read_bytes
                yield Found(number, *found)
            self._sha = tee.sha256

    def _parquet_rows(self) -> Iterator[Found]:
        path = self._file.path
        try:
            scan = pl.scan_parquet(path, glob=False)
            names = scan.collect_schema().names()
            if missing := [name for name in REQUIRED if name not in names]:
                shown = ", ".join(names)[:200]
                raise InputInvalid(f"{path.name}: there is no column {', '.join(missing)}; it has {shown}")
            self._of = max(int(scan.select(pl.len()).collect().item()), 1)
            for frame in scan.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
                for row in frame.iter_rows(named=True):
                    self._read += 1
                    said = {name: value for name, value in row.items() if value is not None}
                    raw = _AS_JSON(said)
                    yield Found(self._read, raw, known(said), None)
        except pl.exceptions.PolarsError as error:
            first = str(error).partition("\n")[0]
            raise InputInvalid(f"{path.name}: not a readable Parquet file: {first}") from error
        with path.open("rb") as file:  # read from all ends at once, so its bytes are hashed once more
            self._sha = _sha256(file)


_AS_JSON: Final = json.JSONEncoder(default=str, ensure_ascii=False).encode


def _json_rows(lines: Iterator[str], path: Path) -> Iterator[tuple[str, Any, str | None]]:
    for place, line in enumerate(lines, start=1):
        raw = line.strip("\r\n")
        if not raw.strip():
            continue
        if fault := not_utf8(raw, place):
            yield raw, None, fault
            continue
        said = parse_line(raw, path, place)
        fault = None if isinstance(said, dict) else f"line {place}: {_no_object(said)}"
        yield raw, known(said), fault


def _no_object(said: Any) -> str:
    return "not a JSON object with a prediction's fields" if not isinstance(said, str) else "not JSON, or only a text"


def _sha256(file: BinaryIO) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a BinaryIO is what it reads


def _mark(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
