"""Cardmembers read from PostgreSQL: many in one query, out of any table that has the export's columns."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any, Final, Protocol

import psycopg
from psycopg import sql
from psycopg.rows import args_row
from psycopg_pool import AsyncConnectionPool

from tools.columns import ALL_COLUMNS, COLUMNS, Column, Kind
from tools.database import CONNECT_TIMEOUT_S, LOSSES, unavailable
from tools.errors import SettingInvalid

MAX_IDENTIFIER: Final = 63
"""Bytes PostgreSQL keeps of a name."""


@dataclass(frozen=True, slots=True, repr=False)
class Cardmember:
    """One row of the export as the graph reads it; None is unknown. Amounts are USD, changes and rates fractions.

    Its repr shows the user_id alone: tracebacks and logs must not carry a profile.
    """

    user_id: str
    name: str | None = None
    age: int | None = None
    gender: str | None = None
    location: str | None = None
    segment: str | None = None
    tenure_years: int | None = None
    card_type: str | None = None
    annual_fee: float | None = None
    credit_limit: float | None = None
    card_activation_date: date | None = None
    opt_in_marketing: bool | None = None
    email_open_rate: float | None = None
    customer_lifecycle_stage: str | None = None
    churn_risk_score: float | None = None
    preferred_domain_1: str | None = None
    preferred_domain_2: str | None = None
    persona: str | None = None
    total_transactions_12m: int | None = None
    total_spend_12m: float | None = None
    avg_transaction_amount: float | None = None
    recency_days: int | None = None
    frequency_30d: int | None = None
    monetary_30d: float | None = None
    spend_change_pct_30d: float | None = None
    spend_change_pct_90d: float | None = None
    days_engaged_90d: int | None = None
    total_app_opens_90d: int | None = None
    offer_views_90d: int | None = None
    offer_clicks_90d: int | None = None
    avg_session_duration_sec: int | None = None
    engagement_change_pct_30d: float | None = None
    offers_shown_6m: int | None = None
    offers_accepted_6m: int | None = None
    historical_acceptance_rate: float | None = None
    days_since_last_offer: int | None = None
    offers_sent_this_month: int | None = None
    last_offer_accepted: bool | None = None
    last_offer_domain: str | None = None
    last_offer_date: date | None = None
    email: str | None = None

    def __repr__(self) -> str:
        """Name the member without any of the profile."""
        return f"Cardmember({self.user_id!r})"


def reading(column: Column) -> str:
    """Return the SQL that reads a column of whatever type as ours: '' and non-finite become null, numeric a float."""
    value = f"nullif({column.name}::text, '')"
    match column.kind:
        case Kind.TEXT:
            return value
        case Kind.INTEGER:
            return f"{value}::float8::int"
        case Kind.NUMBER:
            return f"case when {value}::float8 between -1e300 and 1e300 then {value}::float8 end"
        case Kind.DATE | Kind.BOOLEAN:
            return f"{value}::{column.sql}"


def table_identifier(table: str) -> sql.Identifier:
    """Quote `table` or `schema.table`, spelt as PostgreSQL stores it; raise SettingInvalid when it can't be a name."""
    parts = table.split(".")
    fits = all(part.isprintable() and part.strip() and len(part.encode()) <= MAX_IDENTIFIER for part in parts)
    if len(parts) > 2 or not fits or '"' in table:
        raise SettingInvalid(
            f"cardmember table {table!r} is no table name; write table or schema.table without quotes, "
            f"each at most {MAX_IDENTIFIER} bytes"
        )
    return sql.Identifier(*parts)


@lru_cache(maxsize=64)
def _fetch_query(table: str) -> bytes:
    # A table without `email` has the name resolve to the outer `fallback`: one query serves both, no catalogue look-up.
    readings = ", ".join(reading(column) for column in ALL_COLUMNS)
    query = sql.SQL(
        "select member.* from (select null::text as email) fallback "
        "cross join lateral (select {readings} from {table} where user_id = any(%s)) member"
    )
    return query.format(readings=sql.SQL(readings), table=table_identifier(table)).as_bytes(None)


_SPELLINGS: Final = tuple(
    (place, {choice.casefold(): choice for choice in column.choices})
    for place, column in enumerate(ALL_COLUMNS)
    if column.choices
)


def spelt(value: str, spelling: Mapping[str, str]) -> str:
    """Return a value as a closed set spells it (`spelling`: choices by their casefolded text), or as it is."""
    return spelling.get(value.strip().casefold(), value)


def member_of(*values: Any) -> Cardmember:
    """Return the member of a row's values in the order of `ALL_COLUMNS`; what a closed set holds is spelt as there."""
    row = list(values)
    for place, spelling in _SPELLINGS:
        if (value := row[place]) is not None:
            row[place] = spelt(value, spelling)
    return Cardmember(*row)


