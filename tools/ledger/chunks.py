"""A campaign's work in the ledger: cohorts to draft and chunks to decide, each claimed under a lease.

Whoever claims has the work until its lease ends; then anybody may claim it, and what the first one brings later changes
nothing. So a process may die at any moment: calls may be made again, offers can't.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection, errors
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic_core import to_json

from tools.database import Database
from tools.errors import PoliciesUnavailable
from tools.ledger.records import IssuedRow
from tools.ledger.usages import Asked, count_usages
from tools.ledger.versions import read_epoch
from tools.screening import Usage

MOST_ATTEMPTS: Final = 3
"""Tries of one item or cohort that fail by its own fault, before it is a dead letter."""
PIECES: Final = 16
"""Into how many pieces a chunk is split when its worker died."""

ItemStatus = Literal["done", "skipped", "dead", "retry"]


@dataclass(frozen=True, slots=True)
class CohortWork:
    """A cohort to draft. `attempt` counts this claim."""

    cohort_id: int
    key: str
    view: dict[str, Any]
    variants: dict[str, str]
    use_llm: bool
    attempt: int


@dataclass(frozen=True, slots=True)
class ChunkWork:
    """A chunk to decide. `deaths` is how many workers ended while they had it; `attempt` counts its claims."""

    chunk_no: int
    wave: int
    items: int
    deaths: int
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One open item of a chunk: its prediction as it came, the cohort whose draft it gets, and the cheaper option."""

    prediction_key: str
    user_id: str
    domain: str
    confidence: float
    offer_flag: int
    pred_version: str | None
    prediction_timestamp: str | None
    idempotency_key: str | None
    use_llm: bool
    cohort_id: int
    option_id: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """A member's decision record in two pieces, as JSON: `own` is nobody else's, `part` (by its hash) may be."""

    own: str
    part: str
    part_sha: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one item. `usage` is what the decision saw; `record`, JSON text, and `issued` are an offer's."""

    prediction_key: str
    user_id: str
    domain: str
    status: ItemStatus
    usage: Usage
    recommendation: str | None = None
    detail: tuple[str, ...] = ()
    error_class: str | None = None
    error_text: str | None = None
    run_id: str | None = None
    cohort_id: int | None = None
    record: OwnRecord | None = None
    first_name: str | None = None
    email: str | None = None
    issued: IssuedRow | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """How many outcomes of a chunk were written, and how many stay open since their members' counts moved meanwhile."""

    written: int
    moved: int


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a campaign's work: open cohorts and chunks, and how many of them somebody has."""

    cohorts: int
    cohorts_held: int
    chunks: int
    chunks_held: int


class BudgetCut(PoliciesUnavailable):
    """A budget was lowered below what the campaign was allotted: nothing of the chunk was written."""

    code = "budget_cut"


CUT: Final = "a budget of the campaign was lowered below what is allotted; raise it, or plan again"


