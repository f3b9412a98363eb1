"""Passages: the fields of one draft as claims are looked for in them, folded and with merchant names masked.

`tools/claims` speaks RE2 like the policies do: no expression can take more than linear time, whatever the copy holds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from tools.grounding.checks import FIELDS, Checks
from tools.grounding.measures import Quantity, Unit
from tools.grounding.reading import Reading, merchant_names
from tools.policies.regex import compile_regex
from tools.report import Evidence
from tools.subject import Subject
from tools.vocabulary import COPY_FIELDS

_MASK: Final = "_"
"""A masked name is one plain word: claims may stand on both sides of it."""
_SENTENCE_END: Final = re.compile(r"[.!?]+[\"')\]]*\s+|\n+")
_DENIED_BEFORE: Final = compile_regex(
    r"(?:\b(?:no|not|never|neither|nor|without|cannot|excludes?|excluded|excluding|except(?:ing|ions?)?|besides)\b"
    r"|n't\b|\b(?:other than|nothing to do with|unrelated to|separate from|instead of"
    r"|rather than)\b)(?:[\s,:/-]+[\w'$.,-]+){0,8}[\s,:/-]*$"
)
_DENIED_AFTER: Final = compile_regex(
    r"^[^.!?;]{0,90}(?:\b(?:do|does|did|is|are|will|can|may|would)(?:\s+not|n't)\b|\bcannot\b|\bcan't\b|\bwon't\b"
    r"|\b(?:is|are|stays?|remains?)\s+(?:excluded|ineligible|unchanged|the\s+same|not)\b|\bearns?\s+(?:nothing|no\b)"
    r"|\bexcluded\b|\bineligible\b)"
)


_RHETORICAL: Final = compile_regex(r"\b(?:why not|why don't you|can't wait|not only|no wonder|no doubt|never been)\b")


@dataclass(frozen=True, slots=True)
class Passage:
    """One written field. `text` is folded and masked; its offsets are those of the folded text."""

    field: str
    text: str
    reading: Reading
    ends: tuple[tuple[int, int], ...]

    def evidence(self, start: int, end: int) -> Evidence:
        """Return a span of the text as evidence in the original."""
        return self.reading.evidence(self.field, start, end)

    def sentence(self, start: int, end: int, *, neighbours: int = 0) -> tuple[int, int]:
        """Return the bounds of the sentence that `text[start:end]` stands in, with so many before and behind."""
        firsts = [0, *(behind for _, behind in self.ends if behind <= start)]
        lasts = [*(before for before, _ in self.ends if before >= end), len(self.text)]
        return firsts[-1 - min(neighbours, len(firsts) - 1)], lasts[min(neighbours, len(lasts) - 1)]

    def around(self, start: int, end: int, *, neighbours: int = 0) -> str:
        """Return the text of `sentence`."""
        first, last = self.sentence(start, end, neighbours=neighbours)
        return self.text[first:last]

    def window(self, start: int, end: int, reach: int) -> str:
        """Return the text at most so many characters before and behind."""
        return self.text[max(0, start - reach) : end + reach]

    def amounts(self, unit: Unit, value: float, *, within: tuple[int, int] | None = None) -> Iterator[Quantity]:
        """Yield the mentions of an amount, however it is written, in the whole field or between two offsets."""
        first, last = within or (0, len(self.text))
        wanted = Decimal(str(value))
        for quantity in self.reading.quantities:
            if quantity.unit == unit and quantity.value == wanted and first <= quantity.start and quantity.end <= last:
                yield quantity

    def is_denied(self, start: int, end: int) -> bool:
        """Tell a claim that its sentence denies: "does not change your APR", "balance transfers do not count"."""
        first, last = self.sentence(start, end)
        before, behind = self.text[first:start], self.text[end:last]
        if _RHETORICAL.search(before) is not None:
            return False
        return _DENIED_BEFORE.search(before) is not None or _DENIED_AFTER.search(behind) is not None


@dataclass(frozen=True, slots=True)
class Written:
    """All passages of one draft, and their texts one under the other to ask in one go whether a word occurs."""

    passages: tuple[Passage, ...]
    joined: str

    def find(self, pattern: Any) -> Iterator[tuple[Passage, int, int]]:
        """Yield every match of an expression with the passage it stands in."""
        if pattern.search(self.joined) is None:
            return
        for passage in self.passages:
            for match in pattern.finditer(passage.text):
                yield passage, match.start(), match.end()

    def claims(self, pattern: Any) -> Iterator[tuple[Passage, int, int]]:
        """Yield every match that its own sentence doesn't deny."""
        for passage, start, end in self.find(pattern):
            if not passage.is_denied(start, end):
                yield passage, start, end

    def says(self, pattern: Any) -> bool:
        """Tell whether an expression occurs in any field."""
        return pattern.search(self.joined) is not None

    def states(self, unit: Unit, value: float) -> bool:
        """Tell whether an amount occurs in any field."""
        return any(next(passage.amounts(unit, value), None) is not None for passage in self.passages)

    def only(self, *fields: str) -> "Written":
        """Return these fields alone."""
        chosen = tuple(passage for passage in self.passages if passage.field in fields)
        return Written(chosen, "\n".join(passage.text for passage in chosen))

    @property
    def copy(self) -> "Written":
        """The fields of copy, without the terms."""
        return self.only(*COPY_FIELDS)


def written(checks: Checks, subject: Subject) -> Written:
    """Return the passages of a draft, read once for all detectors."""
    fields = tuple((name, text) for name in FIELDS if (text := subject.text.get(name)))
    return _written(checks, fields, merchant_names(subject.offer))


@lru_cache(maxsize=64)
def _written(checks: Checks, fields: tuple[tuple[str, str], ...], names: tuple[str, ...]) -> Written:
    passages = tuple(_passage(field, checks.reader.read(text, names)) for field, text in fields)
    return Written(passages, "\n".join(passage.text for passage in passages))


def _passage(field: str, reading: Reading) -> Passage:
    text = reading.folded.text
    for name in reading.names:
        text = text[: name.start] + _MASK * (name.end - name.start) + text[name.end :]
    ends = tuple((match.start(), match.end()) for match in _SENTENCE_END.finditer(text))
    return Passage(field, text, reading, ends)


def pattern_of(*alternatives: str) -> Any:
    """Return one case-blind expression of several; a space in it stands for any white space or a hyphen."""
    whole = "|".join(f"(?:{each})" for each in alternatives)
    return compile_regex(whole.replace(" ?", r"[\s-]*").replace(" ", r"[\s-]+"))
