"""What the message checks share: the case they judge, and a detector around a check."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.email.document import Document, read_document
from tools.errors import InputInvalid
from tools.report import Evidence, Stage
from tools.subject import Detector, MessageFacts, Subject

_QUOTE: Final = 160
"""Characters of evidence kept."""


@dataclass(frozen=True, slots=True)
class Case:
    """One built message under check, with its HTML parsed."""

    subject: Subject
    facts: MessageFacts
    document: Document

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """What a reader sees of each part, blanks collapsed."""
        return ("html", self.document.visible), ("text", " ".join(self.facts.text.split()))


Check = Callable[[Case, Mapping[str, object]], Iterable[Evidence]]


def detector(
    name: str, check: Check, *, depends_on: tuple[Stage, ...] = ("message",), params: frozenset[str] = frozenset()
) -> Detector:
    """Return a detector that runs `check` on the message. A subject without a message is a violation, never a pass."""

    def run(subject: Subject, given: Mapping[str, object]) -> Sequence[Evidence]:
        facts = subject.message
        if facts is None:
            return (Evidence(field="message", quote="no message was built, so it can't be checked"),)
        return tuple(check(Case(subject, facts, read_document(facts.html)), given))

    return Detector(name=name, depends_on=depends_on, run=run, params=params)


def evidence(field: str, quote: str, start: int | None = None, length: int | None = None) -> Evidence:
    """Return evidence with its quote cut to a readable length. `start` is an offset in the part named by `field`."""
    end = None if start is None or length is None else start + length
    return Evidence(field=field, quote=quote[:_QUOTE], start=start, end=end)


def number(params: Mapping[str, object], name: str, default: float) -> float:
    """Return a clause's numeric parameter; InputInvalid when it isn't a number."""
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputInvalid(f"{name}: {value!r} is not a number; correct it in the clause's params")
    return float(value)
