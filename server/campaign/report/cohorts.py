"""How drafting went and how far drafts reached, from the records of cohorts."""

from collections.abc import Iterable
from typing import Final

from psycopg import AsyncConnection

from server.campaign.report.figures import BrokenClause, Drafts, Reuse, Size
from server.campaign.report.rows import rows
from server.campaign.report.statistics import proportion

SIZES: Final = ((1, 1), (2, 9), (10, 99), (100, 999), (1_000, 9_999), (10_000, None))
"""Cohorts are told by members, in these classes."""
CLAUSES: Final = 20
"""Clauses that are told, those most often broken first."""


async def drafts_of(connection: AsyncConnection, campaign_id: int) -> Drafts:
    """Tell how drafts fared with the gate."""
    of = {"id": campaign_id, "most": CLAUSES}
    (row,) = await rows(connection, _DRAFTS, of)
    return Drafts(
        drafted=row["drafted"],
        first_pass=proportion(row["passed"], row["drafted"]),
        redrafts=row["redrafts"],
        fallbacks=row["fallbacks"],
        dead=row["dead"],
        clauses=tuple(BrokenClause.model_validate(clause) for clause in await rows(connection, _CLAUSES, of)),
    )


async def reuse_of(connection: AsyncConnection, campaign_id: int, *, tries: int, offers: int) -> Reuse:
    """Tell how many predictions a draft serves."""
    of = {"id": campaign_id, "bounds": [least for least, _ in SIZES]}
    (row,) = await rows(connection, _REUSE, of)
    found = {size["class"]: size for size in await rows(connection, _SIZES, of)}
    return Reuse(
        sizes=tuple(_sizes(found)),
        tries=tries,
        calls_per_offer=tries / offers if offers else None,
        saved=row["one_by_one"] - row["drafted"],
        **row,
    )


def _sizes(found: dict[int, dict[str, int]]) -> Iterable[Size]:
    for place, (least, most) in enumerate(SIZES, start=1):
        if (row := found.get(place)) is not None:
            yield Size(least=least, most=most, cohorts=row["cohorts"], items=row["items"])


_DRAFTS: Final = """
with cohort as (
    select k.status, k.source, h.drafts, h.own, h.fallbacks
    from campaign_cohort k cross join lateral (
        select count(*) as drafts,
            count(*) filter (where a #>> '{draft,source}' <> 'fallback') as own,
            count(*) filter (where a #>> '{draft,source}' = 'fallback') as fallbacks
        from jsonb_array_elements(coalesce(k.record -> 'history', '[]')) as a
    ) as h
    where k.campaign_id = %(id)s and k.status in ('done', 'dead')
)
select count(*) filter (where drafts > 0) as drafted,
    count(*) filter (where drafts = 1 and status = 'done' and source <> 'fallback') as passed,
    coalesce(sum(greatest(own - 1, 0)), 0)::bigint as redrafts,
    count(*) filter (where fallbacks > 0) as fallbacks,
    count(*) filter (where status = 'dead') as dead
from cohort
"""

# A draft for nobody leaves clauses that read the member open. Those count only where terms or copy break them whoever
# the member is, as `tools.policies.gate` decides on such drafts.
_CLAUSES: Final = """
select (r ->> 'policy_id') || '/' || (r ->> 'clause_id') as clause, count(distinct (k.cohort_id, h.place)) as drafts,
    count(distinct k.cohort_id) as cohorts
from campaign_cohort k
cross join lateral jsonb_array_elements(coalesce(whole_cohort(k.record) -> 'history', '[]'))
    with ordinality as h (attempt, place)
cross join lateral jsonb_path_query(
    h.attempt, '$.report.results[*] ? (@.severity != "warn" && (@.result == "violate" || @.result == "unknown"))'
) as r
where k.campaign_id = %(id)s and k.status in ('done', 'dead') and jsonb_typeof(h.attempt -> 'draft') = 'object'
    and (not r -> 'depends_on' ? 'member' or (r ->> 'result' = 'violate' and r ->> 'stage' <> 'member'))
group by 1 order by 2 desc, 1 limit %(most)s
"""

_REUSE: Final = """
select count(*) as cohorts, count(*) filter (where status = 'done') as drafted,
    (percentile_cont(0.5) within group (order by items) filter (where status = 'done'))::float8 as median,
    (avg(items) filter (where status = 'done'))::float8 as mean, max(items) filter (where status = 'done') as largest,
    coalesce(sum(items) filter (where status = 'done'), 0)::bigint as one_by_one
from campaign_cohort where campaign_id = %(id)s and items > 0
"""

_SIZES: Final = """
select width_bucket(items, %(bounds)s::bigint[]) as class, count(*) as cohorts, sum(items)::bigint as items
from campaign_cohort where campaign_id = %(id)s and items > 0 group by 1
"""
