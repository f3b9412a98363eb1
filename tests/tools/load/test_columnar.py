from datetime import datetime
from decimal import Decimal

import polars as pl
import pytest

from tools.errors import InputInvalid
from tools.sample import sample_members


@pytest.fixture
def parquet(load, tmp_path):
    async def parquet(frame: pl.DataFrame):
        frame.write_parquet(tmp_path / "written")
        return await load((tmp_path / "written").read_bytes(), "members.parquet")

    return parquet


async def test_the_types_that_dataframes_give_columns_are_read(parquet, held) -> None:
    frame = sample_members(6).slice(5)
    other = frame.with_columns(
        pl.lit(41.0).alias("age"),
        pl.lit(Decimal("18000.50")).alias("credit_limit"),
        pl.lit(datetime(2026, 1, 31)).alias("last_offer_date"),
        pl.col("card_type").cast(pl.Categorical),
        pl.lit(1).alias("opt_in_marketing"),
    )
    report = await parquet(other)
    assert report.inserted == 1
    row = held()["USER_000005"]
    assert (row["age"], row["credit_limit"], row["card_type"], row["opt_in_marketing"]) == (
        41,
        Decimal("18000.50"),
        "Gold",
        True,
    )
    assert row["last_offer_date"].isoformat() == "2026-01-31"


async def test_the_line_of_a_parquet_row_is_its_number(parquet, held, rejects) -> None:
    frame = sample_members(40)
    bad = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 29).then(float("nan")).otherwise("credit_limit").alias("credit_limit")
    )
    report = await parquet(bad)
    assert report.inserted == 39
    assert rejects(report) == [(30, "credit_limit", "NaN", "not a finite number")]


async def test_missing_and_unknown_columns_are_named(parquet) -> None:
    with pytest.raises(InputInvalid, match=r"missing: 'persona'; unknown: 'mood'"):
        await parquet(sample_members(3).rename({"persona": "mood"}))


async def test_a_column_of_lists_is_refused(parquet) -> None:
    with pytest.raises(InputInvalid, match=r"every column must hold single values, but persona is List\(String\)"):
        await parquet(sample_members(3).with_columns(pl.concat_list("persona")))


async def test_another_file_called_parquet_is_refused(load) -> None:
    with pytest.raises(InputInvalid, match=r"members\.parquet: not a readable Parquet file"):
        await load(b"user_id,name\n", "members.parquet")
