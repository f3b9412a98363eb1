"""Many patterns over one text, in linear time: one pass tells which of them occur, and only those are searched."""

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from tools.sieve import Sieve


class Match(NamedTuple):
    """Where the pattern of an index matches, and where its last group does (all of it when it has none)."""

    pattern: int
    start: int
    end: int
    last: tuple[int, int]


class Forms:
    """Patterns of words, whatever their case. Unlike an alternation, they find matches that overlap.

    Without `groups` only whole matches are told, which is quicker.
    """

    def __init__(self, patterns: Sequence[str], *, groups: bool = True) -> None:
        self._sieve = Sieve(patterns, groups=groups)
        self._groups = [self._sieve[at].groups for at in range(len(patterns))]

    def matches(self, text: str, wanted: Container[int] | None = None) -> Iterator[Match]:
        """Yield the matches of each pattern that occurs, or of the wanted ones only."""
        encoded = text.encode()
        searched = encoded if text.isascii() else text  # bytes spare a conversion of every offset
        for at in self._sieve.possible(encoded):
            if wanted is not None and at not in wanted:
                continue
            last = self._groups[at]
            for match in self._sieve[at].finditer(searched):
                start, end = match.span()
                yield Match(at, start, end, match.span(last) if last else (start, end))
