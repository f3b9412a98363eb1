"""A draft's fields as claims read them: folded, merchant names masked, with offsets that evidence can use."""

from collections.abc import Iterable, Iterator
from typing import Any

from tools.folding import MASK
from tools.grounding.checks import Checks
from tools.grounding.reading import Reading
from tools.policies.pattern import sentence_around
from tools.policies.regex import compile_regex
from tools.report import Evidence
from tools.subject import Subject


def masked(reading: Reading) -> str:
    """Return the folded text with every name of a merchant masked: "Christian Dior" is a shop, not a faith."""
    text = reading.folded.text
    for name in reading.names:
        text = text[: name.start] + MASK * (name.end - name.start) + text[name.end :]
    return text


def any_of(patterns: Iterable[str]) -> Any:
    """Compile several expressions as one, in linear time and without regard to case."""
    return compile_regex("|".join(f"(?:{pattern})" for pattern in patterns))


def matches(
    checks: Checks, subject: Subject, pattern: Any, *, excuse: Any | None = None, needs: Any | None = None
) -> Iterator[Evidence]:
    """Yield each match of a pattern in the written fields, unless its sentence holds an excuse.

    `needs` is a part without which the pattern can't match: a small one that spares honest texts the large one.
    """
    for field, reading in checks.readings(subject):
        text = masked(reading)
        if needs is not None and needs.search(text) is None:
            continue
        for match in pattern.finditer(text):
            start, end = match.span()
            if excuse is None or excuse.search(sentence_around(text, start, end)) is None:
                yield reading.evidence(field, start, end)
