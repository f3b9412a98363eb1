"""The supervisor of one embedded server: `python -m tools.embedded.supervise PART DATA_DIR LOCK_FD`.

It starts the server as its child, restarts it when it dies, and stops it once nobody has used it for a few seconds,
when it is told to (SIGTERM), or when its folder is deleted. The child dies with it, even by `kill -9`.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import assert_never

from tools.embedded.child import Child
from tools.embedded.folder import Part, PartFolder, PartState

WATCH_S = 0.25
GRACE_S = 2.0
RESTARTS = 3
RESTARTS_WITHIN_S = 60.0


def main() -> None:
    """Detach, then supervise until nobody needs the server."""
    folder, lock = PartFolder(Path(sys.argv[2]), Part(sys.argv[1])), int(sys.argv[3])
    os.set_inheritable(lock, False)  # the server must not keep the lock when this process is gone
    if os.fork() > 0:
        os._exit(0)
    signal.signal(signal.SIGTERM, _leave)
    supervise(folder, lock)


def supervise(folder: PartFolder, lock: int) -> None:
    """Run the server of `folder` until it is no longer needed; `lock` holds the supervisor's lock."""
    state = PartState(pid=os.getpid(), started_at=datetime.now(UTC).isoformat(timespec="seconds"))
    folder.publish(state)
    child: Child | None = None
    try:
        child = _launch(folder, state, None)
        restarts: list[float] = []
        last_used_at = time.monotonic()
        while os.fstat(lock).st_nlink > 0:  # 0: the folder was deleted under us
            time.sleep(WATCH_S)
            if child.process.poll() is not None:
                restarts = [at for at in restarts if time.monotonic() - at < RESTARTS_WITHIN_S] + [time.monotonic()]
                if len(restarts) > RESTARTS:
                    sys.exit(f"{folder.part}: server keeps ending, last with status {child.process.returncode}")
                folder.publish(state)
                child = _launch(folder, state, child.address)
            alone = folder.take_when_deserted()
            if alone is None:
                last_used_at = time.monotonic()
            elif time.monotonic() - last_used_at > GRACE_S:
                return  # `alone` stays open: a new user waits until this process has ended, then starts anew
            else:
                os.close(alone)
    finally:
        if os.fstat(lock).st_nlink > 0:
            folder.retract()
        if child is not None:
            child.stop()


def _launch(folder: PartFolder, state: PartState, address: str | None) -> Child:
    child = _launcher(folder.part)(folder, address)
    folder.publish(PartState(state.pid, state.started_at, child.process.pid, child.address))
    return child


def _launcher(part: Part) -> Callable[[PartFolder, str | None], Child]:
    # Imported here: either part works without the packages of the other.
    match part:
        case Part.POSTGRES:
            from tools.embedded.postgres_launch import launch as launch_postgres

            return launch_postgres
        case Part.MODEL_SERVER:
            from tools.embedded.model_launch import launch as launch_model_server

            return launch_model_server
    assert_never(part)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


if __name__ == "__main__":
    main()
