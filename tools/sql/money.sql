-- Money: functions, so that no lock on what all runs share is held while a client thinks. Replaced at every start.
--
-- Locks are taken in one order everywhere, so that nobody waits in a circle: the campaign's budgets (shared by all who
-- move money, alone for who sets them), the prediction's row, its reservation, what is in use of each budget (campaign,
-- day, domain), the member's spending, the member's wishes. Others' expired reservations are passed over while somebody
-- has them locked.

create or replace function budgets_lock(of_campaign bigint) returns bigint language sql immutable as $$
    select hashtextextended('budgets/' || of_campaign, 1)
$$;

-- The lock on what a member wants: shared by whoever writes an offer, alone for a link that says no (`opt_outs.py`).
create or replace function wishes_lock(of_member text) returns bigint language sql immutable as $$
    select hashtextextended(of_member, 3)
$$;

-- Whether a member wants no offer of a domain now: on the list, the domain refused, or offers paused.
create or replace function opted_out(of_member text, of_domain text) returns boolean language sql stable as $$
    select exists (select from suppression s where s.user_id = of_member)
        or exists (
            select from contact_preference p
            where p.user_id = of_member and (of_domain = any(p.refused_domains) or p.paused_until > now())
        )
$$;

-- The budgets that are set and have one offer in their scope, in the order they are locked in.
create or replace function budgets_of(of_campaign bigint, of_domain text, on_day text)
returns table (scope text, name text, limit_usd numeric) language sql stable as $$
    select b.scope, case b.scope when 'day' then on_day else b.name end, b.limit_usd from budget b
    where b.campaign_id = of_campaign and (b.scope <> 'domain' or b.name = of_domain)
    order by 1, 2
$$;

-- Adds to what is in use of the budgets that count an offer; a negative amount gives back.
create or replace function add_use(of_campaign bigint, of_domain text, on_day text, usd numeric) returns void
language sql as $$
    with mine as (
        select u.scope, u.name from budget_use u
        where u.campaign_id = of_campaign
          and (u.scope = 'campaign' or (u.scope = 'day' and u.name = on_day) or (u.scope = 'domain' and u.name = of_domain))
        order by u.scope, u.name for update
    )
    update budget_use u set used_usd = u.used_usd + usd from mine
    where u.campaign_id = of_campaign and u.scope = mine.scope and u.name = mine.name
$$;

-- Takes `usd` for a prediction in place of what `held` keeps for it, and notes it in `to_state`; or takes nothing and says
-- which budgets are short. What is held under a live lease stays granted even when a lower budget was set since; what
-- lapsed must fit like anything new. The amount counts on the day it was first reserved.
create or replace function take_money(
    of_campaign bigint, of_key text, for_run text, of_member text, of_domain text, usd numeric, today text,
    held reservation, to_state text, until timestamptz
) returns jsonb language plpgsql as $$
declare
    is_held boolean := coalesce(held.state <> 'released', false);
    lives boolean := is_held and (held.state = 'settled' or held.expires_at > clock_timestamp());
    on_day text := case when is_held then held.day else today end;
    cost numeric := round(usd, 4);
    added numeric := cost - case when is_held then held.amount_usd else 0 end;
    budget_at record;
    used numeric;
    told jsonb := '[]';
    short jsonb := '[]';
begin
    for budget_at in select * from budgets_of(of_campaign, of_domain, on_day) loop
        if budget_at.scope = 'member' then
            perform pg_advisory_xact_lock(hashtextextended(of_campaign || '/' || of_member, 2));
            select coalesce(sum(r.amount_usd), 0) into used from reservation r
            where r.campaign_id = of_campaign and r.user_id = of_member and r.state <> 'released';
        else
            if budget_at.scope = 'day' then
                insert into budget_use (campaign_id, scope, name, used_usd, most_usd)
                values (of_campaign, 'day', on_day, 0, budget_at.limit_usd)
                on conflict (campaign_id, scope, name) do nothing;
            end if;
            select u.used_usd into strict used from budget_use u
            where u.campaign_id = of_campaign and u.scope = budget_at.scope and u.name = budget_at.name
            for update;
        end if;
        if used + added > budget_at.limit_usd and not (lives and added <= 0) then
            used := used + added - cost;
            short := short || jsonb_build_object(
                'scope', budget_at.scope, 'name', budget_at.name, 'limit_usd', budget_at.limit_usd::text,
                'left_usd', greatest(budget_at.limit_usd - used, 0)::text
            );
        else
            told := told || jsonb_build_object(
                'scope', budget_at.scope, 'name', budget_at.name, 'limit_usd', budget_at.limit_usd::text,
                'left_usd', greatest(budget_at.limit_usd - used - added, 0)::text
            );
        end if;
    end loop;
    if short <> '[]' then
        return jsonb_build_object('verdict', 'short', 'budgets', short);
    end if;
    if to_state = 'settled' or told <> '[]' then
        if added <> 0 then
            perform add_use(of_campaign, of_domain, on_day, added);
        end if;
        insert into reservation (
            campaign_id, prediction_key, run_id, user_id, domain, day, amount_usd, state, expires_at
        )
        values (of_campaign, of_key, for_run, of_member, of_domain, on_day, cost, to_state, until)
        on conflict (campaign_id, prediction_key) do update
        set run_id = excluded.run_id, user_id = excluded.user_id, domain = excluded.domain, day = excluded.day,
            amount_usd = excluded.amount_usd, state = excluded.state, expires_at = excluded.expires_at,
            changed_at = now();
    end if;
    return jsonb_build_object('verdict', 'granted', 'budgets', told);
