"""One PostgreSQL pool per process, opened at the first use."""

import asyncio
import logging
import select
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection, errors
from psycopg_pool import AsyncConnectionPool

from tools.errors import DatabaseUnavailable, RetryableError

CONNECT_TIMEOUT_S: Final = 5.0
GIVE_UP_S: Final = 2.0
"""After so long the pool stops trying by itself: its pauses grow, and a server that is back would wait them out."""

TRUSTED_S: Final = 1.0
"""A connection that was lent less than this ago and whose socket is quiet is lent again without asking the server."""

LIMITS: Final = {
    "statement_timeout": "60s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
}
"""What a statement, a wait for a lock and a pause inside a transaction may take where server or role set no limit."""

LOSSES: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.IdleInTransactionSessionTimeout,
    errors.ReadOnlySqlTransaction,
)
"""The server went away, is short of something, broke off, timed out, or has become a standby: a repeat may succeed."""

SILENT: Final = "the database does not answer; its log and this process's say why"

Connection = AsyncConnection[tuple[object, ...]]

_logger = logging.getLogger(__name__)


class QueuedPool(AsyncConnectionPool):
    """A pool whose callers wait in a queue of our own before they ask it: that is no outage, however long."""

    room: asyncio.Semaphore

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection; `timeout` seconds begin once there is room."""
        async with self.room, self.at_once(timeout) as connection:
            yield connection

    def at_once(self, timeout: float | None = None) -> AbstractAsyncContextManager[AsyncConnection]:
        """Lend a connection to a caller who has waited for room."""
        return super().connection(timeout)


class Database:
    """Hands out connections. Every loss of the server is one error: DatabaseUnavailable.

    Its message is shown to API callers, so it names no host, port or role; the log and the error's cause do.

    `locate` returns the connection string (and starts the embedded server, if that is what is configured); `prepare`
    runs once per process on the first connection, to bring the schema up to date.

    A pool waits for a server that is away, each caller for its whole timeout. So the first connection, and each one
    after a loss, is preceded by a knock: one connection outside the pool, for all callers of the moment, which a server
    that is down refuses at once and with its reason.
    """

    def __init__(
        self,
        locate: Callable[[], Awaitable[str]],
        *,
        prepare: Callable[[AsyncConnection], Awaitable[None]],
        pool_size: int = 10,
    ) -> None:
        self._locate, self._prepare, self._pool_size = locate, prepare, pool_size
        self._pool: QueuedPool | None = None
        self._lost = False
        self._reason = ""
        self._room = asyncio.Semaphore(pool_size)
        self._knocking: asyncio.Task[QueuedPool] | None = None
        self._lent: WeakKeyDictionary[AsyncConnection, float] = WeakKeyDictionary()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection; commit at the end, roll back on an exception."""
        async with self.statement() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection on which each statement commits by itself: one round trip in place of three."""
        async with self._room:
            pool = await self.pool()
            try:
                async with pool.at_once(CONNECT_TIMEOUT_S) as connection:
                    try:
                        yield connection
                    except errors.ReadOnlySqlTransaction:
                        await connection.close()  # the pool asks for the server that writes now
                        raise
            except LOSSES as error:
                raise unavailable(error) from error

    async def pool(self) -> QueuedPool:
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

    async def _knock(self) -> QueuedPool:
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
        except LOSSES as error:
            if self._reason != (reason := _first_line(error)):  # once, however often callers and probes knock
                _logger.warning("PostgreSQL can't be reached: %s", reason)
            self._reason = reason
            raise DatabaseUnavailable(SILENT) from error
        self._lost, self._reason = False, ""
        self._lent.clear()
        return self._pool

    async def _open(self, conninfo: str) -> QueuedPool:
        pool = QueuedPool(
            conninfo, min_size=1, max_size=self._pool_size, open=False, check=self._check, reconnect_timeout=GIVE_UP_S,
            reconnect_failed=self._note_loss, name="offergraph", configure=_configure,
            kwargs={"connect_timeout": int(CONNECT_TIMEOUT_S), "autocommit": True},
        )  # fmt: skip
        pool.room = self._room
        try:
            await pool.open(wait=True, timeout=CONNECT_TIMEOUT_S)
        except BaseException:
            await pool.close()
            raise
        return pool

    async def _check(self, connection: AsyncConnection) -> None:
        """Let the pool see whether a connection still lives; one that doesn't casts doubt on the server.

        The server closes the sockets of a process of its that ends, however it ends; only of a machine or network that
        is gone a socket tells nothing, and those are found by a question after `TRUSTED_S`.
        """
        now = time.monotonic()
        lent, self._lent[connection] = self._lent.get(connection, float("-inf")), now
        if now - lent < TRUSTED_S and not self._lost and _is_quiet(connection):
            return
        try:
            await AsyncConnectionPool.check_connection(connection)
        except psycopg.Error:
            self._lost = True
            raise

    async def _note_loss(self, _: AsyncConnectionPool) -> None:
        self._lost = True

    def _heard(self, knocking: asyncio.Task[QueuedPool]) -> None:
        self._knocking = None
        if not knocking.cancelled():
            knocking.exception()  # its callers may have gone; asyncio would complain that nobody looked


def _is_quiet(connection: AsyncConnection) -> bool:
    """Return whether an idle connection is open and has nothing to tell: no end, no error, no farewell."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


async def _configure(connection: AsyncConnection) -> None:
    """Limit what is unlimited, and see what others committed: counts under a lock rest on it.

    By statements, since start-up options would replace those in DATABASE_URL, and poolers refuse them.
    """
    await connection.execute(_SET_LIMITS, (list(LIMITS), list(LIMITS.values())))
    await connection.execute("set default_transaction_isolation = 'read committed'")


_SET_LIMITS: Final = """
select set_config(name, value, false) from unnest(%s::text[], %s::text[]) as wanted (name, value)
where current_setting(name) in ('0', '0ms')
"""


def unavailable(error: psycopg.Error) -> DatabaseUnavailable:
    """Return the error that callers see, and log its reason."""
    _logger.warning("PostgreSQL: %s", _first_line(error))
    return DatabaseUnavailable(SILENT)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
