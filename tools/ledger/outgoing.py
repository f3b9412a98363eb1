"""A campaign's offers that may leave, and everybody who gets none, in batches and one order."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from tools.ledger.opt_outs import opted_out

BATCH: Final = 1_000
"""Offers in memory at a time."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One issued offer with what renders it. `own` holds a draft and terms only where they are not the cohort's."""

    run_id: str
    user_id: str
    domain: str
    html_sha256: str
    first_name: str | None
    email: str | None
    cohort_id: int
    own: dict[str, Any]
    withheld: str | None


@dataclass(frozen=True, slots=True)
class Without:
    """One prediction that brings no offer. `outcome` is its recommendation, `reasons` what stood against it."""

    user_id: str
    domain: str
    outcome: str
    reasons: str


async def outgoing(connection: AsyncConnection, campaign_id: int) -> AsyncIterator[list[Outgoing]]:
    """Yield the campaign's offers by cohort; `withheld` says why one may not leave: held, or its member opted out.

    Needs a transaction, and may pause for as long as it likes.
    """
    await _patience(connection)
    async with connection.cursor("outgoing", row_factory=class_row(Outgoing)) as cursor:
        await cursor.execute(_OUTGOING.encode(), {"id": campaign_id})
        while batch := await cursor.fetchmany(BATCH):
            yield batch


async def without(connection: AsyncConnection, campaign_id: int) -> AsyncIterator[list[Without]]:
    """Yield the predictions that bring no offer, in the order of the file."""
    await _patience(connection)
    async with connection.cursor("without", row_factory=class_row(Without)) as cursor:
        await cursor.execute(_WITHOUT, {"id": campaign_id})
        while batch := await cursor.fetchmany(20 * BATCH):
            yield batch


async def cohort_record(connection: AsyncConnection, campaign_id: int, cohort_id: int) -> dict[str, Any]:
    """Return a cohort's record."""
    cursor = await connection.execute(
        "select whole_cohort(record) from campaign_cohort where campaign_id = %s and cohort_id = %s",
        (campaign_id, cohort_id),
    )
    row = await cursor.fetchone()
    assert row is not None  # an offer of the cohort refers to it
    return dict(row[0])


async def _patience(connection: AsyncConnection) -> None:
    await connection.execute("set local idle_in_transaction_session_timeout = 0")
    await connection.execute("set local statement_timeout = 0")


_OUTGOING: Final = f"""
select o.run_id, o.user_id, o.domain, o.html_sha256, n.first_name, n.email, d.cohort_id,
    case when p.record ? 'draft' then jsonb_build_object(
        'draft', p.record -> 'draft', 'terms', p.record -> 'terms', 'terms_text', p.record -> 'terms_text'
    ) else '{{}}' end as own,
    case when o.held_at is not null then 'held: ' || o.held_reason
        when {opted_out("o")} then 'the member opted out since' end as withheld
from offer o join decision d using (run_id) left join decision_person n using (run_id)
left join campaign_part p on p.campaign_id = d.campaign_id and p.part = d.part
where o.campaign_id = %(id)s
order by d.cohort_id, o.run_id
"""

_WITHOUT: Final = """
select user_id, domain, coalesce(recommendation, status) as outcome,
    coalesce(array_to_string(detail, '; '), error_class || coalesce(': ' || error_text, ''), '') as reasons
from offer_item where campaign_id = %(id)s and status in ('skipped', 'dead')
order by row_no
"""
