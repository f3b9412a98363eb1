import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg import sql

from graph.database import open_database
from graph.settings import Settings, load_settings
from tests.conftest import ATTESTED
from tests.members import add_members
from tests.scripted_model import ScriptedModel
from tests.server.serving import Serving
from tools.database import Database

AddMember = Callable[..., Awaitable[str]]


@contextmanager
def created_database(postgres_url: str) -> Iterator[str]:
    """Create an empty database on a server, and drop it at the end."""
    name = sql.Identifier(f"s_{secrets.token_hex(6)}")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
    yield postgres_url.replace("/postgres?", f"/{name.as_string(None).strip(chr(34))}?")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture(scope="session")
def shared_script() -> Iterator[ScriptedModel]:
    """The model endpoint of the shared server."""
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="session")
def shared_settings(
    postgres_url: str, data_dir: Path, shared_script: ScriptedModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of the shared server. Its index has a folder of its own: users of one folder share Chroma's client."""
    with created_database(postgres_url) as url:
        yield load_settings(
            _env_file=None,
            database_url=url,
            llm_base_url=shared_script.base_url,
            openrouter_model="scripted",
            openrouter_api_key="test-key",
            copy_mode="select",
            data_dir=data_dir,
            chroma_dir=tmp_path_factory.mktemp("chroma"),
            output_dir=tmp_path_factory.mktemp("output"),
            attestations=ATTESTED,
            llm_timeout_s=20,
        )


@pytest.fixture(scope="session")
def server(shared_settings: Settings) -> Iterator[Serving]:
    """The real application, ready, on a free loopback port; shared by tests that leave it as it is."""
    with Serving(shared_settings) as serving:
        serving.until_health("healthy")
        yield serving


@pytest.fixture
def model(shared_script: ScriptedModel) -> Iterator[ScriptedModel]:
    """The shared server's model endpoint, with no rules and no calls counted; none of its rules outlives the test."""
    shared_script.clear()
    yield shared_script
    shared_script.clear()


@pytest.fixture
def client(server: Serving) -> Iterator[httpx2.Client]:
    """A client of the shared server."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
async def ledger(server: Serving) -> AsyncIterator[Database]:
    """The shared server's database, from the tests' side."""
    database = open_database(server.settings)
    yield database
    await database.aclose()


@pytest.fixture(scope="session")
def add_member(ledger: Database) -> AddMember:
    """Write a member nobody has used yet, who may get any offer but for the changed columns; return the user_id."""
    numbers = count()

    async def add(**changes: Any) -> str:
        user_id = f"USER_S{next(numbers):05}"
        await add_members(ledger, user_id, **changes)
        return user_id

    return add


def prediction(user_id: str, **changes: Any) -> dict[str, Any]:
    """Return a prediction that passes screening, with what a test wants to differ."""
    return {"user_id": user_id, "domain": "Travel", "confidence_score": 0.9, **changes}
