"""`offers status` and `offers stop`: the embedded PostgreSQL and chat model of this data folder."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

import typer

from server.commands.console import busy, out

if TYPE_CHECKING:
    from graph.settings import Settings

app = typer.Typer()
NAMES: Final = {"postgres": "PostgreSQL", "model_server": "chat model"}


@app.command(rich_help_panel="Settings and parts")
def status() -> None:
    """Show the embedded parts: whether they run, where, since when. Starts nothing.

    Each part is shared by all processes of one DATA_DIR and stops a few seconds after its last user.

    Example:

        offers status
    """
    from rich.table import Table
    from rich.text import Text

    from graph.settings import load_settings
    from tools.embedded.parts import parts_status

    settings = load_settings()
    table = Table("part", "state", "address", "process")
    table.add_column("since", no_wrap=True)
    for part in parts_status(settings.data_dir):
        state = Text("running", style="green") if part.running else Text("not running", style="dim")
        if instead := _configured(settings, part.part):
            state = Text(f"not used: {instead} is set", style="dim")
        pid = str(part.server_pid or "")
        table.add_row(NAMES[part.part], state, Text(part.address or "", overflow="fold"), pid, _minute(part.started_at))
    out().print(table)
    out().print(Text(f"data folder: {settings.data_dir}"), soft_wrap=True)


@app.command(rich_help_panel="Settings and parts")
def stop() -> None:
    """Stop the embedded parts of this data folder, also while other processes use them.

    Nothing is lost: members, decisions and offers stay in the data folder.

    Example:

        offers stop
    """
    from graph.settings import load_settings
    from tools.embedded.parts import stop_parts

    settings = load_settings()
    with busy("stopping"):
        stopped = asyncio.run(stop_parts(settings.data_dir))
    names = ", ".join(NAMES[name] for name in stopped)
    out().print(f"stopped: {names}" if names else "nothing was running")


def _minute(moment: str | None) -> str:
    return "" if moment is None else f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"


def _configured(settings: "Settings", part: str) -> str | None:
    """Return the setting that names another server to use in place of the part."""
    if part == "postgres":
        return "DATABASE_URL" if settings.database_url else None
    if settings.embedded_model:
        return None
    return "LLM_BASE_URL" if settings.llm_base_url else "OPENROUTER_API_KEY"
