"""Taking a file in: one transaction from the file to the campaign's items, so that Ctrl-C leaves nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from server.campaign.reading import COLUMNS, Batch, File, batches
from server.campaign.spec import Spec
from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.campaigns import Campaign, find


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A campaign and its input. `new` is False when the same file had made the same campaign before."""

    campaign: Campaign
    items: int
    rejected: int
    new: bool
    first_reason: str | None = None


async def take_in(
    database: Database, spec: Spec, path: Path, *, progress: Callable[[int], None] = lambda rows: None
) -> TakenIn:
    """Make a campaign of a file of predictions: each row becomes an item, or a reject with its reason.

    Of two rows that are the same prediction the first one counts. `progress` hears how many rows are read. Repeated
    with the same file and spec it changes nothing. Raises InputInvalid for a file that can't be read or has no row, and
    for a name that stands for another file or spec, DatabaseUnavailable.
    """
    file = await asyncio.to_thread(File.of, path)
    async with database.connection() as connection:
        await connection.execute("set local statement_timeout = 0")
        await connection.execute("set local lock_timeout = 0")  # another process may be taking in the same name
        await connection.execute("set local idle_in_transaction_session_timeout = 0")
        campaign_id = await _claim_name(connection, spec, file)
        if campaign_id is None:
            return await _as_before(connection, spec, file)
        rows, first = await _stage(connection, file, progress)
        if rows == 0:
            raise InputInvalid(f"{path.name}: there is no prediction in it")
        values = {"id": campaign_id, "rows": rows}
        await connection.execute("select open_partition(%(id)s)", values)
        await connection.execute(_SPREAD)
        items = sql.SQL(_ITEMS).format(table=sql.Identifier(f"offer_item_c{campaign_id}"))
        for statement in (items, _REJECTS, _ROWS, _BUDGET, _BUDGET_USE):
            await connection.execute(statement, values | {"budget": spec.budget_usd})
        await connection.execute("select attach_partition(%(id)s)", values)
        await asyncio.to_thread(file.check_unchanged)
        return await _taken(connection, spec.name, new=True, first=first)


async def _claim_name(connection: AsyncConnection, spec: Spec, file: File) -> int | None:
    cursor = await connection.execute(
        "insert into campaign (name, state, spec, input_name, input_sha, sent_at)"
        " values (%s, 'created', %s, %s, %s, date_trunc('second', now())) on conflict (name) do nothing"
        " returning campaign_id",
        (spec.name, Jsonb(spec.model_dump(mode="json")), file.path.name, file.sha256),
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def _as_before(connection: AsyncConnection, spec: Spec, file: File) -> TakenIn:
    found = await find(connection, spec.name)
    if found is None or found.state == "open":
        raise InputInvalid(f"name is {spec.name!r}: single requests belong to it; choose another one")
    now = spec.model_dump(mode="json")
    differs = [
        f"{name} {_told(found.spec.get(name))} then, {_told(now[name])} now" for name in spec.differs(found.spec)
    ]
    if found.input_sha != file.sha256:
        then = f"{found.input_name} (sha256 {found.input_sha[:12]})"
        differs.insert(0, f"the file {then} then, {file.path.name} ({file.sha256[:12]}) now")
    if differs:
        raise InputInvalid(
            f"name is {spec.name!r}: there is a campaign of that name, and not this one: {'; '.join(differs)}."
            " Choose another name, or leave that one as it is"
        )
    return await _taken(connection, spec.name, new=False, first=None)


def _told(value: Any) -> str:
    return "nothing" if value in (None, {}, "") else str(value)


async def _stage(connection: AsyncConnection, file: File, progress: Callable[[int], None]) -> tuple[int, str | None]:
    """Copy the file's rows as they are into a temporary table; return how many, and the first reject in words."""
    await connection.execute(_STAGE)
    found = batches(file, datetime.now(UTC).date())
    rows, first = 0, None
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        while (batch := await asyncio.to_thread(_next, found)) is not None:
            await copy.write(batch.lines)
            rows, first = batch.done, first or batch.first_reason
            progress(rows)
    return rows, first


def _next(found: Any) -> Batch | None:
    return next(found, None)


async def _taken(connection: AsyncConnection, name: str, *, new: bool, first: str | None) -> TakenIn:
    campaign = await find(connection, name)
    assert campaign is not None  # it was found, or made, in this transaction
    cursor = await connection.execute(
        "select count(*) from campaign_reject where campaign_id = %s", (campaign.campaign_id,)
    )
    (rejected,) = await cursor.fetchone() or (0,)
    return TakenIn(campaign, campaign.input_rows - rejected, rejected, new, first)


_STAGE: Final = """
create temporary table intake (
    row_no bigint, prediction_key text, user_id text, domain text, confidence float8, offer_flag smallint,
    pred_version text, prediction_timestamp text, idempotency_key text, use_llm boolean, reason text, raw text,
    first_row bigint
) on commit drop
"""

_COPY: Final = f"copy intake ({', '.join(COLUMNS)}) from stdin"

_SPREAD: Final = """
update intake i set first_row = twice.first_row
from (select prediction_key, min(row_no) as first_row from intake where reason is null
      group by prediction_key having count(*) > 1) as twice
where i.prediction_key = twice.prediction_key and i.row_no > twice.first_row
"""

_ITEMS: Final = """
insert into {table} (campaign_id, prediction_key, user_id, domain, row_no, confidence, offer_flag, pred_version,
    prediction_timestamp, idempotency_key, use_llm)
select %(id)s, prediction_key, user_id, domain, row_no, confidence, offer_flag, pred_version, prediction_timestamp,
    idempotency_key, use_llm
from intake where reason is null and first_row is null
order by prediction_key
"""

_REJECTS: Final = """
insert into campaign_reject (campaign_id, row_no, user_id, reason, raw)
select %(id)s, row_no, coalesce(user_id, ''),
    coalesce(reason, 'the same prediction as row ' || first_row || ', which counts'), raw
from intake where reason is not null or first_row is not null
"""

_ROWS: Final = "update campaign set input_rows = %(rows)s where campaign_id = %(id)s"

_BUDGET: Final = """
insert into budget (campaign_id, scope, name, limit_usd) values (%(id)s, 'campaign', '', %(budget)s)
"""

_BUDGET_USE: Final = """
insert into budget_use (campaign_id, scope, name, used_usd, most_usd) values (%(id)s, 'campaign', '', 0, %(budget)s)
"""
