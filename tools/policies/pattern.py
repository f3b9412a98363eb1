"""Pattern clauses: RE2 over folded text with merchant names masked, so time is linear whatever the copy holds."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, Final, assert_never

from tools.folding import Folded, fold, mask
from tools.policies.facts import TEXT_FIELDS
from tools.policies.regex import compile_regex
from tools.policies.schema import Within
from tools.report import Evidence
from tools.sentences import SENTENCE_END, words_within
from tools.sieve import Sieve
from tools.vocabulary import COPY_FIELDS

MAX_EVIDENCE: Final = 8
"""Matches a result quotes per clause."""

_COPY: Final = frozenset(COPY_FIELDS)
_ESCAPED: Final = re.compile(r"\\[^AzQ]|\[\^")
_OF_A_WHOLE_TEXT: Final = re.compile(r"\\[AzQ]|\(\?(?!-?i?:|P<)")
"""What asks for more than the start or the end of a line, or may do so, as a flag other than of case can."""
_ENDS: Final = re.compile(r"[\^$]")
_BETWEEN: Final = "\x1e"
"""Stands between fields while names are masked. Folding drops it from names, so none reaches from one to the next."""


class WrittenText:
    """The written fields of one draft, each folded and masked at most once."""

    def __init__(
        self,
        fields: Mapping[str, str],
        merchant_names: Iterable[tuple[str, ...]],
        expressions: "Expressions | None" = None,
        terms_notes: dict[Hashable, Any] | None = None,
    ) -> None:
        self._fields = fields
        self._expressions = expressions
        self.terms_notes: Final = {} if terms_notes is None else terms_notes
        self._names = tuple(merchant_names)
        self._folded: dict[str, Folded] = {}
        self._masked: dict[str, str] = {}
        self._joined: dict[tuple[str, ...], str] = {}
        self._bytes: dict[tuple[str, ...], bytes] = {}
        self._sentences: dict[str, list[tuple[int, int]]] = {}

    def folded(self, field: str) -> Folded:
        """Return the folded field; one that wasn't written is empty."""
        if field not in self._folded:
            self._folded[field] = fold(self._fields.get(field, ""))
        return self._folded[field]

    def masked(self, field: str) -> str:
        """Return the folded field with merchant names masked, as long as the folded one."""
        if field == "terms":
            key = "masked", self._names
            if key not in self.terms_notes:
                self.terms_notes[key] = self._mask(self.folded(field).text)
            masked: str = self.terms_notes[key]
            return masked
        if field not in self._masked:
            asked = COPY_FIELDS if field in _COPY else (field,)
            texts = [self.folded(name).text for name in asked]
            whole, start = self._mask(_BETWEEN.join(texts)), 0
            for name, text in zip(asked, texts, strict=True):
                self._masked[name] = whole[start : start + len(text)]
                start += len(text) + 1
        return self._masked[field]

    def _mask(self, text: str) -> str:
        for names in self._names:
            text = mask(text, names)
        return text

    def joined(self, fields: tuple[str, ...]) -> str:
        """Return the masked fields one under the other, to look through all in one go."""
        if fields not in self._joined:
            self._joined[fields] = "\n".join(map(self.masked, fields))
        return self._joined[fields]

    def sentences(self, field: str) -> list[tuple[int, int]]:
        """Return where the sentences of a masked field start and end."""
        if field not in self._sentences:
            self._sentences[field] = sentences_of(self.masked(field))
        return self._sentences[field]

    def may_hold(self, pattern: Any, fields: tuple[str, ...]) -> bool:
        """Tell whether an expression may match in one of these fields, which are lines of the joined text.

        The joined text may show a match that no field has, never the other way round. What was found in the copy
        answers for no other field: a rule of the email may ask for the same words as one of the copy.
        """
        if self._expressions is not None and _COPY.issuperset(fields):
            source = pattern.pattern
            if source in self._expressions.known:
                return source in self.occurring
        return compile_regex(by_line(pattern.pattern)).search(self._encoded(fields)) is not None

    def needed(self, test: "PatternTest") -> str | None:
        """Return the expression of which `occurring` tells whether a clause can do anything but pass."""
        needed = test.needs(self)
        return needed if self._expressions is not None and needed in self._expressions.known else None

    def is_ruled_out_in_terms(self, source: str) -> bool:
        """Tell whether one pass over the terms shows that an expression of a clause doesn't match in them."""
        if self._expressions is None or source not in self._expressions.known:
            return False
        key = "occurring", self._expressions, self._names
        if key not in self.terms_notes:
            self.terms_notes[key] = self._expressions.occurring(self.masked("terms").encode())
        return source not in self.terms_notes[key]

    @cached_property
    def occurring(self) -> frozenset[str]:
        """The expressions of the clauses that may match in a field of copy; the others don't."""
        return self._expressions.occurring(self._encoded(COPY_FIELDS)) if self._expressions is not None else frozenset()

    def _encoded(self, fields: tuple[str, ...]) -> bytes:
        if fields not in self._bytes:
            self._bytes[fields] = self.joined(fields).encode()
        return self._bytes[fields]


class Expressions:
    """The expressions that clauses forbid in written fields; one pass tells which of them a text may hold."""

    def __init__(self, tests: Iterable["PatternTest"]) -> None:
        self._sources = tuple(dict.fromkeys(source for test in tests for source in test.screened()))
        self.known = frozenset(self._sources)
        self._sieve = Sieve([by_line(source) for source in self._sources], groups=False)

    def occurring(self, text: bytes) -> frozenset[str]:
        """Return the expressions that may match in a line of a text; no other does."""
        return frozenset(self._sources[at] for at in self._sieve.occurring(text))


