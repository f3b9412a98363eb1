"""Turn text cells into typed columns, and say of every cell that can't be one why."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from tools.columns import ALL_COLUMNS, AT_MOST, MAX_TEXT, Column, Kind
from tools.load.rejects import SHOWN, Reject

LOOKS_LIKE_PERCENT: Final = "looks like a percent; expected a fraction such as 0.25 for 25 %"
TRUE_FALSE: Final = {
    "true": True, "t": True, "1": True, "1.0": True, "yes": True, "y": True,
    "false": False, "f": False, "0": False, "0.0": False, "no": False, "n": False,
}  # fmt: skip
DAY: Final = r"^(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|\+00(?::?00)?)?)?$"
"""A date, or the midnight that databases and dataframes make of one."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A batch after its checks: good rows typed as `tools.columns` says, and the bad cells of the others."""

    good: pl.DataFrame
    rejects: list[Reject]
    rows_rejected: int


def check(rows: pl.DataFrame) -> Checked:
    """Check a batch of text cells; '' is null, and what doesn't mean what its column holds is a reject."""
    rows = rows.with_row_index("row")
    clean = rows.with_columns(pl.col(column.name).str.strip_chars().replace("", None) for column in ALL_COLUMNS)
    typed = clean.with_columns(_checks()).with_columns(_comparisons())
    reasons = [_reason(column.name) for column in ALL_COLUMNS]
    bad = pl.any_horizontal(pl.col(reasons).is_not_null())
    wrong = typed.select("row", "line", pl.col(reasons)).filter(bad)
    good = typed.filter(~bad).select("line", *(pl.col(_value(c.name)).alias(c.name) for c in ALL_COLUMNS))
    return Checked(good, _rejects(rows, wrong) if len(wrong) else [], len(wrong))


def _rejects(rows: pl.DataFrame, wrong: pl.DataFrame) -> list[Reject]:
    values = rows.join(wrong.select("row"), on="row", how="semi")
    found = pl.concat(
        wrong.select("row", "line", pl.col(_reason(column.name)).alias("reason"))
        .drop_nulls("reason")
        .join(values.select("row", pl.col(column.name).alias("value")), on="row", how="left")
        .select(
            "line",
            pl.lit(column.name).alias("column"),
            pl.col("value").fill_null("").str.slice(0, SHOWN),
            "reason",
            "row",
            pl.lit(place).alias("place"),
        )
        for place, column in enumerate(ALL_COLUMNS)
    )
    return [Reject(*entry[:4]) for entry in found.sort("row", "place").iter_rows()]


def _value(name: str) -> str:
    return f"{name}="


def _reason(name: str) -> str:
    return f"{name}?"


@cache
def _checks() -> list[pl.Expr]:
    expressions: list[pl.Expr] = []
    for column in ALL_COLUMNS:
        value, faults = _meaning(column)
        cell = pl.col(column.name)
        first = pl.coalesce(pl.when(fault).then(pl.lit(text)) for fault, text in faults)
        absent = pl.lit(None if column.nullable else "a value is required", dtype=pl.String)
        reason = pl.when(cell.is_null()).then(absent).otherwise(first)
        expressions += [value.alias(_value(column.name)), reason.alias(_reason(column.name))]
    return expressions


@cache
def _comparisons() -> list[pl.Expr]:
    return [
        pl.when(pl.col(_reason(small)).is_null() & (pl.col(_value(small)) > pl.col(_value(large))))
        .then(pl.lit(f"greater than {large}"))
        .otherwise(pl.col(_reason(small)))
        .alias(_reason(small))
        for small, large in AT_MOST
    ]


def _meaning(column: Column) -> tuple[pl.Expr, list[tuple[pl.Expr, str]]]:
    """Return a column's typed value and its faults, the first of which that applies is the reason."""
    cell = pl.col(column.name)
    match column.kind:
        case Kind.TEXT:
            return _text(column, cell)
        case Kind.INTEGER | Kind.NUMBER:
            return _number(column, cell)
        case Kind.DATE:
            day = cell.str.extract(DAY).str.to_date("%Y-%m-%d", strict=False)
            outside = ~day.dt.year().is_between(1900, 2200)
            return day, [(day.is_null(), "not a date; expected YYYY-MM-DD"), (outside, "a year outside 1900 to 2200")]
        case Kind.BOOLEAN:
            flag = cell.str.to_lowercase().replace_strict(TRUE_FALSE, default=None, return_dtype=pl.Boolean)
            return flag, [(flag.is_null(), "neither true nor false")]


def _text(column: Column, cell: pl.Expr) -> tuple[pl.Expr, list[tuple[pl.Expr, str]]]:
    faults = [
        (cell.str.contains("\x00", literal=True), "holds a NUL byte"),
        (cell.str.len_chars() > MAX_TEXT, f"longer than {MAX_TEXT} characters"),
    ]
    if not column.choices:
        return cell, faults
    spellings = {choice.lower(): choice for choice in column.choices}
    chosen = cell.str.to_lowercase().replace_strict(spellings, default=None, return_dtype=pl.String)
    return chosen, [*faults, (chosen.is_null(), f"expected one of {', '.join(column.choices)}")]


def _number(column: Column, cell: pl.Expr) -> tuple[pl.Expr, list[tuple[pl.Expr, str]]]:
    number = cell.cast(pl.Float64, strict=False)
    whole = column.kind is Kind.INTEGER
    faults: list[tuple[pl.Expr, str]] = []
    if column.fraction:
        faults.append((cell.str.ends_with("%"), LOOKS_LIKE_PERCENT))
    faults += [
        (number.is_null(), "not a whole number" if whole else "not a number"),
        (~number.is_finite(), "not a finite number"),
    ]
    if column.fraction:
        faults.append(((number > column.high) | (number < -1), LOOKS_LIKE_PERCENT))
    if whole:
        faults.append((number != number.floor(), "not a whole number"))
    faults.append((~number.is_between(column.low, column.high), f"outside {column.low:,} to {column.high:,}"))
    return number.cast(column.dtype, strict=False), faults
