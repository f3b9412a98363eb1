"""What allotting a campaign's money reads and writes: budgets, what open items cost, and who gets less or nothing."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from tools.ledger.money import BudgetScope

BATCH: Final = 20_000
"""Items in memory at a time."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget of the campaign and what is in use of it, in USD. `name` is the domain of a domain's."""

    scope: BudgetScope
    name: str
    limit_usd: Decimal
    used_usd: Decimal


@dataclass(frozen=True, slots=True)
class CohortCost:
    """What the open items of a drafted cohort cost if all get its offer. `worth` is modelled value per dollar."""

    cohort_id: int
    domain: str
    items: int
    cost_usd: Decimal
    worth: float


@dataclass(frozen=True, slots=True)
class Claimant:
    """An open item in the order it is served."""

    prediction_key: str
    user_id: str
    domain: str
    cohort_id: int


@dataclass(frozen=True, slots=True)
class Unpaid:
    """An item that gets another option (`option_id`), or none and is held back with `detail`."""

    prediction_key: str
    option_id: str | None
    detail: str = ""


async def budgets_of(connection: AsyncConnection, campaign_id: int) -> list[Budget]:
    """Return the campaign's budgets but the one per day: what today can't pay waits for a later day (`day_money`)."""
    async with connection.cursor(row_factory=class_row(Budget)) as cursor:
        await cursor.execute(_BUDGETS, {"id": campaign_id})
        return await cursor.fetchall()


async def costs_of(connection: AsyncConnection, campaign_id: int) -> list[CohortCost]:
    """Return what the open items of each drafted cohort cost."""
    async with connection.cursor(row_factory=class_row(CohortCost)) as cursor:
        await cursor.execute(_COSTS, {"id": campaign_id})
        return await cursor.fetchall()


async def dearest_member_usd(connection: AsyncConnection, campaign_id: int) -> Decimal:
    """Return what the member costs who costs most, offers of this campaign that are issued already included."""
    cursor = await connection.execute(_DEAREST, {"id": campaign_id})
    row = await cursor.fetchone()
    return Decimal(0) if row is None or row[0] is None else row[0]


async def spent_on_members(connection: AsyncConnection, campaign_id: int) -> dict[str, Decimal]:
    """Return what members were promised in this campaign already."""
    cursor = await connection.execute(_SPENT_ON, {"id": campaign_id})
    return {str(user_id): amount for user_id, amount in await cursor.fetchall()}


async def claimants(
    connection: AsyncConnection, campaign_id: int, ranks: Mapping[int, int]
) -> AsyncIterator[list[Claimant]]:
    """Yield the open items of drafted cohorts in batches: by their cohort's rank, then confidence, then key."""
    async with connection.cursor("claimants", row_factory=class_row(Claimant)) as cursor:
        await cursor.execute(_CLAIMANTS, {"id": campaign_id, "cohorts": list(ranks), "ranks": list(ranks.values())})
        while batch := await cursor.fetchmany(BATCH):
            yield batch


async def leave_unpaid(connection: AsyncConnection, campaign_id: int, unpaid: Sequence[Unpaid]) -> None:
    """Write who gets another option, and who is held back."""
    await connection.execute(
        _UNPAID,
        {
            "id": campaign_id,
            "keys": [item.prediction_key for item in unpaid],
            "options": [item.option_id for item in unpaid],
            "details": [item.detail for item in unpaid],
        },
    )


async def mark_allotted(connection: AsyncConnection, campaign_id: int) -> None:
    """Let the fan-out begin."""
    await connection.execute("update campaign set allotted_at = now() where campaign_id = %s", (campaign_id,))


def chunked(items: Iterable[Unpaid], size: int = BATCH) -> Iterable[list[Unpaid]]:
    """Return the items in lists of a size."""
    batch: list[Unpaid] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


_BUDGETS: Final = """
select b.scope, b.name, b.limit_usd, coalesce(u.used_usd, 0) as used_usd
from budget b left join budget_use u using (campaign_id, scope, name)
where b.campaign_id = %(id)s and b.scope <> 'day' order by b.scope, b.name
"""

_COSTS: Final = """
select k.cohort_id, k.view ->> 'domain' as domain, count(*)::int as items, k.expected_cost_usd as cost_usd,
    coalesce((
        (k.record #>> '{terms,incremental_value_usd}')::numeric / nullif(k.expected_cost_usd, 0)
    )::float8, 0) as worth
from campaign_cohort k join offer_item i using (campaign_id, cohort_id)
where k.campaign_id = %(id)s and k.status = 'done' and i.status in ('pending', 'retry')
group by k.campaign_id, k.cohort_id order by k.cohort_id
"""

_DEAREST: Final = """
select max(usd) from (
    select user_id, sum(usd) as usd from (
        select i.user_id, k.expected_cost_usd as usd
        from offer_item i join campaign_cohort k using (campaign_id, cohort_id)
        where i.campaign_id = %(id)s and i.status in ('pending', 'retry') and k.status = 'done'
        union all
        select user_id, amount_usd from reservation where campaign_id = %(id)s and state <> 'released'
    ) as promised group by user_id
) as members
"""

_SPENT_ON: Final = """
select user_id, sum(amount_usd) from reservation where campaign_id = %(id)s and state <> 'released' group by user_id
"""

_CLAIMANTS: Final = """
select i.prediction_key, i.user_id, i.domain, i.cohort_id
from offer_item i join unnest(%(cohorts)s::int[], %(ranks)s::int[]) as ranked (cohort_id, rank) using (cohort_id)
where i.campaign_id = %(id)s and i.status in ('pending', 'retry')
order by ranked.rank, i.confidence desc, i.prediction_key
"""

_UNPAID: Final = """
update offer_item i set option_id = u.option_id,
    status = case when u.option_id is null then 'skipped' else i.status end,
    recommendation = case when u.option_id is null then 'suppressed_budget_exhausted' else i.recommendation end,
    detail = case when u.option_id is null then array['budget_exhausted: ' || u.detail] else i.detail end,
    finished_at = case when u.option_id is null then now() end
from unnest(%(keys)s::text[], %(options)s::text[], %(details)s::text[]) as u (prediction_key, option_id, detail)
where i.campaign_id = %(id)s and i.prediction_key = u.prediction_key and i.status in ('pending', 'retry')
"""
