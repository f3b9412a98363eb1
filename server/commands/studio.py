"""`offers studio`: the graph for LangGraph Studio, as previews."""

import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer

from server.commands.console import err
from server.commands.serve import fill_embedded
from tools.errors import PartMissing, SettingInvalid

app = typer.Typer()
CONFIG: Final = Path("langgraph.json")
HOST: Final = "127.0.0.1"
MOST: Final = 65535
"""The highest port there is."""
THREADS: Final = 4
"""Runs at the same time; a thread that waits for a person counts as none."""
PAGE: Final = "https://smith.langchain.com/studio/"


@app.command(rich_help_panel="Prompts")
def studio(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=MOST)] = 2024,
) -> None:
    """Serve the graph for LangGraph Studio: see it, stop at any node, edit the state, go on, fork.

    Every run is a preview: it reads the ledger and writes nothing, so nothing can be issued. Studio's page is hosted by
    LangChain and needs a browser with internet and a LangSmith login; it talks to this server from the browser. The
    API below works without it. A saved prompt counts from the next run on. docs/studio.md walks through all of it.

    Example:

        offers studio
        offers studio --port 2025
    """
    from graph.settings import load_settings

    if find_spec("langgraph_api") is None:
        raise PartMissing("LangGraph's server is not installed: pip install --editable '.[dev]'")
    if not CONFIG.is_file():
        raise SettingInvalid(f"there is no {CONFIG} in {Path.cwd()}; run this in the project's folder")
    settings = load_settings()
    _try(port)
    if settings.database_url is None:
        fill_embedded(settings)
    announce(port)
    os.environ.update(LANGGRAPH_CLI_NO_ANALYTICS="1", LANGGRAPH_NO_VERSION_CHECK="true")
    os.environ.setdefault("LOG_LEVEL", "WARNING")  # else a few hundred lines bury the one about a broken prompt
    where = ["--host", HOST, "--port", str(port)]
    how = ["--no-browser", "--n-jobs-per-worker", str(THREADS)]
    command = [sys.executable, "-m", "langgraph_cli", "dev", *where, *how]
    os.execv(command[0], command)  # so that Ctrl-C is the server's own


def _try(port: int) -> None:
    """Open the port once, before anything is started. Raises SettingInvalid when it can't be had."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise SettingInvalid(
            f"--port: {HOST}:{port} can't be listened on ({reason}); stop what listens there, or take another port:"
            f" offers studio --port {port % MOST + 1}"
        ) from error


def announce(port: int) -> None:
    """Say what to open and what a preview is, before the server's own log begins."""
    base = f"http://{HOST}:{port}"
    lines = (
        ("studio", f"{PAGE}?baseUrl={base}"),
        ("", "in a browser with internet, in a few seconds"),
        ("api", f"{base}/docs"),
        ("", "works without internet, as does everything the guide does with langgraph_sdk"),
        ("previews", "nothing is issued and nothing is recorded, whatever a run says"),
        ("prompts", "a saved edit counts from the next run on; one that can't be used is named below"),
        ("guide", "docs/studio.md"),
    )
    for label, text in lines:
        err().print(f"  {label:<11}{text}", soft_wrap=True)
    err().print("  stop with Ctrl-C", style="dim")
