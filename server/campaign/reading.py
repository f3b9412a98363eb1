"""Reading a campaign's file: batch by batch, each row checked as a prediction, whatever is in it."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl
from pydantic import ValidationError

from graph.invalid import explain
from graph.schemas import OfferInput
from server.commands.predictions import REQUIRED, cells, known, parse_line
from tools.errors import InputInvalid

BATCH_ROWS: Final = 20_000
"""Rows in memory at a time."""
RAW_SHOWN: Final = 2_000
"""Characters of a bad row that are kept."""
SUFFIXES: Final = (".csv", ".jsonl", ".parquet")

Found = tuple[int, str, Any]
"""A row's number in the file, from 1 and without a header; its text; and what it says."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows ready for the ledger. `lines` is COPY text of the columns `COLUMNS`; `done` counts rows read so far."""

    lines: bytes
    rows: int
    rejected: int
    done: int
    first_reason: str | None


COLUMNS: Final = (
    "row_no",
    "prediction_key",
    "user_id",
    "domain",
    "confidence",
    "offer_flag",
    "pred_version",
    "prediction_timestamp",
    "idempotency_key",
    "use_llm",
    "reason",
    "raw",
)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when it was opened. `mark` changes with its content."""

    path: Path
    sha256: str
    mark: tuple[int, int, int]

    @classmethod
    def of(cls, path: Path) -> "File":
        """Read the file's hash. Raises InputInvalid for one that can't be read or has another form."""
        if path.suffix.lower() not in SUFFIXES:
            raise InputInvalid(
                f"{path.name}: can't read predictions from {path.suffix or 'a file without suffix'};"
                f" use {', '.join(SUFFIXES)}"
            )
        try:
            with path.open("rb") as file:
                sha = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(path, sha, _mark(path))
        except OSError as error:
            raise InputInvalid(f"{path}: can't be read ({error.strerror})") from error

    def check_unchanged(self) -> None:
        """Raise InputInvalid when the file was written to since."""
        if _mark(self.path) != self.mark:
            raise InputInvalid(f"{self.path.name}: it was changed while it was read; nothing was taken in, try again")


def batches(file: File, today: date) -> Iterator[Batch]:
    """Yield the file's rows, checked. `today` stands in for a missing timestamp in keys.

    Raises InputInvalid for a header that lacks what a prediction needs, and for a file that breaks off.
    """
    rows: list[Found] = []
    done = 0
    for found in _rows(file.path):
        rows.append(found)
        if len(rows) == BATCH_ROWS:
            done += len(rows)
            yield _batch(rows, today, done)
            rows = []
    if rows:
        yield _batch(rows, today, done + len(rows))


def _rows(path: Path) -> Iterator[Found]:
    match path.suffix.lower():
        case ".csv":
            return _csv_rows(path)
        case ".jsonl":
            return _json_lines(path)
        case _:
            return _parquet_rows(path)


def _csv_rows(path: Path) -> Iterator[Found]:
    with path.open("r", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip() for name in next(reader, [])]
        if missing := [name for name in REQUIRED if name not in header]:
            raise InputInvalid(f"{path.name}: the header lacks {', '.join(missing)}; it has {', '.join(header)[:200]}")
        number = 0
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                number += 1
                yield number, "", f"line {reader.line_num}: not CSV: {error}"
                continue
            if row is None:
                return
            if not row:
                continue
            number += 1
            yield number, _line(row), cells(header, row)


def _line(row: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(row)
    return buffer.getvalue()


def _json_lines(path: Path) -> Iterator[Found]:
    with path.open("r", encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        number = 0
        for place, line in enumerate(file, start=1):
            if line.strip():
                number += 1
                yield number, line.rstrip("\r\n"), known(parse_line(line, path, place))


def _parquet_rows(path: Path) -> Iterator[Found]:
    try:
        scan = pl.scan_parquet(path)
        names = scan.collect_schema().names()
        if missing := [name for name in REQUIRED if name not in names]:
            raise InputInvalid(f"{path.name}: there is no column {', '.join(missing)}; it has {', '.join(names)[:200]}")
        number = 0
        for frame in scan.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            for row in frame.iter_rows(named=True):
                number += 1
                said = {name: value for name, value in row.items() if value is not None}
                yield number, json.dumps(row, default=str, ensure_ascii=False), known(said)
    except pl.exceptions.PolarsError as error:
        first = str(error).splitlines()[0]
        raise InputInvalid(f"{path.name}: not a readable Parquet file: {first}") from error


def _batch(rows: list[Found], today: date, done: int) -> Batch:
    lines, rejected, first = [], 0, None
    for number, raw, item in rows:
        try:
            prediction = OfferInput.model_validate(item)
        except ValidationError as error:
            rejected += 1
            reason = item if isinstance(item, str) else explain(error)
            first = first or f"row {number}: {reason}"
            user_id = item.get("user_id") if isinstance(item, dict) else ""
            lines.append(_rejected(number, str(user_id or ""), reason, raw))
        else:
            lines.append(_taken(number, prediction, raw, today))
    return Batch("".join(lines).encode(), len(rows), rejected, done, first)


def _taken(number: int, prediction: OfferInput, raw: str, today: date) -> str:
    return _copied(
        number,
        prediction.prediction_key(today),
        prediction.user_id,
        prediction.domain,
        repr(prediction.confidence_score),
        prediction.offer_flag,
        prediction.pred_version,
        prediction.prediction_timestamp,
        prediction.idempotency_key,
        prediction.use_llm_insights,
        None,
        raw[:RAW_SHOWN],
    )


def _rejected(number: int, user_id: str, reason: str, raw: str) -> str:
    return _copied(number, *[None] * 9, reason, raw[:RAW_SHOWN], user_id=user_id[:200])


def _copied(*values: object, user_id: str | None = None) -> str:
    cells_ = list(values)
    if user_id is not None:
        cells_[2] = user_id
    return "\t".join("\\N" if value is None else _escaped(str(value)) for value in cells_) + "\n"


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"})


def _escaped(text: str) -> str:
    escaped = text.translate(_ESCAPES)
    return escaped if escaped.isascii() else escaped.encode("utf-8", "replace").decode()


def _mark(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
