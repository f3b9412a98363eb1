"""What every file format is read into: batches of text cells with their lines."""

import difflib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from tools.columns import ALL_COLUMNS, BY_NAME, EMAIL, NAMES
from tools.errors import InputInvalid
from tools.load.rejects import Reject

ALL_NAMES: Final = tuple(column.name for column in ALL_COLUMNS)


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Some rows of a file as `line` and text cells; what the `refused` other rows had wrong; how far the file is read.

    Lines need not differ: a JSON file may be one line.
    """

    rows: pl.DataFrame
    rejects: Sequence[Reject]
    refused: int
    done: int


Batches = Generator[RawBatch, None, None]


@dataclass(slots=True)
class Findings:
    """What a file as a whole turns out to hold; final when its batches are exhausted."""

    has_email: bool = False
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file; `total` is in the unit of `RawBatch.done`."""

    total: int
    batches: Batches
    findings: Findings


def check_header(path: Path, header: Sequence[str]) -> None:
    """Raise InputInvalid naming every missing, unknown and repeated column of a header at once."""
    missing = [name for name in NAMES if name not in header]
    unknown = list(dict.fromkeys(name for name in header if name not in BY_NAME))
    repeated = list(dict.fromkeys(name for name in header if header.count(name) > 1))
    faults = [
        f"{label}: {', '.join(map(repr, names))}"
        for label, names in (("missing", missing), ("unknown", unknown), ("repeated", repeated))
        if names
    ]
    if not faults:
        return
    near = [
        f"{name!r} for {match[0]!r}"
        for name in unknown
        if (match := difflib.get_close_matches(name.lower(), ALL_NAMES, n=1, cutoff=0.85))
    ]
    hint = f" Perhaps {', '.join(near)}." if near else ""
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        hint = " Separate the values with commas."
    raise InputInvalid(
        f"{path.name}: the header has columns {'; '.join(faults)}. Expected the {len(NAMES)} columns "
        f"{', '.join(NAMES)} in any order, and optionally {EMAIL.name}.{hint}"
    )


def text_frame(names: Sequence[str], lines: Sequence[int], rows: Sequence[Sequence[str | None]]) -> pl.DataFrame:
    """Return rows of text cells as a frame with all columns; those the file lacks are null."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    columns = {name: pl.Series(name, values, dtype=pl.String) for name, values in zip(names, cells, strict=True)}
    absent = pl.Series([None] * len(rows), dtype=pl.String)
    return pl.DataFrame(
        [pl.Series("line", lines, dtype=pl.Int64)] + [columns.get(name, absent).alias(name) for name in ALL_NAMES]
    )
