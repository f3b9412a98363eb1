"""What commands print with: one console for answers, one for everything else."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> "Console":
    """Return the console for answers (standard output)."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


@cache
def err() -> "Console":
    """Return the console for progress, warnings and errors (standard error)."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def plain(text: str) -> str:
    """Return text that can't steer a terminal: no escapes, no direction overrides, line breaks kept."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def fail(message: str, *, hint: str | None = None) -> None:
    """Print what went wrong in red, and what to do next."""
    from rich.text import Text

    err().print(Text(f"error: {plain(message)}", style="red"), soft_wrap=True)
    if hint:
        err().print(Text(f"next:  {hint}"), soft_wrap=True)


def warn(message: str) -> None:
    """Print a warning in yellow."""
    from rich.text import Text

    err().print(Text(f"warning: {plain(message)}", style="yellow"), soft_wrap=True)


@contextmanager
def busy(label: str, *, done: str | None = None) -> Iterator[None]:
    """Show a spinner while the block runs; with `done`, leave a line with the seconds it took."""
    started = time.monotonic()
    with err().status(f"{label} …"):
        yield
    if done is not None:
        out().print(f"  [green]ok[/green]  {done} [dim]({time.monotonic() - started:.1f} s)[/dim]")


@contextmanager
def stopped(state: str) -> Iterator[None]:
    """Say after Ctrl-C in the block what is and isn't done, and exit with 130."""
    import typer

    try:
        yield
    except KeyboardInterrupt as interrupt:
        fail(f"stopped: {state}")
        raise typer.Exit(130) from interrupt


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: 1 line, 2,000 lines."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def program() -> str:
    """Return how this program can be called from here: `offers`, or its path when it is not on the PATH."""
    import os
    import shutil

    called = sys.argv[0]
    if shutil.which("offers") is not None or os.path.basename(called) != "offers":
        return "offers"
    return os.path.relpath(called)
