"""One written field as the detectors of claims read it, and fields that are looked through together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple

from tools.claims.expressions import line_wise, screen
from tools.grounding.measures import Quantity, Unit
from tools.grounding.reading import Reading
from tools.policies.regex import compile_regex
from tools.report import Evidence
from tools.sentences import SENTENCE_END, words_within

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
        return tuple(match.span() for match in SENTENCE_END.finditer(self.text))

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
        start, end = words_within(self.text, start, end)
        firsts = [0, *(behind for _, behind in self._ends if behind <= start)]
        lasts = [*(before for before, _ in self._ends if before >= end), len(self.text)]
        return firsts[-1 - min(neighbours, len(firsts) - 1)], lasts[min(neighbours, len(lasts) - 1)]

    def around(self, start: int, end: int, *, neighbours: int = 0) -> str:
        """Return the text of `sentence`."""
        first, last = self.sentence(start, end, neighbours=neighbours)
        return self.text[first:last]

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
        return self.has_words_of(pattern) and line_wise(pattern).search(self.encoded) is not None

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
        return pattern in self._possible or pattern not in screen().indexes

    @cached_property
    def _possible(self) -> frozenset[Any]:
        known = screen()
        return frozenset(known.patterns[at] for at in known.sieve.possible(self.encoded))

    @cached_property
    def _by_sentence(self) -> bytes:
        return "\n".join(sentence.text for _, sentence in self.sentences).encode()

    def _matches(self, pattern: Any) -> Iterator[Found]:
        return ((each, *match.span()) for each in self.passages for match in pattern.finditer(each.text))

    def _sayings(self, pattern: Any) -> Iterator[Said]:
        if line_wise(pattern).search(self._by_sentence) is not None:
            for passage, sentence in self.sentences:
                for match in pattern.finditer(sentence.text):
                    yield passage, sentence, match
