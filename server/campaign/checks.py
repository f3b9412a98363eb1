"""What must be true of a campaign's ledger, each as one statement that counts what breaks it."""

from dataclasses import dataclass
from typing import Final

from tools.ledger.cancelling import CANCELLED


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold. The query returns `broken`, and what `found` names; it holds when `broken` is 0."""

    name: str
    what: str
    found: str
    query: str


CHECKS: Final = (
    Check(
        "input",
        "each row of the input is an item or a reject",
        "{rows:,} rows, {items:,} items, {rejects:,} rejects",
        """
        select c.input_rows as rows, i.items, r.rejects, abs(c.input_rows - i.items - r.rejects) as broken
        from campaign c,
            (select count(*) as items from offer_item where campaign_id = %(id)s) as i,
            (select count(*) as rejects from campaign_reject where campaign_id = %(id)s) as r
        where c.campaign_id = %(id)s
        """,
    ),
    Check(
        "items",
        "each item is open, done, dead or skipped",
        "{open:,} open, {done:,} done, {dead:,} dead, {skipped:,} skipped",
        """
        select n.open, n.done, n.dead, n.skipped, n.items - n.open - n.done - n.dead - n.skipped as broken from (
            select count(*) as items,
                count(*) filter (where status in ('pending', 'running', 'retry')) as open,
                count(*) filter (where status = 'done') as done,
                count(*) filter (where status = 'dead') as dead,
                count(*) filter (where status = 'skipped') as skipped
            from offer_item where campaign_id = %(id)s
        ) as n
        """,
    ),
    Check(
        "ended",
        "a campaign that has ended has no open item",
        "state {state}, {open:,} open",
        """
        select c.state, i.open, case when c.state in ('done', 'cancelled') then i.open else 0 end as broken
        from campaign c, (
            select count(*) as open from offer_item
            where campaign_id = %(id)s and status in ('pending', 'running', 'retry')
        ) as i where c.campaign_id = %(id)s
        """,
    ),
    Check(
        "done",
        "each done item has one offer, with its run_id",
        "{done:,} done, {broken:,} without",
        """
        select count(*) as done,
            count(*) filter (
                where i.run_id is null or o.run_id is distinct from i.run_id
                   or i.recommendation is distinct from 'offer_generated'
            ) as broken
        from offer_item i left join offer o
            on o.campaign_id = %(id)s and o.prediction_key = i.prediction_key and o.user_id = i.user_id
            and o.domain = i.domain
        where i.campaign_id = %(id)s and i.status = 'done'
        """,
    ),
    Check(
        "decisions",
        "each done item has one decision, with its run_id",
        "{done:,} done, {broken:,} without or with several",
        """
        select count(*) as done,
            count(*) filter (where coalesce(d.decisions, 0) <> 1 or d.run_id is distinct from i.run_id) as broken
        from offer_item i left join (
            select prediction_key, count(*) as decisions, min(run_id) as run_id
            from decision where campaign_id = %(id)s group by prediction_key
        ) as d on d.prediction_key = i.prediction_key
        where i.campaign_id = %(id)s and i.status = 'done'
        """,
    ),
    Check(
        "offers",
        "each offer belongs to a done item",
        "{offers:,} offers, {broken:,} of no done item",
        """
        select count(*) as offers, count(*) filter (where i.prediction_key is null) as broken
        from offer o left join offer_item i
            on i.campaign_id = %(id)s and i.prediction_key = o.prediction_key and i.status = 'done'
        where o.campaign_id = %(id)s
        """,
    ),
    Check(
        "compliant",
        "no offer is non-compliant",
        "{offers:,} offers, {broken:,} non-compliant",
        """
        select count(*) as offers, count(*) filter (where compliant is not true) as broken
        from offer where campaign_id = %(id)s
        """,
    ),
    Check(
        "runs",
        "no run_id stands twice",
        "{runs:,} run_ids, {broken:,} repeated",
        """
        select count(*) as runs, coalesce(sum(items - 1), 0) as broken from (
            select count(*) as items from offer_item where campaign_id = %(id)s and run_id is not null group by run_id
        ) as by_run
        """,
    ),
    Check(
        "skipped",
        "each skipped item says why",
        "{skipped:,} skipped ({cancelled:,} by cancelling), {broken:,} without a reason",
        f"""
        select count(*) as skipped, count(*) filter (where why = '{CANCELLED}') as cancelled,
            count(*) filter (where why = '') as broken
        from (
            select coalesce(
                nullif(recommendation, ''), case when detail = array['{CANCELLED}'] then '{CANCELLED}' else '' end
            ) as why
            from offer_item where campaign_id = %(id)s and status = 'skipped'
        ) as skipped
        """,
    ),
    Check(
        "dead",
        "each dead item says what it died of",
        "{dead:,} dead, {broken:,} without an error class",
        """
        select count(*) as dead, count(*) filter (where coalesce(error_class, '') = '') as broken
        from offer_item where campaign_id = %(id)s and status = 'dead'
        """,
    ),
    Check(
        "costs",
        "each offer's expected cost is settled, and nothing else is",
        "{cost:,.2f} USD of offers, {settled:,.2f} USD settled, {broken:,} differ",
        """
        select coalesce(sum(o.expected_cost_usd), 0) as cost, coalesce(sum(r.amount_usd), 0) as settled,
            count(*) filter (where o.expected_cost_usd is distinct from r.amount_usd) as broken
        from (select * from offer where campaign_id = %(id)s) as o full join (
            select * from reservation where campaign_id = %(id)s and state = 'settled'
        ) as r on r.prediction_key = o.prediction_key
        """,
    ),
    Check(
        "in_use",
        "what the budgets count as used is what is reserved and settled",
        "{held:,.2f} USD held, {used:,.2f} USD counted",
        """
        with held as (
            select domain, day, sum(amount_usd) as usd from reservation
            where campaign_id = %(id)s and state <> 'released' group by domain, day
        ), counted as (
            select b.scope, u.used_usd, (
                select coalesce(sum(h.usd), 0) from held h
                where b.scope = 'campaign' or (b.scope = 'domain' and h.domain = u.name)
                   or (b.scope = 'day' and h.day = u.name)
            ) as usd
            from (select distinct scope, case scope when 'day' then null else name end as name from budget
                  where campaign_id = %(id)s and scope <> 'member') as b
            left join budget_use u
                on u.campaign_id = %(id)s and u.scope = b.scope and u.name = coalesce(b.name, u.name)
        )
        select coalesce((select sum(usd) from held), 0) as held,
            coalesce((select used_usd from counted where scope = 'campaign'), 0) as used,
            (select count(*) from counted
             where coalesce(used_usd, case scope when 'day' then usd end) is distinct from usd) as broken
        """,
    ),
    Check(
        "budget",
        "the offers' cost is within the budget",
        "{cost:,.2f} USD of {allowed} USD",
        """
        select o.cost, coalesce(to_char(b.usd, 'FM9,999,999,990.00'), 'any amount of') as allowed,
            case when o.cost > b.usd then 1 else 0 end as broken
        from (select coalesce(sum(expected_cost_usd), 0) as cost from offer where campaign_id = %(id)s) as o
        left join (
            select greatest(b.limit_usd, u.most_usd) as usd
            from budget b left join budget_use u on u.campaign_id = %(id)s and u.scope = 'campaign'
            where b.campaign_id = %(id)s and b.scope = 'campaign'
        ) as b on true
        """,
    ),
    Check(
        "usage",
        "each try of a recorded model call is accounted for",
        "{recorded:,} tries recorded by cohorts, {tries:,} accounted for",
        """
        select c.recorded, u.tries, greatest(c.recorded - u.tries, 0) as broken from (
            select coalesce(sum((call ->> 'attempts')::bigint), 0)::bigint as recorded
            from campaign_cohort, jsonb_array_elements(record -> 'calls') as call where campaign_id = %(id)s
        ) as c, (select coalesce(sum(tries), 0)::bigint as tries from llm_usage where campaign_id = %(id)s) as u
        """,
    ),
    Check(
        "cohorts",
        "each cohort has as many items as it counts",
        "{cohorts:,} cohorts, {items:,} items in one, {broken:,} differ",
        """
        select count(c.cohort_id) as cohorts, coalesce(sum(i.items), 0)::bigint as items,
            count(*) filter (where c.items is distinct from coalesce(i.items, 0)) as broken
        from (select cohort_id, items from campaign_cohort where campaign_id = %(id)s) as c full join (
            select cohort_id, count(*) as items from offer_item
            where campaign_id = %(id)s and cohort_id is not null group by cohort_id
        ) as i using (cohort_id)
        """,
    ),
    Check(
        "holdout",
        "no member of the holdout has an offer, and members are in it with all their predictions",
        "{members:,} members in it, {broken:,} against it",
        """
        select count(*) filter (where held) as members,
            count(*) filter (where held and (not wholly or offered)) as broken
        from (
            select bool_or(i.in_holdout) as held, bool_and(i.in_holdout) as wholly,
                bool_or(o.run_id is not null) as offered
            from offer_item i left join offer o
                on o.campaign_id = %(id)s and o.prediction_key = i.prediction_key
            where i.campaign_id = %(id)s and i.in_holdout is not null group by i.user_id
        ) as by_member
        """,
    ),
    Check(
        "caps",
        "no member has more offers of this campaign in a month than MAX_OFFERS_PER_MONTH",
        "{members:,} members with offers, most {most} of {most_allowed}, {broken:,} above",
        """
        select count(distinct user_id) as members, coalesce(max(offers), 0) as most,
            %(most)s::int as most_allowed, count(*) filter (where offers > %(most)s) as broken
        from (
            select user_id, count(*) as offers from offer where campaign_id = %(id)s
            group by user_id, date_trunc('month', issued_at at time zone %(zone)s)
        ) as by_month
        """,
    ),
)  # fmt: skip
