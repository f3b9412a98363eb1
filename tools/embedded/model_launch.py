"""How the supervisor starts the chat model server."""

import select
import signal
import subprocess
import sys
from urllib.parse import urlsplit

from tools.embedded.child import Child, die_with_parent, end
from tools.embedded.folder import PartFolder
from tools.embedded.model_file import smollm2_path
from tools.embedded.parts import python_command

START_S = 60.0


def launch(folder: PartFolder, address: str | None) -> Child:
    """Start the model server on loopback and return once its model is loaded.

    A restarted server takes its former `address` again, so that the clients of the one that died find it.
    Exits with the reason on standard error (the log) when it can't.
    """
    port = (urlsplit(address).port or 0) if address is not None else 0
    gguf = smollm2_path()
    process = subprocess.Popen(
        python_command("tools.embedded.model_process", str(gguf), str(port)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=folder.root,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    assert process.stdout is not None
    with process.stdout as reports:
        readable, _, _ = select.select([reports], [], [], START_S)
        line = reports.readline().decode().strip() if readable else ""
    if not line.startswith("http://127.0.0.1:"):
        end(process, signal.SIGTERM, signal.SIGKILL)
        sys.exit(f"model_server: {gguf} can't be served, status {process.returncode}; `make install` puts it right")
    return Child(process, line, gentle=signal.SIGTERM, harsh=signal.SIGKILL)
