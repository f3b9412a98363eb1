"""A draft as the detectors of claims read it: folded, merchant names masked, in sentences, once for all of them.

`tools/claims` speaks RE2 like the policies do: no expression can take more than linear time, whatever the copy holds.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import Any, Final

from tools.claims.expressions import any_of, pattern_of
from tools.claims.passages import Found, Part, Passage, Said, Sentence
from tools.folding import MASK
from tools.grounding.checks import Checks, names_of, texts_of
from tools.grounding.measures import Quantity, Unit
from tools.grounding.reading import Reading, merchant_names
from tools.grounding.roles import Role
from tools.report import Evidence
from tools.snapshot import once, once_for_terms
from tools.subject import Subject
from tools.vocabulary import COPY_FIELDS

__all__ = [
    "COPY", "Found", "Passage", "Sentence", "Written", "any_of", "matches", "pattern_of", "quantities_in", "signed",
    "written",
]  # fmt: skip

COPY: Final = tuple(map(str, COPY_FIELDS))
_WORD: Final = "_"


class Written:
    """One draft, or some fields of it, in parts: the copy is new with every draft, the terms serve many."""

    def __init__(self, *parts: Part) -> None:
        self._parts: Final = tuple(part for part in parts if part.passages)
        self.passages: Final = tuple(passage for part in self._parts for passage in part.passages)
        self._only: Final[dict[tuple[str, ...], Written]] = {}
        self._says: Final[dict[Any, bool]] = {}

    @cached_property
    def text(self) -> str:
        """The fields one under the other."""
        return "\n".join(part.text for part in self._parts)

    @cached_property
    def _encoded(self) -> bytes:
        return b"\n".join(part.encoded for part in self._parts)

    def only(self, *fields: str) -> "Written":
        """Return these fields alone."""
        if fields not in self._only:
            self._only[fields] = Written(*(_part_of(part, fields) for part in self._parts))
        return self._only[fields]

    def find(self, pattern: Any) -> tuple[Found, ...]:
        """Return every match of an expression."""
        return tuple(found for part in self._parts for found in part.find(pattern))

    def say(self, pattern: Any) -> tuple[Said, ...]:
        """Return every match of an expression in a sentence read for itself."""
        return tuple(said for part in self._parts for said in part.say(pattern))

    def sentences(self) -> Iterator[tuple[Passage, Sentence]]:
        """Yield each sentence of each passage."""
        return chain.from_iterable(part.sentences for part in self._parts)

    def may_hold(self, pattern: Any) -> bool:
        """Tell whether an expression may match in a passage; if not, it doesn't."""
        return any(part.may_hold(pattern) for part in self._parts)

    def has_words_of(self, pattern: Any) -> bool:
        """Tell whether the words that an expression of this package needs are there: without them no text matches."""
        return any(part.has_words_of(pattern) for part in self._parts)

    def claims(self, pattern: Any) -> Iterator[Found]:
        """Yield every match that its own sentence doesn't deny."""
        return (found for found in self.find(pattern) if not found[0].is_denied(*found[1:]))

    def says(self, pattern: Any) -> bool:
        """Tell whether an expression occurs in any field."""
        if pattern not in self._says:
            self._says[pattern] = pattern.search(self._encoded) is not None
        return self._says[pattern]

    def states(self, unit: Unit, value: float) -> bool:
        """Tell whether an amount occurs in any field."""
        return any(next(passage.amounts(unit, value), None) is not None for passage in self.passages)

    @property
    def copy(self) -> "Written":
        """The fields of copy, without the terms."""
        return self.only(*COPY)


def _part_of(part: Part, fields: tuple[str, ...]) -> Part:
    kept = tuple(passage for passage in part.passages if passage.field in fields)
    return part if len(kept) == len(part.passages) else Part(kept)


def written(checks: Checks, subject: Subject) -> Written:
    """Return a draft in which a merchant's name is one plain word: claims may stand on both sides of it."""
    return once(subject, ("written", checks), lambda: _draft(checks, subject, merchant_names(subject.offer), _WORD))


def signed(checks: Checks, subject: Subject) -> Written:
    """Return a draft in which a name, the add-on's too, is a sign that no word of an expression stands for."""
    return once(subject, ("signed", checks), lambda: _draft(checks, subject, names_of(subject), MASK))


def _draft(checks: Checks, subject: Subject, names: tuple[str, ...], sign: str) -> Written:
    def passage(field: str) -> Passage:
        reading = checks.reading(subject, field, names)
        return Passage(field, _masked(reading, sign), reading)

    copy = Part(passage(field) for field, _ in texts_of(subject) if field != "terms")
    if not subject.text.get("terms"):
        return Written(copy)
    return Written(copy, once_for_terms(subject, ("terms", checks, sign), lambda: Part([passage("terms")])))


def _masked(reading: Reading, sign: str) -> str:
    text = reading.folded.text
    for name in reading.names:
        text = text[: name.start] + sign * (name.end - name.start) + text[name.end :]
    return text


def matches(draft: Written, pattern: Any, *, excuse: Any | None = None, needs: Any | None = None) -> Iterator[Evidence]:
    """Yield each match of a pattern as evidence, unless its sentence holds an excuse.

    `needs` is a part without which the pattern can't match: a small one that spares honest texts the large one.
    """
    if needs is not None and not draft.may_hold(needs):
        return
    for passage, start, end in draft.find(pattern):
        if excuse is None or excuse.search(passage.around(start, end)) is None:
            yield passage.evidence(start, end)


def quantities_in(reading: Reading, sentence: Sentence) -> Iterator[tuple[Quantity, frozenset[Role]]]:
    """Yield the quantities of a sentence with the roles its words leave open to them."""
    for quantity, roles in zip(reading.quantities, reading.roles, strict=True):
        if sentence.start <= quantity.start < sentence.end:
            yield quantity, roles
