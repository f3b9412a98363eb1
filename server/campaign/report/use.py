"""How the model was used: tries by step and outcome, minute by minute, and how long answers took."""

from typing import Final

from psycopg import AsyncConnection

from server.campaign.report.figures import Latency, Minute, Tries, Use
from server.campaign.report.rows import rows

BINS: Final = 90
"""Minutes are put together so that a plot has no more columns than that."""
OUTCOMES: Final = ("answered", "throttled", "failed", "late", "sent")


async def use_of(connection: AsyncConnection, campaign_id: int) -> Use:
    """Return the tries of a campaign's model calls."""
    of = {"id": campaign_id, "outcomes": list(OUTCOMES)}
    (span,) = await rows(connection, _SPAN, of)
    size = -(-span["minutes"] // BINS) or 1
    bins: dict[object, dict[str, int]] = {}
    tokens: dict[object, int] = {}
    for row in await rows(connection, _MINUTES, of | {"size": size}):
        bins.setdefault(row["start"], {})[row["outcome"]] = row["tries"]
        tokens[row["start"]] = tokens.get(row["start"], 0) + row["tokens"]
    return Use(
        rows=tuple(Tries.model_validate(row) for row in await rows(connection, _TRIES, of)),
        minutes=tuple(
            Minute.model_validate({"start": start, "tries": tries, "tokens": tokens[start]})
            for start, tries in bins.items()
        ),
        bin_minutes=size,
        latencies=tuple(Latency.model_validate(row) for row in await rows(connection, _LATENCIES, of)),
    )


_TRIES: Final = """
select step, model, outcome, sum(tries)::bigint as tries, sum(input_tokens)::bigint as input_tokens,
    sum(output_tokens)::bigint as output_tokens, sum(cached_tokens)::bigint as cached_tokens
from llm_usage where campaign_id = %(id)s group by step, model, outcome having sum(tries) <> 0
order by step, model, array_position(%(outcomes)s::text[], outcome)
"""

_SPAN: Final = """
select coalesce(extract(epoch from max(minute) - min(minute)) / 60 + 1, 0)::int as minutes
from llm_usage where campaign_id = %(id)s
"""

# Minutes without a try are in it too: a pause is part of the picture.
_MINUTES: Final = """
with span as (select min(minute) as first, max(minute) as last from llm_usage where campaign_id = %(id)s)
select b.start, coalesce(u.outcome, 'answered') as outcome, coalesce(sum(u.tries), 0)::bigint as tries,
    coalesce(sum(u.input_tokens + u.output_tokens), 0)::bigint as tokens
from span cross join lateral generate_series(span.first, span.last, make_interval(mins => %(size)s)) as b (start)
left join llm_usage u on u.campaign_id = %(id)s and u.minute >= b.start
    and u.minute < b.start + make_interval(mins => %(size)s)
group by 1, 2 order by 1, 2
"""

_LATENCIES: Final = """
select c ->> 'step' as step, count(*) as calls,
    percentile_cont(0.5) within group (order by (c ->> 'elapsed_ms')::float8) / 1000 as median_s,
    percentile_cont(0.95) within group (order by (c ->> 'elapsed_ms')::float8) / 1000 as p95_s
from campaign_cohort k cross join lateral jsonb_array_elements(coalesce(k.record -> 'calls', '[]')) as c
where k.campaign_id = %(id)s and (c ->> 'attempts')::int > 0 and not coalesce((c ->> 'cached')::boolean, false)
    and c ->> 'error_code' is null and (c ->> 'elapsed_ms')::float8 > 0
group by 1 order by 1
"""
