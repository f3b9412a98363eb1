"""Completions kept for ever: a prompt answered once costs nothing again."""

from collections import OrderedDict
from typing import Final

from tools.database import Database
from tools.errors import DatabaseUnavailable

KEPT_IN_MEMORY: Final = 4096


class CompletionStore:
    """Completion bodies by key, in memory and in the ledger's `completion` table.

    A database that is down makes a miss, not an error: the cache only saves money. Without a database they are kept in
    memory alone.
    """

    def __init__(self, database: Database | None) -> None:
        self._database = database
        self._recent: OrderedDict[str, str] = OrderedDict()

    async def get(self, key: str) -> str | None:
        """Return the body recorded for the key, or None."""
        if (body := self._recent.get(key)) is not None:
            self._recent.move_to_end(key)
            return body
        if self._database is None:
            return None
        try:
            async with self._database.statement() as connection:
                cursor = await connection.execute("select body from completion where key = %s", (key,))
                row = await cursor.fetchone()
        except DatabaseUnavailable:
            return None
        if row is None:
            return None
        self._remember(key, row[0])
        return str(row[0])

    async def put(self, key: str, body: str, *, model: str, input_tokens: int, output_tokens: int) -> None:
        """Keep a completion; the first one recorded for a key stays."""
        self._remember(key, body)
        if self._database is None:
            return
        try:
            async with self._database.statement() as connection:
                await connection.execute(
                    "insert into completion (key, model, body, input_tokens, output_tokens)"
                    " values (%s, %s, %s, %s, %s) on conflict (key) do nothing",
                    (key, model, body, input_tokens, output_tokens),
                )
        except DatabaseUnavailable:
            return

    def _remember(self, key: str, body: str) -> None:
        self._recent[key] = body
        if len(self._recent) > KEPT_IN_MEMORY:
            self._recent.popitem(last=False)
