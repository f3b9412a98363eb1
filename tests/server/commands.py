"""Running `offers` in tests: in this process for speed, or as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.cli import main
from server.commands.console import err, out


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and what it printed, with line breaks of the terminal undone in `told`."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """The answer as one line of words."""
        return " ".join(self.out.split())


Offers = Callable[..., Ran]


def run_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Ran:
    """Run `offers` in this process."""
    monkeypatch.setattr(sys, "argv", ["offers", *arguments])
    out.cache_clear()  # a console keeps the COLUMNS of the test that first printed
    err.cache_clear()
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    return Ran(int(ended.value.code or 0), printed.out, printed.err)


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Start `offers` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "server.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
