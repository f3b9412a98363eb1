"""Reserving an offer's expected cost against every budget that counts it.

A campaign may have budgets in all, per domain, per day and per member (`budgets`); what all of them have in use is kept
by functions of the ledger (`tools/sql/money.sql`), which say in which order they take locks. Settling and giving back
belong to the outcome (`records`).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from tools.database import Database

BudgetScope = Literal["campaign", "domain", "day", "member"]


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """A budget as a reservation met it: what it may hold, and what is left of it, in USD.

    `name` is the domain or the day (YYYY-MM-DD, brand's time zone); the others need none.
    """

    scope: BudgetScope
    name: str
    limit_usd: Decimal
    left_usd: Decimal


@dataclass(frozen=True, slots=True)
class Granted:
    """The money is reserved; `budgets` are those that count it, with what it left of each. None: nothing to reserve."""

    budgets: tuple[BudgetLeft, ...]


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing more is reserved; `budgets` are those that have less left than was asked for."""

    budgets: tuple[BudgetLeft, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """The run's claim on the prediction has ended: it has nothing to reserve for."""


Answer = Granted | Short | Lost


class Money:
    """Atomic reservations: what is reserved and settled never exceeds a budget. `zone` is the brand's."""

    def __init__(self, database: Database, *, zone: ZoneInfo) -> None:
        self._database, self._zone = database, zone

    async def reserve(
        self, *, campaign_id: int, prediction_key: str, run_id: str, amount_usd: Decimal, lease_s: float
    ) -> Answer:
        """Reserve `amount_usd` for the prediction, in place of what it had reserved, for `lease_s` seconds.

        Budgets are read in the reservation's own transaction. When one is short, the campaign's expired reservations
        are released first. Raises DatabaseUnavailable.
        """
        values = {
            "campaign_id": campaign_id,
            "key": prediction_key,
            "run_id": run_id,
            "amount": amount_usd,
            "lease_s": lease_s,
        }
        answer = await self._ask(values)
        if not isinstance(answer, Short):
            return answer
        await self.release_expired(campaign_id)  # whoever found none waited for the one who did: ask again either way
        return await self._ask(values)

    async def release_expired(self, campaign_id: int) -> int:
        """Release what the campaign's dead runs had reserved; return how many reservations that were.

        Raises DatabaseUnavailable.
        """
        async with self._database.statement() as connection:
            cursor = await connection.execute("select release_expired(%s)", (campaign_id,))
            row = await cursor.fetchone()
        assert row is not None  # a function's call always gives one row
        return int(row[0])

    async def _ask(self, values: dict[str, Any]) -> Answer:
        today = datetime.now(self._zone).date().isoformat()
        async with self._database.statement() as connection:
            cursor = await connection.execute(_RESERVE, values | {"today": today})
            row = await cursor.fetchone()
        assert row is not None  # a function's call always gives one row
        return _answer(row[0])


def _answer(told: dict[str, Any]) -> Answer:
    verdict: Literal["granted", "short", "lost"] = told["verdict"]
    if verdict == "lost":
        return Lost()
    budgets = tuple(
        BudgetLeft(item["scope"], item["name"], Decimal(item["limit_usd"]), Decimal(item["left_usd"]))
        for item in told["budgets"]
    )
    return Granted(budgets) if verdict == "granted" else Short(budgets)


_RESERVE: Final = """
select reserve_money(%(campaign_id)s, %(key)s, %(run_id)s, %(amount)s::numeric, %(lease_s)s::float8, %(today)s)
"""
