"""Move checked rows into the cardmember table: COPY to a temporary table, then one upsert."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from tools.cardmembers import migrate_cardmember, table_identifier
from tools.columns import ALL_COLUMNS, EMAIL, NAMES
from tools.load.rejects import Reject

STAGE: Final = sql.Identifier("pg_temp", "cardmember_stage")
"""Rows of one load in the order of the file, which `place` counts."""

STAGE_DDL: Final[LiteralString] = """
    create temp table cardmember_stage (place bigint generated always as identity, line bigint, {}) on commit drop
"""

SUPERSEDED: Final[LiteralString] = """
    delete from {stage} row
    using (
        select user_id, max(place) as place, (array_agg(line order by place desc))[1] as line
        from {stage} group by user_id having count(*) > 1
    ) last
    where row.user_id = last.user_id and row.place < last.place
    returning row.line, row.user_id, last.line
"""

UPSERT: Final[LiteralString] = """
    insert into {table} as current ({names})
    select {names} from {stage}
    on conflict (user_id) do update set {assignments}
    where ({current}) is distinct from ({excluded})
"""


@dataclass(frozen=True, slots=True)
class Upserted:
    """How the table changed."""

    inserted: int
    updated: int
    unchanged: int


async def begin(conn: psycopg.AsyncConnection[Any], *, table: str) -> None:
    """Create what the load needs. Loads of one table wait for each other; its readers wait for none."""
    await migrate_cardmember(conn, table=table)
    await conn.execute("set local statement_timeout = 0")
    await conn.execute(sql.SQL("lock table {} in share row exclusive mode").format(table_identifier(table)))
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.sql)) for column in ALL_COLUMNS
    )
    await conn.execute(sql.SQL(STAGE_DDL).format(columns))


async def copy_rows(conn: psycopg.AsyncConnection[Any], payload: bytes) -> None:
    """Append CSV rows, each with its line first and all columns after it, to the temporary table."""
    names = _each("{}", ("line", *(column.name for column in ALL_COLUMNS)))
    async with conn.cursor().copy(sql.SQL("copy {} ({}) from stdin (format csv)").format(STAGE, names)) as copy:
        await copy.write(payload)


async def drop_superseded(conn: psycopg.AsyncConnection[Any]) -> list[Reject]:
    """Keep the last row of each user_id, and return an entry for every row that gave way."""
    await conn.execute(sql.SQL("analyze {}").format(STAGE))
    cursor = await conn.execute(sql.SQL(SUPERSEDED).format(stage=STAGE))
    return sorted(
        Reject(line, "user_id", user_id, f"repeated on line {last}; the last row was loaded")
        for line, user_id, last in await cursor.fetchall()
    )


async def upsert(conn: psycopg.AsyncConnection[Any], *, table: str, with_email: bool) -> Upserted:
    """Insert new members and update those that changed; without an email column the emails held stay."""
    names: Sequence[str] = (*NAMES, EMAIL.name) if with_email else NAMES
    target = table_identifier(table)
    counted = await conn.execute(
        sql.SQL("select count(*), count(held.user_id) from {} row left join {} held using (user_id)").format(
            STAGE, target
        )
    )
    staged, known = await counted.fetchone() or (0, 0)
    written = await conn.execute(
        sql.SQL(UPSERT).format(
            table=target,
            stage=STAGE,
            names=_each("{}", names),
            assignments=_each("{0} = excluded.{0}", names[1:]),
            current=_each("current.{}", names),
            excluded=_each("excluded.{}", names),
        )
    )
    inserted = staged - known
    updated = written.rowcount - inserted
    return Upserted(inserted, updated, known - updated)


def _each(form: LiteralString, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL(form).format(sql.Identifier(name)) for name in names)
