"""Cardmembers by columns: what `tools.cardmembers.fetch_members` reads, as a frame of the columns asked for."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
import psycopg
from psycopg import AsyncConnection, sql

from tools.cardmembers import reading, spelt, table_identifier
from tools.columns import BY_NAME, COLUMNS, Column, polars_schema
from tools.errors import SettingInvalid
from tools.frames import frame_from

_WANTED: Final = "wanted"


async def member_frame(
    connection: AsyncConnection, user_ids: Sequence[str], names: Sequence[str], *, table: str
) -> pl.DataFrame:
    """Return the columns `names` of the members that `table` holds, `user_id` first; unknown ids are absent.

    Of rows that share a user_id the last is taken. Call it inside a transaction. Raises SettingInvalid as
    `fetch_members` does.
    """
    columns = [BY_NAME[name] for name in ("user_id", *names)]
    query = sql.SQL("select {readings} from {table} where user_id = any(%({wanted})s)").format(
        readings=sql.SQL(", ".join(reading(column) for column in columns)),
        table=table_identifier(table),
        wanted=sql.SQL(_WANTED),
    )
    try:
        frame = await frame_from(
            connection, query, {_WANTED: list(user_ids)}, polars_schema(column.name for column in columns)
        )
    except psycopg.ProgrammingError as error:
        first = str(error).partition("\n")[0]
        raise SettingInvalid(
            f"cardmember table {table!r}: {first}; it needs the export's {len(COLUMNS)} columns"
        ) from error
    except (psycopg.DataError, pl.exceptions.PolarsError) as error:  # its text quotes the value, which is a profile's
        raise SettingInvalid(
            f"cardmember table {table!r} holds a value that its column can't mean ({type(error).__name__})"
        ) from None
    spellings = [_spelling(column) for column in columns if column.choices]
    return frame.with_columns(spellings).unique("user_id", keep="last", maintain_order=True)


def _spelling(column: Column) -> pl.Expr:
    spelling = {choice.casefold(): choice for choice in column.choices}
    return pl.col(column.name).map_batches(lambda values: _respelt(values, spelling), return_dtype=pl.String)


def _respelt(values: pl.Series, spelling: Mapping[str, str]) -> pl.Series:
    """Spell each distinct value once."""
    distinct = values.drop_nulls().unique()
    return values.replace_strict(
        distinct, [spelt(value, spelling) for value in distinct], default=None, return_dtype=pl.String
    )
