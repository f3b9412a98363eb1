"""Which PostgreSQL the settings mean, and how its tables come to be."""

from psycopg import AsyncConnection

from graph.settings import Settings
from tools.cardmembers import migrate_cardmember
from tools.database import Database
from tools.embedded.postgres import ensure_postgres
from tools.ledger.schema import migrate_ledger
from tools.ledger.versions import LoadedSet, note_set


async def database_url(settings: Settings) -> str:
    """Return the connection string, starting the embedded server when none is configured.

    Raises PartMissing or DatabaseUnavailable when the embedded one can't start.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return await ensure_postgres(settings.data_dir)


def open_database(settings: Settings, *, policies: LoadedSet | None = None) -> Database:
    """Return the process's database; the first use connects, brings the tables up to date and notes the policies."""
    return Database(
        lambda: database_url(settings),
        prepare=lambda connection: _prepare(connection, settings, policies),
        pool_size=settings.database_pool_size,
    )


async def _prepare(connection: AsyncConnection, settings: Settings, policies: LoadedSet | None) -> None:
    await migrate_cardmember(connection, table=settings.cardmember_table)
    await migrate_ledger(connection)
    if policies is not None:
        await note_set(connection, policies)
