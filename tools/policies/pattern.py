"""Pattern clauses: RE2 over folded text with merchant names masked, so time is linear whatever the copy holds."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, assert_never

from tools.folding import Folded, fold, mask
from tools.policies.facts import TEXT_FIELDS
from tools.policies.regex import compile_regex
from tools.policies.schema import Within
from tools.report import Evidence
from tools.sieve import Sieve

MAX_EVIDENCE: Final = 8
"""Matches a result quotes per clause."""

_WRITTEN: Final = frozenset(TEXT_FIELDS)
_ESCAPED: Final = re.compile(r"\\[^AzQ]|\[\^")
_OF_A_WHOLE_TEXT: Final = re.compile(r"\\[AzQ]|\(\?(?!:|P<)")
"""What asks for more than the start or the end of a line, or may do so, as a flag can."""
_ENDS: Final = re.compile(r"[\^$]")
_BETWEEN: Final = "\x1e"
"""Stands between fields while names are masked. Folding drops it from names, so none reaches from one to the next."""
_SENTENCE_END: Final = re.compile(r"[.!?]+[\"')\]]*\s+|\n+")


class WrittenText:
    """The written fields of one draft, each folded and masked at most once."""

    def __init__(
        self,
        fields: Mapping[str, str],
        merchant_names: Iterable[tuple[str, ...]],
        expressions: "Expressions | None" = None,
    ) -> None:
        self._fields = fields
        self._expressions = expressions
        self._occurring: frozenset[str] | None = None
        self._names = tuple(merchant_names)
        self._folded: dict[str, Folded] = {}
        self._masked: dict[str, str] = {}
        self._joined: dict[tuple[str, ...], str] = {}
        self._sentences: dict[str, list[tuple[int, int]]] = {}

    def folded(self, field: str) -> Folded:
        """Return the folded field; one that wasn't written is empty."""
        if field not in self._folded:
            self._folded[field] = fold(self._fields.get(field, ""))
        return self._folded[field]

    def masked(self, field: str) -> str:
        """Return the folded field with merchant names masked, as long as the folded one."""
        if field not in self._masked:
            asked = TEXT_FIELDS if field in TEXT_FIELDS else (field,)
            texts = [self.folded(name).text for name in asked]
            whole, start = _BETWEEN.join(texts), 0
            for names in self._names:
                whole = mask(whole, names)
            for name, text in zip(asked, texts, strict=True):
                self._masked[name] = whole[start : start + len(text)]
                start += len(text) + 1
        return self._masked[field]

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

        The joined text may show a match that no field has, never the other way round. What was found in the written
        fields answers for no other: a rule of the email may ask for the same words as one of the copy.
        """
        line = by_line(pattern.pattern)
        known = self._expressions is not None and line in self._expressions.known
        if self._expressions is not None and known and _WRITTEN.issuperset(fields):
            if self._occurring is None:
                self._occurring = self._expressions.occurring(self.joined(TEXT_FIELDS))
            if line not in self._occurring:
                return False
        return compile_regex(line).search(self.joined(fields)) is not None


_TOGETHER: Final = 8
"""Clauses per automaton: measured the quickest on drafts not seen before."""


class Expressions:
    """The unanchored expressions of many clauses over written fields, looked for in one pass."""

    def __init__(self, tests: Iterable["PatternTest"]) -> None:
        self._sources = tuple(dict.fromkeys(source for test in tests for source in test.unanchored()))
        self.known = frozenset(self._sources)
        self._sieve = Sieve(self._sources, together=_TOGETHER)

    def occurring(self, text: str) -> frozenset[str]:
        """Return the expressions that match somewhere in a text."""
        return frozenset(self._sources[at] for at in self._sieve.occurring(text))


@dataclass(frozen=True, slots=True)
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
        if self.forbid is not None and (not self.by_line or text.may_hold(self.forbid, self.fields)):
            for field in self.fields:
                found += self._forbidden(field, text)
        for pattern in self.require:
            if all(pattern.search(text.masked(field)) is None for field in self.fields):
                found.append(Evidence(field=self.fields[0] if len(self.fields) == 1 else ""))
        return tuple(found[:MAX_EVIDENCE])

    def unanchored(self) -> tuple[str, ...]:
        """Return the expressions that can be looked for in one pass over the written fields.

        Those that ask for a line's start or end are left out: they multiply the states of the pass beyond its memory.
        """
        if self.forbid is None or not self.by_line or not set(self.fields) <= set(TEXT_FIELDS):
            return ()
        source = self.forbid.pattern
        return (source,) if by_line(source) == source else ()

    def _forbidden(self, field: str, text: WrittenText) -> list[Evidence]:
        masked, folded = text.masked(field), text.folded(field)
        found: list[Evidence] = []
        for match in self.forbid.finditer(masked) if self.forbid is not None else ():
            start, end = match.span()
            if self.unless is not None and self.unless.search(self._around(field, text, start, end)) is not None:
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
    stops = [stop.span() for stop in _SENTENCE_END.finditer(text)]
    return list(zip((0, *(after for _, after in stops)), (*(before for before, _ in stops), len(text)), strict=True))


def around(sentences: list[tuple[int, int]], start: int, end: int, *, neighbours: int = 0) -> tuple[int, int]:
    """Return the span of the sentence or sentences that `start:end` touches, with so many before and behind."""
    first = max(bisect_right(sentences, start, key=itemgetter(0)) - 1 - neighbours, 0)
    last = min(bisect_left(sentences, end, key=itemgetter(1)) + neighbours, len(sentences) - 1)
    return sentences[first][0], sentences[last][1]


def sentence_around(text: str, start: int, end: int, *, neighbours: int = 0) -> str:
    """Return the sentence or sentences that `text[start:end]` is part of, with so many before and behind."""
    return text[slice(*around(sentences_of(text), start, end, neighbours=neighbours))]


def _either(patterns: Sequence[str]) -> Any | None:
    if not patterns:
        return None
    for pattern in patterns:
        compile_regex(pattern)
    return compile_regex("|".join(f"(?:{pattern})" for pattern in patterns))
