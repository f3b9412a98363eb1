"""What a campaign's plan reads of the ledger and writes to it, all in one transaction.

What is decided stays: a plan takes up open items, what an earlier plan skipped, and what the money didn't reach. A
cohort that was drafted under the same rules keeps its draft; one that decisions refer to keeps its number.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl
from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from tools.frames import frame_from, frame_into

CHUNK: Final = 250
"""Items that one worker decides in one transaction."""

ASKED: Final = "campaign_asked"
"""Temporary table of the items of the bucket that is planned."""

ITEMS: Final = {
    "prediction_key": pl.String(),
    "user_id": pl.String(),
    "domain": pl.String(),
    "confidence": pl.Float64(),
    "offer_flag": pl.Int64(),
    "use_llm": pl.Boolean(),
}
"""What of an item a plan reads."""

PLANNED: Final = ("prediction_key", "status", "recommendation", "detail", "in_holdout", "wave", "cohort")
"""What a plan says of an item: `detail` as a text[] literal, `cohort` by the plan's own number."""
COHORTS: Final = ("cohort", "key", "view", "variants", "use_llm")
"""What a plan says of a cohort: `view` and `variants` as JSON."""


async def begin(connection: AsyncConnection, campaign_id: int, *, same_rules: bool) -> None:
    """Take the undone work away from its workers and make room for a plan.

    With `same_rules` drafts are kept for cohorts that the plan will have again.
    """
    for statement in _PATIENCE:
        await connection.execute(statement)
    values = {"id": campaign_id, "same_rules": same_rules}
    for statement in (_DROP_CHUNKS, _DROP_COHORTS, _FREE_KEYS, *_SCRATCH):
        await connection.execute(statement.encode(), values if "%(" in statement else None)


async def count_items(connection: AsyncConnection, campaign_id: int) -> int:
    """Return how many items the plan will take up."""
    return int((await _row(connection, _COUNT, {"id": campaign_id}))[0])


async def next_bucket(connection: AsyncConnection, campaign_id: int, bucket: int, buckets: int) -> pl.DataFrame:
    """Return the items of a bucket, whole members, as a frame of `ITEMS`; they are in the table `ASKED` too."""
    for statement in _ASK:
        await connection.execute(
            statement.encode(), {"id": campaign_id, "bucket": bucket, "buckets": buckets} if "%(" in statement else None
        )
    return await frame_from(connection, sql.SQL(f"select {', '.join(ITEMS)} from {ASKED}"), {}, ITEMS)


async def add(connection: AsyncConnection, items: pl.DataFrame, cohorts: pl.DataFrame) -> None:
    """Note what becomes of a bucket's items, and the cohorts that are new with them."""
    await frame_into(connection, "planned_item", items.select(PLANNED))
    await frame_into(connection, "planned_cohort", cohorts.select(COHORTS))


async def settle(connection: AsyncConnection, campaign_id: int) -> None:
    """Number cohorts and chunks, and write the plan to the items that it changes."""
    for statement in _SETTLE:
        await connection.execute(statement.encode(), {"id": campaign_id, "size": CHUNK} if "%(" in statement else None)


@dataclass(frozen=True, slots=True)
class Told:
    """What a settled plan comes to. Members are those of all items; `open_cohorts` have no draft yet."""

    items: int
    members: int
    holdout_members: int
    open: int
    open_cohorts: int
    cohorts: int
    chunks: int
    decided: int
    rejected: int
    skipped_by: dict[str, int]
    waves: dict[int, int]
    by_menu: list[tuple[str, str, str, int]]


