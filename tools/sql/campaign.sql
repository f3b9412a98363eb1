-- Campaigns: the ledger of predictions that are decided together. What single requests write stays as it is: their
-- campaign, `online`, is open and never ends.

-- `spec` is what the campaign was created with, `versions` what it was planned under (rules, prompts, models, template),
-- `plan` the numbers of its plan. `sent_at` is the moment all its emails carry: the same bytes, whoever renders them.
alter table campaign
    add column if not exists spec jsonb not null default '{}',
    add column if not exists versions jsonb not null default '{}',
    add column if not exists plan jsonb not null default '{}',
    add column if not exists input_name text not null default '',
    add column if not exists input_sha text not null default '',
    add column if not exists input_rows bigint not null default 0,
    add column if not exists note text not null default '',
    add column if not exists sent_at timestamptz,
    add column if not exists planned_at timestamptz,
    add column if not exists started_at timestamptz,
    add column if not exists finished_at timestamptz,
    add column if not exists allotted_at timestamptz;
alter table campaign drop constraint if exists campaign_state_check;
alter table campaign add constraint campaign_state_check
    check (state in ('open', 'created', 'planned', 'running', 'paused', 'done', 'cancelled'));

-- What of a prediction only campaigns keep: single requests have it in their decision's record. `detail` says why a member
-- was held back, rule by rule; `option_id` is the cheaper option an item gets where money is short for its cohort's.
alter table offer_item
    add column if not exists row_no bigint,
    add column if not exists confidence double precision,
    add column if not exists offer_flag smallint,
    add column if not exists pred_version text,
    add column if not exists prediction_timestamp text,
    add column if not exists idempotency_key text,
    add column if not exists use_llm boolean,
    add column if not exists in_holdout boolean,
    add column if not exists wave smallint,
    add column if not exists cohort_id int,
    add column if not exists chunk_no int,
    add column if not exists option_id text,
    add column if not exists detail text[];

-- A row of the input that is no prediction, or one that was there before. `raw` is the row as it came, cut to 2,000 signs.
create table if not exists campaign_reject (
    campaign_id bigint not null references campaign,
    row_no bigint not null,
    user_id text not null default '',
    reason text not null,
    raw text not null,
    primary key (campaign_id, row_no)
);

-- Members whose prompts are the same byte for byte: one draft serves them all. `record` is what a decision's record holds
-- beside what is the member's own; `report` in it is the gate's for nobody.
create table if not exists campaign_cohort (
    campaign_id bigint not null references campaign,
    cohort_id int not null,
    key text not null,
    view jsonb not null,
    variants jsonb not null default '{}',
    use_llm boolean not null,
    items bigint not null,
    status text not null default 'pending' check (status in ('pending', 'running', 'retry', 'done', 'dead')),
    attempt int not null default 0,
    owner text,
    lease_until timestamptz,
    option_id text,
    expected_cost_usd numeric(12, 4),
    source text,
    record jsonb,
    error_class text,
    error_text text,
    finished_at timestamptz,
    primary key (campaign_id, cohort_id),
    unique (campaign_id, key)
);
create index if not exists campaign_cohort_open on campaign_cohort (campaign_id, cohort_id)
    where status in ('pending', 'running', 'retry');

-- A few hundred items that one worker decides in one transaction. The lease is the chunk's, so that claiming moves one
-- row; a chunk whose worker died (`deaths`) is split, so that one poisonous item can't take the others with it.
create table if not exists campaign_chunk (
    campaign_id bigint not null references campaign,
    chunk_no int not null,
    wave smallint not null,
    items int not null,
    status text not null default 'pending' check (status in ('pending', 'running', 'done')),
    attempt int not null default 0,
    deaths int not null default 0,
    owner text,
    lease_until timestamptz,
    primary key (campaign_id, chunk_no)
);
create index if not exists campaign_chunk_open on campaign_chunk (campaign_id, wave, chunk_no) where status <> 'done';

-- What records of a cohort's members have alike beyond the cohort: signals in words, clause results, the outcome's words.
-- A few of them serve thousands of members; `part` is the hash of its record.
create table if not exists campaign_part (
    campaign_id bigint not null references campaign,
    part text not null,
    record jsonb not null,
    primary key (campaign_id, part)
);

-- Where the rest of a decision's record is, when a campaign holds it.
alter table decision
    add column if not exists cohort_id int,
    add column if not exists part text;

-- A cohort's record, whole: the report of the last draft in its history is the record's own, and kept once.
create or replace function whole_cohort(record jsonb) returns jsonb language sql immutable as $$
    select case when record ? 'report' and jsonb_array_length(record -> 'history') > 0
        and not (record -> 'history' -> -1) ? 'report' then jsonb_set(record, '{history,-1,report}', record -> 'report') else record end
$$;

