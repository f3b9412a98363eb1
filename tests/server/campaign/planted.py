"""A campaign as its ledger looks half way through, written row by row: no worker has to run for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.tools.ledger.conftest import process
from tools.database import Database
from tools.ledger.campaigns import Campaign, Campaigns

_Answer = TypeVar("_Answer")

NAME = "spring_travel"
SPEC = (
    '{"name": "spring_travel", "budget_usd": "100.00", "send_date": "2026-12-01", "engine": "local",'
    ' "personalisation": "cohort", "holdout": 10.0, "variants": {}}'
)


async def plant(database: Database, *, state: str = "running", name: str = NAME) -> Campaign:
    """Write a campaign of 12 rows: 2 rejects, 4 offers of 5.25 USD, 3 skipped, 1 dead, 2 open. It adds up."""
    async with database.connection() as connection:
        for statement in PLANTED:
            await connection.execute(statement.encode(), {"name": name, "state": state, "spec": SPEC})
    return await Campaigns(database).named(name)


def on_ledger(url: str, work: Callable[[Database], Awaitable[_Answer]]) -> _Answer:
    """Do something on a ledger from a test that runs commands, each of which has a loop of its own."""

    async def run() -> _Answer:
        async with process(url) as database:
            return await work(database)

    return asyncio.run(run())


def planted(url: str, *, state: str = "running", name: str = NAME) -> Campaign:
    """Write the campaign of `plant`."""
    return on_ledger(url, lambda database: plant(database, state=state, name=name))


def changed(url: str, *statements: str) -> None:
    """Run statements as `change` does."""
    on_ledger(url, lambda database: change(database, *statements))


async def change(database: Database, *statements: str) -> None:
    """Run statements, `:id` being the planted campaign's."""
    async with database.connection() as connection:
        row = await (await connection.execute("select max(campaign_id) from campaign")).fetchone()
        assert row is not None
        for statement in statements:
            await connection.execute(statement.replace(":id", str(row[0])).encode())


_ID = "(select campaign_id from campaign where name = %(name)s)"

PLANTED = (
    "insert into campaign (name, state, spec, input_name, input_sha, input_rows, sent_at, planned_at, started_at)"
    " values (%(name)s, %(state)s, %(spec)s, 'scores.csv', 'f00d', 12, now(), now() - interval '1 hour',"
    " now() - interval '30 minutes')",
    f"select open_partition({_ID})",
    f"select attach_partition({_ID})",
    f"insert into campaign_reject (campaign_id, row_no, reason, raw) select {_ID}, row_no, 'no member', '{{}}'"
    " from generate_series(11, 12) as row_no",
    f"""
    insert into offer_item (campaign_id, prediction_key, user_id, domain, row_no, status, recommendation, error_class,
        detail, cohort_id, wave, chunk_no, in_holdout, run_id, finished_at)
    select {_ID}, 'k' || n, 'U' || n, 'Travel', n,
        case when n <= 4 then 'done' when n <= 7 then 'skipped' when n = 8 then 'dead' else 'pending' end,
        case when n <= 4 then 'offer_generated' when n = 5 then 'suppressed_low_confidence'
             when n = 6 then 'no_offer_needed' when n = 7 then 'suppressed_holdout' end,
        case when n = 8 then 'compliance' end,
        case when n = 5 then array['low_confidence: 0.4 is below 0.7'] end,
        case when n <= 2 then 1 when n <= 4 or n >= 8 then 2 end,
        case when n <= 4 or n >= 8 then 1 end, case when n <= 4 then 1 when n >= 8 then 2 end, n = 7,
        case when n <= 4 then 'run' || n || %(name)s end, case when n <= 8 then now() - interval '10 seconds' end
    from generate_series(1, 10) as n
    """,
    f"""
    insert into campaign_cohort (campaign_id, cohort_id, key, view, use_llm, items, status, record)
    values ({_ID}, 1, 'a', '{{}}', true, 2, 'done', '{{"calls": [{{"attempts": 2}}, {{"attempts": 1}}]}}'),
        ({_ID}, 2, 'b', '{{}}', true, 5, 'done', '{{"calls": [{{"attempts": 0}}]}}'),
        ({_ID}, 3, 'c', '{{}}', true, 0, 'pending', null)
    """,
    f"insert into campaign_chunk (campaign_id, chunk_no, wave, items, status)"
    f" values ({_ID}, 1, 1, 4, 'done'), ({_ID}, 2, 1, 3, 'pending')",
    f"insert into decision (run_id, campaign_id, prediction_key, recommendation, record, cohort_id)"
    f" select run_id, campaign_id, prediction_key, recommendation, '{{}}', cohort_id from offer_item"
    f" where campaign_id = {_ID} and status = 'done'",
    f"""
    insert into offer (campaign_id, prediction_key, run_id, user_id, domain, offer_type, option_id, compliant,
        high_value, expected_cost_usd, start_date, end_date, html_sha256, issued_at)
    select campaign_id, prediction_key, run_id, user_id, domain, 'cashback', 'o1', true, false, 5.25, '2026-12-01',
        '2026-12-31', 'beef' || prediction_key, '2026-11-20T12:00Z'
    from offer_item where campaign_id = {_ID} and status = 'done'
    """,
    f"insert into budget (campaign_id, scope, limit_usd) values ({_ID}, 'campaign', 100), ({_ID}, 'day', 50)",
    f"insert into budget_use (campaign_id, scope, name, used_usd, most_usd)"
    f" values ({_ID}, 'campaign', '', 27.25, 100), ({_ID}, 'day', '2026-11-20', 27.25, 50)",
    f"""
    insert into reservation (campaign_id, prediction_key, run_id, user_id, domain, day, amount_usd, state, expires_at)
    select campaign_id, prediction_key, run_id, user_id, domain, '2026-11-20', 5.25, 'settled', now()
    from offer where campaign_id = {_ID}
    """,
    f"""
    insert into reservation (campaign_id, prediction_key, run_id, user_id, domain, day, amount_usd, state, expires_at)
    values ({_ID}, 'k9', 'run9', 'U9', 'Travel', '2026-11-20', 6.25, 'reserved', now() + interval '1 hour')
    """,
    f"""
    insert into llm_usage (minute, campaign_id, step, model, outcome, tries, input_tokens, output_tokens)
    values ('2026-11-20T12:00Z', {_ID}, 'draft', 'm', 'answered', 2, 900, 150),
        ('2026-11-20T12:00Z', {_ID}, 'draft', 'm', 'throttled', 1, 0, 0),
        ('2026-11-20T12:01Z', {_ID}, 'draft', 'm', 'failed', 1, 0, 0)
    """,
)
