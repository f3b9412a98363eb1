"""Which of many expressions occur in a text: one pass tells, instead of one pass for each of them."""

from collections.abc import Sequence
from typing import Any, Final

import re2  # type: ignore[import-untyped]

MEMORY: Final = 64 << 20
"""Bytes the one pass may use at most; it uses a fraction of them."""

_ALWAYS: Final = "(?:)"


class Sieve:
    """Expressions, whatever their case, compiled into automata of `together` expressions each (None: into one).

    Few long expressions want small automata: the states of a big one are their product, and text that nobody has seen
    yet has to build them first. Many short ones are quickest in one.

    An automaton that runs out of memory answers "nothing occurs", which would let everything pass. So an expression
    that always matches is in each: when that one is missing, the answer is thrown away and each expression asked alone.
    """

    def __init__(self, patterns: Sequence[str], *, together: int | None = None, memory: int = MEMORY) -> None:
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.max_mem = memory
        self._alone = [re2.compile(pattern, options) for pattern in patterns]
        count = -(-len(patterns) // together) if together else 1
        self._groups = [
            (range(first, len(patterns), count), _automaton(patterns[first::count], options)) for first in range(count)
        ]

    def __getitem__(self, index: int) -> Any:
        """Return the compiled expression of an index."""
        return self._alone[index]

    def occurring(self, text: str | bytes) -> list[int]:
        """Return the indexes of the expressions that match somewhere in a text, in order."""
        found: list[int] = []
        for indexes, automaton in self._groups:
            matched = automaton.Match(text) or ()
            if len(indexes) in matched:
                found += [indexes[at] for at in matched if at < len(indexes)]
            else:
                found += [at for at in indexes if self._alone[at].search(text) is not None]
        return sorted(found)


def _automaton(patterns: Sequence[str], options: Any) -> Any:
    automaton = re2.Set.SearchSet(options)
    for pattern in (*patterns, _ALWAYS):
        automaton.Add(pattern)
    automaton.Compile()
    return automaton