async def told(connection: AsyncConnection, campaign_id: int) -> Told:
    """Count what the plan has come to. `by_menu` is how many items are open by domain, card type and strategy."""
    values = {"id": campaign_id}
    items, held, rejected, cohorts, open_cohorts, chunks = await _row(connection, _TOLD, values)
    members, holdout = await _row(connection, _MEMBERS, values)
    skipped = {str(name): int(count) for name, count in await _rows(connection, _SKIPPED, values)}
    waves = {int(wave): int(count) for wave, count in await _rows(connection, _WAVES, values)}
    return Told(
        items=items, members=members, holdout_members=holdout, open=sum(waves.values()), open_cohorts=open_cohorts,
        cohorts=cohorts, chunks=chunks, decided=held, rejected=rejected, skipped_by=skipped, waves=waves,
        by_menu=[(d, c, s, int(n)) for d, c, s, n in await _rows(connection, _BY_MENU, values)],
    )  # fmt: skip


async def open_views(connection: AsyncConnection, campaign_id: int, most: int) -> list[tuple[Any, ...]]:
    """Return (view, variants, use_llm, cohorts) of cohorts without a draft, at most so many, evenly over all."""
    return await _rows(connection, _OPEN_VIEWS, {"id": campaign_id, "most": most})


async def save(connection: AsyncConnection, campaign_id: int, plan: dict[str, Any], versions: dict[str, Any]) -> None:
    """Write the plan's numbers and what it was made under; the money is to be allotted anew."""
    values = {"id": campaign_id, "plan": Jsonb(plan), "versions": Jsonb(versions)}
    await connection.execute(_SAVE, values)


async def tidy(connection: AsyncConnection, campaign_id: int) -> None:
    """Free the room of the items' old rows for those to come, and let queries be planned by what is there now.

    Outside a transaction.
    """
    (limit,) = await _row(connection, "select current_setting('statement_timeout')", {})
    await connection.execute("set statement_timeout = 0")
    for table in (f"offer_item_c{campaign_id}", "campaign_cohort", "campaign_chunk"):
        found = await _row(connection, "select to_regclass(%(table)s) is not null", {"table": table})
        if found[0]:
            await connection.execute(sql.SQL("vacuum (analyze, skip_locked) {}").format(sql.Identifier(table)))
    await connection.execute("select set_config('statement_timeout', %s, false)", [limit])


async def money(connection: AsyncConnection, campaign_id: int) -> tuple[float | None, float]:
    """Return the campaign's budget and what of it is in use, in USD; None without a budget."""
    limit, used = await _row(connection, _MONEY, {"id": campaign_id})
    return None if limit is None else float(limit), float(used)


async def measured(connection: AsyncConnection, model: str, since: date) -> dict[str, tuple[float, float]]:
    """Return mean output tokens and seconds of a model's latest calls by step, as decisions recorded them."""
    rows = await _rows(connection, _MEASURED, {"model": model, "since": since})
    return {str(step): (float(out), float(seconds)) for step, out, seconds in rows}


async def _rows(connection: AsyncConnection, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query.encode(), values)).fetchall()


async def _row(connection: AsyncConnection, query: str, values: dict[str, Any]) -> tuple[Any, ...]:
    (row,) = await _rows(connection, query, values)
    return row


_PATIENCE: Final = (
    "set local statement_timeout = 0",  # millions of items take longer than a request may
    "set local idle_in_transaction_session_timeout = 0",
    "set local lock_timeout = '60s'",
    "set local work_mem = '64MB'",
)

# A cohort that the run found no draft or no money for was planned; what has none was skipped by a plan.
_TAKEN_UP: Final = """
(i.status in ('pending', 'retry') or (i.status = 'skipped' and i.run_id is null
    and (i.cohort_id is null or i.recommendation = 'suppressed_budget_exhausted')))
"""
_KEPT: Final = "(k.status = 'done' and %(same_rules)s and k.key not like '%%#%%')"
"""Whether a cohort's draft serves the plan that is made."""

_DROP_CHUNKS: Final = "delete from campaign_chunk where campaign_id = %(id)s and status <> 'done'"

_DROP_COHORTS: Final = f"""
delete from campaign_cohort k where campaign_id = %(id)s and not {_KEPT}
  and not exists (
    select from offer_item i where i.campaign_id = k.campaign_id and i.cohort_id = k.cohort_id and not {_TAKEN_UP}
)
"""

