"""A campaign of synthetic members, as taking a file in leaves it, without the file."""

import json
from datetime import date

import polars as pl
from psycopg import AsyncConnection

from server.campaign.spec import Spec
from tools.database import Database
from tools.ledger.campaigns import Campaign, Campaigns
from tools.sample import sample_members, sample_predictions

NAME = "spring_travel"


def spec_of(**changes: object) -> Spec:
    """Return the terms of the campaign, changed by field."""
    plain: dict[str, object] = {"name": NAME, "budget_usd": "100000.00", "send_date": "2026-12-01", "holdout": 10.0}
    return Spec.model_validate(plain | changes)


async def sample_campaign(
    database: Database, spec: Spec, *, members: int, predictions: int, unknown: int = 0, seed: int = 7
) -> Campaign:
    """Write members, and a campaign of predictions for them; `unknown` more are for members nobody has heard of."""
    frame = sample_members(members, seed=seed)
    async with database.connection() as connection:
        await connection.execute("truncate cardmember")
        await _copied(connection, "cardmember", frame)
        rows = sample_predictions(frame, n=predictions, seed=seed)
        strangers = rows.head(unknown).with_columns(user_id=pl.lit("NOBODY_") + pl.col("user_id"))
        await create(connection, spec, pl.concat([rows, strangers]))
    return await Campaigns(database).named(spec.name)


async def create(connection: AsyncConnection, spec: Spec, predictions: pl.DataFrame) -> int:
    """Write a campaign of predictions (`tools.sample.sample_predictions`), and return its id."""
    cursor = await connection.execute(
        "insert into campaign (name, state, spec, input_name, input_sha, input_rows, sent_at)"
        " values (%s, 'created', %s, 'scores.csv', 'f00d', %s, now()) returning campaign_id",
        (spec.name, json.dumps(spec.model_dump(mode="json")), len(predictions)),
    )
    row = await cursor.fetchone()
    assert row is not None
    number = int(row[0])
    await connection.execute("select open_partition(%s::bigint), attach_partition(%s::bigint)", (number, number))
    items = predictions.with_row_index("row_no").select(
        pl.lit(number).alias("campaign_id"),
        pl.format("{}-{}", pl.col("user_id"), "row_no").alias("prediction_key"),
        "user_id",
        "domain",
        "row_no",
        pl.col("confidence_score").alias("confidence"),
        "offer_flag",
        "pred_version",
        "prediction_timestamp",
        (pl.col("row_no") % 10 != 0).alias("use_llm"),
    )
    await _copied(connection, "offer_item", items)
    values = {"id": number, "usd": spec.budget_usd}
    await connection.execute("insert into budget values (%(id)s, 'campaign', '', %(usd)s)", values)
    await connection.execute("insert into budget_use values (%(id)s, 'campaign', '', 0, %(usd)s)", values)
    return number


async def _copied(connection: AsyncConnection, table: str, frame: pl.DataFrame) -> None:
    copying = f"copy {table} ({', '.join(frame.columns)}) from stdin (format csv)"
    async with connection.cursor() as cursor, cursor.copy(copying.encode()) as copy:
        await copy.write(frame.write_csv(include_header=False))


SENT = date(2026, 12, 1)
