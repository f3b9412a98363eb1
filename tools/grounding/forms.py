"""Many patterns over one text, in linear time: one pass tells which of them occur, and only those are searched."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import re2  # type: ignore[import-untyped]

_MEMORY: Final = 64 << 20
"""Bytes the one pass may use at most; it uses a fraction of them."""


class Match(NamedTuple):
    """Where the pattern of an index matches, and where its last group does (all of it when it has none)."""

    pattern: int
    start: int
    end: int
    last: tuple[int, int]


class Forms:
    """Patterns of words, whatever their case. Unlike an alternation, they find matches that overlap."""

    def __init__(self, patterns: Sequence[str]) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        compiled = [re2.compile(f"(?i){pattern}") for pattern in patterns]
        self._patterns = [(pattern, pattern.groups) for pattern in compiled]
        self._occurring = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._occurring.Add(f"(?i){pattern}")
        if patterns:
            self._occurring.Compile()

    def matches(self, text: str) -> Iterator[Match]:
        """Yield the matches of each pattern that occurs."""
        searched = text.encode() if text.isascii() else text  # bytes spare a conversion of every offset
        for at in (self._occurring.Match(searched) or ()) if self._patterns else ():
            pattern, last = self._patterns[at]
            for match in pattern.finditer(searched):
                start, end = match.span()
                yield Match(at, start, end, match.span(last) if last else (start, end))