end $$;

-- The prediction's row, locked, if the run owns it: its user_id and domain, else nothing.
create or replace function owned_item(of_campaign bigint, of_key text, by_run text)
returns table (user_id text, domain text) language sql as $$
    select i.user_id, i.domain from offer_item i
    where i.campaign_id = of_campaign and i.prediction_key = of_key and i.status = 'pending' and i.owner = by_run
      and i.lease_until > clock_timestamp()
    for no key update
$$;

-- Reserves `usd` for a prediction in place of what it had reserved. Verdicts: granted, short (some budget has too little
-- left), lost (the run's claim has ended). Where no budget counts the offer, nothing is reserved. Settled stays settled.
create or replace function reserve_money(
    of_campaign bigint, of_key text, for_run text, usd numeric, lease_s float8, today text
) returns jsonb language plpgsql as $$
declare
    item record;
    held reservation;
begin
    perform pg_advisory_xact_lock_shared(budgets_lock(of_campaign));
    select * into item from owned_item(of_campaign, of_key, for_run);
    if not found then
        return '{"verdict": "lost", "budgets": []}';
    end if;
    select * into held from reservation r where r.campaign_id = of_campaign and r.prediction_key = of_key for update;
    return take_money(
        of_campaign, of_key, for_run, item.user_id, item.domain, usd, today, held,
        case held.state when 'settled' then 'settled' else 'reserved' end,
        clock_timestamp() + make_interval(secs => lease_s)
    );
end $$;

-- Ends a prediction's money as its run ends: settles `usd` for an issued offer, or with null gives back what was reserved.
-- False when the run doesn't own the prediction any more, when money that was not reserved is not there, or when the
-- member opted out of the offer: this is asked once all other locks are held, and what the member says from then on waits
-- until the offer is written. So no offer is written after a link has answered. What a refusal had moved is undone.
create or replace function settle_money(of_campaign bigint, of_key text, for_run text, usd numeric, today text)
returns boolean language plpgsql as $$
declare
    item record;
    held reservation;
    taken jsonb;
begin
    perform pg_advisory_xact_lock_shared(budgets_lock(of_campaign));
    select * into item from owned_item(of_campaign, of_key, for_run);
    if not found then
        return false;
    end if;
    select * into held from reservation r where r.campaign_id = of_campaign and r.prediction_key = of_key for update;
    if usd is not null then
        begin
            taken := take_money(
                of_campaign, of_key, for_run, item.user_id, item.domain, usd, today, held, 'settled', clock_timestamp()
            );
            perform pg_advisory_xact_lock_shared(wishes_lock(item.user_id));
            if opted_out(item.user_id, item.domain) then
                raise sqlstate 'OG001';
            end if;
        exception when sqlstate 'OG001' then
            return false;
        end;
        return taken ->> 'verdict' = 'granted';
    end if;
    if held.state = 'reserved' then
        update reservation r set state = 'released', changed_at = now()
        where r.campaign_id = of_campaign and r.prediction_key = of_key;
        perform add_use(of_campaign, held.domain, held.day, -held.amount_usd);
    end if;
    return true;
end $$;

-- Gives back what runs reserved that ended without a word; returns how many reservations. One caller at a time: who comes
-- second finds the money there.
create or replace function release_expired(of_campaign bigint) returns bigint language plpgsql as $$
declare
    many bigint;
begin
    perform pg_advisory_xact_lock_shared(budgets_lock(of_campaign));
    perform pg_advisory_xact_lock(hashtextextended('expired/' || of_campaign, 1));
    with expired as (
        select r.prediction_key from reservation r
        where r.campaign_id = of_campaign and r.state = 'reserved' and r.expires_at <= clock_timestamp()
        for update skip locked
    ), released as (
        update reservation r set state = 'released', changed_at = now() from expired
        where r.campaign_id = of_campaign and r.prediction_key = expired.prediction_key
        returning r.domain, r.day, r.amount_usd
    ), freed (scope, name, usd) as (
        select 'campaign', '', sum(amount_usd) from released
        union all select 'day', day, sum(amount_usd) from released group by day
        union all select 'domain', domain, sum(amount_usd) from released group by domain
    ), locked as (
        select u.scope, u.name, freed.usd from budget_use u join freed on freed.scope = u.scope and freed.name = u.name
        where u.campaign_id = of_campaign and freed.usd is not null
        order by u.scope, u.name for update of u
    ), given_back as (
        update budget_use u set used_usd = u.used_usd - locked.usd from locked
        where u.campaign_id = of_campaign and u.scope = locked.scope and u.name = locked.name
    )
    select count(*) into many from released;
    return many;
end $$;
