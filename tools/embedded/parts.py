"""Joining, listing and stopping the embedded parts of a data folder."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.embedded.folder import POLL_S, UNAVAILABLE, Part, PartFolder, PartState

START_WAIT_S = 75.0
STOP_WAIT_S = 40.0
# A server outlives the process that started it: it gets what it needs to run, never that process's keys and passwords.
INHERITED_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "XDG_RUNTIME_DIR")


@dataclass(frozen=True)
class PartStatus:
    """Whether a part runs, and where; `address` is a socket folder or a URL."""

    part: Part
    running: bool
    server_pid: int | None
    address: str | None
    started_at: str | None


def join(folder: PartFolder, answers: Callable[[str], bool]) -> str:
    """Become a user of the part's server, starting it when nobody has, and return its address once it answers.

    Blocks: call it in a thread. Raises the part's RetryableError, with the log's end, when no server answers in 75 s.
    """
    folder.create()
    deadline = time.monotonic() + START_WAIT_S
    folder.hold_lease(wait_s=START_WAIT_S)
    spawned = False
    while time.monotonic() < deadline:
        state = folder.state()
        if state is not None and state.address is not None and answers(state.address):
            return state.address
        if state is None and (lock := folder.take_supervision()) is not None:
            try:
                if spawned:
                    raise UNAVAILABLE[folder.part](f"{folder.part} could not be started; {folder.log_tail()}")
                folder.retract()
                _spawn_supervisor(folder, lock)
                spawned = True
            finally:
                os.close(lock)  # the supervisor keeps its inherited copy, so the lock never lies free in between
        time.sleep(POLL_S)
    raise UNAVAILABLE[folder.part](f"{folder.part} did not answer within {START_WAIT_S:.0f} s; {folder.log_tail()}")


async def stop_parts(data_dir: Path) -> list[str]:
    """Stop whatever runs for this data folder, other processes' users or not, and return the names of what was stopped.

    Raises the part's RetryableError when a server is still there after 40 s.
    """
    folders = [PartFolder(data_dir, part) for part in Part]
    stopped = await asyncio.gather(*(asyncio.to_thread(_stop, folder) for folder in folders))
    return [folder.part.value for folder, was_running in zip(folders, stopped, strict=True) if was_running]


def parts_status(data_dir: Path) -> tuple[PartStatus, ...]:
    """Return each part's status; starts nothing, creates nothing."""
    return tuple(_status(part, PartFolder(data_dir, part).state()) for part in Part)


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this project with this interpreter."""
    return [sys.executable, "-P", "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """Return a small environment in which `python_command` finds this project, installed or not."""
    kept = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    packages = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(packages), "PYTHONUNBUFFERED": "1"}


def _status(part: Part, state: PartState | None) -> PartStatus:
    if state is None:
        return PartStatus(part, running=False, server_pid=None, address=None, started_at=None)
    return PartStatus(part, state.address is not None, state.server_pid, state.address, state.started_at)


def _spawn_supervisor(folder: PartFolder, lock: int) -> None:
    with folder.log() as log:
        # Its own session: Ctrl-C in the terminal of the user who happened to come first must not reach it. It forks at
        # once, so what ends here is only the parent, and the supervisor is never a zombie of its first user.
        subprocess.run(
            python_command("tools.embedded.supervise", folder.part, str(folder.data_dir), str(lock)),
            pass_fds=(lock,),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder.root,
            env=python_environment(),
            start_new_session=True,
            check=False,
        )


def _stop(folder: PartFolder) -> bool:
    folder.drop_lease()
    if not folder.supervised():
        return False
    deadline = time.monotonic() + STOP_WAIT_S
    signalled: int | None = None
    while folder.supervised():
        state = folder.state()
        if state is not None and state.pid != signalled:
            with suppress(ProcessLookupError):  # it ended by itself
                os.kill(state.pid, signal.SIGTERM)
            signalled = state.pid
        if time.monotonic() > deadline:
            raise UNAVAILABLE[folder.part](
                f"{folder.part} did not stop within {STOP_WAIT_S:.0f} s; {folder.log_tail()}"
            )
        time.sleep(POLL_S)
    return True
