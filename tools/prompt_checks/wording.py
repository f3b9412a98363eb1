"""What a prompt's plain text says: slots that exist, no facts of its own, and an order that prefix caches can use."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from jinja2 import TemplateSyntaxError

from tools.prompt_checks.faults import Fault, near
from tools.prompt_checks.sections import Section
from tools.prompt_environment import environment, padded
from tools.prompt_header import PromptHeader
from tools.prompt_steps import Step
from tools.slots import SLOTS
from tools.yaml_lines import Lines

STATIC_WORDS: Final = 8
"""Words of a line that is worth caching; shorter ones label the facts they stand among."""

_SLOT: Final = re.compile(r"(?<![{\w\"])\{([A-Za-z_][A-Za-z_0-9]*)\}(?!\})")
_FACT: Final = re.compile(r"[$€£]\s?\d[\d,.]*|\d[\d,.]*\s?(?:%|percent\b|x\b|points?\b|days?\b)|\b\d{1,2}/\d{1,2}\b")
_DIGIT: Final = re.compile(r"\d+")
_OPENING: Final = frozenset({"if", "for", "with", "set"})

Token = tuple[int, str, str]


def worded(
    sections: Sequence[Section], header: PromptHeader | None, lines: Lines | None, path: Path, step: Step
) -> Iterator[Fault]:
    """Yield the faults of a prompt's wording."""
    for section in sections:
        try:
            tokens = [*environment(()).lex(padded(section.text, section.line))]
        except TemplateSyntaxError:
            continue  # told already
        yield from _slots(tokens, path)
        if section.name == "examples":
            yield from _facts(tokens, path)
        yield from _late(tokens, path, step) if section.name == "user" else _early(tokens, section, path, step)
    if header is not None and lines is not None:
        yield from _examples(header, lines, path)


def _slots(tokens: Sequence[Token], path: Path) -> Iterator[Fault]:
    for line, text in _rows(tokens):
        for found in _SLOT.finditer(text):
            if found[1] not in SLOTS:
                message = f"{{{found[1]}}} is no slot"
                yield Fault(path, line, found.start() + 1, "unknown-slot", message, near(found[1], SLOTS))


def _facts(tokens: Sequence[Token], path: Path) -> Iterator[Fault]:
    for line, text in _rows(tokens):
        for found in _FACT.finditer(text):
            message = f"{found[0]!r} in an example looks like a fact, which models repeat"
            remedy = "write the slot in its place"
            yield Fault(path, line, found.start() + 1, "fact-in-example", message, remedy, "warning")


def _examples(header: PromptHeader, lines: Lines, path: Path) -> Iterator[Fault]:
    for kind, held in header.examples.items():
        for field, text in (("good", held.good), ("bad", held.bad)):
            for found in _SLOT.finditer(text):
                if found[1] not in SLOTS:
                    place = lines.place("examples", kind, field, offset=found.start())
                    message = f"{{{found[1]}}} is no slot"
                    yield Fault(path, *place, "unknown-slot", message, near(found[1], SLOTS))
        if (digits := _DIGIT.search(held.good)) is not None:
            place = lines.place("examples", kind, "good", offset=digits.start())
            message = f"{digits[0]!r} in a good example is a fact of its own"
            yield Fault(path, *place, "fact-in-example", message, "write the slot in its place: code owns every number")


def _early(tokens: Sequence[Token], section: Section, path: Path, step: Step) -> Iterator[Fault]:
    """Yield each use of a member's facts in what should be the same for all."""
    for line, kind, value in tokens:
        if kind == "name" and value in step.member:
            message = (
                f"{value} in `# {section.name.capitalize()}` makes its text differ by member, so no cache serves it"
            )
            yield Fault(path, line, 1, "member-fact-early", message, "move it to the end of `# User`", "warning")


def _late(tokens: Sequence[Token], path: Path, step: Step) -> Iterator[Fault]:
    """Yield each line that is the same for all, but stands behind what isn't."""
    depth, seen, opening = 0, False, False
    for (line, kind, value), (_, after, _) in pairwise([*tokens, (0, "end", "")]):
        if kind == "block_begin":
            opening = True
        elif kind == "name":
            if opening:
                depth += (value in _OPENING and value != "set") - value.startswith("end")
                opening = False
            seen = seen or value in step.member
        elif kind == "data" and seen and not depth:
            rows = value.split("\n")
            whole = rows[1:-1] if after in ("variable_begin", "block_begin") else rows[1:]
            for offset, row in enumerate(whole, 1):
                if len(row.split()) >= STATIC_WORDS:
                    message = "this line is the same for every member, but stands behind facts of one"
                    remedy = "move it above them, or to `# System`: providers cache what prompts begin with"
                    yield Fault(path, line + offset, 1, "static-after-member", message, remedy, "warning")


def _rows(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Yield the plain text line by line; columns count in a line's piece, which is the line where no tag stands."""
    for line, kind, value in tokens:
        if kind == "data":
            yield from enumerate(value.split("\n"), line)
