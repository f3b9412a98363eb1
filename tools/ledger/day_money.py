"""What a day's budget of a campaign still pays: the best offers of a chunk today, the others on a later day."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from tools.ledger.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class DayBudget:
    """What a campaign's offers of one day may cost, and what is left of it, in USD. Below 0: it was lowered since."""

    campaign: str
    limit_usd: Decimal
    left_usd: Decimal


@dataclass(frozen=True, slots=True)
class Fitting:
    """Outcomes that the day pays, in their order, and why others wait; empty when none does."""

    outcomes: list[Outcome]
    waits: str = ""


async def fitting(connection: AsyncConnection, outcomes: Sequence[Outcome], values: dict[str, Any]) -> Fitting:
    """Return what may be written today; locks what is in use of the day until the transaction ends.

    Offers are served as a campaign's money is allotted: by modelled value per dollar, then confidence, then key. Each
    that is not too dear for what is left gets it. Outcomes without an offer cost nothing. To be asked before items are
    written and after their members are locked, with the campaign's budgets locked against change.
    """
    costs = {o.prediction_key: round(o.issued.expected_cost_usd, 4) for o in outcomes if o.issued is not None}
    if not costs or (day := await _locked(connection, values)) is None:
        return Fitting(list(outcomes))
    left, short = day.left_usd, set[str]()
    if sum(costs.values()) > left:
        ranked = await connection.execute(_BY_WORTH, values | {"keys": list(costs)})
        for (key,) in await ranked.fetchall():
            if costs[key] > left:
                short.add(key)
            else:
                left -= costs[key]
    waits = _told(day, left, min(costs[key] for key in short)) if short else ""
    return Fitting([outcome for outcome in outcomes if outcome.prediction_key not in short], waits)


async def _locked(connection: AsyncConnection, values: dict[str, Any]) -> DayBudget | None:
    await connection.execute(_BEGIN_DAY, values)
    async with connection.cursor(row_factory=class_row(DayBudget)) as cursor:
        await cursor.execute(_DAY, values)
        return await cursor.fetchone()


def _told(day: DayBudget, left: Decimal, cost: Decimal) -> str:
    raising = f"raise it with `offers budget set --campaign {day.campaign} --per-day USD`"
    remedy = f"no day pays that, {raising}" if cost > day.limit_usd else f"resume on a later day, or {raising}"
    return (
        f"the campaign's budget per day is {day.limit_usd:,.2f} USD and has {max(left, Decimal(0)):,.2f} USD left; the"
        f" cheapest offer that waits is expected to cost {cost:,.2f} USD: {remedy}"
    )


_BEGIN_DAY: Final = """
insert into budget_use (campaign_id, scope, name, used_usd, most_usd)
select campaign_id, 'day', %(today)s, 0, limit_usd from budget where campaign_id = %(campaign_id)s and scope = 'day'
on conflict (campaign_id, scope, name) do nothing
"""

_DAY: Final = """
select c.name as campaign, b.limit_usd, b.limit_usd - u.used_usd as left_usd
from budget b join campaign c using (campaign_id)
join budget_use u on u.campaign_id = b.campaign_id and u.scope = 'day' and u.name = %(today)s
where b.campaign_id = %(campaign_id)s and b.scope = 'day'
for update of u
"""

_BY_WORTH: Final = """
with cohorts as (
    select cohort_id, coalesce((
        (record #>> '{terms,incremental_value_usd}')::numeric / nullif(expected_cost_usd, 0)
    )::float8, 0) as worth
    from campaign_cohort where campaign_id = %(campaign_id)s and cohort_id in (
        select cohort_id from offer_item where campaign_id = %(campaign_id)s and prediction_key = any(%(keys)s)
    )
)
select i.prediction_key from offer_item i left join cohorts k using (cohort_id)
where i.campaign_id = %(campaign_id)s and i.prediction_key = any(%(keys)s)
order by coalesce(k.worth, 0) desc, i.confidence desc, i.prediction_key
"""
