-- What an endpoint may be asked in a minute, shared by every process of this ledger: one token bucket per quota.

create table if not exists llm_quota (
    name text primary key,
    available double precision not null,
    refilled_at timestamptz not null
);

-- Takes `want` units if `enough` are there, and returns 0; else takes nothing and returns the seconds until they are. The
-- bucket holds `burst` at most and gets `rate` a second. What is taken beyond what is there is paid off before the next.
create or replace function take_quota(
    of_quota text, want double precision, enough double precision, burst double precision, rate double precision
) returns double precision language plpgsql as $$
declare
    bucket llm_quota;
    missing double precision := 0;
begin
    insert into llm_quota values (of_quota, burst, clock_timestamp()) on conflict do nothing;
    select * into bucket from llm_quota where name = of_quota for update;
    -- Read under the lock: a clock read before it could lie behind the last one's.
    bucket.available := least(
        burst,
        bucket.available + rate * greatest(0, extract(epoch from clock_timestamp() - bucket.refilled_at))
    );
    bucket.refilled_at := greatest(bucket.refilled_at, clock_timestamp());
    if bucket.available >= enough then
        bucket.available := bucket.available - want;
    else
        missing := enough - bucket.available;
    end if;
    update llm_quota q set available = bucket.available, refilled_at = bucket.refilled_at where q.name = of_quota;
    return missing / rate;
end $$;