# Decisions refer to such a cohort by number; the plan may have another one of the same key.
_FREE_KEYS: Final = f"""
update campaign_cohort k set key = key || '#' || cohort_id
where campaign_id = %(id)s and not {_KEPT} and key not like '%%#%%'
"""

_SCRATCH: Final = (
    f"create temporary table {ASKED} (prediction_key text, user_id text, domain text, confidence float8,"
    " offer_flag smallint, use_llm boolean) on commit drop",
    "create temporary table planned_item (prediction_key text, status text, recommendation text, detail text,"
    " in_holdout boolean, wave smallint, cohort bigint) on commit drop",
    "create temporary table planned_cohort (cohort bigint, key text, view text, variants text, use_llm boolean)"
    " on commit drop",
)

_COUNT: Final = f"select count(*) from offer_item i where campaign_id = %(id)s and {_TAKEN_UP}"

_ASK: Final = (
    f"truncate {ASKED}",
    f"""
    insert into {ASKED} select {", ".join(ITEMS)} from offer_item i
    where campaign_id = %(id)s and {_TAKEN_UP} and (hashtext(user_id) & 2147483647) %% %(buckets)s = %(bucket)s
    """,
    f"analyze {ASKED}",
)

_SETTLE: Final = (
    "analyze planned_item",
    """
    create temporary table numbered_cohort on commit drop as
    with counted as (
        select p.*, i.items from planned_cohort p join (
            select cohort, count(*) as items from planned_item where cohort is not null group by cohort
        ) as i using (cohort)
    ), placed as (
        select c.*, k.cohort_id as kept from counted c
        left join campaign_cohort k on k.campaign_id = %(id)s and k.key = c.key
    )
    select cohort, key, view, variants, use_llm, items, kept is not null as is_kept, coalesce(kept, (
        select coalesce(max(cohort_id), 0) from campaign_cohort where campaign_id = %(id)s
    ) + row_number() over (partition by kept is null order by items desc, key collate "C"))::int as cohort_id
    from placed
    """,
    """
    insert into campaign_cohort (campaign_id, cohort_id, key, view, variants, use_llm, items)
    select %(id)s, cohort_id, key, view::jsonb, variants::jsonb, use_llm, items
    from numbered_cohort where not is_kept order by cohort_id
    """,
    "analyze numbered_cohort",
    "analyze campaign_cohort",
    """
    create temporary table numbered_item on commit drop as
    select prediction_key, wave, cohort_id, dense_rank() over (order by wave, part)::int + (
        select greatest(
            (select coalesce(max(chunk_no), 0) from campaign_chunk where campaign_id = %(id)s),
            (select coalesce(max(chunk_no), 0) from offer_item o where o.campaign_id = %(id)s
             and not exists (select from planned_item p where p.prediction_key = o.prediction_key))
        )
    ) as chunk_no
    from (
        select i.prediction_key, i.wave, k.cohort_id, (row_number() over (
            partition by i.wave order by k.cohort_id, i.prediction_key collate "C"
        ) - 1) / %(size)s as part
        from planned_item i join numbered_cohort k using (cohort)
    ) as placed
    """,
    "analyze numbered_item",
    """
    update offer_item i set status = p.status, recommendation = p.recommendation, detail = p.detail::text[],
        in_holdout = p.in_holdout, wave = p.wave, cohort_id = n.cohort_id, chunk_no = n.chunk_no, option_id = null,
        error_class = null, error_text = null, finished_at = case when p.status = 'skipped' then now() end
    from planned_item p left join numbered_item n using (prediction_key)
    where i.campaign_id = %(id)s and i.prediction_key = p.prediction_key
      and (i.status, i.recommendation, i.detail, i.in_holdout, i.wave, i.cohort_id, i.chunk_no, i.option_id,
           i.error_class) is distinct from
          (p.status, p.recommendation, p.detail::text[], p.in_holdout, p.wave, n.cohort_id, n.chunk_no, null, null)
    """,
    """
    insert into campaign_chunk (campaign_id, chunk_no, wave, items)
    select %(id)s, chunk_no, wave, count(*) from numbered_item group by chunk_no, wave order by chunk_no
    """,
    """
    with counted as materialized (
        select cohort_id, count(*) as items from offer_item
        where campaign_id = %(id)s and cohort_id is not null group by cohort_id
    )
    update campaign_cohort k set items = coalesce(counted.items, 0)
    from campaign_cohort before left join counted using (cohort_id)
    where before.campaign_id = %(id)s and k.campaign_id = before.campaign_id and k.cohort_id = before.cohort_id
      and not exists (select from numbered_cohort n where n.cohort_id = k.cohort_id and not n.is_kept)
    """,
)

