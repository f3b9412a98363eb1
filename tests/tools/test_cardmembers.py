import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from tools.cardmembers import Cardmember, MemberLoader, fetch_members, migrate_cardmember
from tools.columns import NAMES
from tools.errors import DatabaseUnavailable, SettingInvalid
from tools.load import load_file
from tools.sample import edge_members, sample_members
from tools.sample.members import SNAPSHOT

TABLE = "members_read"
QUERIES: list[bytes] = []


class CountingCursor(psycopg.AsyncCursor):
    """Notes every query on its way to the server."""

    async def execute(self, query, *args, **options):
        QUERIES.append(bytes(query) if isinstance(query, bytes) else str(query).encode())
        return await super().execute(query, *args, **options)


async def count_queries(connection: psycopg.AsyncConnection) -> None:
    connection.cursor_factory = CountingCursor


def member_queries() -> int:
    return sum(b"any(%s)" in query for query in QUERIES)


@pytest.fixture(scope="module")
async def pool(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsyncConnectionPool]:
    path: Path = tmp_path_factory.mktemp("members") / "members.parquet"
    sample_members(1_200, seed=3).write_parquet(path)
    await load_file(postgres_url, path, table=TABLE)
    async with AsyncConnectionPool(postgres_url, configure=count_queries, min_size=1, max_size=4, open=False) as opened:
        yield opened


@pytest.fixture
def loader(pool: AsyncConnectionPool) -> MemberLoader:
    async def locate() -> AsyncConnectionPool:
        return pool

    QUERIES.clear()
    return MemberLoader(locate, table=TABLE)


async def test_a_member_reads_as_it_was_written(pool: AsyncConnectionPool) -> None:
    expected = {row["user_id"]: Cardmember(**row) for row in edge_members(SNAPSHOT).to_dicts()}
    found = await fetch_members(pool, list(expected), table=TABLE)
    assert found == expected
    assert found["USER_000002"] == Cardmember("USER_000002")
    assert found["USER_000005"].last_offer_date == date(2026, 8, 23)


async def test_many_members_are_one_query_and_unknown_ids_are_absent(pool: AsyncConnectionPool) -> None:
    QUERIES.clear()
    ids = [f"USER_{place:06d}" for place in range(1_300)]
    found = await fetch_members(pool, [*ids, *ids], table=TABLE)
    assert sorted(found) == ids[:1_200]
    assert member_queries() == 1


@pytest.mark.parametrize("hostile", ["a\x00b", "\ud800", "", "' or 1=1 --", "x" * 100_000])
async def test_an_impossible_id_is_unknown_and_harms_nobody_in_the_same_query(pool, hostile: str) -> None:
    found = await fetch_members(pool, [hostile, "USER_000005"], table=TABLE)
    assert list(found) == ["USER_000005"]


async def test_an_existing_table_of_any_name_without_email_and_with_other_types_is_read(
    pool: AsyncConnectionPool,
) -> None:
    async with pool.connection() as conn:
        await conn.execute('create schema "Ware House"')
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in reversed(NAMES))
        await conn.execute(sql.SQL('create table "Ware House".amex_data ({})').format(columns))
        await conn.execute(
            'insert into "Ware House".amex_data (user_id, name, age, card_type, annual_fee, opt_in_marketing, segment,'
            " last_offer_date, total_spend_12m, credit_limit, tenure_years, preferred_domain_1)"
            " values ('U1', '', '41.0', 'gold ', '250.00', 'True', '', '2026-01-31 00:00:00', 'NaN', 'Infinity', '',"
            " 'BUSINESS services')"
        )
    assert (await fetch_members(pool, ["U1"], table="Ware House.amex_data"))["U1"] == Cardmember(
        "U1",
        age=41,
        card_type="Gold",
        annual_fee=250.0,
        opt_in_marketing=True,
        last_offer_date=date(2026, 1, 31),
        preferred_domain_1="Business Services",
    )


