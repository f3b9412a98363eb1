"""One embedded part's folder: its locks, its state file and its log.

Two advisory locks tell everything, and the kernel drops both at the holder's death, `kill -9` included:

- `users.lock`: shared by every process that uses the part. The supervisor stops the server once it can take it alone.
- `supervisor.lock`: held by the part's one supervisor for its whole life. The state file counts only while it is held,
  so a file left by a dead supervisor is never believed, whoever has its process id now.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from tools.errors import DatabaseUnavailable, ModelUnavailable, RetryableError, SettingInvalid

POLL_S = 0.02
LOG_TAIL_LINES = 12

_leases: dict[Path, int] = {}
_leases_guard = threading.Lock()


class Part(StrEnum):
    """An embedded part; the value is its folder's name."""

    POSTGRES = "postgres"
    MODEL_SERVER = "model_server"


UNAVAILABLE: dict[Part, type[RetryableError]] = {
    Part.POSTGRES: DatabaseUnavailable,
    Part.MODEL_SERVER: ModelUnavailable,
}


@dataclass(frozen=True)
class PartState:
    """What a supervisor publishes; `address` is None until the server answers."""

    pid: int
    started_at: str
    server_pid: int | None = None
    address: str | None = None


class PartFolder:
    """A part's folder below the data folder."""

    def __init__(self, data_dir: Path, part: Part) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.part = part
        self.root = self.data_dir / part
        self.log_path = self.root / "server.log"
        self._state_path = self.root / "state.json"

    def create(self) -> None:
        """Make the folder; raise SettingInvalid when it can't be written."""
        try:
            self.root.mkdir(parents=True, mode=0o700, exist_ok=True)
        except OSError as error:
            raise SettingInvalid(
                f"DATA_DIR: {str(self.data_dir)!r} can't hold the folder {self.part!r} ({error.strerror}); "
                "name a folder that this user may write"
            ) from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise SettingInvalid(
                f"DATA_DIR: {str(self.root)!r} may not be written by this user; name another folder or change its owner"
            )

    def state(self) -> PartState | None:
        """Return what the living supervisor published, or None without one."""
        if not self.supervised():
            return None
        try:
            return PartState(**json.loads(self._state_path.read_text()))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None  # between taking the lock and publishing, or from another version of this file

    def publish(self, state: PartState) -> None:
        """Write the state file in one step."""
        draft = self.root / "state.json.new"
        draft.write_text(json.dumps(asdict(state)))
        draft.replace(self._state_path)

    def retract(self) -> None:
        """Remove the state file; only for the holder of the supervisor's lock."""
        self._state_path.unlink(missing_ok=True)

    def supervised(self) -> bool:
        """Say whether a living process supervises this part."""
        path = self.root / "supervisor.lock"
        if not path.exists():
            return False
        # Shared, so that two onlookers never take each other for a supervisor.
        fd = _try_lock(path, fcntl.LOCK_SH)
        if fd is None:
            return True
        os.close(fd)
        return False

    def take_supervision(self) -> int | None:
        """Return the descriptor that holds the supervisor's lock, or None while another process holds it."""
        return _try_lock(self.root / "supervisor.lock", fcntl.LOCK_EX)

    def take_when_deserted(self) -> int | None:
        """Return a descriptor that keeps new users out, or None while somebody uses the part."""
        return _try_lock(self.root / "users.lock", fcntl.LOCK_EX)

    def hold_lease(self, *, wait_s: float) -> None:
        """Count this process as a user until it ends; waits while a supervisor is closing down."""
        deadline = time.monotonic() + wait_s
        while True:
            with _leases_guard:
                if self.root in _leases:
                    return
                fd = _try_lock(self.root / "users.lock", fcntl.LOCK_SH)
                if fd is not None:
                    _leases[self.root] = fd
                    return
            if time.monotonic() > deadline:
                raise UNAVAILABLE[self.part](f"{self.part} was still stopping after {wait_s:.0f} s; {self.log_tail()}")
            time.sleep(POLL_S)

    def drop_lease(self) -> None:
        """Stop counting this process as a user."""
        with _leases_guard:
            fd = _leases.pop(self.root, None)
        if fd is not None:
            os.close(fd)  # closing, never LOCK_UN: a forked child may share the lock

    @contextmanager
    def log(self) -> Iterator[int]:
        """Open the log for appending; one that has grown past a megabyte starts anew."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        if self.log_path.exists() and self.log_path.stat().st_size > 1_000_000:
            flags |= os.O_TRUNC
        fd = os.open(self.log_path, flags, 0o600)
        try:
            yield fd
        finally:
            os.close(fd)

    def log_tail(self) -> str:
        """Return the end of the log, with its path, for an error's message."""
        if not self.log_path.exists():
            return f"no log at {self.log_path}"
        lines = self.log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"end of {self.log_path}:", *lines])


def _try_lock(path: Path, mode: int) -> int | None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd
