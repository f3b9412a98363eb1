"""Pattern clauses: RE2 over folded text with merchant names masked, so time is linear whatever the copy holds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from tools.folding import Folded, fold, mask
from tools.policies.facts import TEXT_FIELDS
from tools.policies.regex import compile_regex
from tools.policies.schema import Within
from tools.report import Evidence

MAX_EVIDENCE: Final = 8
"""Matches a result quotes per clause."""

_ESCAPED: Final = re.compile(r"\\[^AzQ]|\[\^")
_ANCHORED: Final = re.compile(r"\\[AzQ]|[\^$]|\(\?(?!:|P<)")
_SENTENCE_END: Final = re.compile(r"[.!?]+[\"')\]]*\s+|\n+")


class WrittenText:
    """The written fields of one draft, each folded and masked at most once."""

    def __init__(self, fields: Mapping[str, str], merchant_names: Iterable[tuple[str, ...]]) -> None:
        self._fields = fields
        self._names = tuple(merchant_names)
        self._folded: dict[str, Folded] = {}
        self._masked: dict[str, str] = {}
        self._joined: dict[tuple[str, ...], str] = {}

    def folded(self, field: str) -> Folded:
        """Return the folded field; one that wasn't written is empty."""
        if field not in self._folded:
            self._folded[field] = fold(self._fields.get(field, ""))
        return self._folded[field]

    def masked(self, field: str) -> str:
        """Return the folded field with merchant names masked, as long as the folded one."""
        if field not in self._masked:
            text = self.folded(field).text
            for names in self._names:
                text = mask(text, names)
            self._masked[field] = text
        return self._masked[field]

    def joined(self, fields: tuple[str, ...]) -> str:
        """Return the masked fields one under the other, to look through all in one go."""
        if fields not in self._joined:
            self._joined[fields] = "\n".join(map(self.masked, fields))
        return self._joined[fields]


@dataclass(frozen=True, slots=True)
class PatternTest:
    """The compiled expressions of one clause."""

    fields: tuple[str, ...]
    forbid: Any | None
    require: tuple[Any, ...]
    unless: Any | None
    within: Within
    anchored: bool

    def run(self, text: WrittenText) -> tuple[Evidence, ...]:
        """Return what violates the clause: forbidden matches, or a field where something required is missing."""
        found: list[Evidence] = []
        # The joined text may show a match that no field has, never the other way round.
        if self.forbid is not None and (self.anchored or self.forbid.search(text.joined(self.fields)) is not None):
            for field in self.fields:
                found += self._forbidden(field, text)
        for pattern in self.require:
            if all(pattern.search(text.masked(field)) is None for field in self.fields):
                found.append(Evidence(field=self.fields[0] if len(self.fields) == 1 else ""))
        return tuple(found[:MAX_EVIDENCE])

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
                return sentence_around(text.masked(field), start, end)
            case "next":
                return sentence_around(text.masked(field), start, end, neighbours=1)
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
        anchored=any(is_anchored(pattern) for pattern in forbid),
    )


def is_anchored(pattern: str) -> bool:
    """Tell whether an expression may ask where a field starts or ends, so that fields can't be read joined."""
    return _ANCHORED.search(_ESCAPED.sub("", pattern)) is not None


def sentence_around(text: str, start: int, end: int, *, neighbours: int = 0) -> str:
    """Return the sentence or sentences that `text[start:end]` is part of, with so many before and behind."""
    firsts, last, behind = [0], len(text), neighbours
    for stop in _SENTENCE_END.finditer(text):
        if stop.end() <= start:
            firsts.append(stop.end())
        elif stop.start() >= end:
            if not behind:
                last = stop.start()
                break
            behind -= 1
    return text[firsts[-1 - min(neighbours, len(firsts) - 1)] : last]


def _either(patterns: Sequence[str]) -> Any | None:
    if not patterns:
        return None
    for pattern in patterns:
        compile_regex(pattern)
    return compile_regex("|".join(f"(?:{pattern})" for pattern in patterns))
