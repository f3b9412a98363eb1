"""What the commands of `offers campaign` share: the configured database, lent for a few statements."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from server.commands.console import plain

if TYPE_CHECKING:
    from rich.text import Text

    from graph.settings import Settings
    from tools.database import Database


@asynccontextmanager
async def lent(settings: "Settings") -> "AsyncIterator[Database]":
    """Lend the configured database, and close it at the end."""
    from graph.database import open_database

    database = open_database(settings)
    try:
        yield database
    finally:
        await database.aclose()


def shown_name(text: str) -> "Text":
    """Return what a caller once wrote as a terminal may show it: no markup, no escapes."""
    from rich.text import Text

    return Text(plain(text))
