"""A comparison as Markdown that reads well in a terminal and in a code review. What models wrote stays text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from server.evaluation.compare import Comparison
from server.evaluation.report.drafts import MOST_SHOWN, CaseDraft, Outcome, differing
from server.evaluation.report.view import (
    Scale,
    clause_lines,
    compared_line,
    other_lines,
    outcome_lines,
    run_lines,
    scales,
)
from server.evaluation.wording import counted, share
from tools.readable import shown
from tools.vocabulary import CopyField

FENCE: Final = "```"
_SPECIAL: Final = re.compile(
    r"[\\`*<>|~]|\](?=[(\[:])|^\["  # code, emphasis, HTML, cells, links and where they point, boxes to tick
    r"|(?<!\w)_|_(?!\w)"  # emphasis; not within a name such as travel_offer_policy
    r"|&(?=[#\w])|:(?=//)|(?<=www)\."  # entities, and links that renderers make of bare addresses
    r"|^[#+=-]|(?<=^\d)[.)](?=\s|$)|(?<=^\d\d)[.)](?=\s|$)",  # what makes a block at its start
    re.IGNORECASE,
)
WORDS: Final = {"better": "Better", "worse": "Worse", "can't tell": "Can't tell"}
CHANGES: Final = {"worse": "got worse", "better": "got better", "other words": "other words"}


def markdown(comparison: Comparison) -> str:
    """Return the report: verdict, measures, clauses, drafts that differ, the run, notes."""
    parts: list[Iterable[str]] = [
        _opening(comparison),
        *(_scale(scale) for scale in scales(comparison)),
        _wholes(comparison),
        _guards(comparison),
        _clauses(comparison),
        _outcomes(comparison),
        _drafts(comparison),
        _run(comparison),
        _notes(comparison),
    ]
    return "\n".join(line for part in parts for line in (*part, "")).rstrip() + "\n"


def escaped(text: str) -> str:
    """Return text that shows as itself in Markdown, on one line: no markup, no HTML, no links."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(shown(text).split()))


def _opening(comparison: Comparison) -> Iterator[str]:
    verdict = comparison.verdict
    yield f"# {WORDS[verdict.word]}: {escaped(comparison.b.prompt)} against {escaped(comparison.a.prompt)}"
    yield ""
    yield f"**{WORDS[verdict.word]}.** {escaped(verdict.why)}"
    yield ""
    yield f"Compared: {compared_line(comparison)}. A is the version before, B the one that is judged."


def _scale(scale: Scale) -> Iterator[str]:
    if not scale.lines:
        return
    yield f"## {scale.title}"
    yield ""
    rows = [
        (
            ("**" + line.title + "**") if line.primary else line.title,
            line.a,
            line.b,
            line.difference,
            line.interval,
            line.tone if line.tone in ("better", "worse") and not line.opinion else "",
        )
        for line in scale.lines
    ]
    yield from table(("", "A", "B", "B - A", "95 % interval", ""), rows)


def _wholes(comparison: Comparison) -> Iterator[str]:
    yield "## Of all cases together"
    yield ""
    yield from table(("", "A", "B"), other_lines(comparison))


def _guards(comparison: Comparison) -> Iterator[str]:
    yield "## Guards"
    yield ""
    yield from (
        f"- {'**tripped**' if guard.tripped else 'quiet'}: {escaped(guard.said)}"
        for guard in comparison.guards.values()
    )


def _clauses(comparison: Comparison) -> Iterator[str]:
    yield "## Clauses that first drafts break"
    yield ""
    lines = clause_lines(comparison)
    if not lines:
        yield "None, in either version."
        return
    rows = [
        (escaped(line.clause), f"{line.a} ({share(line.a_share)})", f"{line.b} ({share(line.b_share)})")
        for line in lines
    ]
    yield from table(("clause", "A", "B"), rows)


def _outcomes(comparison: Comparison) -> Iterator[str]:
    yield "## Outcomes"
    yield ""
    rows = [(escaped(name), f"{a}", f"{b}") for name, a, b in outcome_lines(comparison)]
    yield from table(("recommendation", "A", "B"), rows)


def _drafts(comparison: Comparison) -> Iterator[str]:
    drafts = differing(comparison.pairing)
    yield "## First drafts that differ"
    yield ""
    if not drafts:
        yield "None."
        return
    yield f"{counted(len(drafts), 'case')}" + (
        f", the first {MOST_SHOWN} of them:" if len(drafts) > MOST_SHOWN else ":"
    )
    for draft in drafts[:MOST_SHOWN]:
        yield ""
        yield from _draft(draft)


def _draft(draft: CaseDraft) -> Iterator[str]:
    yield f"### {escaped(draft.case_id)}, repeat {draft.repeat}: {CHANGES[draft.change]}"
    yield ""
    for name, side in (("A", draft.a), ("B", draft.b)):
        yield f"- {name} {_said(side)}"
    yield ""
    lines = list(_diff(draft))
    fence = FENCE + "`" * max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    yield f"{fence}diff"
    yield from lines
    yield fence


def _said(side: Outcome) -> str:
    clauses = ", ".join(escaped(clause) + (f" (“{escaped(quote)}”)" if quote else "") for clause, quote in side.clauses)
    of = f"; option {escaped(side.option_id)}" if side.option_id else ""
    return f"{side.said}{f' {clauses}' if clauses else ''}{of}"


def _diff(draft: CaseDraft) -> Iterator[str]:
    for field in draft.fields:
        before, after = ("".join(piece.text for piece in side) for side in (field.a, field.b))
        if not field.differs:
            yield from _marked(" ", field.name, before)
            continue
        if before:
            yield from _marked("-", field.name, before)
        if after:
            yield from _marked("+", field.name, after)


def _marked(mark: str, name: CopyField | str, text: str) -> Iterator[str]:
    for number, line in enumerate(shown(text).split("\n")):
        yield f"{mark} {name + ':' if number == 0 else '':<11}{line}".rstrip()


def _run(comparison: Comparison) -> Iterator[str]:
    yield "## The runs"
    yield ""
    yield from table(("", "A", "B"), [(name, escaped(a), escaped(b)) for name, a, b in run_lines(comparison)])


def _notes(comparison: Comparison) -> Iterator[str]:
    yield "## Keep in mind"
    yield ""
    yield from (f"- {escaped(note)}" for note in (*comparison.notes, *STANDING_NOTES))


STANDING_NOTES: Final = (
    "The verdict rests on first drafts that pass and on the guards. Every other interval is read by itself: of twenty "
    "measures that did not change, one shows a change.",
    "Quality is a model's opinion and no part of the verdict.",
    "Seconds are wall time of this machine and endpoint on that day, under the load of the run.",
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a Markdown table whose columns line up in a terminal: the first to the left, the others to the right."""
    cells = [head, *rows]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(head))]
    for number, row in enumerate(cells):
        aligned = (
            cell.ljust(w) if not place else cell.rjust(w)
            for place, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield f"| {' | '.join(aligned)} |"
        if number == 0:
            rules = ("-" * w if not place else "-" * (w - 1) + ":" for place, w in enumerate(widths))
            yield f"| {' | '.join(rules)} |"
