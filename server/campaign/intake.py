"""Taking a file in: one transaction from the file to the campaign's items, so that Ctrl-C leaves nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from server.campaign.reading import File, Reading
from server.campaign.rows import COLUMNS, batches
from server.campaign.spec import Spec
from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.campaigns import Campaign, find

REASONS_SHOWN: Final = 3
"""Rejected rows that are told with their reason; `campaign_reject` has all of them."""

WORTHLESS: Final = (
    "budget_usd is {budget}: nothing can be offered; give more than 0 US dollars, what it may cost in all, such as 5000"
)

Progress = Callable[[int, float], None]
"""Hears how many rows are read, and which share of the file they are, 0 to 1."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A campaign and its input. `new` is False when the same file had made the same campaign before."""

    campaign: Campaign
    items: int
    rejected: int
    new: bool
    reasons: tuple[str, ...] = ()
    """Why the first rejected rows were, in the order of the file."""


async def take_in(
    database: Database, spec: Spec, path: Path, *, progress: Progress = lambda rows, share: None
) -> TakenIn:
    """Make a campaign of a file of predictions: each row becomes an item, or a reject with its reason.

    Of rows that are the same prediction the first one counts, and the others are rejects. It is one transaction: until
    it is done there is nothing of the campaign. Of two that take in the same name at once, one wins. Repeated with the
    same file and spec it changes nothing.

    Raises InputInvalid for a budget of 0, a file that can't be read, holds no prediction or was changed while it was
    read, and for a name that stands for another file or spec; DatabaseUnavailable.
    """
    file = await asyncio.to_thread(File.of, path)
    async with database.connection() as connection:
        if (before := await _as_before(connection, spec, file)) is not None:
            return before
    if spec.budget_usd == 0:
        raise InputInvalid(WORTHLESS.format(budget=spec.budget_usd))
    try:
        async with database.connection() as connection:
            return await _fill(connection, spec, file, progress)
    except _OvertakenError:  # another process made a campaign of that name while the file was read
        async with database.connection() as connection:
            before = await _as_before(connection, spec, file)
        assert before is not None  # campaigns are never deleted
        return before


class _OvertakenError(Exception):
    """Somebody else made a campaign of the name meanwhile."""


async def _fill(connection: AsyncConnection, spec: Spec, file: File, progress: Progress) -> TakenIn:
    """Make the campaign in the caller's transaction. Raises _OvertakenError when there is one of its name by then.

    What takes long comes first. A partition is attached under a lock on table `campaign`, which it refers to: two that
    had a row of it when they ask for that lock would wait for each other, so the lock comes before the row.
    """
    for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"set local {limit} = 0".encode())
    row = await (await connection.execute(_NEXT)).fetchone()
    assert row is not None  # a select without FROM
    campaign_id, today = int(row[0]), row[1]
    rows = await _stage(connection, Reading(file), today, progress)
    values = {
        "id": campaign_id, "rows": rows, "budget": spec.budget_usd, "name": spec.name,
        "spec": Jsonb(spec.model_dump(mode="json")), "file": file.path.name, "sha": file.sha256,
    }  # fmt: skip
    items = sql.SQL(_ITEMS).format(table=sql.Identifier(f"offer_item_c{campaign_id}"))
    for statement in (_ANALYZE, _REPEATED, _OPEN, items, _INDEX, _LOCK):
        await connection.execute(statement, values)
    if (await connection.execute(_CAMPAIGN, values)).rowcount == 0:
        raise _OvertakenError
    for statement in (_REJECTS, _BUDGET, _BUDGET_USE):
        await connection.execute(statement, values)
    taken = await _taken(connection, spec.name, new=True)
    if taken.items == 0:
        raise InputInvalid(_nothing(file.path, taken))
    await connection.execute(_ATTACH, values)
    return taken


def _nothing(path: Path, taken: TakenIn) -> str:
    if taken.rejected == 0:
        return f"{path.name}: there is no row in it; give a file with a prediction in each row"
    first = "; ".join(taken.reasons)
    return (
        f"{path.name}: none of its {taken.rejected:,} rows is a prediction; {first}. Correct the file, then try again"
    )


async def _as_before(connection: AsyncConnection, spec: Spec, file: File) -> TakenIn | None:
    """Return the same campaign if it was made before, None when there is none of that name; refuse another one."""
    found = await find(connection, spec.name)
    if found is None:
        return None
    if found.state == "open":
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
    return await _taken(connection, spec.name, new=False)


def _told(value: Any) -> str:
    return "nothing" if value in (None, {}, "") else str(value)


async def _stage(connection: AsyncConnection, reading: Reading, today: date, progress: Progress) -> int:
    """Copy the file's rows, checked, into a temporary table; return how many there are."""
    await connection.execute(_STAGE)
    found = batches(reading, today)
    rows = 0
    async with connection.cursor() as cursor, cursor.copy(_COPY.encode()) as copy:
        while (batch := await asyncio.to_thread(next, found, None)) is not None:
            await copy.write(batch.lines)
            rows += batch.rows
            progress(rows, reading.share)
    return rows


async def _taken(connection: AsyncConnection, name: str, *, new: bool) -> TakenIn:
    campaign = await find(connection, name)
    assert campaign is not None  # it was found, or made, in this transaction
    values = {"id": campaign.campaign_id, "shown": REASONS_SHOWN}
    row = await (await connection.execute(_TAKEN, values)).fetchone()
    assert row is not None  # aggregates without GROUP BY
    return TakenIn(campaign, campaign.input_rows - row[0], row[0], new, tuple(row[1] or ()))


_NEXT: Final = "select nextval(pg_get_serial_sequence('campaign', 'campaign_id')), (now() at time zone 'UTC')::date"

_CAMPAIGN: Final = """
insert into campaign (campaign_id, name, state, spec, input_name, input_sha, input_rows, sent_at)
values (%(id)s, %(name)s, 'created', %(spec)s, %(file)s, %(sha)s, %(rows)s, date_trunc('second', now()))
on conflict (name) do nothing
"""

_STAGE: Final = """
create temporary table intake (
    row_no bigint, user_id text, raw text, reason text, prediction_key text, domain text, confidence float8,
    offer_flag smallint, pred_version text, prediction_timestamp text, idempotency_key text, use_llm boolean,
    first_row bigint
) on commit drop
"""

_COPY: Final = f"copy intake ({', '.join(COLUMNS)}) from stdin"

_OPEN: Final = "select open_partition(%(id)s)"
_INDEX: Final = "select index_partition(%(id)s)"
_LOCK: Final = "lock table campaign in share row exclusive mode"
_ATTACH: Final = "select attach_partition(%(id)s)"

_ANALYZE: Final = "analyze intake (row_no, prediction_key, reason)"

_REPEATED: Final = """
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
select %(id)s, row_no, user_id, coalesce(reason, 'the same prediction as row ' || first_row || ', which counts'), raw
from intake where reason is not null or first_row is not null
"""

_BUDGET: Final = """
insert into budget (campaign_id, scope, name, limit_usd) values (%(id)s, 'campaign', '', %(budget)s)
"""

_BUDGET_USE: Final = """
insert into budget_use (campaign_id, scope, name, used_usd, most_usd) values (%(id)s, 'campaign', '', 0, %(budget)s)
"""

_TAKEN: Final = """
select (select count(*) from campaign_reject where campaign_id = %(id)s), (
    select array_agg('row ' || to_char(row_no, 'FM999,999,999,999') || ': ' || reason order by row_no) from (
        select row_no, reason from campaign_reject where campaign_id = %(id)s order by row_no limit %(shown)s
    ) as first
)
"""
