"""A server whose prompts are edited under load: no request fails, and each used one good version."""

import asyncio
import itertools
import json
import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import psycopg
import pytest
from pydantic import SecretStr

from graph.database import open_database
from graph.rulebook import read_prompts
from graph.settings import Settings
from tests.members import add_members
from tests.prompt_edits import BROKEN, PROMPTS, note, restore
from tests.server.conftest import created_database, prediction
from tests.server.serving import Serving, wait_for

MEMBERS = 400
LOAD = 3
EDITS = (
    "good 1", "broken YAML", "good 2", "unknown variable", "unclosed tag", "good 3", "deleted", "mended",
    "good 4", "half a file", "empty file", "mended", "locked", "mended", "no UTF-8", "good 5",
)  # fmt: skip
"""As people would: most faults are mended at the next save, some by another fault first."""


@pytest.fixture
def settings(shared_settings: Settings, postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a server that follows a prompts folder of the test's own, with an empty database."""
    ours: dict[str, Any] = {
        "output_dir": tmp_path / "output",
        "prompts_dir": Path(shutil.copytree(PROMPTS, tmp_path / "prompts")),
        "reload_prompts": True,
    }
    with created_database(postgres_url) as url:
        yield shared_settings.model_copy(update={"database_url": SecretStr(url), **ours})


def with_members(settings: Settings, count: int) -> Iterator[str]:
    """Write members who may get any offer; return their ids."""
    names = [f"USER_{number:03}" for number in range(count)]

    async def write() -> None:
        database = open_database(settings)
        await add_members(database, *names)
        await database.aclose()

    asyncio.run(write())
    return iter(names)


def invoke(client: httpx2.Client, user_id: str) -> dict[str, Any]:
    """Ask for an offer; every request must get one."""
    reply = client.post("/offer/invoke", json={"input": prediction(user_id)})
    assert reply.status_code == 200
    output: dict[str, Any] = reply.json()["output"]
    assert output["recommendation"] == "offer_generated", output["error"]
    return output


def test_broken_edits_under_load_fail_no_request_and_good_ones_count_at_once(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "graph.prompt_watch")
    folder, good, outputs = settings.prompts_dir, read_prompts(settings.prompts_dir).used({}), []
    versions, done = [good], Event()
    with Serving(settings) as serving, serving.client() as client:
        serving.until_health("healthy")
        names = with_members(settings, MEMBERS)
        own_names = list(itertools.islice(names, len(EDITS)))

        def load() -> list[dict[str, Any]]:
            with serving.client() as own:
                return [invoke(own, name) for name in itertools.takewhile(lambda _: not done.is_set(), names)]

        with ThreadPoolExecutor(LOAD) as pool:
            loading = [pool.submit(load) for _ in range(LOAD)]
            try:
                for edit, name in zip(EDITS, own_names, strict=True):
                    if edit in BROKEN:
                        BROKEN[edit](folder)
                    else:
                        restore(folder) if edit == "mended" else note(folder, int(edit.removeprefix("good ")))
                        good = read_prompts(folder).used({})
                        versions.append(good)
                    output = invoke(client, name)  # starts after the save
                    assert output["prompts"] == good, edit
                    outputs.append(output)
            finally:
                done.set()
            for part in loading:
                outputs += part.result()
        with psycopg.connect(serving.settings.database_url.get_secret_value()) as connection:  # type: ignore[union-attr]
            rows = connection.execute("select run_id, record -> 'versions' -> 'prompts' from decision").fetchall()
    assert len(outputs) > len(EDITS) + LOAD
    assert dict(rows) == {output["run_id"]: output["prompts"] for output in outputs}
    assert all(output["prompts"] in versions for output in outputs)
    assert len(caplog.messages) >= len([edit for edit in EDITS if edit in BROKEN])


def test_health_names_a_broken_prompt_until_it_is_mended(settings: Settings) -> None:
    folder = settings.prompts_dir
    with Serving(settings) as serving, serving.client() as client:
        body = serving.until_health("healthy")
        assert body["parts"]["prompts"] == "ok"
        assert body["config"]["prompts"] == read_prompts(PROMPTS).digests
        BROKEN["unclosed tag"](folder)
        body = serving.until_health("degraded")
        said = body["parts"]["prompts"]
        path, line, _ = said.split(":", 2)
        assert (path, line.isdigit()) == (str(folder / "draft.md"), True)
        assert "Unexpected end of template" in said
        assert client.get("/health").status_code == 200
        assert body["config"]["prompts"] == read_prompts(PROMPTS).digests
        note(folder, 1)
        wait_for(lambda: client.get("/health").json()["config"]["prompts"] == read_prompts(folder).digests)
        assert serving.until_health("healthy")["parts"]["prompts"] == "ok"


def test_an_edit_of_a_server_without_the_flag_waits_for_its_next_start(settings: Settings) -> None:
    plain = settings.model_copy(update={"reload_prompts": False})
    delivered = read_prompts(PROMPTS).used({})
    with Serving(plain) as serving, serving.client() as client:
        body = serving.until_health("healthy")
        assert "prompts" not in {*body["parts"], *body["config"]}
        members = with_members(plain, 2)
        note(plain.prompts_dir, 1)
        assert invoke(client, next(members))["prompts"] == delivered
        BROKEN["empty file"](plain.prompts_dir)
        assert invoke(client, next(members))["prompts"] == delivered
        assert client.get("/health").json()["status"] == "healthy"


def test_streams_and_batches_start_with_what_was_saved_before_them(settings: Settings) -> None:
    folder = settings.prompts_dir
    with Serving(settings) as serving, serving.client() as client:
        serving.until_health("healthy")
        members = with_members(settings, 6)
        note(folder, 1)
        items = [prediction(name) for name in itertools.islice(members, 3)]
        batch = client.post("/offer/batch", json={"inputs": items}).json()["output"]
        assert [item["prompts"] for item in batch] == [read_prompts(folder).used({})] * 3
        note(folder, 2)
        reply = client.post("/offer/stream", json={"input": prediction(next(members))})
        told = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")]
        (output,) = [part["output"] for part in told if "output" in part]
        assert output["prompts"] == read_prompts(folder).used({})
        note(folder, 3)
        asked = {"ml_output": {"predictions": [prediction(next(members))]}}
        assert client.post("/generate-offer", json=asked).json()[0]["prompts"] == read_prompts(folder).used({})
