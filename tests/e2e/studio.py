"""A live `langgraph dev` for tests: what `make studio` starts, on a free port, with parts of the test's own."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from graph.settings import Settings
from tests.scripted_model import ScriptedModel

ROOT = Path(__file__).resolve().parents[2]
GRAPH = "offergraph"
START_WAIT_S = 60
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Studio:
    """A running server, seen as Studio sees it."""

    client: LangGraphClient
    script: ScriptedModel
    database_url: str
    log_path: Path

    def log(self) -> str:
        """Return what the server wrote so far, without colours."""
        return COLOUR.sub("", self.log_path.read_text(encoding="utf-8"))

    def rows(self, table: str) -> int:
        """Count a table's rows."""
        with psycopg.connect(self.database_url) as connection:
            (count,) = connection.execute(f"select count(*) from {table}").fetchone() or (-1,)
        return int(count)

    async def thread(self) -> str:
        """Open a thread and return its id."""
        thread = await self.client.threads.create()
        return str(thread["thread_id"])

    async def run(self, thread: str, given: dict[str, Any] | None = None, **options: Any) -> list[str]:
        """Run (or with nothing given resume) a thread to its end or next stop; return the nodes that finished."""
        finished: list[str] = []
        async for part in self.client.runs.stream(thread, GRAPH, input=given, stream_mode="updates", **options):
            assert part.event != "error", part.data
            if part.event == "updates":
                finished += [name for name in part.data if not name.startswith("__")]
        return finished

    async def state(self, thread: str) -> Any:
        """Return the thread's state."""
        return await self.client.threads.get_state(thread)

    async def output(self, thread: str) -> dict[str, Any]:
        """Return the outcome of a thread that came to its end."""
        state = await self.state(thread)
        assert state["next"] == [], state["next"]
        output: dict[str, Any] = state["values"]["output"]
        return output


@asynccontextmanager
async def serving(
    settings: Settings, script: ScriptedModel, *, folder: Path, environment: dict[str, str]
) -> AsyncIterator[Studio]:
    """Start the server in an empty folder, wait until it answers, and stop it at the end."""
    port, log_path = _free_port(), folder / "log"
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload", "--port", str(port)]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--config", str(ROOT / "langgraph.json"), "--n-jobs-per-worker", "24"],
            cwd=folder,  # the server keeps threads in its working folder
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    assert settings.database_url is not None
    studio = Studio(
        client=get_client(url=url),
        script=script,
        database_url=settings.database_url.get_secret_value(),
        log_path=log_path,
    )
    try:
        await _answering(url, process, studio)
        yield studio
    finally:
        process.terminate()
        process.wait(timeout=30)


async def _answering(url: str, process: subprocess.Popen[bytes], studio: Studio) -> None:
    async with asyncio.timeout(START_WAIT_S), httpx.AsyncClient() as http:
        while True:
            assert process.poll() is None, studio.log()
            try:
                if (await http.get(f"{url}/ok")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
