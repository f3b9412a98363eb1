"""The sections of a prompt file: system, examples where there are any, user."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tools.prompt_checks.faults import Fault, near

PartName = Literal["system", "examples", "user"]
SECTIONS: Final[tuple[PartName, ...]] = ("system", "examples", "user")
_HEADING: Final = re.compile(r"^#[ \t]+(?P<title>\S.*?)[ \t]*$", re.MULTILINE)
_TITLES: Final = {name.capitalize(): name for name in SECTIONS}
_ORDER: Final = "write `# System`, `# Examples` where there are any, `# User`, in this order"


@dataclass(frozen=True, slots=True)
class Section:
    """One section as written; its text starts in `line` of the file, right behind the heading."""

    name: PartName
    text: str
    line: int


def read_sections(source: str, start: int, path: Path) -> tuple[tuple[Section, ...], list[Fault]]:
    """Cut a file behind its front matter, which ends at `start`, into sections; return what is wrong with them too."""
    heads = list(_HEADING.finditer(source, start))
    sections: list[Section] = []
    faults: list[Fault] = []
    first = heads[0].start() if heads else len(source)
    if source[start:first].strip():
        line = _line(source, start + len(source[start:first]) - len(source[start:first].lstrip()))
        faults.append(Fault(path, line, 1, "text-outside-section", "text stands before the first section", _ORDER))
    for place, head in enumerate(heads):
        title, line = head["title"], _line(source, head.start())
        name = _TITLES.get(title)
        end = heads[place + 1].start() if place + 1 < len(heads) else len(source)
        text = source[head.end() : end]
        if name is None:
            remedy = f"{near(title, _TITLES)}; a heading inside the text starts with `##`"
            faults.append(Fault(path, line, 1, "unknown-section", f"`# {title}` is no section", remedy))
            continue
        if name in (section.name for section in sections):
            faults.append(Fault(path, line, 1, "duplicate-section", f"`# {title}` stands twice", "join the two"))
        elif sections and SECTIONS.index(name) < SECTIONS.index(sections[-1].name):
            faults.append(Fault(path, line, 1, "section-order", f"`# {title}` stands too late", _ORDER))
        if not text.strip():
            faults.append(
                Fault(path, line, 1, "empty-section", f"`# {title}` is empty", "write its text, or delete it")
            )
        sections.append(Section(name, text, line))
    for wanted in ("system", "user"):
        if wanted not in [section.name for section in sections]:
            title = f"`# {wanted.capitalize()}`"
            faults.append(Fault(path, _line(source, start), 1, "missing-section", f"there is no {title}", _ORDER))
    return tuple(sections), faults


def _line(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1
