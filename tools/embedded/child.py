"""A server process that ends with its supervisor."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GENTLE_STOP_S = 20.0
HARSH_STOP_S = 10.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Child:
    """A running server, where it listens, and the signals that end it: first asked, then not."""

    process: "subprocess.Popen[bytes]"
    address: str
    gentle: signal.Signals
    harsh: signal.Signals
    temporary: Path | None = None

    def stop(self) -> None:
        """End the server, by force after 20 s, and remove its temporary folder when it left it empty."""
        end(self.process, self.gentle, self.harsh)
        if self.temporary is not None:
            with suppress(OSError):
                self.temporary.rmdir()


def end(process: "subprocess.Popen[bytes]", gentle: signal.Signals, harsh: signal.Signals) -> None:
    """Send `gentle`, wait 20 s, send `harsh`, wait 10 s, then kill."""
    for sign, wait_s in ((gentle, GENTLE_STOP_S), (harsh, HARSH_STOP_S), (signal.SIGKILL, HARSH_STOP_S)):
        process.send_signal(sign)
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            continue
        return


def die_with_parent(sign: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that has the kernel send `sign` when the parent dies; None outside Linux.

    Source: prctl(2). The setting outlives exec; a change of user clears it, and `preexec_fn` runs after that change.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, sign.value)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return tie
