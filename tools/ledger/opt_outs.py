"""What members say about offers through the links of their emails: stop, start again, some domains only, a pause."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from tools.database import Database
from tools.vocabulary import DOMAINS, Domain

LinkSource = Literal["one_click", "unsubscribe_page", "preferences_page"]
"""Which link a stop came from. Only such a stop can be undone by a link; an officer's can't."""
LINK_SOURCES: Final[tuple[LinkSource, ...]] = get_args(LinkSource)


def opted_out(row: str) -> str:
    """Return the SQL condition that the member of an aliased row (`user_id`, `domain`) wants no such offer now."""
    return f"opted_out({row}.user_id, {row}.domain)"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whose email a link was in, and the run that made the email."""

    user_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What a member wants. `paused_until` is the first day that may bring offers again, in the brand's time zone.

    `resumable`: the stop came from a link, so a link may undo it.
    """

    stopped: bool = False
    resumable: bool = False
    refused: frozenset[Domain] = frozenset()
    paused_until: date | None = None

    @property
    def wanted(self) -> tuple[Domain, ...]:
        """Return the domains that are not refused, in the order of the vocabulary."""
        return tuple(domain for domain in DOMAINS if domain not in self.refused)


class OptOuts:
    """Reads and writes members' choices. Every method raises DatabaseUnavailable; what returned has been committed.

    A choice against offers waits, for as long as one statement takes, for an offer of the member that is being written:
    once the method has returned none is.
    """

    def __init__(self, database: Database, *, zone: ZoneInfo) -> None:
        self._database, self._zone = database, zone

    async def recipient(self, run_id: str) -> Recipient | None:
        """Return whose offer a run issued, or None: a preview issues none. Needs no personal data but the key."""
        async with self._database.statement() as connection:
            cursor = await connection.execute("select user_id from offer where run_id = %s", (run_id,))
            row = await cursor.fetchone()
        return None if row is None else Recipient(str(row[0]), run_id)

    async def choices(self, user_id: str) -> Choices:
        """Return what the member wants now; a pause that is over is none."""
        async with self._database.statement() as connection:
            cursor = await connection.execute(_CHOICES, {"user_id": user_id, "links": list(LINK_SOURCES)})
            row = await cursor.fetchone()
        assert row is not None  # the select has no FROM
        stopped, resumable, refused, paused_until = row
        return Choices(
            stopped=stopped,
            resumable=resumable,
            refused=frozenset(domain for domain in DOMAINS if domain in refused),
            paused_until=None if paused_until is None else paused_until.astimezone(self._zone).date(),
        )

    async def stop(self, recipient: Recipient, *, source: LinkSource) -> None:
        """Stop all offers. Doing so again changes nothing, however many do at once."""
        await self._write(_STOP, recipient, source=source)

    async def resume(self, recipient: Recipient) -> bool:
        """Undo a stop that came from a link; return whether there was one. It opts nobody in who had not before."""
        return await self._write(_RESUME, recipient, source="preferences_page")

    async def prefer(self, recipient: Recipient, *, refused: Collection[Domain], paused_until: date | None) -> None:
        """Keep which domains the member refuses and until which day offers pause, in place of what was kept before."""
        start = None if paused_until is None else datetime.combine(paused_until, time(), self._zone)
        domains = [domain for domain in DOMAINS if domain in refused]
        await self._write(_PREFER, recipient, source="preferences_page", refused=domains, paused_until=start)

    async def _write(
        self,
        statement: str,
        recipient: Recipient,
        *,
        source: LinkSource,
        refused: Sequence[Domain] = (),
        paused_until: datetime | None = None,
    ) -> bool:
        values = {
            "user_id": recipient.user_id,
            "run_id": recipient.run_id,
            "source": source,
            "links": list(LINK_SOURCES),
            "refused": list(refused),
            "paused_until": paused_until,
        }
        async with self._database.statement() as connection:
            cursor = await connection.execute(statement, values)
            return cursor.rowcount > 0


_CHOICES: Final = """
select exists (select from suppression where user_id = %(user_id)s),
       exists (select from suppression where user_id = %(user_id)s and source = any(%(links)s)),
       coalesce((select refused_domains from contact_preference where user_id = %(user_id)s), '{}'),
       (select paused_until from contact_preference where user_id = %(user_id)s and paused_until > now())
"""

_WRITTEN: Final = "select pg_advisory_xact_lock(wishes_lock(%(user_id)s)) from (select count(*) from noted) as written"
"""Ends a choice: whoever writes an offer shares this lock (`money.sql`), so it sees the choice, or is done before this.

Taken last: rows that an import has under way may be waited for, and an offer that waits has locked money by then.
"""

_STOP: Final = f"""
with stopped as (
    insert into suppression (user_id, source) values (%(user_id)s, %(source)s)
    on conflict do nothing returning user_id
), noted as (
    insert into contact_event (user_id, event, source, run_id)
    select user_id, 'stopped', %(source)s, %(run_id)s from stopped returning user_id
)
{_WRITTEN}
"""

_RESUME: Final = """
with resumed as (
    delete from suppression where user_id = %(user_id)s and source = any(%(links)s) returning user_id
)
insert into contact_event (user_id, event, source, run_id)
select user_id, 'resumed', %(source)s, %(run_id)s from resumed
"""

_PREFER: Final = f"""
with preferred as (
    insert into contact_preference as held (user_id, refused_domains, paused_until)
    values (%(user_id)s, %(refused)s::text[], %(paused_until)s::timestamptz)
    on conflict (user_id) do update
    set refused_domains = excluded.refused_domains, paused_until = excluded.paused_until, changed_at = now()
    where (held.refused_domains, held.paused_until)
        is distinct from (excluded.refused_domains, excluded.paused_until)
    returning user_id, refused_domains, paused_until
), noted as (
    insert into contact_event (user_id, event, source, run_id, refused_domains, paused_until)
    select user_id, 'preferences', %(source)s, %(run_id)s, refused_domains, paused_until from preferred
    returning user_id
)
{_WRITTEN}
"""
