"""Whether every condition that copy states is one of the offer's: the detector over cues and licences."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from tools.grounding.checks import FIELDS, Checks
from tools.grounding.cue_words import Cue
from tools.grounding.cues import CUES
from tools.grounding.forms import Forms
from tools.grounding.licences import (
    AMOUNT,
    COUNT,
    DATE,
    DAYS,
    EXCLUDED,
    ISSUER,
    MARKS,
    MERCHANT,
    WEEKS,
    facts_of,
    licences_for,
)
from tools.grounding.measures import Unit
from tools.grounding.reading import Reading
from tools.grounding.support import Support
from tools.grounding.supported import is_supported, support_for
from tools.grounding.supported_dates import is_date_supported
from tools.report import Evidence
from tools.subject import Subject

_COPY: Final = tuple(field for field in FIELDS if field != "terms")
_MARKS: Final[dict[Unit, str]] = {
    **dict.fromkeys(("money", "percent", "points", "multiplier"), AMOUNT),
    **dict.fromkeys(("days", "months"), DAYS),
    "count": COUNT,
}
_CUES: Final = Forms([cue.pattern for cue in CUES])
_CLAUSE_ENDS: Final = ".!?;:,()\n"
Span = tuple[int, int]


def licensed_conditions(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find statements of conditions, coverage, time, cost or law that the offer's terms don't support.

    The fields other than the terms are read: legal sentences belong to the terms, which code writes.
    """
    support, facts = support_for(subject), facts_of(subject.offer)
    excluded = _excluded(subject.offer.get("exclusions"))
    if excluded is not None and excluded.search(checks.copy(subject)) is None:
        excluded = None
    found: list[Evidence] = []
    readings = [(field, reading) for field, reading in checks.readings(subject) if field in _COPY]
    marked = [_marked(checks, subject, *each, support, excluded) for each in readings]
    spans = _unlicensed("\n".join(marked), facts)
    offset = 0
    for (field, reading), text in zip(readings, marked, strict=True):
        here = [span for span in spans if offset <= span[0] < offset + len(text)]
        found += [reading.evidence(field, start - offset, min(end - offset, len(text))) for start, end in here]
        offset += len(text) + 1
    return found


@lru_cache(maxsize=512)
def _unlicensed(text: str, facts: frozenset[str]) -> tuple[Span, ...]:
    said = [(CUES[at], start, end, last) for at, start, end, last in _CUES.matches(text)]
    said = [cue for cue in said if _is_condition(text, *cue)]
    if not said:
        return ()
    granted = licences_for(facts).granted(text, {cue.kind for cue, *_ in said})
    found: set[Span] = set()
    for cue, start, end, last in said:
        while start < end and not (text[start].isalnum() or text[start] in MARKS):
            start += 1
        held = last if cue.kind == "subject" else (start, end)
        if not any(first <= held[0] and held[1] <= behind for first, behind in granted[cue.kind]):
            found.add((start, end))
    return tuple(sorted(span for span in found if not any(_holds(other, span) for other in found)))


def _is_condition(text: str, cue: Cue, start: int, end: int, last: Span) -> bool:
    if cue.after and text[slice(*last)].lower() in cue.after:
        return False
    return cue.near is None or cue.near.search(text[slice(*_clause(text, start, end))]) is not None


def _holds(outer: Span, inner: Span) -> bool:
    return outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1]


def _clause(text: str, start: int, end: int) -> Span:
    first = max(text.rfind(sign, 0, start) for sign in _CLAUSE_ENDS) + 1
    last = min((at for sign in _CLAUSE_ENDS if (at := text.find(sign, end)) >= 0), default=len(text))
    return first, last


def _marked(checks: Checks, subject: Subject, field: str, reading: Reading, support: Support, excluded: Any) -> str:
    """Return the folded text with every supported value replaced by its mark, at the same length."""
    text, own = reading.folded.text, checks.own(subject)
    spans: list[tuple[int, int, str]] = []
    for name in reading.names:
        if not name.canonical or name.canonical in own:
            spans.append((name.start, name.end, MERCHANT if name.canonical else ISSUER))
    for mention in reading.dates:
        bounds = mention.is_day or (mention.mode != "" and mention.name[:1] != ("today",)) or mention.month
        if bounds and is_date_supported(mention, support):
            spans.append((mention.start, mention.end, DATE))
    examples = checks.examples(subject, field, reading)
    low = -1
    for at, (quantity, roles) in enumerate(zip(reading.quantities, reading.roles, strict=True)):
        mark = _MARKS.get(quantity.unit)
        if mark is None or not (at in examples or is_supported(quantity, roles, support, subject, reading)):
            low = -1
            continue
        lasts = "fulfillment" not in roles and quantity.value in support.of("days", "validity")
        if mark == DAYS and not lasts and support.fulfillment and quantity.value in support.fulfillment:
            mark = WEEKS
        start = low if quantity.edge == "high" and low >= 0 else quantity.start
        low = quantity.start if quantity.edge == "low" else -1
        spans.append((start, quantity.end, mark))
    if excluded is not None:
        spans += [(*match.span(), EXCLUDED) for match in excluded.finditer(text)]
    for start, end, mark in spans:
        text = text[:start] + mark * (end - start) + text[end:]
    return text


def _excluded(exclusions: object) -> Any:
    names = tuple(name for name in exclusions if isinstance(name, str)) if isinstance(exclusions, list | tuple) else ()
    return _excluded_pattern(names) if names else None


@lru_cache(maxsize=64)
def _excluded_pattern(names: tuple[str, ...]) -> Any:
    return re2.compile(r"(?i)\b(?:" + "|".join(re2.escape(name) for name in names) + r")\b")
