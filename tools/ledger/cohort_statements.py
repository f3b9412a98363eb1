"""The statements by which a cohort is claimed, finished, buried and given back."""

from typing import Final

from tools.ledger.holders import OF_PLAN

CLAIM: Final = f"""
with next as (
    select k.cohort_id from campaign_cohort k join campaign c using (campaign_id)
    where k.campaign_id = %(campaign_id)s and c.state = 'running' and {OF_PLAN}
      and (k.status in ('pending', 'retry') or (k.status = 'running' and k.lease_until <= now()))
    order by k.status <> 'pending', k.attempt, k.cohort_id limit 1 for update of k skip locked
)
update campaign_cohort k set status = 'running', owner = %(owner)s, attempt = k.attempt + 1,
    lease_until = now() + make_interval(secs => %(lease_s)s)
from next where k.campaign_id = %(campaign_id)s and k.cohort_id = next.cohort_id
returning k.cohort_id, k.key, k.view, k.variants, k.use_llm, k.attempt
"""

_OWNED: Final = (
    "campaign_id = %(campaign_id)s and cohort_id = %(cohort_id)s and status = 'running' and owner = %(owner)s"
)

FINISH: Final = f"""
update campaign_cohort set status = 'done', record = %(record)s, option_id = %(option_id)s,
    expected_cost_usd = %(cost)s, source = %(source)s, owner = null, lease_until = null, finished_at = now(),
    error_class = null, error_text = null
where {_OWNED}
"""

BURY: Final = f"""
update campaign_cohort set status = 'dead', record = %(record)s, error_class = %(error_class)s,
    error_text = %(error_text)s, owner = null, lease_until = null, finished_at = now()
where {_OWNED}
"""

BURY_ITEMS: Final = """
update offer_item set status = 'dead', recommendation = 'generation_failed', error_class = %(error_class)s,
    error_text = %(error_text)s, finished_at = now()
where campaign_id = %(campaign_id)s and cohort_id = %(cohort_id)s and status in ('pending', 'retry')
"""

GIVE_BACK: Final = f"""
update campaign_cohort set status = 'retry', owner = null, lease_until = null, error_text = %(error)s,
    attempt = attempt - case when %(charged)s then 0 else 1 end
where {_OWNED}
"""
