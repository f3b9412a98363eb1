"""The statements of the one transaction that writes what was decided of a chunk, in their order."""

from typing import Final

OWN: Final = """
select from campaign_chunk
where campaign_id = %(campaign_id)s and chunk_no = %(chunk_no)s and status = 'running' and owner = %(owner)s
  and attempt = coalesce(%(attempt)s::int, attempt)
for update
"""

# In the order of their numbers, so that no two who lock many wait for each other; then what the members want.
LOCK_MEMBERS: Final = """
select pg_advisory_xact_lock(hashtextextended(user_id, 0)), pg_advisory_xact_lock_shared(wishes_lock(user_id))
from (select user_id from unnest(%s::text[]) as asked (user_id) order by user_id) as members
"""

# JSON goes in binary, here and below: as text of an array each of its many quotes would be escaped.
PARTS: Final = """
insert into campaign_part (campaign_id, part, record)
select %(campaign_id)s, sha, body::jsonb from unnest(%(shas)s::text[], %(bodies)b::text[]) as given (sha, body)
on conflict (campaign_id, part) do nothing
"""

WRITE: Final = """
with given as (
    select * from unnest(
        %(keys)s::text[], %(statuses)s::text[], %(recommendations)s::text[], %(details)s::text[], %(classes)s::text[],
        %(texts)s::text[], %(runs)s::text[], %(cohorts)s::int[], %(records)b::text[], %(parts)s::text[],
        %(first_names)s::text[], %(emails)s::text[], %(types)s::text[], %(options)s::text[], %(high)s::boolean[],
        %(credits)s::numeric[], %(costs)s::numeric[], %(starts)s::date[], %(ends)s::date[], %(shas)s::text[]
    ) as g (prediction_key, status, recommendation, detail, error_class, error_text, run_id, cohort_id, record, part,
            first_name, email, offer_type, option_id, high_value, credit_usd, cost_usd, start_date, end_date, sha)
), won as (
    update offer_item i set
        status = case when g.status = 'retry' and i.attempt + 1 >= %(most)s then 'dead' else g.status end,
        attempt = i.attempt + 1, recommendation = g.recommendation, detail = g.detail::text[],
        error_class = g.error_class, error_text = g.error_text, run_id = g.run_id,
        finished_at = case when g.status = 'retry' and i.attempt + 1 < %(most)s then null else now() end
    from given g
    where i.campaign_id = %(campaign_id)s and i.prediction_key = g.prediction_key and i.chunk_no = %(chunk_no)s
      and i.status in ('pending', 'retry')
    returning i.prediction_key, i.user_id, i.domain
), decided as (
    insert into decision (run_id, campaign_id, prediction_key, recommendation, record, cohort_id, part)
    select g.run_id, %(campaign_id)s, g.prediction_key, g.recommendation, g.record::jsonb, g.cohort_id, g.part
    from given g join won using (prediction_key) where g.run_id is not null
), person as (
    insert into decision_person (run_id, first_name, email)
    select g.run_id, g.first_name, g.email from given g join won using (prediction_key)
    where g.run_id is not null and (g.first_name is not null or g.email is not null)
), issued as (
    insert into offer (campaign_id, prediction_key, run_id, user_id, domain, offer_type, option_id, compliant,
                       high_value, credit_usd, expected_cost_usd, start_date, end_date, html_sha256)
    select %(campaign_id)s, g.prediction_key, g.run_id, won.user_id, won.domain, g.offer_type, g.option_id, true,
           g.high_value, g.credit_usd, g.cost_usd, g.start_date, g.end_date, g.sha
    from given g join won using (prediction_key) where g.run_id is not null
)
insert into reservation (campaign_id, prediction_key, run_id, user_id, domain, day, amount_usd, state, expires_at)
select %(campaign_id)s, g.prediction_key, g.run_id, won.user_id, won.domain, %(today)s, round(g.cost_usd, 4), 'settled',
       now()
from given g join won using (prediction_key) where g.run_id is not null
returning prediction_key
"""

USE_MONEY: Final = "select use_money(%(campaign_id)s, %(domains)s::text[], %(amounts)s::numeric[], %(today)s)"

# Members have no row of what is in use; a budget for each may have been set or lowered since the money was allotted.
OVER_MEMBERS: Final = """
select from budget b join reservation r on r.campaign_id = b.campaign_id and r.state <> 'released'
where b.campaign_id = %(campaign_id)s and b.scope = 'member' and r.user_id = any(%(users)s)
group by r.user_id, b.limit_usd having sum(r.amount_usd) > b.limit_usd limit 1
"""

END: Final = """
update campaign_chunk k set owner = null, lease_until = null, status = case when exists (
    select from offer_item i
    where i.campaign_id = k.campaign_id and i.chunk_no = k.chunk_no and i.status in ('pending', 'retry')
) then 'pending' else 'done' end
where k.campaign_id = %(campaign_id)s and k.chunk_no = %(chunk_no)s
"""
