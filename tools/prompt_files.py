"""Prompt templates: Markdown files with front matter, rendered in a sandbox where an unknown variable is an error."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

from jinja2 import TemplateError

from tools.errors import PromptInvalid
from tools.prompt_checks import Checked, Fault, PartName, Section, SharedTexts, check_file, read_shared
from tools.prompt_environment import Shared, compiled
from tools.prompt_header import PromptHeader
from tools.prompt_steps import REPLY_SCHEMA, Step
from tools.variants import BASE, named
from tools.yaml_lines import Lines

__all__ = [
    "ROLES",
    "Part",
    "PartName",
    "Prompt",
    "PromptHeader",
    "PromptSet",
    "Role",
    "lint_files",
    "load_prompts",
    "sound_prompts",
]

Role = Literal["system", "user"]
ROLES: Final[Mapping[PartName, Role]] = {"system": "system", "examples": "system", "user": "user"}
"""The message each section of a prompt file belongs to."""


@dataclass(frozen=True, slots=True)
class Part:
    """One rendered section: `examples` follow the system text in the system message."""

    name: PartName
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One checked prompt file. `digest` names its exact bytes and those of what it includes (16 hex digits)."""

    header: PromptHeader
    digest: str
    path: Path
    sections: tuple[Section, ...]
    shared: Shared = ()
    lines: Lines | None = field(default=None, repr=False, compare=False)
    """Where the values of the front matter stand."""

    @property
    def name(self) -> str:
        """The prompt's name in records: `draft`, or `draft@b` for a variant."""
        return self.path.stem

    def render(self, variables: Mapping[str, Any]) -> list[tuple[Role, str]]:
        """Return the messages sent: one of each role, its parts a blank line apart. Raises as `parts` does."""
        messages: dict[Role, str] = {}
        for part in self.parts(variables):
            messages[part.role] = f"{messages[part.role]}\n\n{part.text}" if part.role in messages else part.text
        return list(messages.items())

    def parts(self, variables: Mapping[str, Any]) -> tuple[Part, ...]:
        """Fill the template and return its sections in the order sent; examples that come out empty are left out.

        `variables` may hold the schema of the answer beside what the prompt declares. Raises PromptInvalid when a
        variable is missing, unknown or misused in the template.
        """
        expected, given = set(self.header.variables), set(variables)
        if wrong := (expected ^ given) - ({REPLY_SCHEMA} - expected):
            raise PromptInvalid(self.path, 1, f"variables missing or unknown at rendering: {', '.join(sorted(wrong))}")
        texts = [(section.name, self._filled(section, variables)) for section in self.sections]
        return tuple(Part(name, ROLES[name], text) for name, text in texts if text or name != "examples")

    def _filled(self, section: Section, variables: Mapping[str, Any]) -> str:
        try:
            return compiled(section.text, section.line, self.shared).render(variables).strip()
        except TemplateError as error:
            raise PromptInvalid(self.path, _line_of(error, section), str(error)) from error


def _line_of(error: TemplateError, section: Section) -> int:
    """Return the line a template broke at: Jinja tells it of syntax in the error, of all else in the traceback."""
    line: int = getattr(error, "lineno", None) or section.line
    step: TracebackType | None = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == "<template>":
            line = step.tb_lineno
        step = step.tb_next
    return line


class PromptSet:
    """The prompt files of a folder by name."""

    def __init__(self, prompts: Mapping[str, Prompt]) -> None:
        self._prompts = dict(prompts)

    def pick(self, name: str, variants: Mapping[str, str]) -> Prompt:
        """Return the prompt of a step, or the variant of it a run uses. Raises KeyError for an unknown one."""
        return self._prompts[named(name, variants.get(name))]

    def named(self, name: str) -> Prompt:
        """Return a prompt by the name of its file: `draft`, `draft@b`. Raises KeyError for an unknown one."""
        return self._prompts[name]

    def used(self, variants: Mapping[str, str]) -> dict[str, str]:
        """Return the digest of each step's prompt in a run with these variants, by the name of its file."""
        return {prompt.name: prompt.digest for prompt in self._of_run(variants)}

    def parameters(self, variants: Mapping[str, str]) -> dict[str, dict[str, float]]:
        """Return the model parameters of each step's prompt in a run with these variants."""
        return {
            prompt.name: {"temperature": prompt.header.temperature, "max_tokens": prompt.header.max_tokens}
            for prompt in self._of_run(variants)
        }

    @property
    def texts(self) -> tuple[str, ...]:
        """Return what every prompt file tells a model, included texts too, template marks included."""
        own = [section.text for prompt in self._prompts.values() for section in prompt.sections]
        shared = dict(pair for prompt in self._prompts.values() for pair in prompt.shared)
        return (*own, *shared.values())

    @property
    def digests(self) -> dict[str, str]:
        """Return the digest of every prompt there is, variants included."""
        return {name: prompt.digest for name, prompt in sorted(self._prompts.items())}

    def _of_run(self, variants: Mapping[str, str]) -> list[Prompt]:
        return [self.pick(name, variants) for name in sorted(self._prompts) if "@" not in name]


