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

Connection = AsyncConnection[tuple[object, ...]]


class Database:
    """Hands out connections. Every loss of the server is one error: DatabaseUnavailable.

    `locate` returns the connection string (and starts the embedded server, if that is what is configured); `prepare`
    runs once per process on the first connection, to bring the schema up to date.
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
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection; commit at the end, roll back on an exception."""
        pool = await self.pool()
        try:
            async with pool.connection(timeout=CONNECT_TIMEOUT_S) as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed) as error:
            raise DatabaseUnavailable(f"PostgreSQL can't be reached: {error}") from error

    async def pool(self) -> AsyncConnectionPool:
        """Return the open pool. Raises DatabaseUnavailable while there is no server."""
        if self._pool is not None:
            return self._pool
        async with self._opening:
            if self._pool is None:
                self._pool = await self._open()
            return self._pool

    async def aclose(self) -> None:
        """Close the pool; the next use opens a new one."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _open(self) -> AsyncConnectionPool:
        try:
            conninfo = await self._locate()
        except RetryableError as error:
            raise DatabaseUnavailable(str(error)) from error
        pool = AsyncConnectionPool(
            conninfo, min_size=1, max_size=self._pool_size, open=False, check=AsyncConnectionPool.check_connection,
            kwargs={"connect_timeout": int(CONNECT_TIMEOUT_S)}, name="offergraph",
        )  # fmt: skip
        try:
            await pool.open(wait=True, timeout=CONNECT_TIMEOUT_S)
            async with pool.connection() as connection:
                await self._prepare(connection)
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            await pool.close()
            raise DatabaseUnavailable(f"PostgreSQL can't be reached: {error}") from error
        except BaseException:
            await pool.close()
            raise
        return pool
