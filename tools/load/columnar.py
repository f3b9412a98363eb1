"""Read a Parquet file."""

from pathlib import Path

import polars as pl

from tools.columns import EMAIL
from tools.errors import InputInvalid
from tools.load.source import ALL_NAMES, Batches, Findings, RawBatch, Source, check_header


def open_parquet(path: Path, *, batch_rows: int) -> Source:
    """Open a Parquet file and check its columns; raises InputInvalid for another file or a column without values."""
    scan = pl.scan_parquet(path)
    try:
        schema = scan.collect_schema()
        total = scan.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, error) from error
    check_header(path, schema.names())
    nested = {name: dtype for name, dtype in schema.items() if dtype.is_nested() or dtype in (pl.Binary, pl.Object)}
    if nested:
        named = ", ".join(f"{name} is {dtype}" for name, dtype in nested.items())
        raise InputInvalid(f"{path.name}: every column must hold single values, but {named}")
    cells = [_as_text(name, schema.get(name)).alias(name) for name in ALL_NAMES]
    texts = scan.with_row_index("line", offset=1).select(pl.col("line").cast(pl.Int64), *cells)
    return Source(total, _batches(path, texts, batch_rows), Findings(has_email=EMAIL.name in schema))


def _as_text(name: str, dtype: pl.DataType | None) -> pl.Expr:
    if dtype is None:
        return pl.lit(None, dtype=pl.String)
    if dtype == pl.Datetime:
        return pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S")
    return pl.col(name).cast(pl.String)


def _batches(path: Path, texts: pl.LazyFrame, batch_rows: int) -> Batches:
    done = 0
    try:
        for frame in texts.collect_batches(chunk_size=batch_rows, maintain_order=True):
            done += len(frame)
            yield RawBatch(frame, (), 0, done)
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: pl.exceptions.PolarsError) -> InputInvalid:
    return InputInvalid(f"{path.name}: not a readable Parquet file: {str(error).splitlines()[0]}")
