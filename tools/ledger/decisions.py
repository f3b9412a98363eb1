"""Looking back at decisions: the latest ones, one by (the beginning of) its id, and what became of its offer."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from psycopg.rows import class_row

from tools.database import Database
from tools.ledger.member_record import expanded

SHOWN: Final = 10
"""Ids that are named when a beginning of one fits several."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One decision in a list. `tokens` are those of the run's own calls, in and out: answers of a cache cost none."""

    run_id: str
    decided_at: datetime
    user_id: str
    domain: str
    recommendation: str
    error_code: str | None
    drafts: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, with what is kept of the person (None once erased, or when no offer needed it) and its offer."""

    run_id: str
    decided_at: datetime
    campaign: str
    record: dict[str, Any]
    first_name: str | None
    email: str | None
    person_kept: bool
    issued_at: datetime | None
    sent_at: datetime | None
    held_reason: str | None


async def latest(database: Database, *, limit: int) -> list[Listed]:
    """Return the newest decisions, newest first. Raises DatabaseUnavailable."""
    async with database.connection() as connection, connection.cursor(row_factory=class_row(Listed)) as cursor:
        await cursor.execute(_LATEST, (limit,))
        return await cursor.fetchall()


async def matching(database: Database, beginning: str) -> list[str]:
    """Return the run ids that are the given one or, where there is none such, begin with it: a few, and one more."""
    async with database.connection() as connection:
        cursor = await connection.execute(_MATCHING, {"beginning": beginning, "most": SHOWN + 1})
        found = [str(run_id) for (run_id,) in await cursor.fetchall()]
    return [beginning] if beginning in found else found


async def decision(database: Database, run_id: str) -> Decision | None:
    """Return a decision, or None. Raises DatabaseUnavailable."""
    async with database.connection() as connection, connection.cursor(row_factory=class_row(Decision)) as cursor:
        await cursor.execute(_DECISION, (run_id,))
        found = await cursor.fetchone()
    return None if found is None else replace(found, record=expanded(found.record))


_LATEST: Final = """
with newest as (select * from decision order by decided_at desc, run_id limit %s)
select d.run_id, d.decided_at,
       coalesce(d.record #>> '{output,user_id}', d.record #>> '{prediction,user_id}', '') as user_id,
       coalesce(d.record #>> '{prediction,domain}', '') as domain, d.recommendation,
       d.record #>> '{output,error_code}' as error_code,
       jsonb_array_length(coalesce(d.record -> 'history', c.record -> 'history', '[]')) as drafts,
       (select coalesce(sum((c ->> 'input_tokens')::bigint + (c ->> 'output_tokens')::bigint), 0)::bigint
        from jsonb_array_elements(coalesce(d.record -> 'calls', '[]')) as c) as tokens
from newest d left join campaign_cohort c using (campaign_id, cohort_id) order by d.decided_at desc, d.run_id
"""

# The bounds keep to the key's index; ids are hexadecimal, and one that isn't must be given whole.
_MATCHING: Final = """
select run_id from decision
where run_id = %(beginning)s
   or (run_id >= %(beginning)s and run_id <= %(beginning)s || repeat('f', 32) and starts_with(run_id, %(beginning)s))
order by run_id limit %(most)s
"""

_DECISION: Final = """
select d.run_id, d.decided_at, c.name as campaign, whole_record(d) as record, p.first_name, p.email,
       p.run_id is not null as person_kept,
       o.issued_at, o.sent_at, o.held_reason
from decision d join campaign c using (campaign_id)
left join decision_person p on p.run_id = d.run_id left join offer o on o.run_id = d.run_id
where d.run_id = %s
"""
