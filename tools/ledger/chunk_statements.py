"""The statements by which a chunk is claimed, split, read, kept and given back."""

from typing import Final

from tools.ledger.holders import OF_PLAN

NEXT: Final = f"""
select k.chunk_no, k.status = 'running' as died, k.items from campaign_chunk k join campaign c using (campaign_id)
where k.campaign_id = %(campaign_id)s and c.state = 'running' and c.allotted_at is not null and k.status <> 'done'
  and {OF_PLAN}
  and k.wave = (select min(wave) from campaign_chunk where campaign_id = %(campaign_id)s and status <> 'done')
  and (k.status = 'pending' or k.lease_until <= now())
order by k.chunk_no limit 1 for update of k skip locked
"""

# Two that are split at once would give their pieces the same numbers.
LOCK_NUMBERS: Final = "select pg_advisory_xact_lock(hashtextextended('campaign chunks/' || %(campaign_id)s, 6))"

# The chunk keeps its own number as the first of the pieces; each piece has died as often as the whole.
SPLIT: Final = """
with open as (
    select prediction_key,
        (row_number() over (order by cohort_id, prediction_key) - 1)
            / greatest(1, ceil(count(*) over () / %(pieces)s::numeric)::int) as piece
    from offer_item
    where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status in ('pending', 'retry')
), numbered as (
    select piece, count(*)::int as items, case when piece = 0 then %(chunk_no)s else (
        select max(chunk_no) from campaign_chunk where campaign_id = %(campaign_id)s
    ) + piece end as chunk_no
    from open group by piece
), moved as (
    update offer_item i set chunk_no = numbered.chunk_no from open join numbered using (piece)
    where i.campaign_id = %(campaign_id)s and i.prediction_key = open.prediction_key and numbered.piece > 0
), first as (
    update campaign_chunk k set items = coalesce((select items from numbered where piece = 0), 0)
    where k.campaign_id = %(campaign_id)s and k.chunk_no = %(chunk_no)s
    returning k.wave, k.attempt, k.deaths
)
insert into campaign_chunk (campaign_id, chunk_no, wave, items, status, attempt, deaths)
select %(campaign_id)s, numbered.chunk_no, first.wave, numbered.items, 'pending', first.attempt, first.deaths + 1
from numbered cross join first where numbered.piece > 0
"""

TAKE: Final = """
update campaign_chunk set status = 'running', owner = %(owner)s, attempt = attempt + 1,
    deaths = deaths + case when %(died)s then 1 else 0 end, lease_until = now() + make_interval(secs => %(lease_s)s)
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s
returning chunk_no, wave, items, deaths, attempt
"""

GIVE_BACK: Final = """
update campaign_chunk set status = 'pending', owner = null, lease_until = null
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status = 'running' and owner = %(owner)s
  and attempt = coalesce(%(attempt)s::int, attempt)
"""

RENEW: Final = """
update campaign_chunk set lease_until = now() + make_interval(secs => %(lease_s)s)
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status = 'running' and owner = %(owner)s
  and attempt = %(attempt)s
"""

ITEMS: Final = """
select prediction_key, user_id, domain, confidence, offer_flag, pred_version, prediction_timestamp, idempotency_key,
    use_llm, cohort_id, option_id, attempt
from offer_item
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status in ('pending', 'retry')
order by cohort_id, prediction_key
"""

COHORT_RECORDS: Final = """
select cohort_id, whole_cohort(record) from campaign_cohort
where campaign_id = %(campaign_id)s and cohort_id = any(%(cohort_ids)s) and status = 'done'
"""

LEFT: Final = """
select
    (select count(*) from campaign_cohort
     where campaign_id = %(campaign_id)s and status in ('pending', 'running', 'retry')) as cohorts,
    (select count(*) from campaign_cohort
     where campaign_id = %(campaign_id)s and status = 'running' and lease_until > now()) as cohorts_held,
    (select count(*) from campaign_chunk where campaign_id = %(campaign_id)s and status <> 'done') as chunks,
    (select count(*) from campaign_chunk
     where campaign_id = %(campaign_id)s and status = 'running' and lease_until > now()) as chunks_held
"""
