"""What a campaign's model calls came to: tries, tokens, US dollars."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from psycopg.rows import class_row

from tools.database import Database
from tools.ledger.usage import Outcome
from tools.prices import Prices

UNKNOWN: Final = frozenset({"sent", "late"})
"""Outcomes whose tokens nobody told us; a provider may ask for them all the same."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The tries of one step with one model that ended alike, and their tokens as the endpoint counted them."""

    step: str
    model: str
    outcome: Outcome
    tries: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int

    def usd(self, prices: Prices, *, unknown_usd: Decimal = Decimal(0)) -> Decimal:
        """Return the cost in US dollars; a try whose tokens nobody told counts as `unknown_usd`."""
        told = prices.usd(
            input_tokens=self.input_tokens, output_tokens=self.output_tokens, cached_tokens=self.cached_tokens
        )
        return Decimal(f"{told:.6f}") + (self.tries * unknown_usd if self.outcome in UNKNOWN else 0)


async def usage_of(database: Database, campaign_id: int, *, since: datetime | None = None) -> list[UsageRow]:
    """Return totals by step, model and outcome, of tries since a minute if given. Raises DatabaseUnavailable."""
    async with database.statement() as connection, connection.cursor(row_factory=class_row(UsageRow)) as cursor:
        await cursor.execute(_TOTALS, {"id": campaign_id, "since": since})
        return await cursor.fetchall()


async def spent_usd(
    database: Database, campaign_id: int, prices: Prices | None, *, unknown_usd: Decimal = Decimal(0)
) -> Decimal | None:
    """Return what a campaign's model calls cost so far in US dollars, or None without prices.

    Tries whose tokens nobody told, being under way, lost with their process or without an answer, count as
    `unknown_usd` each: give the most that one may cost where a budget must hold. Raises DatabaseUnavailable.
    """
    if prices is None:
        return None
    rows = await usage_of(database, campaign_id)
    return sum((row.usd(prices, unknown_usd=unknown_usd) for row in rows), Decimal(0))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a campaign has cost against what it may cost in all, in USD: its model calls, and its offers."""

    spent_usd: Decimal
    used_usd: Decimal
    limit_usd: Decimal

    @property
    def is_spent(self) -> bool:
        """Return whether nothing is left."""
        return self.spent_usd + self.used_usd >= self.limit_usd


async def standing_of(database: Database, campaign_id: int, prices: Prices) -> Standing | None:
    """Return a campaign's costs and its budget as it is set now, or None without one, as of one moment.

    Tries whose tokens nobody told cost nothing here. Raises DatabaseUnavailable.
    """
    async with database.statement() as connection:
        cursor = await connection.execute(_STANDING, {"id": campaign_id, "since": None})
        rows = await cursor.fetchall()
    if not rows:
        return None
    limit_usd, used_usd, *_ = rows[0]
    usages = (UsageRow(*usage) for _, _, *usage in rows if usage[0] is not None)
    return Standing(sum((usage.usd(prices) for usage in usages), Decimal(0)), used_usd, limit_usd)


_TOTALS: Final = """
select step, model, outcome, sum(tries)::bigint as tries, sum(input_tokens)::bigint as input_tokens,
    sum(output_tokens)::bigint as output_tokens, sum(cached_tokens)::bigint as cached_tokens
from llm_usage where campaign_id = %(id)s and (%(since)s::timestamptz is null or minute >= %(since)s)
group by step, model, outcome having sum(tries) <> 0
order by step, model, array_position(array['answered', 'throttled', 'failed', 'late', 'sent'], outcome)
"""

_STANDING: Final = f"""
select b.limit_usd, coalesce(u.used_usd, 0), usage.*
from budget b left join budget_use u using (campaign_id, scope, name) left join ({_TOTALS}) as usage on true
where b.campaign_id = %(id)s and b.scope = 'campaign'
"""
