"""What became of the predictions, what was offered, and what it costs."""

from collections import Counter
from decimal import Decimal
from typing import Any, Final, get_args

from psycopg import AsyncConnection

from server.campaign.report.figures import Budgeted, DomainCost, Funnel, Mix, Money, Share, Tries
from server.campaign.report.rows import rows
from tools.ledger.campaigns import Campaign
from tools.ledger.spent import UNKNOWN, UsageRow
from tools.prices import Prices
from tools.vocabulary import DOMAINS, SuppressionReason

OPEN: Final = ("pending", "running", "retry")
NOT_NEEDED: Final = "no_offer_needed"
NOBODY: Final = "user_not_found"
_HELD: Final = "suppressed_"
_REASONS: Final = get_args(SuppressionReason)


async def funnel_of(connection: AsyncConnection, campaign: Campaign) -> Funnel:
    """Count the predictions by what has become of them."""
    of = {"id": campaign.campaign_id}
    statuses: Counter[str] = Counter()
    skipped: Counter[str | None] = Counter()
    dead: Counter[str] = Counter()
    for row in await rows(connection, _STATUSES, of):
        statuses[row["status"]] += row["items"]
        if row["status"] == "skipped":
            skipped[row["recommendation"]] += row["items"]
        if row["status"] == "dead":
            dead[row["error_class"] or "unknown"] += row["items"]
    (more,) = await rows(connection, _COUNTS, of)
    held = {name.removeprefix(_HELD): items for name, items in skipped.items() if name and name.startswith(_HELD)}
    items, not_needed, unknown = statuses.total(), skipped[NOT_NEEDED], skipped[NOBODY]
    known = items - not_needed - unknown
    return Funnel(
        input_rows=campaign.input_rows,
        items=items,
        not_needed=not_needed,
        unknown=unknown,
        known=known,
        held={name: held[name] for name in sorted(held, key=_place)},
        passed=known - sum(held.values()),
        offers=statuses["done"],
        dead=dict(dead.most_common()),
        open=sum(statuses[status] for status in OPEN),
        cancelled=statuses["skipped"] - not_needed - unknown - sum(held.values()),
        **more,
    )


async def money_of(
    connection: AsyncConnection, campaign_id: int, tries: tuple[Tries, ...], prices: Prices | None
) -> Money:
    """Return what offers and model cost, beside the budgets."""
    of = {"id": campaign_id}
    budgets = tuple(Budgeted.model_validate(row) for row in await rows(connection, _BUDGETS, of))
    limits = {(budget.scope, budget.name): budget.limit_usd for budget in budgets}
    spent = {row["domain"]: (row["offers"], row["cost_usd"]) for row in await rows(connection, _DOMAINS, of)}
    usage = [UsageRow.usd(_usage(row), prices) for row in tries] if prices is not None else None
    return Money(
        offers_usd=sum((cost for _, cost in spent.values()), Decimal(0)),
        model_usd=None if usage is None else sum(usage, Decimal(0)),
        limit_usd=limits.get(("campaign", "")),
        domains=tuple(
            DomainCost(
                domain=domain,
                offers=spent.get(domain, (0, Decimal(0)))[0],
                cost_usd=spent.get(domain, (0, Decimal(0)))[1],
                limit_usd=limits.get(("domain", domain)),
            )
            for domain in DOMAINS
            if domain in spent or ("domain", domain) in limits
        ),
        budgets=budgets,
        input_tokens=sum(row.input_tokens for row in tries),
        output_tokens=sum(row.output_tokens for row in tries),
        cached_tokens=sum(row.cached_tokens for row in tries),
        untold=sum(row.tries for row in tries if row.outcome in UNKNOWN),
    )


async def mix_of(connection: AsyncConnection, campaign_id: int) -> Mix:
    """Count the offers by kind, most first."""
    of = {"id": campaign_id}
    found: dict[str, list[Share]] = {"offer_type": [], "option_id": [], "source": [], "merchant": []}
    for row in [*await rows(connection, _KINDS, of), *await rows(connection, _MERCHANTS, of)]:
        found[row.pop("kind")].append(Share.model_validate(row))
    (held,) = await rows(connection, _HELD_NOW, of)
    return Mix(
        offer_types=tuple(found["offer_type"]),
        options=tuple(found["option_id"]),
        merchants=tuple(found["merchant"]),
        sources=tuple(found["source"]),
        held=held["offers"],
    )


def _place(reason: str) -> tuple[int, str]:
    return (_REASONS.index(reason) if reason in _REASONS else len(_REASONS), reason)


def _usage(row: Tries) -> UsageRow:
    values: dict[str, Any] = row.model_dump()
    return UsageRow(**values)


_STATUSES: Final = """
select status, recommendation, error_class, count(*) as items from offer_item
where campaign_id = %(id)s group by 1, 2, 3 order by 4 desc, 3
"""

_COUNTS: Final = """
select (select count(*) from campaign_reject where campaign_id = %(id)s) as rejected,
    (select count(*) from campaign_cohort where campaign_id = %(id)s) as cohorts,
    (select count(distinct user_id) from offer_item where campaign_id = %(id)s
        and coalesce(recommendation, '') not in ('no_offer_needed', 'user_not_found')) as members
"""

_BUDGETS: Final = """
select b.scope, b.name, b.limit_usd, case when b.scope <> 'member' then coalesce(u.used_usd, 0) end as used_usd
from budget b left join budget_use u using (campaign_id, scope, name)
where b.campaign_id = %(id)s and b.scope <> 'day'
union all
select b.scope, u.name, b.limit_usd, u.used_usd
from budget b join budget_use u on (u.campaign_id, u.scope) = (b.campaign_id, b.scope)
where b.campaign_id = %(id)s and b.scope = 'day'
order by 1, 2
"""

_DOMAINS: Final = """
select domain, count(*) as offers, sum(expected_cost_usd) as cost_usd from offer where campaign_id = %(id)s group by 1
"""

_KINDS: Final = """
select case when grouping(o.offer_type) = 0 then 'offer_type' when grouping(o.option_id) = 0 then 'option_id'
        else 'source' end as kind,
    coalesce(o.offer_type, o.option_id, k.source, 'unknown') as name,
    count(*) as offers, sum(o.expected_cost_usd) as cost_usd
from offer o join offer_item i using (campaign_id, prediction_key)
left join campaign_cohort k on k.campaign_id = i.campaign_id and k.cohort_id = i.cohort_id
where o.campaign_id = %(id)s
group by grouping sets ((o.offer_type), (o.option_id), (k.source))
order by offers desc, name
"""

# Merchants are the draft's, whichever option money chose for a member.
_MERCHANTS: Final = """
with cohort as (
    select i.cohort_id, count(*) as offers, sum(o.expected_cost_usd) as cost_usd
    from offer o join offer_item i using (campaign_id, prediction_key)
    where o.campaign_id = %(id)s group by 1
)
select 'merchant' as kind, m ->> 'merchant_name' as name, sum(offers)::bigint as offers, sum(cost_usd) as cost_usd
from cohort join campaign_cohort k on k.campaign_id = %(id)s and k.cohort_id = cohort.cohort_id
cross join lateral jsonb_array_elements(coalesce(k.record #> '{terms,merchants}', '[]')) as m
group by 2 order by 3 desc, 2
"""

_HELD_NOW: Final = "select count(*) as offers from offer where campaign_id = %(id)s and held_at is not null"
