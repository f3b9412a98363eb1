"""Text that models are given, found in what they write: a draft that recites its instructions is no copy.

Compared are runs of words, so punctuation, case and spelling tricks don't matter. What approved copy says as well, and
what the instructions quote as wording, may be said: it is copy.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tools.folding import fold

RUN: Final = 5
"""Words in a row that nobody writes by chance. Shorter pieces of an instruction tell nothing."""

_WORD: Final = re.compile(r"[a-z0-9_']+")
_QUOTED: Final = re.compile(r"\"[^\"\n]*\"|“[^”\n]*”|\{[{%].*?[%}]\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Instructions:
    """The runs of words that only instructions hold. Built once per rulebook; looking is linear in the text."""

    runs: frozenset[str]

    @classmethod
    def of(cls, texts: Iterable[str], *, sayable: Iterable[str]) -> "Instructions":
        """Return the instructions in `texts`, less what they quote and what the `sayable` texts hold."""
        own = {run for text in texts for part in _QUOTED.split(text) for run in _runs(_words(part))}
        return cls(frozenset(own.difference(run for text in sayable for run in _runs(_words(text)))))

    def recited(self, fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return (field, words) of the first recited run of each field that holds one."""
        firsts = ((name, self._first(text)) for name, text in fields.items())
        return tuple((name, run) for name, run in firsts if run)

    def _first(self, text: str) -> str:
        return next((run for run in _runs(_words(text)) if run in self.runs), "")


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text).text.lower())


def _runs(words: list[str]) -> Iterator[str]:
    return (" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
