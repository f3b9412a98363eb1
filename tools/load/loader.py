"""Load a file of cardmembers: read and check in a thread, batch by batch, write in one transaction."""

import asyncio
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import psycopg

from tools.errors import DatabaseUnavailable, InputInvalid, SettingInvalid
from tools.load.checks import LOOKS_LIKE_PERCENT, check
from tools.load.columnar import open_parquet
from tools.load.delimited import open_csv
from tools.load.documents import open_documents
from tools.load.rejects import Rejects
from tools.load.report import LoadProgress, LoadReport, Phase
from tools.load.source import Batches, Source
from tools.load.upsert import begin, copy_rows, drop_superseded, upsert

BATCH_ROWS: Final = 20_000
"""Rows checked at a time: about 50 MB of text cells."""


@dataclass(frozen=True, slots=True)
class _Payload:
    rows_read: int
    copy: bytes
    done: int


async def load_file(
    conninfo: str,
    path: Path,
    *,
    table: str,
    rejects_dir: Path | None = None,
    progress: Callable[[LoadProgress], None] | None = None,
    as_of: date | None = None,
) -> LoadReport:
    """Upsert the good rows of a .csv, .parquet, .json or .jsonl file by user_id, and report every bad cell.

    All good rows are in one transaction: an error, a cancelled task or a raising `progress` loads none. The last
    row of a user_id wins. `as_of` (default: today in UTC) is the date that nested profiles' histories are summed up to.

    Raises InputInvalid for a file that can't be read as a whole or a bad header, SettingInvalid for a table that can't
    take the rows, DatabaseUnavailable when PostgreSQL can't be reached or breaks off.
    """
    started = time.monotonic()
    source = await asyncio.to_thread(_open, path, as_of or datetime.now(UTC).date())
    try:
        return await _load(conninfo, path, source, table, rejects_dir, progress or _silent, started)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"{path.name} was not loaded: {_first_line(error)}") from error
    except (psycopg.ProgrammingError, psycopg.IntegrityError, psycopg.DataError) as error:
        raise SettingInvalid(f"table {table!r} can't take the rows of {path.name}: {_first_line(error)}") from error


async def _load(
    conninfo: str,
    path: Path,
    source: Source,
    table: str,
    rejects_dir: Path | None,
    progress: Callable[[LoadProgress], None],
    started: float,
) -> LoadReport:
    rows_read = 0

    def tell(phase: Phase, done: int) -> None:
        progress(LoadProgress(phase, done, source.total, rows_read, rejects.rows))

    with Rejects(path, rejects_dir) as rejects:
        async with await psycopg.AsyncConnection.connect(conninfo) as conn:
            await begin(conn, table=table)
            async with _Reader(source.batches, rejects) as reader:
                while payload := await reader.next():
                    rows_read += payload.rows_read
                    await copy_rows(conn, payload.copy)
                    tell("reading", payload.done)
            tell("upserting", source.total)
            superseded = await drop_superseded(conn)
            changed = await upsert(conn, table=table, with_email=source.findings.has_email)
        rejects.note(superseded)
        rejects_path = rejects.publish()
    tell("done", source.total)
    reasons = tuple((column, reason, count) for (column, reason), count in rejects.reasons.most_common())
    return LoadReport(
        path=path,
        table=table,
        rows_read=rows_read,
        inserted=changed.inserted,
        updated=changed.updated,
        unchanged=changed.unchanged,
        duplicates=len(superseded),
        rows_rejected=rejects.rows,
        cells_rejected=rejects.reasons.total(),
        reasons=reasons,
        rejects_path=rejects_path,
        warnings=(*source.findings.warnings, *_percent_warnings(reasons, rows_read)),
        elapsed_s=time.monotonic() - started,
    )


def _open(path: Path, as_of: date) -> Source:
    if not path.is_file():
        raise InputInvalid(f"{path}: no such file")
    match path.suffix.lower():
        case ".csv":
            return open_csv(path, batch_rows=BATCH_ROWS)
        case ".parquet":
            return open_parquet(path, batch_rows=BATCH_ROWS)
        case ".json" | ".jsonl":
            return open_documents(path, batch_rows=BATCH_ROWS, as_of=as_of)
        case other:
            raise InputInvalid(
                f"{path.name}: can't load {other or 'a file without suffix'}; expected .csv, .parquet, .json or .jsonl"
            )


class _Reader:
    """Batches made in a thread. Leaving waits for the thread: a batch half read can't be closed under it."""

    def __init__(self, batches: Batches, rejects: Rejects) -> None:
        self._batches, self._rejects = batches, rejects
        self._running: asyncio.Task[_Payload | None] | None = None

    async def __aenter__(self) -> "_Reader":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None and not self._running.done():
            await asyncio.wait({self._running})
        await asyncio.to_thread(self._batches.close)

    async def next(self) -> _Payload | None:
        self._running = asyncio.create_task(asyncio.to_thread(self._make))
        return await asyncio.shield(self._running)

    def _make(self) -> _Payload | None:
        batch = next(self._batches, None)
        if batch is None:
            return None
        checked = check(batch.rows)
        rejects = sorted([*batch.rejects, *checked.rejects], key=lambda reject: reject.line)
        self._rejects.add(rejects, rows=batch.refused + checked.rows_rejected)
        copy = io.BytesIO()
        checked.good.write_csv(copy, include_header=False)
        return _Payload(len(batch.rows) + batch.refused, copy.getvalue(), batch.done)


def _percent_warnings(reasons: tuple[tuple[str, str, int], ...], rows_read: int) -> list[str]:
    """Warn where most of a column was refused as percents: its small values passed for fractions."""
    return [
        f"{column} holds percents in {count} of {rows_read} rows; rows with small values were loaded as fractions: "
        "divide the column by 100 and load the file again"
        for column, reason, count in reasons
        if reason == LOOKS_LIKE_PERCENT and 2 * count > rows_read
    ]


def _silent(_: LoadProgress) -> None:
    pass


def _first_line(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