async def test_email_is_read_where_the_table_has_it(pool: AsyncConnectionPool) -> None:
    async with pool.connection() as conn:
        await migrate_cardmember(conn, table="with_email")
        await migrate_cardmember(conn, table="with_email")
        await conn.execute("insert into with_email (user_id, email) values ('U1', 'u1@example.com'), ('U2', '')")
    found = await fetch_members(pool, ["U1", "U2"], table="with_email")
    assert found == {"U1": Cardmember("U1", email="u1@example.com"), "U2": Cardmember("U2")}


async def test_a_missing_table_or_column_names_the_table_and_what_it_lacks(pool: AsyncConnectionPool) -> None:
    async with pool.connection() as conn:
        await conn.execute("create table short_of_one as select * from members_read limit 1")
        await conn.execute("alter table short_of_one drop column persona")
    with pytest.raises(SettingInvalid, match=r'\'short_of_one\'.*"persona" does not exist'):
        await fetch_members(pool, ["U1"], table="short_of_one")
    with pytest.raises(SettingInvalid, match=r"'nowhere'.*does not exist"):
        await fetch_members(pool, ["U1"], table="nowhere")


async def test_an_unreadable_value_is_reported_without_the_value(pool: AsyncConnectionPool) -> None:
    async with pool.connection() as conn:
        await conn.execute("create table odd as select * from members_read where user_id = 'USER_000005'")
        await conn.execute("alter table odd alter column age type text")
        await conn.execute("update odd set age = 'fortyone'")
    with pytest.raises(SettingInvalid, match="'odd' holds a value") as caught:
        await fetch_members(pool, ["USER_000005"], table="odd")
    assert "fortyone" not in str(caught.value)


@pytest.mark.parametrize("table", ["", "a.b.c", 'a"; drop table x; --', "a\nb", "x" * 64, ".a", "a\x00"])
async def test_what_can_be_no_table_name_is_refused_before_any_query(pool, table: str) -> None:
    QUERIES.clear()
    with pytest.raises(SettingInvalid, match="is no table name"):
        await fetch_members(pool, ["U1"], table=table)
    assert member_queries() == 0


async def test_a_table_name_is_quoted_never_run(pool: AsyncConnectionPool) -> None:
    with pytest.raises(SettingInvalid, match="does not exist"):
        await fetch_members(pool, ["U1"], table="members_read; drop table members_read")
    assert await fetch_members(pool, ["USER_000000"], table=TABLE)


def test_a_repr_shows_no_profile() -> None:
    assert repr(Cardmember("USER_1", name="Ada Chen", age=40)) == "Cardmember('USER_1')"


async def test_concurrent_loads_share_one_query(loader: MemberLoader) -> None:
    ids = [f"USER_{place % 300:06d}" for place in range(600)]
    members = await asyncio.gather(*(loader.load(user_id) for user_id in ids))
    assert [member.user_id for member in members if member] == ids
    assert member_queries() == 1


async def test_loads_beyond_the_batch_size_make_another_query(loader: MemberLoader) -> None:
    members = await asyncio.gather(*(loader.load(f"USER_{place:06d}") for place in range(1_150)))
    assert len({member.user_id for member in members if member}) == 1_150
    assert member_queries() == 3


async def test_an_unknown_member_loads_as_none(loader: MemberLoader) -> None:
    assert await loader.load("USER_UNKNOWN") is None


async def test_a_later_load_sees_what_was_written_since(loader: MemberLoader, pool: AsyncConnectionPool) -> None:
    first = await loader.load("USER_000100")
    async with pool.connection() as conn:
        await conn.execute("update members_read set offers_sent_this_month = 9 where user_id = 'USER_000100'")
    second = await loader.load("USER_000100")
    assert (first is not None and first.offers_sent_this_month) != 9
    assert second is not None and second.offers_sent_this_month == 9


