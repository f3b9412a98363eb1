import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tools.embedded.folder import Part, PartFolder
from tools.embedded.parts import python_environment, stop_parts

WITHIN_S = 20.0
# Another process that uses a part: joins, says where it is, then answers each line with what the server says of itself.
USER = """
import asyncio, sys
from pathlib import Path
import psycopg
from tools.embedded.model_server import ensure_model_server
from tools.embedded.postgres import ensure_postgres

async def join(part, folder):
    return await ensure_postgres(folder) if part == "postgres" else (await ensure_model_server(folder)).base_url

where = asyncio.run(join(sys.argv[1], Path(sys.argv[2])))
print(where, flush=True)
for _ in sys.stdin:
    print(psycopg.connect(where).execute("SELECT pg_postmaster_start_time()").fetchone()[0], flush=True)
"""


class User:
    """A process, in a process group of its own, that uses a part of a data folder."""

    def __init__(self, part: Part, data_dir: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", USER, part, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=python_environment(),
            start_new_session=True,
        )

    def address(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def ask(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def end(self, sign: signal.Signals) -> None:
        """Send the signal to the whole process group, as a terminal does, and wait."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, sign)
        self._process.communicate()


class Watch:
    """What the test sees of one part's processes from outside."""

    def __init__(self, data_dir: Path, part: Part) -> None:
        self.data_dir, self.part = data_dir, part
        self._folder = PartFolder(data_dir, part)

    def server_pid(self) -> int:
        state = self._folder.state()
        assert state is not None
        assert state.server_pid is not None
        return state.server_pid

    def supervisor_pid(self) -> int:
        state = self._folder.state()
        assert state is not None
        return state.pid

    def restarted(self, old_pid: int) -> bool:
        state = self._folder.state()
        return state is not None and state.server_pid not in (None, old_pid)

    def gone(self, pid: int) -> bool:
        """Say whether the process has ended, be it reaped or not."""
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    def wait_until_gone(self, *pids: int) -> None:
        self.wait_until(lambda: all(self.gone(pid) for pid in pids), f"{self.part} processes {pids} end")
        self.wait_until(lambda: not self._folder.supervised(), f"{self.part} is no longer supervised")

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < deadline, f"not within {WITHIN_S:.0f} s: {what}\n{self._folder.log_tail()}"
            time.sleep(0.02)


@pytest.fixture
async def data_dir() -> AsyncIterator[Path]:
    # Not tmp_path: every start of pytest closes its common parent to others again, a running server's user included.
    with tempfile.TemporaryDirectory(prefix="offers-") as folder:
        yield Path(folder)
        await stop_parts(Path(folder))


@pytest.fixture
def start_user() -> Iterator[Callable[[Part, Path], User]]:
    users: list[User] = []

    def start(part: Part, data_dir: Path) -> User:
        users.append(User(part, data_dir))
        return users[-1]

    yield start
    for user in users:
        user.end(signal.SIGKILL)


@pytest.fixture
def watch(data_dir: Path, request: pytest.FixtureRequest) -> Watch:
    return Watch(data_dir, request.module.PART)
