"""Issued offers after the day they were issued: which still run, which were sent, and which may leave no more."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from tools.database import Database
from tools.ledger.member_record import expanded
from tools.ledger.opt_outs import opted_out

BATCH: Final = 200
"""Offers in memory at a time."""


@dataclass(frozen=True, slots=True)
class LiveOffer:
    """One issued offer that has not ended, with what of its decision the gate may judge again."""

    run_id: str
    user_id: str
    campaign: str
    domain: str
    option_id: str
    issued_at: datetime
    sent_at: datetime | None
    held_at: datetime | None
    record: dict[str, Any]


async def count_live(connection: AsyncConnection, today: date) -> int:
    """Return how many issued offers end today or later."""
    row = await (await connection.execute(_COUNT, (today,))).fetchone()
    return 0 if row is None else int(row[0])


async def live_offers(connection: AsyncConnection, today: date) -> AsyncIterator[list[LiveOffer]]:
    """Yield the issued offers that end today or later, in batches, from one snapshot and in bounded memory.

    Needs a transaction, which other statements on the connection may share. It may pause for as long as it likes.
    """
    await connection.execute("set local idle_in_transaction_session_timeout = 0")
    async with connection.cursor("live_offers", row_factory=class_row(LiveOffer)) as cursor:
        await cursor.execute(_LIVE, (list(_JUDGED), today))
        while batch := await cursor.fetchmany(BATCH):
            yield [replace(offer, record=_judged(offer.record)) for offer in batch]


async def may_leave(database: Database, run_id: str) -> bool:
    """Tell whether an issued offer's files may be handed over: its member wants it. Raises DatabaseUnavailable."""
    async with database.statement() as connection:
        row = await (await connection.execute(_WANTED, (run_id,))).fetchone()
    return row is not None


async def hold(connection: AsyncConnection, reasons: Mapping[str, str]) -> dict[str, datetime | None]:
    """Hold the offers of these runs and return, by run, None for one that is held now and else when it was sent.

    One that was sent in the meantime is beyond holding; one that is held already keeps its first reason.
    """
    if not reasons:
        return {}
    await connection.execute(_HOLD, (list(reasons), list(reasons.values())))
    cursor = await connection.execute("select run_id, sent_at from offer where run_id = any(%s)", (list(reasons),))
    return {str(run_id): sent_at for run_id, sent_at in await cursor.fetchall()}


async def release(connection: AsyncConnection, run_ids: Iterable[str]) -> int:
    """Let held offers go out again; return how many were held."""
    cursor = await connection.execute(_RELEASE, (list(run_ids),))
    return cursor.rowcount


async def hold_reason(database: Database, run_id: str) -> str | None:
    """Return why the offer of a run is held, None when it is not. Raises DatabaseUnavailable."""
    async with database.statement() as connection:
        cursor = await connection.execute("select held_reason from offer where run_id = %s", (run_id,))
        row = await cursor.fetchone()
    return None if row is None or row[0] is None else str(row[0])


async def mark_sent(database: Database, run_ids: Iterable[str], sent_at: datetime) -> frozenset[str]:
    """Note that the mail of these runs went out, and return the runs of which it is true now.

    Neither a held offer nor one whose member opted out since is among them: whoever sends asks this first and sends
    what comes back. Raises DatabaseUnavailable.
    """
    async with database.statement() as connection:
        cursor = await connection.execute(_SENT, (sent_at, list(run_ids)))
        return frozenset(str(run_id) for (run_id,) in await cursor.fetchall())


async def known_texts(connection: AsyncConnection) -> list[tuple[str, str, str]]:
    """Return (policy id, version, text) of every policy version the ledger knows."""
    cursor = await connection.execute("select policy_id, version, content from policy_version")
    return [(str(policy_id), str(version), str(content)) for policy_id, version, content in await cursor.fetchall()]


def _judged(record: dict[str, Any]) -> dict[str, Any]:
    """Return what of a decision the gate may judge again, with all results its reports hold."""
    whole = expanded(record)
    reports = [whole.get(name) or {} for name in ("report", "message_report")]
    kept = {name: value for name in _SHOWN if (value := whole.get(name)) is not None}
    results = [result for report in reports for result in report.get("results") or []]
    return {**kept, "deliveries": whole.get("deliveries") or [], "results": results}


_SHOWN: Final = ("run", "view", "menu", "draft", "terms", "terms_text", "versions")
_JUDGED: Final = (
    *_SHOWN, "deliveries", "report", "message_report", "history", "ids", "prediction", "output", "output_patch",
    "results", "message_results",
)  # fmt: skip
"""What of a record is read: what is shown, and what it is put together from."""

_WANTED: Final = f"select from offer o where run_id = %s and not {opted_out('o')}"

_COUNT: Final = "select count(*) from offer where end_date >= %s"

_LIVE: Final = """
select o.run_id, o.user_id, c.name as campaign, o.domain, o.option_id, o.issued_at, o.sent_at, o.held_at,
       (select jsonb_object_agg(kept.key, kept.value) from jsonb_each(whole_record(d)) as kept
        where kept.key = any(%s)) as record
from offer o join campaign c using (campaign_id) join decision d using (run_id)
where o.end_date >= %s
order by o.issued_at, o.run_id
"""

_HOLD: Final = """
update offer o set held_at = now(), held_reason = wanted.reason
from unnest(%s::text[], %s::text[]) as wanted (run_id, reason)
where o.run_id = wanted.run_id and o.sent_at is null and o.held_at is null
"""

_RELEASE: Final = "update offer set held_at = null, held_reason = null where run_id = any(%s) and held_at is not null"

_SENT: Final = f"""
update offer o set sent_at = coalesce(sent_at, %s)
where run_id = any(%s) and held_at is null and (sent_at is not null or not {opted_out("o")})
returning run_id
"""
