"""Whether a campaign's ledger adds up: every check in SQL, on one snapshot, with memory that doesn't grow."""

from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from server.campaign.checks import CHECKS, Check
from tools.database import Database
from tools.ledger.campaigns import Campaign


@dataclass(frozen=True, slots=True)
class Line:
    """One check: what must hold, what was found, and whether it holds."""

    name: str
    what: str
    found: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all checks found. `summary` holds no clock: the same ledger gives the same line."""

    lines: tuple[Line, ...]
    ok: bool
    summary: str


async def verify(database: Database, campaign: Campaign, *, most_per_month: int, zone: ZoneInfo) -> Verdict:
    """Check a campaign against everything that must hold, at one moment; a running one may be checked too.

    `most_per_month` is MAX_OFFERS_PER_MONTH; months are those of `zone`, the brand's. Raises DatabaseUnavailable.
    """
    values = {"id": campaign.campaign_id, "most": most_per_month, "zone": zone.key}
    async with database.connection() as connection:
        await connection.execute("set transaction isolation level repeatable read read only")
        await connection.execute("set local statement_timeout = 0")  # a check reads millions of rows
        lines = [await _line(connection, check, values) for check in CHECKS]
        summed = await _row(connection, _SUMMARY, values)
    broken = [line.name for line in lines if not line.ok]
    told = _TOLD.format(name=campaign.name, **summed)
    said = f"DOES NOT ADD UP: {', '.join(broken)}" if broken else f"adds up ({len(lines)} checks)"
    return Verdict(tuple(lines), not broken, f"{told}: {said}")


async def _line(connection: AsyncConnection, check: Check, values: dict[str, Any]) -> Line:
    row = await _row(connection, check.query, values)
    return Line(check.name, check.what, check.found.format(**row), row["broken"] == 0)


async def _row(connection: AsyncConnection, query: str, values: dict[str, Any]) -> dict[str, Any]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query.encode(), values)
        row = await cursor.fetchone()
    assert row is not None  # each statement is an aggregate
    return row


_TOLD: Final = (
    "campaign {name}: input {rows} = rejected {rejected} + done {done} + dead {dead} + skipped {skipped} + open {open};"
    " offers {offers}, {cost} USD, sha {sha}"
)

# A sum of hashes needs no order and no memory: it names which offers there are, with their bytes.
_SUMMARY: Final = """
select c.input_rows as rows, i.*, o.*,
    (select count(*) from campaign_reject where campaign_id = %(id)s) as rejected
from campaign c, (
    select count(*) filter (where status = 'done') as done, count(*) filter (where status = 'dead') as dead,
        count(*) filter (where status = 'skipped') as skipped,
        count(*) filter (where status not in ('done', 'dead', 'skipped')) as open
    from offer_item where campaign_id = %(id)s
) as i, (
    select count(*) as offers, coalesce(sum(expected_cost_usd), 0)::numeric(14, 2) as cost,
        lpad(to_hex(mod(coalesce(sum(
            hashtextextended(concat_ws('/', prediction_key, run_id, option_id, html_sha256), 0)::numeric
        ), 0), 4611686018427387904)::bigint & 4611686018427387903), 16, '0') as sha
    from offer where campaign_id = %(id)s
) as o where c.campaign_id = %(id)s
"""
