"""The pool: limits on every connection, one error for every loss, and no outage of our own making."""

import asyncio
import logging

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from tests.tools.ledger.conftest import prepare, process
from tests.tools.ledger.rows import rows
from tools.cardmembers import MemberLoader
from tools.database import LIMITS, Database
from tools.errors import DatabaseUnavailable

LOSSES = {
    "25006": "read_only_sql_transaction",
    "25P03": "idle_in_transaction_session_timeout",
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "53300": "too_many_connections",
    "55P03": "lock_not_available",
    "57014": "query_canceled",
    "57P01": "admin_shutdown",
    "57P02": "crash_shutdown",
    "57P03": "cannot_connect_now",
}


async def fail(database: Database, code: str) -> None:
    """Have the server answer with that SQLSTATE."""
    async with database.connection() as connection:
        await connection.execute(f"do $$ begin raise exception using errcode = '{code}'; end $$".encode())


@pytest.mark.parametrize("code", LOSSES, ids=LOSSES.get)
async def test_a_loss_is_one_error_that_names_nothing_of_the_server(
    database: Database, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"^the database does not answer") as lost:
        await fail(database, code)
    assert getattr(lost.value.__cause__, "sqlstate", None) == code
    assert [record.name for record in caplog.records].count("tools.database") == 1
    assert await rows(database, "select 1") == [(1,)]


async def test_a_fault_of_our_own_is_not_called_an_outage(database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await fail(database, "23514")


async def test_a_server_that_stopped_writing_is_asked_for_again(database_url: str) -> None:
    async with process(database_url, pool_size=1) as database:
        before = await rows(database, "select pg_backend_pid()")
        with pytest.raises(DatabaseUnavailable):
            await rows(database, "set transaction read only; create table t ()")
        assert await rows(database, "select pg_backend_pid()") != before


async def test_a_server_that_is_away_is_named_in_the_log_alone_and_once(caplog: pytest.LogCaptureFixture) -> None:
    async def locate() -> str:
        return "postgresql://hidden_role@127.0.0.1:1/hidden_base"

    database = Database(locate, prepare=prepare)
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable) as lost:
            await rows(database, "select 1")
        assert not any(word in str(lost.value) for word in ("hidden", "127.0.0.1", "refused"))
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1 and "127.0.0.1" in said[0]


async def test_connections_are_limited_and_see_what_others_committed(database: Database, database_url: str) -> None:
    names = [*LIMITS, "default_transaction_isolation"]
    shown = [(await rows(database, f"show {name}"))[0][0] for name in names]
    assert shown == ["1min", "5s", "30s", "read committed"]
    own = "%20".join(
        f"-c%20{setting}" for setting in ("statement_timeout%3D7s", "default_transaction_isolation%3Dserializable")
    )
    async with process(f"{database_url}&options={own}") as strict:
        shown = [(await rows(strict, f"show {name}"))[0][0] for name in names]
    assert shown == ["7s", "5s", "30s", "read committed"]


async def test_a_queue_of_our_own_is_no_outage_for_those_who_ask_the_pool_itself(database_url: str) -> None:
    async with process(database_url, pool_size=1) as database:
        pool = await database.pool()

        async def ask() -> None:
            async with pool.connection(timeout=0.01) as connection:
                await connection.execute("select 1")

        async with database.connection():
            asking = asyncio.create_task(ask())
            loading = asyncio.create_task(MemberLoader(database.pool, table="cardmember").load("USER_1"))
            await asyncio.wait({asking, loading}, timeout=0.2)
            assert not asking.done() and not loading.done()
        await asking
        assert await loading is None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[AsyncConnection]:
    """The connections of which the server was asked whether they live, in order."""
    asked: list[AsyncConnection] = []
    check = AsyncConnectionPool.check_connection

    async def noted(connection: AsyncConnection) -> None:
        asked.append(connection)
        await check(connection)

    monkeypatch.setattr(AsyncConnectionPool, "check_connection", noted)
    return asked


async def test_a_connection_is_asked_whether_it_lives_once_it_was_idle(
    database_url: str, asked: list[AsyncConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(database_url, pool_size=1) as database:
        for _ in range(5):
            await rows(database, "select 1")
        assert len(asked) == 1
        monkeypatch.setattr("tools.database.TRUSTED_S", 0.0)
        for _ in range(5):
            await rows(database, "select 1")
        assert len(asked) == 6


async def test_connections_that_the_server_ended_a_moment_ago_are_not_lent(
    database: Database, database_url: str, asked: list[AsyncConnection]
) -> None:
    async with process(database_url, pool_size=4) as ended:

        async def pid(everyone: asyncio.Barrier) -> int:
            async with ended.statement() as connection:
                await everyone.wait()
                return connection.info.backend_pid

        everyone = asyncio.Barrier(4)
        pids = await asyncio.gather(*(pid(everyone) for _ in range(4)))
        await rows(database, f"select pg_terminate_backend(pid, 5000) from unnest(array{list(pids)}) as pid")
        again = await asyncio.gather(*(pid(everyone) for _ in range(4)))
        assert len({*pids, *again}) == 8


async def test_what_takes_too_long_is_cut_off(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        await rows(database, "set local statement_timeout = '10ms'; select pg_sleep(60)")
