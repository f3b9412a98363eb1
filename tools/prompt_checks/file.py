"""One prompt file, read and checked."""

from dataclasses import dataclass
from pathlib import Path

from tools.prompt_checks.characters import decoded
from tools.prompt_checks.faults import Fault
from tools.prompt_checks.front import FRONT, read_front
from tools.prompt_checks.sections import Section, read_sections
from tools.prompt_checks.shared import SharedTexts
from tools.prompt_checks.template import Walk, unused
from tools.prompt_checks.wording import worded
from tools.prompt_environment import Shared
from tools.prompt_header import PromptHeader
from tools.prompt_steps import Step
from tools.yaml_lines import Lines


@dataclass(frozen=True, slots=True)
class Checked:
    """A prompt file as read, and its faults in the file's order. It can be used when none of them is an error.

    `shared` are the texts it includes, `lines` where the values of the front matter stand.
    """

    path: Path
    source: str
    header: PromptHeader | None
    lines: Lines | None
    sections: tuple[Section, ...]
    shared: Shared
    faults: tuple[Fault, ...]


def check_file(path: Path, name: str, step: Step, shared: SharedTexts) -> Checked:
    """Read a prompt file of a step and say everything that is wrong with it; a missing file is a fault."""
    try:
        source, faults = decoded(path.read_bytes(), path)
    except OSError as error:
        message, remedy = f"can't be read ({error.strerror})", "every step needs its prompt file"
        return Checked(path, "", None, None, (), (), (Fault(path, 1, 1, "unreadable", message, remedy),))
    header, lines, found = read_front(source, path, name, step)
    faults += found
    front = FRONT.match(source)
    sections, found = read_sections(source, front.end() if front else 0, path)
    faults += found
    walk = Walk(step, shared, path, source)
    for section in sections:
        walk.section(section)
    faults += walk.faults
    faults += (fault for fault in shared.faults if fault.path in map(shared.path, walk.included))
    if header is not None and lines is not None and not any(fault.code == "syntax" for fault in faults):
        faults += _unused(header, lines, path, step, walk.used)
    faults += worded(sections, header, lines, path, step)
    texts = tuple((name, shared.texts[name]) for name in sorted(walk.included))
    return Checked(path, source, header, lines, sections, texts, tuple(sorted(dict.fromkeys(faults))))


def _unused(header: PromptHeader, lines: Lines, path: Path, step: Step, used: set[str]) -> list[Fault]:
    known = [variable for variable in header.variables if variable in step.variables or variable in used]
    faults = [
        Fault(
            path,
            *lines.place("variables", header.variables.index(variable)),
            "unused-variable",
            f"{variable} is declared, but the template never uses it",
            "use it in a section",
        )
        for variable in unused(known, used)
    ]
    return faults
