"""A draft as the detectors of claims read it: folded, merchant names masked, in sentences, once for all of them.

`tools/claims` speaks RE2 like the policies do: no expression can take more than linear time, whatever the copy holds.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

from tools.folding import MASK
from tools.grounding.checks import Checks, names_of, texts_of
from tools.grounding.measures import Quantity, Unit
from tools.grounding.reading import Reading, merchant_names
from tools.grounding.roles import Role
from tools.policies.pattern import by_line
from tools.policies.regex import compile_regex
from tools.report import Evidence
from tools.sieve import Sieve
from tools.snapshot import once, once_for_terms
from tools.subject import Subject
from tools.vocabulary import COPY_FIELDS

COPY: Final = tuple(map(str, COPY_FIELDS))
_WORD: Final = "_"
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
_EXCLUSIONS: Final = compile_regex(
    r"\bcash advances?\b[^.!?]{0,60}\bbalance transfers?\b|\bbalance transfers?\b[^.!?]{0,60}\bcash advances?\b"
    r"|\b(?:gift cards|prior purchases|returns)\b[^.!?]{0,80}\bbalance transfers?\b"
    r"|\bfees(?: and|,| or) balance transfers\b"
)
"""What stands beside balance transfers in a list of purchases that don't count, however the list is introduced."""
_RHETORICAL: Final = compile_regex(r"\b(?:why not|why don't you|can't wait|not only|no wonder|no doubt|never been)\b")


class Sentence(NamedTuple):
    """One sentence of a passage with the first of its closing marks, and its offsets there."""

    text: str
    start: int
    end: int

    def span(self, match: Any) -> tuple[int, int]:
        """Return where a match in the sentence stands in the passage."""
        return match.start() + self.start, match.end() + self.start


@dataclass(frozen=True, eq=False)
class Passage:
    """One written field. `text` is folded and masked; its offsets are those of the folded text."""

    field: str
    text: str
    reading: Reading

    @cached_property
    def _ends(self) -> tuple[tuple[int, int], ...]:
        return tuple(match.span() for match in _SENTENCE_END.finditer(self.text))

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences in order."""
        found, start = [], 0
        for before, behind in self._ends:
            found.append(Sentence(self.text[start : before + 1], start, behind))
            start = behind
        if start < len(self.text):
            found.append(Sentence(self.text[start:], start, len(self.text)))
        return tuple(found)

    def evidence(self, start: int, end: int) -> Evidence:
        """Return a span of the text as evidence in the original."""
        return self.reading.evidence(self.field, start, end)

    def sentence(self, start: int, end: int, *, neighbours: int = 0) -> tuple[int, int]:
        """Return the bounds of the sentence that `text[start:end]` stands in, with so many before and behind."""
        firsts = [0, *(behind for _, behind in self._ends if behind <= start)]
        lasts = [*(before for before, _ in self._ends if before >= end), len(self.text)]
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

    @cached_property
    def _denied(self) -> dict[tuple[int, int], bool]:
        return {}

    def is_denied(self, start: int, end: int) -> bool:
        """Tell a claim that its sentence denies: "does not change your APR", "balance transfers do not count"."""
        denied = self._denied.get((start, end))
        if denied is None:
            denied = self._denied[start, end] = self._is_denied(start, end)
        return denied

    def _is_denied(self, start: int, end: int) -> bool:
        first, last = self.sentence(start, end)
        before, behind = self.text[first:start], self.text[end:last]
        if _RHETORICAL.search(before) is not None:
            return False
        listed = _EXCLUSIONS.finditer(self.text[first:last])
        if any(match.start() <= start - first and end - first <= match.end() for match in listed):
            return True
        return _DENIED_BEFORE.search(before) is not None or _DENIED_AFTER.search(behind) is not None


Found = tuple[Passage, int, int]
"""Where an expression matches: the passage and the offsets in it."""
Said = tuple[Passage, Sentence, Any]
"""Where an expression matches in a sentence read for itself."""


class Part:
    """Passages that are looked through together. What was asked of them once is remembered."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self.passages: Final = tuple(passages)
        self.text: Final = "\n".join(passage.text for passage in self.passages)
        self.encoded: Final = self.text.encode()  # as RE2 reads it: spares a conversion per question
        self._found: Final[dict[Any, tuple[Found, ...]]] = {}
        self._said: Final[dict[Any, tuple[Said, ...]]] = {}

    def may_hold(self, pattern: Any) -> bool:
        """Tell whether an expression may match in a passage; if not, it doesn't."""
        return self.has_words_of(pattern) and _by_line(pattern).search(self.encoded) is not None

    def find(self, pattern: Any) -> tuple[Found, ...]:
        """Return every match of an expression."""
        found = self._found.get(pattern)
        if found is None:
            found = self._found[pattern] = tuple(self._matches(pattern)) if self.may_hold(pattern) else ()
        return found

    def say(self, pattern: Any) -> tuple[Said, ...]:
        """Return every match of an expression in a sentence read for itself."""
        said = self._said.get(pattern)
        if said is None:
            said = self._said[pattern] = tuple(self._sayings(pattern)) if self.has_words_of(pattern) else ()
        return said

    @cached_property
    def sentences(self) -> tuple[tuple[Passage, Sentence], ...]:
        """Each sentence of each passage."""
        return tuple((passage, sentence) for passage in self.passages for sentence in passage.sentences)

    def has_words_of(self, pattern: Any) -> bool:
        """Tell whether the words that an expression of this package needs are there."""
        return pattern in self._possible or pattern not in _screen(len(_KNOWN)).indexes

    @cached_property
    def _possible(self) -> frozenset[Any]:
        screen = _screen(len(_KNOWN))
        return frozenset(screen.patterns[at] for at in screen.sieve.possible(self.encoded))

    @cached_property
    def _by_sentence(self) -> bytes:
        return "\n".join(sentence.text for _, sentence in self.sentences).encode()

    def _matches(self, pattern: Any) -> Iterator[Found]:
        return ((each, *match.span()) for each in self.passages for match in pattern.finditer(each.text))

    def _sayings(self, pattern: Any) -> Iterator[Said]:
        if _by_line(pattern).search(self._by_sentence) is not None:
            for passage, sentence in self.sentences:
                for match in pattern.finditer(sentence.text):
                    yield passage, sentence, match


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


def pattern_of(*alternatives: str, known: bool = True) -> Any:
    """Return one case-blind expression of several; a space in it stands for any white space or a hyphen."""
    spaced = (each.replace(" ?", r"[\s-]*").replace(" ", r"[\s-]+") for each in alternatives)
    return any_of(*spaced, known=known)


def any_of(*patterns: str, known: bool = True) -> Any:
    """Return one case-blind expression that finds any of the patterns.

    One that is not known beforehand, such as of an offer's own words, is looked for by itself.
    """
    pattern = compile_regex("|".join(f"(?:{pattern})" for pattern in patterns), groups=True)
    if known:
        _KNOWN.setdefault(pattern, None)
    return pattern


_KNOWN: Final[dict[Any, None]] = {}
"""The expressions of `tools/claims`, which a text is screened for in one pass."""


class _Screen(NamedTuple):
    patterns: tuple[Any, ...]
    indexes: frozenset[Any]
    sieve: Sieve


@lru_cache(maxsize=1)
def _screen(count: int) -> _Screen:
    known = tuple(_KNOWN)[:count]
    return _Screen(known, frozenset(known), Sieve([pattern.pattern for pattern in known]))


@lru_cache(maxsize=1024)
def _by_line(pattern: Any) -> Any:
    return compile_regex(by_line(pattern.pattern))