async def test_a_load_does_not_join_a_query_already_sent(loader: MemberLoader) -> None:
    async def later() -> Cardmember | None:
        while not member_queries():
            await asyncio.sleep(0)
        return await loader.load("USER_000007")

    both = await asyncio.gather(loader.load("USER_000007"), later())
    assert both[0] == both[1]
    assert member_queries() == 2


async def test_a_cancelled_caller_leaves_the_others_their_answer(loader: MemberLoader) -> None:
    loads = [asyncio.create_task(loader.load(f"USER_{place:06d}")) for place in (5, 5, 6)]
    await asyncio.sleep(0)
    loads[0].cancel()
    results = await asyncio.gather(*loads, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert [result.user_id for result in results[1:]] == ["USER_000005", "USER_000006"]


async def test_when_all_callers_went_away_nothing_is_asked(loader: MemberLoader) -> None:
    load = asyncio.create_task(loader.load("USER_000005"))
    await asyncio.sleep(0)
    load.cancel()
    await asyncio.gather(load, return_exceptions=True)
    await asyncio.sleep(0)
    assert member_queries() == 0
    assert await loader.load("USER_000006")


async def test_a_dead_server_is_one_error_for_every_waiter(tmp_path: Path) -> None:
    async with AsyncConnectionPool(
        f"host={tmp_path} connect_timeout=1", min_size=0, max_size=1, timeout=0.3, open=False
    ) as dead:
        with pytest.raises(DatabaseUnavailable):
            await fetch_members(dead, ["U1"], table=TABLE)

    async def locate() -> AsyncConnectionPool:
        return dead

    loader = MemberLoader(locate, table=TABLE)
    results = await asyncio.gather(*(loader.load(f"U{place}") for place in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {DatabaseUnavailable}


async def test_a_terminated_connection_is_database_unavailable(pool: AsyncConnectionPool, postgres_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as other:
        await other.execute("create table held (like members_read)")
        async with other.transaction():
            await other.execute("lock table held")
            asked = asyncio.create_task(fetch_members(pool, ["U1"], table="held"))
            stopped = None
            while not stopped:
                cursor = await other.execute(
                    "select pg_terminate_backend(pid) from pg_locks where relation = 'held'::regclass and not granted"
                )
                stopped = await cursor.fetchone()
        with pytest.raises(DatabaseUnavailable):
            await asked


async def test_the_migration_keeps_an_existing_table_and_its_rows(postgres_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url) as conn:
        await migrate_cardmember(conn, table="kept")
        await conn.execute("insert into kept (user_id) values ('U1')")
        await migrate_cardmember(conn, table="kept")
        cursor = await conn.execute("select count(*) from kept")
        assert await cursor.fetchone() == (1,)
        await conn.rollback()


async def test_two_migrations_at_once_both_succeed(postgres_url: str) -> None:
    async def migrate() -> None:
        async with await psycopg.AsyncConnection.connect(postgres_url) as conn:
            await migrate_cardmember(conn, table="raced")

    await asyncio.gather(*(migrate() for _ in range(8)))


async def test_a_role_that_may_only_read_an_existing_table_passes_the_migration(postgres_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url) as conn:
        await migrate_cardmember(conn, table="foreign_one")
        await conn.execute("create role reader")
        await conn.execute("grant select on foreign_one to reader")
        await conn.execute("set local role reader")
        await migrate_cardmember(conn, table="foreign_one")
        await conn.rollback()


async def test_the_table_itself_refuses_what_the_facts_exclude(postgres_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url) as conn:
        await migrate_cardmember(conn, table="strict")
        await conn.commit()
        for column, value in (("card_type", "'gold'"), ("email_open_rate", "35"), ("churn_risk_score", "1.2")):
            with pytest.raises(psycopg.errors.CheckViolation):
                await conn.execute(f"insert into strict (user_id, {column}) values ('U', {value})")
            await conn.rollback()
        with pytest.raises(psycopg.errors.CheckViolation):
            await conn.execute("insert into strict (user_id, offer_clicks_90d, offer_views_90d) values ('U', 2, 1)")