def _storable(user_id: str) -> bool:
    """Tell whether PostgreSQL can hold this text at all: a caller's NUL must not sink everyone in the same query."""
    return "\x00" not in user_id and (user_id.isascii() or not any("\ud800" <= char <= "\udfff" for char in user_id))


async def fetch_members(pool: AsyncConnectionPool, user_ids: Sequence[str], *, table: str) -> dict[str, Cardmember]:
    """Return the members that `table` holds, by user_id, in one query; unknown ids are absent.

    Raises DatabaseUnavailable when PostgreSQL can't be reached or breaks off, SettingInvalid when the table is missing,
    lacks one of the 40 columns, can't be read, or holds a value its column can't mean.
    """
    wanted = [user_id for user_id in dict.fromkeys(user_ids) if _storable(user_id)]
    if not wanted:
        return {}
    query = _fetch_query(table)
    try:
        async with (
            pool.connection(min(pool.timeout, CONNECT_TIMEOUT_S)) as connection,
            connection.cursor(row_factory=args_row(member_of), binary=True) as cursor,
        ):
            await cursor.execute(query, [wanted])
            return {member.user_id: member for member in await cursor.fetchall()}
    except LOSSES as error:
        raise unavailable(error) from error
    except psycopg.ProgrammingError as error:
        raise SettingInvalid(
            f"cardmember table {table!r}: {_first_line(error)}; it needs the export's {len(COLUMNS)} columns"
        ) from error
    except psycopg.DataError as error:  # its text quotes the value: a profile has no place in an error
        raise SettingInvalid(
            f"cardmember table {table!r} holds a value that its column can't mean ({type(error).__name__})"
        ) from None


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]


async def migrate_cardmember(conn: psycopg.AsyncConnection[Any], *, table: str) -> None:
    """Create the cardmember table unless it exists; an existing one is left as it is and needs no right to create."""
    name = table_identifier(table)
    ddl = files("tools").joinpath("sql/cardmember.sql").read_text(encoding="utf-8")
    async with conn.transaction():
        cursor = await conn.execute("select to_regclass(%s) is not null", [name.as_string(None)])
        if await cursor.fetchone() == (True,):
            return
        # `if not exists` alone fails when two processes start on an empty database at once.
        await conn.execute("select pg_advisory_xact_lock(hashtext('offergraph migrate cardmember'))")
        await conn.execute(sql.SQL(ddl).format(table=name))


class Members(Protocol):
    """Where a run's member comes from."""

    async def load(self, user_id: str) -> Cardmember | None:
        """Return one member, or None when there is none."""


class MemberLoader:
    """Turn many concurrent `load` calls into few queries.

    Ids asked for within one tick of the loop share a query, and while `max_flights` queries are out the next batch
    gathers. Nothing is kept: a call never joins a query already sent, so it can't see a row older than itself. `pool`
    returns the open pool (`Database.pool`) and may raise; what it raises goes to every waiter.
    """

    def __init__(
        self,
        pool: Callable[[], Awaitable[AsyncConnectionPool]],
        *,
        table: str,
        max_batch: int = 500,
        max_flights: int = 2,
    ) -> None:
        self._pool, self._table = pool, table
        self._max_batch, self._max_flights = max_batch, max_flights
        self._waiting: dict[str, list[asyncio.Future[Cardmember | None]]] = {}
        self._flights: set[asyncio.Task[dict[str, Cardmember]]] = set()
        self._scheduled = False

    async def load(self, user_id: str) -> Cardmember | None:
        """Return one member, or None when the table has none; raises what `fetch_members` raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Cardmember | None] = loop.create_future()
        self._waiting.setdefault(user_id, []).append(answer)
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._send)
        return await answer

    def _send(self) -> None:
        self._scheduled = False
        while self._waiting and len(self._flights) < self._max_flights:
            batch = {user_id: self._waiting.pop(user_id) for user_id in list(self._waiting)[: self._max_batch]}
            wanted = [user_id for user_id, answers in batch.items() if not all(answer.done() for answer in answers)]
            if wanted:
                flight = asyncio.ensure_future(self._fetch(wanted))
                self._flights.add(flight)
                flight.add_done_callback(partial(self._land, batch))

    async def _fetch(self, wanted: list[str]) -> dict[str, Cardmember]:
        return await fetch_members(await self._pool(), wanted, table=self._table)

    def _land(
        self, batch: dict[str, list[asyncio.Future[Cardmember | None]]], flight: asyncio.Task[dict[str, Cardmember]]
    ) -> None:
        self._flights.discard(flight)
        error = None if flight.cancelled() else flight.exception()
        for user_id, answers in batch.items():
            for answer in answers:
                if answer.done():
                    continue  # its caller went away
                if flight.cancelled():
                    answer.cancel()
                elif error is not None:
                    answer.set_exception(error)
                else:
                    answer.set_result(flight.result().get(user_id))
        self._send()
