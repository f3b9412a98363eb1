"""`offers serve`: the HTTP server."""

import asyncio
import logging
import os
import socket
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.console import busy, err

if TYPE_CHECKING:
    from graph.settings import Settings

app = typer.Typer()
GRACE_S = 15
"""Seconds a stopping server gives its running requests; after that their claims are let go."""


@app.command(rich_help_panel="Start here")
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. Default: PORT.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: HOST.")] = None,
    reload_prompts: Annotated[
        bool | None,
        typer.Option(
            "--reload-prompts/--no-reload-prompts",
            help="Let an edited prompt count from the next run on, in issued offers too. Default: RELOAD_PROMPTS.",
        ),
    ] = None,
) -> None:
    """Serve offers over HTTP: the LangServe routes, the callers' API, its documentation and a health report.

    Prompts are read at the start. With --reload-prompts each run looks whether one was saved since: edit, save, ask
    again. An edit that can't be used changes nothing: the log and /health name its file and line, and the last good
    version of all prompts stays in use until it is mended. Every reply and record has the prompts' digests.

    Example:

        offers serve
        offers serve --port 9001 --host 0.0.0.0
        offers serve --reload-prompts
    """
    from graph.settings import load_settings

    given: dict[str, Any] = {"port": port, "host": host, "reload_prompts": reload_prompts}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    with _listen(settings.host, settings.port) as listener:
        if settings.database_url is None:
            fill_embedded(settings)
        with busy("starting"):
            import uvicorn

            from server.app import create_app
            from server.links import WithoutTokens

            app = create_app(settings)
            server = uvicorn.Server(uvicorn.Config(app, lifespan="on", timeout_graceful_shutdown=GRACE_S))
            for name in ("uvicorn.access", "uvicorn.error"):  # the latter tells of web sockets
                logging.getLogger(name).addFilter(WithoutTokens())
        _announce(settings.host, listener.getsockname()[1])
        if settings.reload_prompts:
            err().print(
                f"  prompts    {settings.prompts_dir}: a saved edit counts from the next run on", soft_wrap=True
            )
            err().print("             offers are issued with it; without --reload-prompts an edit needs a restart")
        err().print("  stop with Ctrl-C", style="dim")
        server.run(sockets=[listener])
        if not server.started:
            raise typer.Exit(1)  # the log says why


def fill_embedded(settings: "Settings") -> None:
    """Give the embedded database its synthetic members, so that a new machine has somebody to ask about."""
    from server.commands.members import holds_members, load_sample

    with busy("starting PostgreSQL"):
        filled = asyncio.run(holds_members(settings))
    if not filled:
        with busy("drawing 1,000 synthetic members", done="1,000 synthetic members"):
            asyncio.run(load_sample(settings, n=1_000, seed=7))


def _listen(host: str, port: int) -> socket.socket:
    """Open the port before anything heavy is imported. Raises SettingInvalid when it can't be had."""
    from tools.errors import SettingInvalid

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingInvalid(
            f"HOST and PORT: {host}:{port} can't be listened on ({_reason(error)}); try another: offers serve --port 0"
        ) from error


def _reason(error: OSError) -> str:
    """Return the system's words alone: asyncio's and socket's texts repeat the address."""
    return os.strerror(error.errno) if error.errno else str(error)


def _announce(host: str, port: int) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}"
    for label, path in (("docs", "/docs"), ("playground", "/offer/playground/"), ("health", "/health")):
        err().print(f"  {label:<11}{base}{path}", soft_wrap=True)
