"""Who of a campaign gets an offer, and in which wave: screening of whole members at once, several predictions each.

A member's predictions are taken by confidence, then domain. The first that nothing stands against is in wave 1; what
comes after it is screened as if that one were being made already, and so on. Nobody waits for a wave that can't come:
the loop runs once a wave, however many members and predictions there are.
"""

from typing import Final

import polars as pl

from tools.population import REASONS, Ground, screened

_ORDER: Final = ("user_id", "confidence", "domain", "prediction_key")


def in_waves(predictions: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Return the predictions with `wave` (null for who is held back), `reason`, and `detail` as a text[] literal.

    `predictions` is what `tools.population.screened` takes, counts of the ledger included, with `prediction_key` and
    `user_id`; all predictions of a member must be in it.
    """
    left = predictions.sort(_ORDER, descending=[False, True, False, False]).with_row_index("place")
    settled, wave = [], 0
    while wave == 0 or not left.is_empty():
        wave += 1
        rows = _with_first(screened(left, ground))
        is_first = (pl.col("place") == pl.col("first")).fill_null(False)
        now = rows.filter(pl.col("first").is_null() | (pl.col("place") <= pl.col("first")))
        settled.append(now.with_columns(wave=pl.when(is_first).then(pl.lit(wave, pl.Int16)), detail=_detail()))
        later = rows.filter(pl.col("place") > pl.col("first"))
        left = later.with_columns(
            pending=pl.col("pending") + 1,
            pending_in_domain=pl.col("pending_in_domain") + (pl.col("domain") == pl.col("first_domain")).cast(pl.Int64),
        ).select(left.columns)
    return pl.concat(settled).drop("place", "first", "first_domain", *REASONS)


def _with_first(rows: pl.DataFrame) -> pl.DataFrame:
    """Say of each row which of its member's is the first that nothing stands against, and in what domain it is."""
    passing = rows.filter(pl.col("reason").is_null()).unique("user_id", keep="first", maintain_order=True)
    first = passing.select("user_id", first="place", first_domain="domain")
    return rows.join(first, on="user_id", how="left", maintain_order="left")


def _detail() -> pl.Expr:
    """Return every reason that holds, as `reason: words`, in the order of the contract."""
    parts = [
        pl.when(pl.col(reason).is_not_null()).then(
            pl.concat_str(
                pl.lit(f'"{reason}: '),
                pl.col(reason).str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True),
                pl.lit('"'),
            )
        )
        for reason in REASONS
    ]
    listed = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return pl.when(listed != "").then(pl.format("{{{}}}", listed))