@dataclass(frozen=True, slots=True, eq=False)
class PatternTest:
    """The compiled expressions of one clause."""

    fields: tuple[str, ...]
    forbid: Any | None
    require: tuple[Any, ...]
    unless: Any | None
    within: Within
    by_line: bool

    def run(self, text: WrittenText) -> tuple[Evidence, ...]:
        """Return what violates the clause: forbidden matches, or a field where something required is missing."""
        found: list[Evidence] = []
        if self.forbid is not None:
            others = tuple(field for field in self.fields if field != "terms")
            asked = bool(others) and (not self.by_line or text.may_hold(self.forbid, others))
            for field in self.fields:
                if field == "terms":
                    found += self._forbidden_in_terms(text)
                elif asked:
                    found += self._forbidden(field, text)
        for pattern in self.require:
            if not any(self._states(pattern, field, text) for field in self.fields):
                found.append(Evidence(field=self.fields[0] if len(self.fields) == 1 else ""))
        return tuple(found[:MAX_EVIDENCE])

    def screened(self) -> tuple[str, ...]:
        """Return the expressions that one pass over the written fields can rule out."""
        if self.forbid is None or not self.by_line or not set(self.fields) <= set(TEXT_FIELDS):
            return ()
        return (self.forbid.pattern,)

    def needs(self, text: WrittenText) -> str | None:
        """Return the expression that must occur in the copy for the clause not to pass; None where more can do it.

        What the terms hold counts as known: they are not looked at again.
        """
        if self.require or not self.screened() or ("terms" in self.fields and self._forbidden_in_terms(text)):
            return None
        if self.within == "any" and "terms" in self.fields:
            return None
        return self.screened()[0]

    def _forbidden_in_terms(self, text: WrittenText) -> list[Evidence]:
        if self.unless is not None and self.within == "any":
            return self._forbidden("terms", text)  # the copy may hold the excuse
        found: list[Evidence] | None = text.terms_notes.get(self)
        if found is None:
            screened = self.screened()
            ruled_out = screened and text.is_ruled_out_in_terms(screened[0])
            found = text.terms_notes[self] = [] if ruled_out else self._forbidden("terms", text)
        return found

    def _states(self, pattern: Any, field: str, text: WrittenText) -> bool:
        if field != "terms":
            return pattern.search(text.masked(field)) is not None
        key = self, pattern
        if key not in text.terms_notes:
            text.terms_notes[key] = pattern.search(text.masked(field)) is not None
        return bool(text.terms_notes[key])

    def _forbidden(self, field: str, text: WrittenText) -> list[Evidence]:
        masked, folded = text.masked(field), text.folded(field)
        found: list[Evidence] = []
        for match in self.forbid.finditer(masked) if self.forbid is not None else ():
            start, end = match.span()
            if (
                self.unless is not None
                and self.unless.search(self._around(field, text, *words_within(masked, start, end))) is not None
            ):
                continue
            start, end = folded.span(start, end)
            found.append(Evidence(field=field, quote=folded.original[start:end], start=start, end=end))
            if len(found) == MAX_EVIDENCE:
                break
        return found

    def _around(self, field: str, text: WrittenText, start: int, end: int) -> str:
        """Return the text in which an excuse of a match counts."""
        match self.within:
            case "sentence":
                return text.masked(field)[slice(*around(text.sentences(field), start, end))]
            case "next":
                return text.masked(field)[slice(*around(text.sentences(field), start, end, neighbours=1))]
            case "field":
                return text.masked(field)
            case "any":
                return text.joined(TEXT_FIELDS)
            case _:
                assert_never(self.within)


def compile_pattern(
    fields: tuple[str, ...],
    *,
    forbid: Sequence[str],
    require: Sequence[str],
    unless: Sequence[str],
    within: Within = "sentence",
) -> PatternTest:
    """Compile a clause whose expressions each passed `compile_regex`."""
    return PatternTest(
        fields=fields,
        forbid=_either(forbid),
        require=tuple(compile_regex(pattern) for pattern in require),
        unless=_either(unless),
        within=within,
        by_line=all(map(reads_by_line, forbid)),
    )


def reads_by_line(pattern: str) -> bool:
    """Tell whether an expression asks for no more than a line's start or end, so that fields can be read joined."""
    return _OF_A_WHOLE_TEXT.search(_ESCAPED.sub("", pattern)) is None


@lru_cache(maxsize=4096)
def by_line(pattern: str) -> str:
    """Return the expression that takes each line of a text for a text of its own: it finds what stands in a line."""
    return f"(?m:{pattern})" if _ENDS.search(_ESCAPED.sub("", pattern)) is not None else pattern


def sentences_of(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text start and end, the space between them left out."""
    stops = [stop.span() for stop in SENTENCE_END.finditer(text)]
    return list(zip((0, *(after for _, after in stops)), (*(before for before, _ in stops), len(text)), strict=True))


def around(sentences: list[tuple[int, int]], start: int, end: int, *, neighbours: int = 0) -> tuple[int, int]:
    """Return the span of the sentence or sentences that `start:end` touches, with so many before and behind."""
    first = max(bisect_right(sentences, start, key=itemgetter(0)) - 1 - neighbours, 0)
    last = min(bisect_left(sentences, end, key=itemgetter(1)) + neighbours, len(sentences) - 1)
    return sentences[first][0], sentences[last][1]


def sentence_around(text: str, start: int, end: int, *, neighbours: int = 0) -> str:
    """Return the sentence or sentences that `text[start:end]` is part of, with so many before and behind."""
    words = words_within(text, start, end)
    return text[slice(*around(sentences_of(text), *words, neighbours=neighbours))]


def _either(patterns: Sequence[str]) -> Any | None:
    if not patterns:
        return None
    for pattern in patterns:
        compile_regex(pattern)
    return compile_regex("|".join(f"(?:{pattern})" for pattern in patterns))
