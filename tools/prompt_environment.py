"""The sandbox prompts are rendered in: no undefined value, no function, no chance, only includes from `shared/`."""

from functools import lru_cache
from typing import Final

from jinja2 import DictLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tools.prompt_schema import printed

Shared = tuple[tuple[str, str], ...]
"""Texts to include, by name: `shared/reply.md`."""

HIDDEN: Final = frozenset({"default", "d", "random", "attr", "map", "xmlattr"})
"""Filters of Jinja that templates don't have: they pass over what is undefined, or make equal inputs unequal."""


@lru_cache(maxsize=64)
def environment(shared: Shared) -> ImmutableSandboxedEnvironment:
    """Return the sandbox with these texts to include."""
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the output is a plain-text prompt, and every value is an enum or reviewed text
        keep_trailing_newline=True,  # an included line stays a line
        loader=DictLoader(dict(shared)),
    )
    made.globals.clear()  # range, dict, lipsum, namespace: a prompt is a function of its variables alone
    for name in HIDDEN:
        made.filters.pop(name)
    made.filters["schema"] = printed
    return made


@lru_cache(maxsize=256)
def compiled(text: str, line: int, shared: Shared) -> Template:
    """Return a template whose faults are told by lines of the file it starts in at `line`."""
    return environment(shared).from_string(padded(text, line))


def padded(text: str, line: int) -> str:
    """Return a text below as many empty lines as stand before it in its file."""
    return "\n" * (line - 1) + text