class Chunks:
    """Claims and finishes a campaign's work for one worker. `table` and `zone` are those usage is counted in.

    `planned_at` is the plan the worker knows: work of a later one it doesn't get, since drafts and rules it has loaded
    may be of the earlier one. None: of any plan.
    """

    def __init__(
        self,
        database: Database,
        *,
        campaign_id: int,
        owner: str,
        table: str,
        zone: ZoneInfo,
        planned_at: datetime | None = None,
    ) -> None:
        self._database, self._id, self._owner = database, campaign_id, owner
        self._table, self._zone, self._planned_at = table, zone, planned_at
        self._parts: set[str] = set()

    async def claim_cohort(self, lease_s: float) -> CohortWork | None:
        """Take the next cohort that nobody has, or None. Raises DatabaseUnavailable."""
        async with (
            self._database.statement() as connection,
            connection.cursor(row_factory=class_row(CohortWork)) as cursor,
        ):
            await cursor.execute(_CLAIM_COHORT, self._values(lease_s=lease_s))
            return await cursor.fetchone()

    async def finish_cohort(
        self, cohort_id: int, *, record: dict[str, Any], option_id: str, expected_cost_usd: Decimal, source: str
    ) -> bool:
        """Write a cohort's draft; False when the lease was lost and nothing was written. Raises DatabaseUnavailable."""
        values = self._values(
            cohort_id=cohort_id, record=_stored(record), option_id=option_id, cost=expected_cost_usd, source=source
        )
        async with self._database.statement() as connection:
            return (await connection.execute(_FINISH_COHORT, values)).rowcount == 1

    async def bury_cohort(self, cohort_id: int, *, error_class: str, error_text: str, record: dict[str, Any]) -> bool:
        """Give a cohort up, and its items: each is a dead letter with this reason. Raises DatabaseUnavailable."""
        values = self._values(
            cohort_id=cohort_id, error_class=error_class, error_text=error_text, record=_stored(record)
        )
        async with self._database.connection() as connection:
            if (await connection.execute(_BURY_COHORT, values)).rowcount != 1:
                return False
            await connection.execute(_BURY_ITEMS, values)
        return True

    async def give_back_cohort(self, cohort_id: int, *, charged: bool, error: str) -> None:
        """Let others draft a cohort; `charged` counts the attempt against it. Raises DatabaseUnavailable."""
        values = self._values(cohort_id=cohort_id, charged=charged, error=error)
        async with self._database.statement() as connection:
            await connection.execute(_GIVE_BACK_COHORT, values)

    async def cohort_record(self, cohort_id: int) -> dict[str, Any] | None:
        """Return a drafted cohort's record. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection:
            cursor = await connection.execute(_RECORD, self._values(cohort_id=cohort_id))
            row = await cursor.fetchone()
        return None if row is None else row[0]

    async def claim_chunk(self, lease_s: float) -> ChunkWork | None:
        """Take the next chunk that nobody has, of the lowest wave that is not done, or None.

        One whose worker died is split first. Raises DatabaseUnavailable.
        """
        values = self._values(lease_s=lease_s, pieces=PIECES)
        async with self._database.connection() as connection:
            cursor = await connection.execute(_NEXT_CHUNK, values)
            found = await cursor.fetchone()
            if found is None:
                return None
            chunk_no, died, items = found
            if died and items > 1:
                await connection.execute(_LOCK_NUMBERS, values)
                await connection.execute(_SPLIT, values | {"chunk_no": chunk_no})
            async with connection.cursor(row_factory=class_row(ChunkWork)) as claimed:
                await claimed.execute(_TAKE_CHUNK, values | {"chunk_no": chunk_no, "died": died})
                return await claimed.fetchone()

    async def give_back_chunk(self, chunk_no: int, *, attempt: int | None = None) -> None:
        """Let others decide a chunk whose worker lives but can't go on: no death of it. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection:
            await connection.execute(_GIVE_BACK_CHUNK, self._values(chunk_no=chunk_no, attempt=attempt))

    async def items(self, chunk_no: int) -> list[Item]:
        """Return a chunk's open items in the order of their cohorts. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection, connection.cursor(row_factory=class_row(Item)) as cursor:
            await cursor.execute(_ITEMS, self._values(chunk_no=chunk_no))
            return await cursor.fetchall()

    async def usages(self, items: Sequence[Item]) -> dict[str, Usage]:
        """Count what the ledger holds of each item's member, by prediction key. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection:
            return await self._usages(connection, [Asked(i.prediction_key, i.user_id, i.domain) for i in items])

    async def renew_chunk(self, work: ChunkWork, lease_s: float) -> bool:
        """Keep a chunk for longer; False when it is another claim's by now. Raises DatabaseUnavailable."""
        values = self._values(chunk_no=work.chunk_no, attempt=work.attempt, lease_s=lease_s)
        async with self._database.statement() as connection:
            return (await connection.execute(_RENEW_CHUNK, values)).rowcount == 1

    async def finish_chunk(
        self, chunk_no: int, outcomes: Sequence[Outcome], *, policy_epoch: int, attempt: int | None = None
    ) -> Written | None:
        """Write a chunk's outcomes in one transaction; None when the chunk is not this worker's any more.

        `attempt` is that of the claim: a worker whose lease lapsed may have claimed the same chunk again meanwhile.
        The members of its offers are locked and counted again: an offer whose member got another one, or opted out,
        since it was decided is not written and its item stays open. Raises PoliciesUnavailable when other policies are
        in force than `policy_epoch`'s, BudgetCut, DatabaseUnavailable; then nothing was written.
        """
        today = datetime.now(self._zone).date().isoformat()
        values = self._values(chunk_no=chunk_no, attempt=attempt, today=today)
        try:
            async with self._database.connection() as connection:
                await connection.execute("select pg_advisory_xact_lock_shared(budgets_lock(%(campaign_id)s))", values)
                if await (await connection.execute(_OWN_CHUNK, values)).fetchone() is None:
                    return None
                if await read_epoch(connection) != policy_epoch:
                    raise PoliciesUnavailable("the policies in force changed since the campaign was planned")
                stand = await self._unmoved(connection, outcomes)
                parts = self._new_parts(stand)
                await connection.execute(_PARTS, values | {"shas": list(parts), "bodies": list(parts.values())})
                written = await connection.execute(_WRITE, values | _columns(stand))
                paid = {key for (key,) in await written.fetchall()}  # cancelling may have closed some
                await self._use_money(connection, [o for o in stand if o.prediction_key in paid], values)
                await connection.execute(_END_CHUNK, values)
        except errors.CheckViolation as error:
            raise BudgetCut(CUT) from error
        self._parts |= parts.keys()
        return Written(written=len(stand), moved=len(outcomes) - len(stand))

    async def left(self) -> Left:
        """Count what is left to do. Raises DatabaseUnavailable."""
        async with self._database.connection() as connection, connection.cursor(row_factory=class_row(Left)) as cursor:
            await cursor.execute(_LEFT, self._values())
            found = await cursor.fetchone()
        assert found is not None  # an aggregate without GROUP BY always gives one row
        return found

    def _values(self, **more: Any) -> dict[str, Any]:
        own = {"campaign_id": self._id, "owner": self._owner, "planned_at": self._planned_at}
        return {**own, "most": MOST_ATTEMPTS, **more}

    async def _usages(self, connection: AsyncConnection, asked: Sequence[Asked]) -> dict[str, Usage]:
        return await count_usages(connection, asked, campaign_id=self._id, table=self._table, zone=self._zone)

    async def _unmoved(self, connection: AsyncConnection, outcomes: Sequence[Outcome]) -> list[Outcome]:
        offers = [outcome for outcome in outcomes if outcome.issued is not None]
        if not offers:
            return list(outcomes)
        await connection.execute(_LOCK_MEMBERS, (sorted({offer.user_id for offer in offers}),))
        now = await self._usages(connection, [Asked(o.prediction_key, o.user_id, o.domain) for o in offers])
        return [o for o in outcomes if o.issued is None or now[o.prediction_key] == o.usage]

    def _new_parts(self, outcomes: Sequence[Outcome]) -> dict[str, str]:
        """Return the shared pieces of records that this worker has not written yet, in the order they are locked."""
        pieces = (outcome.record for outcome in outcomes if outcome.record is not None)
        new = {piece.part_sha: piece.part for piece in pieces if piece.part_sha not in self._parts}
        return dict(sorted(new.items()))

    async def _use_money(
        self, connection: AsyncConnection, outcomes: Sequence[Outcome], values: dict[str, Any]
    ) -> None:
        sums: dict[str, Decimal] = {}
        for outcome in outcomes:
            if outcome.issued is not None:
                cost = outcome.issued.expected_cost_usd
                sums[outcome.domain] = sums.get(outcome.domain, Decimal(0)) + cost
        if not sums:
            return
        money = {"domains": sorted(sums), "amounts": [sums[domain] for domain in sorted(sums)]}
        await connection.execute(_USE_MONEY, values | money)
        members = [outcome.user_id for outcome in outcomes if outcome.issued is not None]
        if await (await connection.execute(_OVER_MEMBERS, values | {"users": members})).fetchone() is not None:
            raise BudgetCut(CUT)


