"""Words as the detectors of claims read them: folded, names of merchants masked, sentence by sentence."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import re2  # type: ignore[import-untyped]

from tools.folding import MASK
from tools.grounding.checks import Checks
from tools.grounding.measures import Quantity
from tools.grounding.reading import Reading
from tools.grounding.roles import Role
from tools.subject import Subject

COPY: Final = ("subject", "preheader", "headline", "body", "cta")
_END: Final = re.compile(r"[.!?]+[\"')\]]*\s+|\n+")


class Sentence(NamedTuple):
    """One sentence of a masked text, with its offsets in the folded one."""

    text: str
    start: int
    end: int


def compiled(*patterns: str) -> Any:
    """Return one expression that finds any of the patterns, whatever the case; linear time."""
    return re2.compile("(?i)" + "|".join(f"(?:{pattern})" for pattern in patterns))


def masked(reading: Reading) -> str:
    """Return the folded text with every merchant's name masked, at the same length."""
    return _masked(reading.folded.text, tuple((name.start, name.end) for name in reading.names))


@lru_cache(maxsize=512)
def _masked(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    for start, end in spans:
        text = text[:start] + MASK * (end - start) + text[end:]
    return text


@lru_cache(maxsize=512)
def sentences_of(text: str) -> tuple[Sentence, ...]:
    """Return the sentences of a text in order."""
    found, start = [], 0
    for stop in _END.finditer(text):
        found.append(Sentence(text[start : stop.start() + 1], start, stop.end()))
        start = stop.end()
    if start < len(text):
        found.append(Sentence(text[start:], start, len(text)))
    return tuple(found)


def written(
    checks: Checks, subject: Subject, fields: Sequence[str] = COPY
) -> Iterator[tuple[str, Reading, tuple[Sentence, ...]]]:
    """Yield each written field that is asked for with its reading and its masked sentences."""
    for field, reading in checks.readings(subject):
        if field in fields:
            yield field, reading, sentences_of(masked(reading))


def around(sentences: Sequence[Sentence], at: int) -> str:
    """Return a sentence with its neighbours, in which a date or a condition counts as said beside it."""
    return " ".join(sentence.text for sentence in sentences[max(0, at - 1) : at + 2])


def quantities_in(reading: Reading, sentence: Sentence) -> Iterator[tuple[Quantity, frozenset[Role]]]:
    """Yield the quantities of a sentence with the roles its words leave open to them."""
    for quantity, roles in zip(reading.quantities, reading.roles, strict=True):
        if sentence.start <= quantity.start < sentence.end:
            yield quantity, roles


def joined(fields: Iterable[tuple[str, Reading, tuple[Sentence, ...]]]) -> str:
    """Return all sentences one under the other: one search of it spares a search of each where nothing is found."""
    return "\n".join(sentence.text for _, _, sentences in fields for sentence in sentences)
