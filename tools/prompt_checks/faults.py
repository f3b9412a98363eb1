"""A fault of a prompt file: where, what, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; line and column count from 1. An error stops the start, a warning only costs money or quality."""

    path: Path
    line: int
    column: int
    code: str
    message: str
    remedy: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column} {self.code} {self.message}; {self.remedy}"


def near(word: str, known: Iterable[str]) -> str:
    """Return the remedy for a name that doesn't exist: the one it is most like, else all there are."""
    names = sorted(known)
    found = get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else f"allowed: {', '.join(names) or 'none'}"
