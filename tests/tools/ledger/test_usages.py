"""Counting many members at once says of each what counting them alone says."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from tests.tools.ledger.conftest import ZONE
from tools.database import Database
from tools.frames import frame_into
from tools.ledger.counts import count_usage
from tools.ledger.usage_frame import SCHEMA, usage_frame
from tools.ledger.usages import Asked, count_usages
from tools.screening import Usage

NOW = datetime.now(UTC)
USERS = st.sampled_from(["USER_1", "USER_2", "USER_3"])
DOMAINS = st.sampled_from(["Travel", "Dining"])
MOMENTS = st.sampled_from([0, 1, 6, 20, 40, 99, 101, 200, 400]).map(lambda days: NOW - timedelta(days=days, hours=1))
OFFERS = st.tuples(
    USERS,
    DOMAINS,
    st.sampled_from(["points_multiplier", "statement_credit"]),
    st.booleans(),
    st.sampled_from([0, 12.5, 100]),
    MOMENTS,
)
ITEMS = st.tuples(
    USERS,
    DOMAINS,
    st.sampled_from(["pending", "done"]),
    st.booleans(),
    st.none() | st.sampled_from([NOW - timedelta(hours=1), NOW + timedelta(hours=1)]),
)
PREFERENCES = st.tuples(
    st.lists(DOMAINS, max_size=2, unique=True),
    st.none() | st.sampled_from([NOW - timedelta(days=1), NOW + timedelta(days=30)]),
)
LEDGERS = st.fixed_dictionaries(
    {
        "offers": st.lists(OFFERS, max_size=8),
        "items": st.lists(ITEMS, max_size=8),
        "declines": st.lists(st.tuples(USERS, DOMAINS, MOMENTS), max_size=4, unique=True),
        "suppressed": st.sets(USERS, max_size=1),
        "preferences": st.dictionaries(USERS, PREFERENCES, max_size=2),
        "snapshot": st.none() | MOMENTS,
    }
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LEDGERS, st.lists(st.tuples(USERS, DOMAINS), min_size=1, max_size=6))
async def test_many_are_counted_as_each_alone(
    database: Database, ledger: dict[str, Any], others: list[tuple[str, str]]
) -> None:
    asked = [Asked(f"item{place}", user, domain) for place, (user, domain, *_) in enumerate(ledger["items"])]
    asked += [Asked(f"new{place}", user, domain) for place, (user, domain) in enumerate(others)]
    async with database.connection() as connection:
        await _write(connection, ledger)
        many = await count_usages(connection, asked, campaign_id=1, table="cardmember", zone=ZONE)
        frame = await _framed(connection, asked)
        for one in asked:
            alone = await count_usage(connection, campaign_id=1, **one._asdict(), table="cardmember", zone=ZONE)
            assert many[one.prediction_key] == alone
            assert frame[one.prediction_key] == alone
        assert len(many) == len(frame) == len(asked)


async def test_nobody_asked_is_nobody_counted(database: Database) -> None:
    async with database.connection() as connection:
        assert await count_usages(connection, [], campaign_id=1, table="cardmember", zone=ZONE) == {}
        assert await _framed(connection, []) == {}


async def _framed(connection: AsyncConnection, asked: list[Asked]) -> dict[str, Usage]:
    await connection.execute("drop table if exists asked")
    await connection.execute("create temp table asked (prediction_key text, user_id text, domain text)")
    names = {name: pl.String() for name in Asked._fields}
    await frame_into(connection, "asked", pl.DataFrame(asked, schema=names, orient="row"))
    found = await usage_frame(
        connection, asked="asked", campaign_id=1, table="cardmember", zone=ZONE, today=datetime.now(ZONE).date()
    )
    assert found.schema == pl.Schema(SCHEMA)
    assert set(SCHEMA) - {"prediction_key"} == set(asdict(Usage()))
    return {row.pop("prediction_key"): Usage(**row) for row in found.to_dicts()}


async def _write(connection: AsyncConnection, ledger: dict[str, Any]) -> None:
    for statement in CLEARED:
        await connection.execute(statement)
    for place, (user, domain, status, reserves, lease) in enumerate(ledger["items"]):
        await connection.execute(
            "insert into offer_item (campaign_id, prediction_key, user_id, domain, status, reserves, lease_until)"
            " values (1, %s, %s, %s, %s, %s, %s)",
            (f"item{place}", user, domain, status, reserves, lease),
        )
    for place, (user, domain, kind, high, credit, at) in enumerate(ledger["offers"]):
        key, day = f"offer{place}", date(2026, 1, 1)
        await connection.execute(
            "insert into decision (run_id, campaign_id, prediction_key, recommendation, record)"
            " values (%s, 1, %s, 'offer_generated', '{}')",
            (key, key),
        )
        await connection.execute(
            "insert into offer (campaign_id, prediction_key, run_id, user_id, domain, offer_type, option_id, compliant,"
            " high_value, credit_usd, expected_cost_usd, issued_at, start_date, end_date, html_sha256)"
            " values (1, %s, %s, %s, %s, %s, 'o', true, %s, %s, 1, %s, %s, %s, '')",
            (key, key, user, domain, kind, high, credit, at, day, day),
        )
    for decline in ledger["declines"]:
        await connection.execute("insert into offer_decline values (%s, %s, %s)", decline)
    for user in ledger["suppressed"]:
        await connection.execute("insert into suppression (user_id, source) values (%s, 'officer')", (user,))
    for user, (refused, until) in ledger["preferences"].items():
        await connection.execute(
            "insert into contact_preference (user_id, refused_domains, paused_until) values (%s, %s, %s)",
            (user, refused, until),
        )
    if ledger["snapshot"] is not None:
        await connection.execute(
            "insert into cardmember_snapshot (table_name, taken_at) values ('cardmember', %s)", (ledger["snapshot"],)
        )


CLEARED: tuple[LiteralString, ...] = tuple(
    f"delete from {table}"
    for table in (
        "offer", "decision", "offer_item", "offer_decline", "suppression", "contact_preference", "cardmember_snapshot"
    )
)  # fmt: skip
