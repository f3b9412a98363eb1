"""What the message checks share: the case they judge, a detector around a check, and evidence with its place."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from tools.email.document import Document, read_document
from tools.errors import InputInvalid
from tools.report import Evidence, Stage
from tools.subject import Detector, MessageFacts, MessagePart, Subject

_QUOTE: Final = 160
"""Characters of evidence kept."""
_MOST_EVIDENCE: Final = 200
"""Pieces of evidence that one check gives of one message; who has mended those finds the next."""


@dataclass(frozen=True)
class Case:
    """One built message under check, with its HTML parsed."""

    subject: Subject
    facts: MessageFacts
    document: Document

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name."""
        return {name.lower(): value for name, value in self.facts.headers.items()}

    @cached_property
    def parts(self) -> tuple[tuple[MessagePart, str], ...]:
        """What a reader sees of each part there is, blanks collapsed."""
        seen: tuple[tuple[MessagePart, str], ...] = (
            ("html", self.document.visible),
            ("text", " ".join(self.facts.text.split())),
        )
        return tuple((name, written) for name, written in seen if name not in self.facts.lacks)

    def at(self, part: MessagePart, quote: str, offset: int) -> Evidence:
        """Return evidence for what a reader sees at an offset of `parts`, with its place in the part's source."""
        source = self.facts.html if part == "html" else self.facts.text
        behind = self.document.source_of(offset) if part == "html" else max(0, offset)
        start = _found(source, quote, behind)
        return evidence(part, quote, start)


def _found(source: str, quote: str, behind: int) -> int | None:
    """Return where a quote with collapsed blanks stands in its source, at or after an offset."""
    words = quote.split()
    if not words:
        return None
    spaced = re.compile(r"(?:\s|&#160;|&nbsp;)+".join(map(re.escape, words)))
    found = spaced.search(source, behind) or spaced.search(source)
    if found:
        return found.start()
    first = source.find(words[0], behind)
    return first if first >= 0 else min(behind, len(source)) if source else None


Check = Callable[[Case, Mapping[str, object]], Iterable[Evidence]]


def detector(
    name: str,
    check: Check,
    *,
    needs: Iterable[MessagePart] = (),
    depends_on: tuple[Stage, ...] = ("message",),
    params: frozenset[str] = frozenset(),
    unseen: str = "",
) -> Detector:
    """Return a detector that runs `check` on the message.

    A subject without a message, or whose message lacks a part the check needs, is a violation, never a pass.
    """
    needed = frozenset(needs)

    def run(subject: Subject, given: Mapping[str, object]) -> Sequence[Evidence]:
        facts = subject.message
        if facts is None:
            return (Evidence(field="message", quote="no message was built, so it can't be checked"),)
        if missing := sorted(needed & facts.lacks):
            return (Evidence(field="message", quote=f"no {missing[0]}, so it can't be checked"),)
        return tuple(islice(check(Case(subject, facts, read_document(facts.html)), given), _MOST_EVIDENCE))

    return Detector(name=name, depends_on=depends_on, run=run, params=params, needs=needed, unseen=unseen)


def evidence(field: str, quote: str, start: int | None = None, length: int | None = None) -> Evidence:
    """Return evidence with its quote cut to a readable length. `start` is an offset in the part named by `field`."""
    end = None if start is None or length is None else start + length
    return Evidence(field=field, quote=quote[:_QUOTE], start=start, end=end)


def in_header(name: str, what: str) -> Evidence:
    """Return evidence about a header; its quote starts with the header's name and a colon."""
    return evidence("headers", f"{name}: {what}")


def number(params: Mapping[str, object], name: str, default: float) -> float:
    """Return a clause's numeric parameter; InputInvalid when it isn't a number."""
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputInvalid(f"{name}: {value!r} is not a number; correct it in the clause's params")
    return float(value)
