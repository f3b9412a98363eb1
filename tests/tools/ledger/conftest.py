from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import pytest
from psycopg import AsyncConnection

from tools.cardmembers import migrate_cardmember
from tools.database import Database
from tools.ledger.budgets import Budgets
from tools.ledger.claims import Claims
from tools.ledger.money import Money
from tools.ledger.records import Records
from tools.ledger.schema import migrate_ledger

ZONE = ZoneInfo("America/New_York")


async def prepare(connection: AsyncConnection) -> None:
    """Make the tables a process needs."""
    await migrate_cardmember(connection, table="cardmember")
    await migrate_ledger(connection)


@asynccontextmanager
async def process(url: str, *, pool_size: int = 10) -> AsyncIterator[Database]:
    """Open the database as one process would."""

    async def locate() -> str:
        return url

    database = Database(locate, prepare=prepare, pool_size=pool_size)
    await database.pool()
    yield database
    await database.aclose()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The ledger's database, with its tables."""
    async with process(database_url) as opened:
        yield opened


@pytest.fixture
async def elsewhere(database_url: str, database: Database) -> AsyncIterator[Database]:
    """The same database in another process."""
    async with process(database_url) as opened:
        yield opened


@pytest.fixture
def claims(database: Database) -> Claims:
    return Claims(database, table="cardmember", zone=ZONE)


@pytest.fixture
def others(elsewhere: Database) -> Claims:
    """Another process's claims."""
    return Claims(elsewhere, table="cardmember", zone=ZONE)


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database, zone=ZONE)


@pytest.fixture
def money(database: Database) -> Money:
    return Money(database, zone=ZONE)


@pytest.fixture
def budgets(database: Database) -> Budgets:
    return Budgets(database, zone=ZONE)