def _columns(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the outcomes as arrays, one a column: a statement of any length has the same parameters."""
    issued = [outcome.issued for outcome in outcomes]
    return {
        "keys": [o.prediction_key for o in outcomes],
        "statuses": [o.status for o in outcomes],
        "recommendations": [o.recommendation for o in outcomes],
        "details": [None if not o.detail else list_literal(o.detail) for o in outcomes],
        "classes": [o.error_class for o in outcomes],
        "texts": [o.error_text for o in outcomes],
        "runs": [o.run_id for o in outcomes],
        "cohorts": [o.cohort_id for o in outcomes],
        "records": [o.record and o.record.own for o in outcomes],
        "parts": [o.record and o.record.part_sha for o in outcomes],
        "first_names": [o.first_name for o in outcomes],
        "emails": [o.email for o in outcomes],
        "types": [i and i.offer_type for i in issued],
        "options": [i and i.option_id for i in issued],
        "high": [i and i.high_value for i in issued],
        "credits": [i and i.credit_usd for i in issued],
        "costs": [i and i.expected_cost_usd for i in issued],
        "starts": [i and i.start_date for i in issued],
        "ends": [i and i.end_date for i in issued],
        "shas": [i and i.html_sha256 for i in issued],
    }


def _stored(record: dict[str, Any]) -> Jsonb:
    """Return a record as PostgreSQL takes it: a model may have written a NUL, which no text there can hold."""
    return Jsonb(record, lambda value: to_json(value).replace(b"\\u0000", b"\\ufffd"))


def list_literal(texts: Sequence[str]) -> str:
    """Return a text[] literal: an array of arrays must be rectangular, so each one goes as text."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


_MY_PLAN: Final = "(%(planned_at)s::timestamptz is null or c.planned_at = %(planned_at)s)"

_CLAIM_COHORT: Final = f"""
with next as (
    select k.cohort_id from campaign_cohort k join campaign c using (campaign_id)
    where k.campaign_id = %(campaign_id)s and c.state = 'running' and {_MY_PLAN}
      and (k.status in ('pending', 'retry') or (k.status = 'running' and k.lease_until <= now()))
    order by k.status <> 'pending', k.attempt, k.cohort_id limit 1 for update of k skip locked
)
update campaign_cohort k set status = 'running', owner = %(owner)s, attempt = k.attempt + 1,
    lease_until = now() + make_interval(secs => %(lease_s)s)
from next where k.campaign_id = %(campaign_id)s and k.cohort_id = next.cohort_id
returning k.cohort_id, k.key, k.view, k.variants, k.use_llm, k.attempt
"""

_OWNED: Final = (
    "campaign_id = %(campaign_id)s and cohort_id = %(cohort_id)s and status = 'running' and owner = %(owner)s"
)

_FINISH_COHORT: Final = f"""
update campaign_cohort set status = 'done', record = %(record)s, option_id = %(option_id)s,
    expected_cost_usd = %(cost)s, source = %(source)s, owner = null, lease_until = null, finished_at = now(),
    error_class = null, error_text = null
where {_OWNED}
"""

_BURY_COHORT: Final = f"""
update campaign_cohort set status = 'dead', record = %(record)s, error_class = %(error_class)s,
    error_text = %(error_text)s, owner = null, lease_until = null, finished_at = now()
where {_OWNED}
"""

_BURY_ITEMS: Final = """
update offer_item set status = 'dead', recommendation = 'generation_failed', error_class = %(error_class)s,
    error_text = %(error_text)s, finished_at = now()
where campaign_id = %(campaign_id)s and cohort_id = %(cohort_id)s and status in ('pending', 'retry')
"""

_GIVE_BACK_COHORT: Final = f"""
update campaign_cohort set status = 'retry', owner = null, lease_until = null, error_text = %(error)s,
    attempt = attempt - case when %(charged)s then 0 else 1 end
where {_OWNED}
"""

_RECORD: Final = """
select record from campaign_cohort
where campaign_id = %(campaign_id)s and cohort_id = %(cohort_id)s and status = 'done'
"""

_NEXT_CHUNK: Final = f"""
select k.chunk_no, k.status = 'running' as died, k.items from campaign_chunk k join campaign c using (campaign_id)
where k.campaign_id = %(campaign_id)s and c.state = 'running' and c.allotted_at is not null and k.status <> 'done'
  and {_MY_PLAN}
  and k.wave = (select min(wave) from campaign_chunk where campaign_id = %(campaign_id)s and status <> 'done')
  and (k.status = 'pending' or k.lease_until <= now())
order by k.chunk_no limit 1 for update of k skip locked
"""

# Two that are split at once would give their pieces the same numbers.
_LOCK_NUMBERS: Final = "select pg_advisory_xact_lock(hashtextextended('campaign chunks/' || %(campaign_id)s, 6))"

# The chunk keeps its own number as the first of the pieces; each piece has died as often as the whole.
_SPLIT: Final = """
with open as (
    select prediction_key,
        (row_number() over (order by cohort_id, prediction_key) - 1)
            / greatest(1, ceil(count(*) over () / %(pieces)s::numeric)::int) as piece
    from offer_item
    where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status in ('pending', 'retry')
), numbered as (
    select piece, count(*)::int as items, case when piece = 0 then %(chunk_no)s else (
        select max(chunk_no) from campaign_chunk where campaign_id = %(campaign_id)s
    ) + piece end as chunk_no
    from open group by piece
), moved as (
    update offer_item i set chunk_no = numbered.chunk_no from open join numbered using (piece)
    where i.campaign_id = %(campaign_id)s and i.prediction_key = open.prediction_key and numbered.piece > 0
), first as (
    update campaign_chunk k set items = coalesce((select items from numbered where piece = 0), 0)
    where k.campaign_id = %(campaign_id)s and k.chunk_no = %(chunk_no)s
    returning k.wave, k.attempt, k.deaths
)
insert into campaign_chunk (campaign_id, chunk_no, wave, items, status, attempt, deaths)
select %(campaign_id)s, numbered.chunk_no, first.wave, numbered.items, 'pending', first.attempt, first.deaths + 1
from numbered cross join first where numbered.piece > 0
"""

_TAKE_CHUNK: Final = """
update campaign_chunk set status = 'running', owner = %(owner)s, attempt = attempt + 1,
    deaths = deaths + case when %(died)s then 1 else 0 end, lease_until = now() + make_interval(secs => %(lease_s)s)
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s
returning chunk_no, wave, items, deaths, attempt
"""

_GIVE_BACK_CHUNK: Final = """
update campaign_chunk set status = 'pending', owner = null, lease_until = null
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status = 'running' and owner = %(owner)s
  and attempt = coalesce(%(attempt)s::int, attempt)
"""

_ITEMS: Final = """
select prediction_key, user_id, domain, confidence, offer_flag, pred_version, prediction_timestamp, idempotency_key,
    use_llm, cohort_id, option_id, attempt
from offer_item
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status in ('pending', 'retry')
order by cohort_id, prediction_key
"""

_OWN_CHUNK: Final = """
select from campaign_chunk
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status = 'running' and owner = %(owner)s
  and attempt = coalesce(%(attempt)s::int, attempt)
for update
"""

_RENEW_CHUNK: Final = """
update campaign_chunk set lease_until = now() + make_interval(secs => %(lease_s)s)
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status = 'running' and owner = %(owner)s
  and attempt = %(attempt)s
"""

# In the order of their numbers, so that no two who lock many wait for each other; then what the members want.
_LOCK_MEMBERS: Final = """
select pg_advisory_xact_lock(hashtextextended(user_id, 0)), pg_advisory_xact_lock_shared(wishes_lock(user_id))
from (select user_id from unnest(%s::text[]) as asked (user_id) order by user_id) as members
"""

# JSON goes in binary, here and below: as text of an array each of its many quotes would be escaped.
_PARTS: Final = """
insert into campaign_part (campaign_id, part, record)
select %(campaign_id)s, sha, body::jsonb from unnest(%(shas)s::text[], %(bodies)b::text[]) as given (sha, body)
on conflict (campaign_id, part) do nothing
"""

_WRITE: Final = """
with given as (
    select * from unnest(
        %(keys)s::text[], %(statuses)s::text[], %(recommendations)s::text[], %(details)s::text[], %(classes)s::text[],
        %(texts)s::text[], %(runs)s::text[], %(cohorts)s::int[], %(records)b::text[], %(parts)s::text[],
        %(first_names)s::text[], %(emails)s::text[], %(types)s::text[], %(options)s::text[], %(high)s::boolean[],
        %(credits)s::numeric[], %(costs)s::numeric[], %(starts)s::date[], %(ends)s::date[], %(shas)s::text[]
    ) as g (prediction_key, status, recommendation, detail, error_class, error_text, run_id, cohort_id, record, part,
            first_name, email, offer_type, option_id, high_value, credit_usd, cost_usd, start_date, end_date, sha)
), won as (
    update offer_item i set
        status = case when g.status = 'retry' and i.attempt + 1 >= %(most)s then 'dead' else g.status end,
        attempt = i.attempt + 1, recommendation = g.recommendation, detail = g.detail::text[],
        error_class = g.error_class, error_text = g.error_text, run_id = g.run_id,
        finished_at = case when g.status = 'retry' and i.attempt + 1 < %(most)s then null else now() end
    from given g
    where i.campaign_id = %(campaign_id)s and i.prediction_key = g.prediction_key and i.chunk_no = %(chunk_no)s
      and i.status in ('pending', 'retry')
    returning i.prediction_key, i.user_id, i.domain
), decided as (
    insert into decision (run_id, campaign_id, prediction_key, recommendation, record, cohort_id, part)
    select g.run_id, %(campaign_id)s, g.prediction_key, g.recommendation, g.record::jsonb, g.cohort_id, g.part
    from given g join won using (prediction_key) where g.run_id is not null
), person as (
    insert into decision_person (run_id, first_name, email)
    select g.run_id, g.first_name, g.email from given g join won using (prediction_key)
    where g.run_id is not null and (g.first_name is not null or g.email is not null)
), issued as (
    insert into offer (campaign_id, prediction_key, run_id, user_id, domain, offer_type, option_id, compliant,
                       high_value, credit_usd, expected_cost_usd, start_date, end_date, html_sha256)
    select %(campaign_id)s, g.prediction_key, g.run_id, won.user_id, won.domain, g.offer_type, g.option_id, true,
           g.high_value, g.credit_usd, g.cost_usd, g.start_date, g.end_date, g.sha
    from given g join won using (prediction_key) where g.run_id is not null
)
insert into reservation (campaign_id, prediction_key, run_id, user_id, domain, day, amount_usd, state, expires_at)
select %(campaign_id)s, g.prediction_key, g.run_id, won.user_id, won.domain, %(today)s, round(g.cost_usd, 4), 'settled',
       now()
from given g join won using (prediction_key) where g.run_id is not null
returning prediction_key
"""

_USE_MONEY: Final = "select use_money(%(campaign_id)s, %(domains)s::text[], %(amounts)s::numeric[], %(today)s)"

# Members have no row of what is in use; a budget for each may have been set or lowered since the money was allotted.
_OVER_MEMBERS: Final = """
select from budget b join reservation r on r.campaign_id = b.campaign_id and r.state <> 'released'
where b.campaign_id = %(campaign_id)s and b.scope = 'member' and r.user_id = any(%(users)s)
group by r.user_id, b.limit_usd having sum(r.amount_usd) > b.limit_usd limit 1
"""

_END_CHUNK: Final = """
update campaign_chunk k set owner = null, lease_until = null, status = case when exists (
    select from offer_item i
    where i.campaign_id = k.campaign_id and i.chunk_no = k.chunk_no and i.status in ('pending', 'retry')
) then 'pending' else 'done' end
where k.campaign_id = %(campaign_id)s and k.chunk_no = %(chunk_no)s
"""

_LEFT: Final = """
select
    (select count(*) from campaign_cohort
     where campaign_id = %(campaign_id)s and status in ('pending', 'running', 'retry')) as cohorts,
    (select count(*) from campaign_cohort
     where campaign_id = %(campaign_id)s and status = 'running' and lease_until > now()) as cohorts_held,
    (select count(*) from campaign_chunk where campaign_id = %(campaign_id)s and status <> 'done') as chunks,
    (select count(*) from campaign_chunk
     where campaign_id = %(campaign_id)s and status = 'running' and lease_until > now()) as chunks_held
"""
