"""Setting a campaign's budgets, and seeing what is left of them.

A budget counts what its campaign reserved and spent from the start on, also before the budget was set. Spent is the
expected cost of issued offers. It stays spent when an offer's end date passes unused: expected cost is an average over
members who use an offer and members who don't, so giving back the unused ones' would count those members twice.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import class_row

from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.money import BudgetScope

MOST_USD: Final = Decimal("9999999999.99")
"""The highest budget: what is in use of one is kept to a hundredth of a cent, in fourteen digits."""


class BudgetKey(NamedTuple):
    """Which budget of a campaign: `name` is the domain of a domain's, else empty."""

    scope: BudgetScope
    name: str = ""


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A budget with what is spent and reserved under it, in USD; without a limit, what a campaign without one spent.

    `name` is the domain, or today's date for a budget per day. The one per member shows the member who has used most.
    """

    scope: BudgetScope
    name: str
    limit_usd: Decimal | None
    spent_usd: Decimal
    reserved_usd: Decimal

    @property
    def left_usd(self) -> Decimal | None:
        """Return what may still be reserved: none when a lower limit was set than what was promised already."""
        if self.limit_usd is None:
            return None
        return max(self.limit_usd - self.spent_usd - self.reserved_usd, Decimal(0))


class Budgets:
    """Sets and reads budgets by the campaign's name. `zone` is the brand's, whose days count."""

    def __init__(self, database: Database, *, zone: ZoneInfo) -> None:
        self._database, self._zone = database, zone

    async def change(
        self, campaign: str, limits: Mapping[BudgetKey, Decimal], *, clear: Set[BudgetKey] = frozenset()
    ) -> None:
        """Set these limits in USD and remove those budgets, all at once and for every process from then on.

        A limit under what is reserved and spent already takes nothing back: no more is reserved from now on.
        Raises InputInvalid for an unknown campaign and for a limit that is no amount in cents from 0 to MOST_USD,
        DatabaseUnavailable.
        """
        for key, limit in limits.items():
            if not is_budget(limit):
                raise InputInvalid(
                    f"{' '.join(key).strip()} budget is {limit}: allowed are 0 to {MOST_USD} USD, in cents"
                )
        async with self._database.connection() as connection:
            values = {
                "campaign_id": await _campaign_id(connection, campaign),
                "today": datetime.now(self._zone).date().isoformat(),
                "zone": self._zone.key,
            }
            await connection.execute("select pg_advisory_xact_lock(budgets_lock(%(campaign_id)s))", values)
            for key in sorted(clear):
                await connection.execute(_CLEAR, values | key._asdict())
                await connection.execute(_FORGET, values | key._asdict())
            for key, limit in sorted(limits.items()):
                cursor = await connection.execute(_SET, values | key._asdict() | {"limit": limit})
                is_new = (await cursor.fetchone() or (True,))[0]
                for count in _COUNTS[key.scope] if is_new else ():
                    await connection.execute(count, values | key._asdict())
                await connection.execute(_BOUND, values | key._asdict())

    async def show(self, campaign: str) -> tuple[BudgetStatus, ...]:
        """Return the campaign's total, then its budgets.

        Reservations whose lease has ended are not counted: the next run that needs the money gets it.
        Raises InputInvalid for an unknown campaign, DatabaseUnavailable.
        """
        today = datetime.now(self._zone).date().isoformat()
        async with self._database.connection() as connection:
            values = {"campaign_id": await _campaign_id(connection, campaign), "today": today}
            async with connection.cursor(row_factory=class_row(BudgetStatus)) as cursor:
                await cursor.execute(_SHOW, values)
                return tuple(await cursor.fetchall())


def is_budget(usd: Decimal) -> bool:
    """Tell whether an amount can be a budget: 0 to MOST_USD, no part of a cent."""
    return usd.is_finite() and 0 <= usd <= MOST_USD and usd == round(usd, 2)


async def _campaign_id(connection: AsyncConnection, name: str) -> int:
    cursor = await connection.execute("select name, campaign_id from campaign order by name")
    known: dict[str, Any] = dict(await cursor.fetchall())
    if name not in known:
        raise InputInvalid(f"campaign is {name!r}: there is none of that name; there are {', '.join(known)}")
    return int(known[name])


_CLEAR: Final = "delete from budget where campaign_id = %(campaign_id)s and scope = %(scope)s and name = %(name)s"

_FORGET: Final = """
delete from budget_use
where campaign_id = %(campaign_id)s and scope = %(scope)s and (scope = 'day' or name = %(name)s)
"""

_SET: Final = """
insert into budget (campaign_id, scope, name, limit_usd) values (%(campaign_id)s, %(scope)s, %(name)s, %(limit)s)
on conflict (campaign_id, scope, name) do update set limit_usd = excluded.limit_usd, set_at = now()
returning xmax = 0
"""

# Rows from before days were counted have none. All get theirs: one that a run died over may be taken over yet, and
# would count on no day at all.
_DATE: Final = """
update reservation set day = to_char(changed_at at time zone %(zone)s, 'YYYY-MM-DD')
where campaign_id = %(campaign_id)s and day = '' and state <> 'released'
"""

_COUNT_ALL: Final = """
insert into budget_use (campaign_id, scope, name, used_usd, most_usd)
select %(campaign_id)s, %(scope)s, %(name)s, held.usd, held.usd from (
    select coalesce(sum(amount_usd), 0) as usd from reservation
    where campaign_id = %(campaign_id)s and state <> 'released' and (%(scope)s = 'campaign' or domain = %(name)s)
) as held
"""

_COUNT_DAYS: Final = """
insert into budget_use (campaign_id, scope, name, used_usd, most_usd)
select %(campaign_id)s, 'day', day, sum(amount_usd), sum(amount_usd) from reservation
where campaign_id = %(campaign_id)s and state <> 'released' and day <> ''
group by day
"""

_COUNTS: Final[dict[BudgetScope, tuple[str, ...]]] = {
    "campaign": (_COUNT_ALL,),
    "domain": (_COUNT_ALL,),
    "day": (_DATE, _COUNT_DAYS),
    "member": (),
}
"""What is in use already when a budget is set for the first time; members are summed up when they ask."""

_BOUND: Final = """
update budget_use set most_usd = greatest(used_usd, (
    select limit_usd from budget where campaign_id = %(campaign_id)s and scope = %(scope)s and name = %(name)s
))
where campaign_id = %(campaign_id)s and scope = %(scope)s and (scope = 'day' or name = %(name)s)
"""

_SHOW: Final = """
with held as materialized (
    select domain, day, user_id,
        coalesce(sum(amount_usd) filter (where state = 'settled'), 0) as spent,
        coalesce(sum(amount_usd) filter (where state = 'reserved'), 0) as reserved
    from reservation
    where campaign_id = %(campaign_id)s and (state = 'settled' or (state = 'reserved' and expires_at > now()))
    group by domain, day, user_id
), dearest as (
    select user_id from held group by user_id order by sum(spent + reserved) desc, user_id limit 1
), asked (place, scope, name, limit_usd) as (
    select 1, 'campaign', '', (select limit_usd from budget where campaign_id = %(campaign_id)s and scope = 'campaign')
    union all
    select case scope when 'domain' then 2 when 'day' then 3 else 4 end, scope,
        case scope when 'day' then %(today)s else name end, limit_usd
    from budget where campaign_id = %(campaign_id)s and scope <> 'campaign'
)
select asked.scope, asked.name, asked.limit_usd, coalesce(sum(held.spent), 0) as spent_usd,
    coalesce(sum(held.reserved), 0) as reserved_usd
from asked left join held on case asked.scope
    when 'campaign' then true
    when 'domain' then held.domain = asked.name
    when 'day' then held.day = asked.name
    else held.user_id = (select user_id from dearest)
end
group by asked.place, asked.scope, asked.name, asked.limit_usd
order by asked.place, asked.name
"""
