"""Whether holdout and variants have the sizes they should: an uneven split spoils every comparison made with it."""

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

from psycopg import AsyncConnection

from server.campaign.report.figures import Arm, Proportion, SampleRatio
from server.campaign.report.statistics import FAULT, proportion, ratio_test
from tools.variants import BASE, BUCKETS


async def holdout_of(connection: AsyncConnection, campaign_id: int, percent: float) -> SampleRatio | None:
    """Return the sizes of the holdout and of the rest; None for a campaign that has none."""
    if not percent:
        return None
    cursor = await connection.execute(_HOLDOUT, {"id": campaign_id})
    row = await cursor.fetchone()
    assert row is not None  # an aggregate without GROUP BY always gives one row
    share = ceil(percent * BUCKETS / 100) / BUCKETS
    arms = {"held out": (share, int(row[0]), None), "addressed": (1 - share, int(row[1]), None)}
    return _ratio("holdout", arms)


async def variants_of(
    connection: AsyncConnection, campaign_id: int, split: Mapping[str, Mapping[str, float]]
) -> tuple[SampleRatio, ...]:
    """Return each split prompt's arms: members with a cohort, against the shares, and first drafts that passed."""
    found = []
    for prompt, shares in split.items():
        cursor = await connection.execute(_ARMS, {"id": campaign_id, "prompt": prompt, "base": BASE})
        counted: dict[str, tuple[int, Proportion]] = {
            str(name): (int(members), proportion(int(passed), int(drafted)))
            for name, members, passed, drafted in await cursor.fetchall()
        }
        parts = {variant: round(share * BUCKETS / 100) / BUCKETS for variant, share in shares.items()}
        parts = {BASE: max(0.0, 1 - sum(parts.values())), **parts}
        parts |= {name: 0.0 for name in counted if name not in parts}
        arms = {name: (share, *counted.get(name, (0, proportion(0, 0)))) for name, share in parts.items()}
        found.append(_ratio(prompt, arms))
    return tuple(found)


def _ratio(name: str, arms: Mapping[str, tuple[float, int, Proportion | None]]) -> SampleRatio:
    counts = [members for _, members, _ in arms.values()]
    tested = ratio_test(counts, [share for share, _, _ in arms.values()])
    strayed = any(members and not share for share, members, _ in arms.values())
    return SampleRatio(
        name=name,
        arms=tuple(
            Arm(name=arm, share=share, members=members, expected=share * sum(counts), first_pass=first_pass)
            for arm, (share, members, first_pass) in arms.items()
        ),
        chi_square=None if tested is None else tested[0],
        p_value=None if tested is None else tested[1],
        fault=strayed or (tested is not None and tested[1] < FAULT),
    )


_HOLDOUT: Final = """
select count(*) filter (where held), count(*) filter (where not held) from (
    select bool_or(in_holdout) as held from offer_item
    where campaign_id = %(id)s and in_holdout is not null group by user_id
) as members
"""

_ARMS: Final = """
with members as (
    select coalesce(k.variants ->> %(prompt)s, %(base)s) as arm, count(distinct i.user_id) as members
    from offer_item i join campaign_cohort k using (campaign_id, cohort_id)
    where i.campaign_id = %(id)s group by 1
), drafts as (
    select coalesce(variants ->> %(prompt)s, %(base)s) as arm, count(*) as drafted,
        count(*) filter (where status = 'done' and source <> 'fallback'
            and jsonb_array_length(record -> 'history') = 1) as passed
    from campaign_cohort
    where campaign_id = %(id)s and status in ('done', 'dead')
        and jsonb_array_length(coalesce(record -> 'history', '[]')) > 0
    group by 1
)
select arm, coalesce(members, 0), coalesce(passed, 0), coalesce(drafted, 0)
from members full join drafts using (arm)
"""


def split_of(spec: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the shares by prompt that a campaign was created with."""
    return {str(prompt): dict(shares) for prompt, shares in (spec.get("variants") or {}).items()}
