"""From a Jinja template to text, and from MJML to HTML that travels as plain ASCII lines."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import mrml
from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tools.errors import TemplateFault

LONGEST_LINE: Final = 998
"""Octets before CRLF that a mail server must accept (RFC 5322, 2.1.1)."""

_BLOCK_TAG = re.compile(r"(?=<(?:table|tr|th|td|div|h1|h2|p|!--\[if)\b)")
"""Where a line may start: no text runs on here, and Outlook's conditions are never broken within."""
_ERRORS = (TemplateError, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
_NAMES: Final = frozenset(
    {
        *("fonts", "sizes", "light", "dark", "subject", "preheader", "headline", "body", "cta", "terms", "greeting"),
        *("domain", "window", "value", "rows", "merchants", "links", "issuer", "advertisement", "reason"),
        *("postal_address", "card", "preview_pad"),
    }
)
"""Every name a template may use."""


def open_environment(folder: Path) -> ImmutableSandboxedEnvironment:
    """Return a sandboxed environment over one folder; all but `*.txt.j2` is escaped."""
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        autoescape=lambda name: name is None or not name.endswith(".txt.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def read_source(path: Path) -> str:
    """Return the text of a template file, or raise TemplateFault."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateFault(f"{path.name}: can't be read: {error}") from error


def load_template(environment: ImmutableSandboxedEnvironment, name: str, source: str) -> Template:
    """Compile a template whose every name is one of the known ones, or raise TemplateFault."""
    try:
        unknown = meta.find_undeclared_variables(environment.parse(source, name)) - _NAMES
        template = environment.get_template(name)
    except TemplateError as error:
        raise TemplateFault(f"{name}: {error}") from error
    if unknown:
        raise TemplateFault(f"{name}: unknown name {min(unknown)!r}; known are {', '.join(sorted(_NAMES))}")
    return template


def fill_template(template: Template, values: Mapping[str, object]) -> str:
    """Return the template filled, or raise TemplateFault."""
    try:
        return template.render(values)
    except _ERRORS as error:
        raise TemplateFault(f"{template.name}: {error}") from error


def html_of(mjml: str) -> str:
    """Compile MJML to HTML in ASCII whose lines break between tags, so that it travels as 7bit."""
    try:
        # Without this, the compiler links Google Fonts wherever a family such as Roboto is named.
        compiled = mrml.to_html(mjml, None, mrml.RenderOptions(fonts={}))
    except (OSError, ValueError, TypeError) as error:
        raise TemplateFault(f"offer.mjml.j2: mrml can't compile it: {error}") from error
    if compiled.warnings:
        raise TemplateFault(f"offer.mjml.j2: mrml warns: {compiled.warnings[0]}")
    lines = _BLOCK_TAG.sub("\n", compiled.content).encode("ascii", "xmlcharrefreplace").decode().split("\n")
    return "\n".join(part for line in lines if line.strip() for part in _wrapped(line)) + "\n"


def _wrapped(line: str) -> list[str]:
    """Break a line at blanks where it is longer than mail allows; a blank and a break are the same to HTML."""
    parts = []
    while len(line) > LONGEST_LINE and (cut := line.rfind(" ", 1, LONGEST_LINE)) > 0:
        parts.append(line[:cut])
        line = line[cut + 1 :]
    return [*parts, line]
