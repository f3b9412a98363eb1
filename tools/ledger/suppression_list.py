"""The suppression list as operations keep it: who gets no offers, from which source; imported from an existing list."""

import csv
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection, sql
from psycopg.rows import class_row

from tools.cardmembers import table_identifier
from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.opt_outs import LINK_SOURCES
from tools.load.encoding import not_utf8
from tools.load.rejects import ROW, Reject, Rejects

LONGEST: Final = 200
"""Characters of a user_id or a source."""
BATCH: Final = 5_000
"""Rows written by one statement."""
COLUMNS: Final = ("user_id", "source")
"""What an import reads; `source` may be missing, and other columns are ignored."""

_WANTED: Final = f"must have 1 to {LONGEST} characters, without control or invisible characters"
_INVISIBLE: Final = "\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_TEXT: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}]{{1,{LONGEST}}}")


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One member of the list."""

    user_id: str
    source: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `rejects_path` names the file of rejected lines, `shown` holds the first of them."""

    read: int
    added: int
    already: int
    rejected: int
    shown: tuple[Reject, ...]
    rejects_path: Path | None


def checked(name: str, value: str) -> str:
    """Return the value without surrounding blanks. Raises InputInvalid for one the list can't hold."""
    text = value.strip()
    if not _TEXT.fullmatch(text):
        raise InputInvalid(f"{name} is {value[:40]!r}; it {_WANTED}")
    return text


async def listed(database: Database, *, limit: int, user_id: str | None = None) -> tuple[list[Suppressed], int]:
    """Return the newest entries (or one member's), and how many the list holds. Raises DatabaseUnavailable."""
    async with database.connection() as connection:
        async with connection.cursor(row_factory=class_row(Suppressed)) as cursor:
            await cursor.execute(_LIST, {"user_id": user_id, "limit": limit})
            rows = await cursor.fetchall()
        (count,) = await (await connection.execute("select count(*) from suppression")).fetchone() or (0,)
    return rows, int(count)


async def add(database: Database, user_ids: Sequence[str], *, source: str) -> int:
    """Put members on the list and return how many were not. An officer's entry can't be undone by a member's link."""
    async with database.connection() as connection:
        return await _put(connection, [(user_id, source) for user_id in user_ids])


async def remove(database: Database, user_ids: Sequence[str], *, source: str) -> int:
    """Take members off the list, whoever put them there, and return how many were on it."""
    async with database.connection() as connection:
        return (await connection.execute(_REMOVE, (list(user_ids), source))).rowcount


async def misspelled(database: Database, *, table: str, limit: int = 20) -> list[tuple[str, str]]:
    """Return entries that hold nobody back as (what is listed, the member's key): they differ in case or blanks alone.

    Members whose own key is listed too are left out. Raises DatabaseUnavailable.
    """
    statement = sql.SQL(_MISSPELLED).format(table=table_identifier(table))
    async with database.connection() as connection:
        rows = await (await connection.execute(statement, {"limit": limit})).fetchall()
    return [(str(listed_as), str(key)) for listed_as, key in rows]


async def import_file(
    database: Database, path: Path, *, source: str, rejects_dir: Path, progress: Callable[[int], None] | None = None
) -> Imported:
    """Put every member of a CSV file on the list: all good lines in one transaction, every bad line reported.

    The file is UTF-8 with a header; `user_id` is needed, a column `source` may say per line where an entry comes from,
    else it is `source`. `progress` hears the bytes read. Raises InputInvalid for a file that can't be read, and
    DatabaseUnavailable; then nothing is written.
    """
    shown: list[Reject] = []
    read = added = good = 0
    with Rejects(path, rejects_dir) as rejects:
        async with database.connection() as connection:
            async for lines, bad in _batches(path, source, progress):
                rejects.add(bad, rows=len(bad))
                shown += bad[: 20 - len(shown)]
                read, good = read + len(lines) + len(bad), good + len(lines)
                added += await _put(connection, lines)
        return Imported(read, added, good - added, rejects.rows, tuple(shown), rejects.publish())


async def _put(connection: AsyncConnection, entries: Iterable[tuple[str, str]]) -> int:
    unique = dict(entries)
    values = {"ids": list(unique), "sources": list(unique.values()), "links": list(LINK_SOURCES)}
    cursor = await connection.execute(_ADD, values)
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def _batches(
    path: Path, source: str, progress: Callable[[int], None] | None
) -> AsyncIterator[tuple[list[tuple[str, str]], list[Reject]]]:
    good: list[tuple[str, str]] = []
    bad: list[Reject] = []
    for entry in _entries(path, source, progress):
        if isinstance(entry, Reject):
            bad.append(entry)
        else:
            good.append(entry)
        if len(good) + len(bad) >= BATCH:
            yield good, bad
            good, bad = [], []
    yield good, bad


def _entries(path: Path, source: str, progress: Callable[[int], None] | None) -> Iterator[tuple[str, str] | Reject]:
    """Yield (user_id, source) of each good line and a reject for each bad one."""
    try:
        with path.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)  # an open quote would swallow the rest of the list
            names = [name.strip().casefold() for name in rows.fieldnames or ()]
            rows.fieldnames = names
            if "user_id" not in names:
                raise InputInvalid(f"{path.name}: line 1: no column user_id; name it in the header")
            for row in rows:
                yield _entry(row, rows.line_num, source)
                if progress is not None and rows.line_num % 1_000 == 0:
                    progress(raw.tell())
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error
    except csv.Error as error:
        raise InputInvalid(
            f"{path.name}: line {rows.line_num + 1}: {error}; quote the cell, or end its quotes"
        ) from error
    except OSError as error:
        raise InputInvalid(f"{path} can't be read: {error.strerror}; name a .csv file") from error


def _entry(row: Mapping[str | None, object], line: int, source: str) -> tuple[str, str] | Reject:
    """Return (user_id, source) of a row, or why it can't be taken."""
    user_id, given = (str(row.get(name) or "").strip() for name in COLUMNS)
    if row.get(None) is not None:
        return Reject(line, ROW, user_id, "has more cells than the header")
    for column, value in (("user_id", user_id), ("source", given or source)):
        if not _TEXT.fullmatch(value):
            return Reject(line, column, value, _WANTED if value else "is empty")
    return user_id, given or source


_LIST: Final = """
select user_id, source, created_at from suppression where %(user_id)s::text is null or user_id = %(user_id)s
order by created_at desc, user_id limit %(limit)s
"""

_MISSPELLED: Final = """
select s.user_id, m.user_id from suppression s
join {table} m on lower(regexp_replace(m.user_id, '\\s+', '', 'g')) = lower(regexp_replace(s.user_id, '\\s+', '', 'g'))
where m.user_id <> s.user_id and not exists (select from suppression own where own.user_id = m.user_id)
order by 1, 2 limit %(limit)s
"""

_ADD: Final = """
with put as (
    insert into suppression as held (user_id, source)
    select * from unnest(%(ids)s::text[], %(sources)s::text[])
    on conflict (user_id) do update set source = excluded.source where held.source = any(%(links)s)
    returning user_id, source, xmax = 0 as added
), noted as (
    insert into contact_event (user_id, event, source) select user_id, 'stopped', source from put
)
select count(*) filter (where added) from put
"""

_REMOVE: Final = """
with removed as (delete from suppression where user_id = any(%s) returning user_id)
insert into contact_event (user_id, event, source) select user_id, 'resumed', %s from removed
"""
