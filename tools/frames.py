"""Frames out of PostgreSQL and into it, by COPY: a million rows take seconds and no row is a Python object."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import polars as pl
from psycopg import AsyncConnection, sql

_AS_TEXT: Final = (pl.Boolean, pl.Date)
"""Types that PostgreSQL writes otherwise than Polars reads them."""


async def frame_from(
    connection: AsyncConnection, query: sql.Composable, values: Mapping[str, Any], schema: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """Return a query's rows, its columns called and typed as in `schema`, in order. Call it inside a transaction.

    Raises `polars.exceptions.PolarsError` for a value that the column's type can't hold.
    """
    await connection.execute("set local datestyle = 'ISO'")
    await connection.execute("set local extra_float_digits = 1")
    copying = sql.SQL("copy ({query}) to stdout (format csv)").format(query=query)
    text = bytearray()
    async with connection.cursor() as cursor, cursor.copy(copying, values) as copy:
        async for block in copy:
            text += block
    read = {name: pl.String() if dtype in _AS_TEXT else dtype for name, dtype in schema.items()}
    frame = pl.read_csv(BytesIO(text), has_header=False, schema=read, raise_if_empty=False)
    return frame.with_columns(_typed(name, dtype) for name, dtype in schema.items() if dtype in _AS_TEXT)


async def frame_into(connection: AsyncConnection, table: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table whose columns are the frame's, in its order; null stays null, '' becomes null."""
    if frame.is_empty():
        return
    copying = sql.SQL("copy {table} from stdin (format csv)").format(table=sql.Identifier(table))
    async with connection.cursor() as cursor, cursor.copy(copying) as copy:
        await copy.write(frame.write_csv(include_header=False))


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.Date:
        return column.str.to_date("%Y-%m-%d")
    return column.is_in(("t", "true")).alias(name)
