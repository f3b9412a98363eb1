"""Which of many expressions may occur in a text: one pass for the words they need, then only those are asked."""

from collections.abc import Sequence
from typing import Any, Final

import re2  # type: ignore[import-untyped]

MEMORY: Final = 64 << 20
"""Bytes an expression's automaton may use at most; it uses a fraction of them."""

_SENTINEL: Final = "zqj sieve sentinel qjz"


class Sieve:
    """Expressions, whatever their case, behind one automaton of the literals without which none of them can match.

    The automaton knows words only, so it is small and text that nobody has seen yet adds few states to it. One that
    runs out of memory answers "nothing occurs", which would let everything pass. So each text ends in a word that must
    be found: when it is missing, the answer is thrown away and each expression asked.
    """

    def __init__(self, patterns: Sequence[str], *, memory: int = MEMORY, groups: bool = True) -> None:
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.never_capture = not groups
        options.max_mem = memory
        self._filter = re2.Filter()
        for pattern in (*patterns, _SENTINEL):
            self._filter.Add(pattern, options)
        self._all = list(range(len(patterns)))
        self._alone = [self._filter.re(at) for at in self._all]
        try:
            self._filter.Compile()
        except re2.error:
            self._filter = None

    def __getitem__(self, index: int) -> Any:
        """Return the compiled expression of an index."""
        return self._alone[index]

    def possible(self, text: bytes) -> list[int]:
        """Return the indexes of the expressions that may match in a text or a part of it, in order; no other does."""
        if self._filter is None:
            return self._all
        found = self._filter.Match(b"%s\n%s" % (text, _ENDING), True)
        return found[:-1] if found and found[-1] == len(self._all) else self._all

    def occurring(self, text: str | bytes) -> list[int]:
        """Return the indexes of the expressions that match somewhere in a text, in order."""
        encoded = text.encode() if isinstance(text, str) else text
        return [at for at in self.possible(encoded) if self._alone[at].search(encoded) is not None]


_ENDING: Final = _SENTINEL.encode()
