"""One PostgreSQL pool per process, opened at the first use."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from tools.errors import DatabaseUnavailable, RetryableError

CONNECT_TIMEOUT_S: Final = 5.0
GIVE_UP_S: Final = 2.0
"""After so long the pool stops trying by itself: its pauses grow, and a server that is back would wait them out."""

Connection = AsyncConnection[tuple[object, ...]]


class Database:
    """Hands out connections. Every loss of the server is one error: DatabaseUnavailable.

    `locate` returns the connection string (and starts the embedded server, if that is what is configured); `prepare`
    runs once per process on the first connection, to bring the schema up to date.

    A pool waits for a server that is away, each caller for its whole timeout. So the first connection, and each one
    after a loss, is preceded by a knock: one connection outside the pool, for all callers of the moment, which a server
    that is down refuses at once and with its reason. Callers beyond the pool's size wait before they ask it: a queue of
    our own making is no outage, however long.
    """

    def __init__(
        self,
        locate: Callable[[], Awaitable[str]],
        *,
        prepare: Callable[[AsyncConnection], Awaitable[None]],
        pool_size: int = 10,
    ) -> None:
        self._locate, self._prepare, self._pool_size = locate, prepare, pool_size
        self._pool: AsyncConnectionPool | None = None
        self._lost = False
        self._room = asyncio.Semaphore(pool_size)
        self._knocking: asyncio.Task[AsyncConnectionPool] | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection; commit at the end, roll back on an exception."""
        async with self.statement() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection on which each statement commits by itself: for one statement, a third of the round trips."""
        async with self._room:
            pool = await self.pool()
            try:
                async with pool.connection(timeout=CONNECT_TIMEOUT_S) as connection:
                    yield connection
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed) as error:
                raise DatabaseUnavailable(f"PostgreSQL can't be reached: {_first_line(error)}") from error

    async def pool(self) -> AsyncConnectionPool:
        """Return the open pool. Raises DatabaseUnavailable while there is no server."""
        if self._pool is not None and not self._lost:
            return self._pool
        if self._knocking is None:
            self._knocking = asyncio.create_task(self._knock())
            self._knocking.add_done_callback(self._heard)
        return await asyncio.shield(self._knocking)

    async def aclose(self) -> None:
        """Close the pool; the next use opens a new one."""
        if self._knocking is not None:
            self._knocking.cancel()
            await asyncio.gather(self._knocking, return_exceptions=True)
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _knock(self) -> AsyncConnectionPool:
        try:
            conninfo = await self._locate()
        except RetryableError as error:
            raise DatabaseUnavailable(str(error)) from error
        try:
            async with await AsyncConnection.connect(conninfo, connect_timeout=int(CONNECT_TIMEOUT_S)) as connection:
                if self._pool is None:
                    await self._prepare(connection)
            if self._pool is None:
                self._pool = await self._open(conninfo)
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise DatabaseUnavailable(f"PostgreSQL can't be reached: {_first_line(error)}") from error
        self._lost = False
        return self._pool

    async def _open(self, conninfo: str) -> AsyncConnectionPool:
        pool = AsyncConnectionPool(
            conninfo, min_size=1, max_size=self._pool_size, open=False, check=self._check, reconnect_timeout=GIVE_UP_S,
            reconnect_failed=self._note_loss, kwargs={"connect_timeout": int(CONNECT_TIMEOUT_S), "autocommit": True}, name="offergraph",
        )  # fmt: skip
        try:
            await pool.open(wait=True, timeout=CONNECT_TIMEOUT_S)
        except BaseException:
            await pool.close()
            raise
        return pool

    async def _check(self, connection: AsyncConnection) -> None:
        """Let the pool see whether a connection still lives; one that doesn't casts doubt on the server."""
        try:
            await AsyncConnectionPool.check_connection(connection)
        except psycopg.Error:
            self._lost = True
            raise

    async def _note_loss(self, _: AsyncConnectionPool) -> None:
        self._lost = True

    def _heard(self, knocking: asyncio.Task[AsyncConnectionPool]) -> None:
        self._knocking = None
        if not knocking.cancelled():
            knocking.exception()  # its callers may have gone; asyncio would complain that nobody looked


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