-- A decision's record, whole: what its cohort shares, over it what some of the cohort's members share, and its own.
create or replace function whole_record(d decision) returns jsonb language sql stable as $$
    select case when d.cohort_id is null then d.record else (
        select whole_cohort(c.record) || coalesce(p.record, '{}') || d.record
            || jsonb_build_object('ids', jsonb_build_object('run_id', d.run_id, 'prediction_key', d.prediction_key))
        from campaign_cohort c left join campaign_part p on p.campaign_id = d.campaign_id and p.part = d.part
        where c.campaign_id = d.campaign_id and c.cohort_id = d.cohort_id
    ) end
$$;

-- Every try of every model call, failed ones too, by minute. Tries are written before they are sent (`sent`), and moved
-- to their outcome when that is known: what a killed process left stays `sent`.
create table if not exists llm_usage (
    minute timestamptz not null,
    campaign_id bigint not null references campaign,
    step text not null,
    model text not null,
    outcome text not null check (outcome in ('sent', 'answered', 'throttled', 'failed', 'late')),
    tries bigint not null,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cached_tokens bigint not null default 0,
    primary key (campaign_id, minute, step, model, outcome)
);

-- The last batch of usage each process wrote, and the minute it was counted in: a batch whose answer was lost can be
-- sent again, and counts once.
create table if not exists llm_usage_writer (
    writer uuid primary key,
    batch bigint not null,
    minute timestamptz not null
);

-- Adds a batch of a writer's lines, those without a minute to this one's; returns the minute. All lock rows in the same
-- order, so that writers don't meet in a deadlock.
create or replace function count_tries(
    by_writer uuid, number bigint, campaigns bigint[], minutes timestamptz[], steps text[], models text[],
    outcomes text[], tries bigint[], input_tokens bigint[], output_tokens bigint[], cached_tokens bigint[]
) returns timestamptz language plpgsql as $$
#variable_conflict use_column
declare
    this timestamptz := date_trunc('minute', now());
begin
    insert into llm_usage_writer as w (writer, batch, minute) values (by_writer, number, this)
    on conflict (writer) do update set batch = excluded.batch, minute = excluded.minute where w.batch < excluded.batch;
    if not found then
        return (select w.minute from llm_usage_writer w where w.writer = by_writer);
    end if;
    insert into llm_usage as u
        (campaign_id, minute, step, model, outcome, tries, input_tokens, output_tokens, cached_tokens)
    select a.campaign, coalesce(a.minute, this), a.step, a.model, a.outcome, sum(a.n), sum(a.i), sum(a.o), sum(a.c)
    from unnest($3, $4, $5, $6, $7, $8, $9, $10, $11)
        as a (campaign, minute, step, model, outcome, n, i, o, c)
    group by 1, 2, 3, 4, 5
    order by 1, 2, 3, 4, 5
    on conflict (campaign_id, minute, step, model, outcome) do update set tries = u.tries + excluded.tries,
        input_tokens = u.input_tokens + excluded.input_tokens,
        output_tokens = u.output_tokens + excluded.output_tokens,
        cached_tokens = u.cached_tokens + excluded.cached_tokens;
    return this;
end $$;

-- A campaign's items fill a table of their own, which becomes a partition once it is full: a partition that is made first
-- would lock out single requests until the file is in. The check lets the server attach it without reading it again.
create or replace function open_partition(of_campaign bigint) returns void language plpgsql as $$
declare
    name text := 'offer_item_c' || of_campaign;
begin
    execute format('create table %I (like offer_item including defaults including constraints including indexes)', name);
    execute format('alter table %I add constraint %I check (campaign_id = %s)', name, name || '_own', of_campaign);
end $$;

create or replace function index_partition(of_campaign bigint) returns void language plpgsql as $$
declare
    name text := 'offer_item_c' || of_campaign;
begin
    execute format(
        'create index %I on %I (chunk_no, prediction_key) where status in (''pending'', ''retry'')', name || '_chunk', name
    );
    execute format('analyze %I', name);
end $$;

-- Locks table `campaign`, which items refer to: whoever has changed a row of it and attaches can meet another in a
-- deadlock, unless that row was changed under the same lock.
create or replace function attach_partition(of_campaign bigint) returns void language plpgsql as $$
declare
    name text := 'offer_item_c' || of_campaign;
begin
    execute format('alter table offer_item attach partition %I for values in (%s)', name, of_campaign);
end $$;

-- Counts the offers of a chunk against the budgets, by domain. A budget that was cut since refuses them all: the check of
-- `budget_use` fails, and with it the chunk's transaction. The caller holds `budgets_lock` shared.
create or replace function use_money(of_campaign bigint, domains text[], amounts numeric[], today text) returns void
language plpgsql as $$
begin
    insert into budget_use (campaign_id, scope, name, used_usd, most_usd)
    select b.campaign_id, 'day', today, 0, b.limit_usd from budget b
    where b.campaign_id = of_campaign and b.scope = 'day'
    on conflict (campaign_id, scope, name) do nothing;
    perform add_use(of_campaign, g.domain, today, g.usd) from unnest(domains, amounts) as g (domain, usd);
end $$;
