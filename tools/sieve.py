"""Which of many expressions occur in a text: one pass tells, instead of one pass for each of them."""

from collections.abc import Sequence
from typing import Any, Final

import re2  # type: ignore[import-untyped]

MEMORY: Final = 64 << 20
"""Bytes the one pass may use at most; it uses a fraction of them."""

_ALWAYS: Final = "(?:)"


class Sieve:
    """Expressions, whatever their case, compiled into one automaton.

    An automaton that runs out of memory answers "nothing occurs", which would let everything pass. So an expression
    that always matches is in it: when that one is missing, the answer is thrown away and each expression asked alone.
    """

    def __init__(self, patterns: Sequence[str], *, memory: int = MEMORY) -> None:
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        self._alone = [re2.compile(pattern, options) for pattern in patterns]
        options.max_mem = memory
        self._together = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._together.Add(pattern)
        self._always = self._together.Add(_ALWAYS)
        self._together.Compile()

    def __getitem__(self, index: int) -> Any:
        """Return the compiled expression of an index."""
        return self._alone[index]

    def occurring(self, text: str | bytes) -> list[int]:
        """Return the indexes of the expressions that match somewhere in a text, in order."""
        found = sorted(self._together.Match(text) or ())
        if self._always not in found:
            return [at for at, pattern in enumerate(self._alone) if pattern.search(text) is not None]
        found.remove(self._always)
        return found