def load_prompts(folder: Path, *, needed: Mapping[str, Step], split: Iterable[str] = ()) -> PromptSet:
    """Read and check every needed prompt. `draft@b.md` beside `draft.md` is its variant b.

    `split` names variants that members are given. Raises PromptInvalid, with file and line, for the first error that
    `lint_files` finds, and for a variant of the split that is not there.
    """
    prompts: dict[str, Prompt] = {}
    for checked in _checked(folder, needed, read_shared(folder)):
        if errors := _errors(checked):
            raise _invalid(errors[0])
        prompts[checked.path.stem] = _prompt(checked)
    for name in split:
        if name not in prompts:
            known = ", ".join(sorted(prompts))
            raise PromptInvalid(
                folder / f"{name}.md",
                1,
                f"PROMPT_SPLIT gives {name} a share, but there is no such file; known: {known}",
            )
    return PromptSet(prompts)


def sound_prompts(folder: Path, *, needed: Mapping[str, Step]) -> PromptSet:
    """Return the prompts of a folder that have no errors, for who tells the errors elsewhere."""
    checked = _checked(folder, needed, read_shared(folder))
    return PromptSet({file.path.stem: _prompt(file) for file in checked if not _errors(file)})


def lint_files(folder: Path, *, needed: Mapping[str, Step]) -> list[Fault]:
    """Return every fault that can be seen without a gate, in the order of files and lines."""
    shared = read_shared(folder)
    faults = {fault for checked in _checked(folder, needed, shared) for fault in checked.faults}
    return sorted({*faults, *shared.faults, *_strays(folder, needed)})


def _checked(folder: Path, needed: Mapping[str, Step], shared: SharedTexts) -> Iterable[Checked]:
    for name, step in needed.items():
        for path in (folder / f"{name}.md", *sorted(folder.glob(f"{name}@*.md"))):
            yield _checked_file(path, name, step, shared)


def _checked_file(path: Path, name: str, step: Step, shared: SharedTexts) -> Checked:
    try:
        return check_file(path, name, step, shared)
    except RecursionError:  # of YAML, Jinja or the walk over its tree
        fault = Fault(path, 1, 1, "nested", "brackets or tags are nested too deeply to be read", "take them apart")
        return Checked(path, "", None, None, (), (), (fault,))


def _strays(folder: Path, needed: Mapping[str, Step]) -> Iterable[Fault]:
    """Yield the files that no step reads, or whose names can't be asked for."""
    for path in sorted(folder.glob("*.md")):
        base, at, variant = path.stem.partition("@")
        if at and base not in needed:
            remedy = f"call it {' or '.join(f'{name}@{variant}.md' for name in sorted(needed))}"
            yield Fault(path, 1, 1, "variant-without-base", f"there is no step {base!r}", remedy)
        elif at and not (folder / f"{base}.md").exists():
            message, remedy = f"a variant of {base}.md, which is missing", f"add {base}.md"
            yield Fault(path, 1, 1, "variant-without-base", message, remedy)
        elif at and (variant == BASE or not variant.replace("_", "").replace("-", "").isalnum()):
            message, remedy = f"{variant!r} can't name a variant", f"call it {base}@b.md"
            yield Fault(path, 1, 1, "variant-name", message, remedy)


def _errors(checked: Checked) -> list[Fault]:
    return [fault for fault in checked.faults if fault.severity == "error"]


def _prompt(checked: Checked) -> Prompt:
    assert checked.header is not None  # else there was an error
    bytes_ = [checked.source, *(part for pair in checked.shared for part in pair)]
    digest = hashlib.sha256("\0".join(bytes_).encode()).hexdigest()[:16]
    return Prompt(checked.header, digest, checked.path, checked.sections, checked.shared, checked.lines)


def _invalid(fault: Fault) -> PromptInvalid:
    return PromptInvalid(fault.path, fault.line, f"{fault.message}; {fault.remedy}")
