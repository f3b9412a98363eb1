"""Where a finding stands: a header, or a line and column of a part."""

from dataclasses import dataclass
from typing import Final

from tools.report import Evidence
from tools.subject import MessageFacts

_ORDER: Final = ("message", "headers", "html", "text")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file. `line` and `column` count from 1 in the decoded part; 0 means the part as a whole.

    `rank` orders parts; `part` is message (the mail as a whole), headers, html or text.
    """

    rank: int
    part: str
    header: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return the place as people write it: `Subject`, `html 12:5` or `text`."""
        if self.header:
            return self.header
        return f"{self.part} {self.line}:{self.column}" if self.line else self.part


def place_of(evidence: Evidence | None, facts: MessageFacts) -> Place:
    """Return where evidence stands. Evidence about a header begins with the header's name and a colon."""
    if evidence is None or evidence.field not in _ORDER:
        return Place(0, "message")
    part = evidence.field
    rank = _ORDER.index(part)
    if part == "headers":
        return Place(rank, part, header=evidence.quote.partition(":")[0])
    if part == "message" or evidence.start is None:
        return Place(rank, part)
    before = (facts.html if part == "html" else facts.text)[: evidence.start]
    return Place(rank, part, line=before.count("\n") + 1, column=len(before) - (before.rfind("\n") + 1) + 1)
