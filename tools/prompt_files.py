"""Prompt templates: Markdown files with front matter, rendered in a sandbox where an unknown variable is an error."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, cast

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tools.draft_examples import Contrast
from tools.errors import PromptInvalid
from tools.vocabulary import OfferType

Role = Literal["system", "user"]
PartName = Literal["system", "examples", "user"]
ROLES: Final[Mapping[PartName, Role]] = {"system": "system", "examples": "system", "user": "user"}
"""The sections of a prompt file, in their order, and the message each belongs to."""

_FRONT: Final = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_SECTION: Final = re.compile(r"^# (System|Examples|User)[ \t]*$", re.MULTILINE)


class PromptHeader(BaseModel):
    """Front matter of a prompt file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    version: str
    purpose: str
    temperature: float = Field(ge=0, le=2)
    max_tokens: int = Field(ge=1, le=8000)
    variables: tuple[str, ...]
    schemas: tuple[str, ...] = Field(
        alias="schema", min_length=1, description="Output schemas of the step, by the names they have on the wire."
    )
    examples: Mapping[OfferType, Contrast] = Field(
        default_factory=dict, description="Of a drafting prompt: good and bad copy per offer type."
    )

    @field_validator("schemas", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Part:
    """One rendered section: `examples` follow the system text in the system message."""

    name: PartName
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One checked prompt file. `digest` names its exact bytes (sha256, 16 hex digits)."""

    header: PromptHeader
    digest: str
    path: Path
    sections: tuple[tuple[PartName, str], ...]

    def render(self, variables: Mapping[str, Any]) -> list[tuple[Role, str]]:
        """Return the messages sent: one of each role, its parts a blank line apart. Raises as `parts` does."""
        messages: dict[Role, str] = {}
        for part in self.parts(variables):
            messages[part.role] = f"{messages[part.role]}\n\n{part.text}" if part.role in messages else part.text
        return list(messages.items())

    def parts(self, variables: Mapping[str, Any]) -> tuple[Part, ...]:
        """Fill the template and return its sections in the order sent; examples that come out empty are left out.

        Raises PromptInvalid when a variable is missing, unknown or misused in the template.
        """
        expected, given = set(self.header.variables), set(variables)
        if expected != given:
            wrong = ", ".join(sorted(expected ^ given))
            raise PromptInvalid(self.path, 1, f"variables missing or unknown at rendering: {wrong}")
        try:
            texts = [(name, _compiled(text).render(variables).strip()) for name, text in self.sections]
        except TemplateError as error:
            raise PromptInvalid(self.path, getattr(error, "lineno", None) or 1, str(error)) from error
        return tuple(Part(name, ROLES[name], text) for name, text in texts if text or name != "examples")


@lru_cache(maxsize=64)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


class PromptSet:
    """The prompt files of a folder by name."""

    def __init__(self, prompts: Mapping[str, Prompt]) -> None:
        self._prompts = dict(prompts)

    def pick(self, name: str, variants: Mapping[str, str]) -> Prompt:
        """Return the prompt of a step, or the variant of it a run asks for. Raises KeyError for an unknown one."""
        variant = variants.get(name)
        return self._prompts[name if variant is None else f"{name}@{variant}"]

    @property
    def parameters(self) -> dict[str, dict[str, float]]:
        """Return the model parameters of each prompt, for the record of a decision."""
        return {
            name: {"temperature": prompt.header.temperature, "max_tokens": prompt.header.max_tokens}
            for name, prompt in sorted(self._prompts.items())
        }

    @property
    def texts(self) -> tuple[str, ...]:
        """Return what every prompt file tells a model, template marks included."""
        return tuple(text for prompt in self._prompts.values() for _, text in prompt.sections)

    @property
    def digests(self) -> dict[str, str]:
        """Return the digest of each prompt, for the record of a decision."""
        return {name: prompt.digest for name, prompt in sorted(self._prompts.items())}


def load_prompts(folder: Path, *, needed: Mapping[str, frozenset[str]]) -> PromptSet:
    """Read and check every needed prompt. `needed` maps a prompt's name to the variables its step provides.

    Raises PromptInvalid with file and line for a missing file, a bad header, or a variable that the header doesn't
    declare, the step doesn't provide, or the template never uses. `draft@b.md` beside `draft.md` is its variant b.
    """
    prompts: dict[str, Prompt] = {}
    for name, variables in needed.items():
        for path in (folder / f"{name}.md", *sorted(folder.glob(f"{name}@*.md"))):
            prompts[path.stem] = _load(path, name, variables)
    return PromptSet(prompts)


def _load(path: Path, name: str, provided: frozenset[str]) -> Prompt:
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PromptInvalid(path, 1, f"can't be read ({error.strerror}); every step needs its prompt file") from error
    front = _FRONT.match(source)
    if front is None:
        raise PromptInvalid(path, 1, "starts with no front matter; begin with a line `---`, YAML, and `---`")
    header = _header(path, front.group(1))
    if header.name != name:
        raise PromptInvalid(path, 2, f"name is {header.name!r}; allowed: {name!r}, as the file is called")
    _same(path, set(header.variables), set(provided), "declared", "provided by the step")
    sections = _sections(path, source, front.end())
    used = set().union(*(_variables(path, source, text) for _, text in sections))
    _same(path, used, set(header.variables), "used in the template", "declared")
    return Prompt(header, hashlib.sha256(source.encode()).hexdigest()[:16], path, sections)


def _header(path: Path, text: str) -> PromptHeader:
    try:
        return PromptHeader.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise PromptInvalid(path, line, f"front matter is no YAML: {error.problem}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "front matter"
        raise PromptInvalid(path, 1, f"{key} is {first['input']!r}: {first['msg']}") from error


def _sections(path: Path, source: str, start: int) -> tuple[tuple[PartName, str], ...]:
    heads = list(_SECTION.finditer(source, start))
    names = [head.group(1).lower() for head in heads]
    if names not in (["system", "user"], ["system", "examples", "user"]):
        raise PromptInvalid(
            path, 1, f"has sections {names}; allowed: `# System`, `# Examples` where there are any, `# User`"
        )
    ends = [*(head.start() for head in heads[1:]), len(source)]
    texts = [source[head.end() : end] for head, end in zip(heads, ends, strict=True)]
    return tuple(zip(cast(list[PartName], names), texts, strict=True))


def _variables(path: Path, source: str, text: str) -> set[str]:
    try:
        return meta.find_undeclared_variables(_ENVIRONMENT.parse(text))
    except TemplateSyntaxError as error:
        line = source[: source.index(text)].count("\n") + error.lineno
        raise PromptInvalid(path, line, f"template: {error.message}") from error


def _same(path: Path, left: set[str], right: set[str], left_name: str, right_name: str) -> None:
    if extra := left - right:
        raise PromptInvalid(path, 1, f"{', '.join(sorted(extra))}: {left_name}, but not {right_name}")
    if missing := right - left:
        raise PromptInvalid(path, 1, f"{', '.join(sorted(missing))}: {right_name}, but not {left_name}")


_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # the output is a plain-text prompt, and every value is an enum or reviewed text
    keep_trailing_newline=False,
)