_TOLD: Final = """
select
    (select count(*) from offer_item where campaign_id = %(id)s),
    (select count(*) from offer_item where campaign_id = %(id)s
     and (status in ('done', 'dead') or (status = 'skipped' and cohort_id is not null))),
    (select count(*) from campaign_reject where campaign_id = %(id)s),
    (select count(*) from campaign_cohort where campaign_id = %(id)s),
    (select count(*) from campaign_cohort where campaign_id = %(id)s and status in ('pending', 'running', 'retry')),
    (select count(*) from campaign_chunk where campaign_id = %(id)s and status <> 'done')
"""

_MEMBERS: Final = """
select count(*), count(*) filter (where held) from (
    select bool_or(in_holdout) as held from offer_item where campaign_id = %(id)s group by user_id
) as members
"""

_SKIPPED: Final = """
select recommendation, count(*) from offer_item
where campaign_id = %(id)s and status = 'skipped' and cohort_id is null group by 1 order by 2 desc, 1
"""

_WAVES: Final = """
select wave, count(*) from offer_item where campaign_id = %(id)s and status = 'pending' group by 1 order by 1
"""

_BY_MENU: Final = """
select k.view ->> 'domain', k.view ->> 'card_type', k.view ->> 'strategy', count(*)
from offer_item i join campaign_cohort k using (campaign_id, cohort_id)
where i.campaign_id = %(id)s and i.status = 'pending' group by 1, 2, 3 order by 1, 2, 3
"""

_OPEN_VIEWS: Final = """
with cohorts as (
    select view, variants, use_llm, count(*) as cohorts, min(cohort_id) as first from campaign_cohort
    where campaign_id = %(id)s and status in ('pending', 'running', 'retry') group by view, variants, use_llm
), placed as (
    select *, row_number() over (order by first) as place, count(*) over () as of_all from cohorts
)
select view, variants, use_llm, cohorts from placed
where place %% greatest(1, ceil(of_all::numeric / %(most)s))::bigint = 0 or of_all <= %(most)s order by first
"""

_SAVE: Final = """
update campaign set plan = %(plan)s, versions = %(versions)s, planned_at = now(), allotted_at = null
where campaign_id = %(id)s
"""

_MONEY: Final = """
select (select limit_usd from budget where campaign_id = %(id)s and scope = 'campaign'),
    coalesce((select used_usd from budget_use where campaign_id = %(id)s and scope = 'campaign'), 0)
"""

_MEASURED: Final = """
select split_part(call ->> 'step', '_', 1) as step,
    avg((call ->> 'output_tokens')::float8 / (call ->> 'attempts')::int),
    avg((call ->> 'elapsed_ms')::float8 / 1000 / (call ->> 'attempts')::int)
from (
    (select record from decision where decided_at >= %(since)s and cohort_id is null
     order by decided_at desc limit 1000)
    union all
    (select record from campaign_cohort where finished_at >= %(since)s order by finished_at desc limit 1000)
) as latest, jsonb_array_elements(coalesce(record -> 'calls', '[]'::jsonb)) as call
where not coalesce((call ->> 'cached')::boolean, false) and (call ->> 'attempts')::int > 0
  and call ->> 'model' = %(model)s
group by 1
"""
