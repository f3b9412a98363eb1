"""The MJML and HTML a template may be made of: the compiler ignores what it doesn't know without a word."""

import re
from typing import Final
from xml.etree import ElementTree

from tools.errors import TemplateFault

_JINJA_SILENT = re.compile(r"\{#.*?#\}|\{%.*?%\}", re.DOTALL)
_JINJA_VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)

_BOX = frozenset({"css-class", "padding", "background-color", "border", "border-top", "border-radius"})
_TYPE = frozenset({"font-family", "font-size", "font-weight", "line-height", "color", "align"})
_HTML = frozenset({"class", "style"})
_CELL = _HTML | {"align", "valign", "width"}
_TABLE = _HTML | {"role", "width", "cellpadding", "cellspacing", "border"}

ALLOWED: Final[dict[str, frozenset[str]]] = {
    "mjml": frozenset({"lang", "dir"}),
    "mj-head": frozenset(),
    "mj-title": frozenset(),
    "mj-preview": frozenset(),
    "mj-breakpoint": frozenset({"width"}),
    "mj-attributes": frozenset(),
    "mj-all": frozenset({"font-family"}),
    "mj-raw": frozenset(),
    "mj-style": frozenset(),
    "mj-body": frozenset({"width", "background-color", "css-class"}),
    "mj-wrapper": _BOX,
    "mj-section": _BOX,
    "mj-column": _BOX | {"width", "vertical-align"},
    "mj-group": frozenset({"width", "background-color", "vertical-align", "css-class"}),
    "mj-text": _TYPE | {"css-class", "padding"},
    "mj-button": _TYPE | _BOX | {"href", "inner-padding", "width"},
    "mj-divider": frozenset({"css-class", "padding", "align", "width", "border-width", "border-color", "border-style"}),
    "mj-spacer": frozenset({"css-class", "height"}),
    "meta": frozenset({"name", "content"}),
    "table": _TABLE,
    "tbody": frozenset(),
    "tr": _HTML,
    "th": _CELL | {"scope"},
    "td": _CELL | {"colspan"},
    "h1": _HTML,
    "h2": _HTML,
    "p": _HTML,
    "span": _HTML,
    "strong": _HTML,
    "em": _HTML,
    "br": frozenset(),
    "a": _HTML | {"href"},
}
"""Attributes by tag. No image, script, form or font tag is in it: a message loads nothing."""


def check_markup(name: str, source: str) -> None:
    """Raise TemplateFault unless every branch of the Jinja source is well-formed and made of `ALLOWED` only."""
    flat = _JINJA_VALUE.sub("x", _JINJA_SILENT.sub("", source))
    try:
        root = ElementTree.fromstring(flat.strip())
    except ElementTree.ParseError as error:
        raise TemplateFault(f"{name}: not well-formed once its Jinja tags are taken out: {error}") from error
    if root.tag != "mjml":
        raise TemplateFault(f"{name}: starts with <{root.tag}>; it must start with <mjml>")
    for element in root.iter():
        allowed = ALLOWED.get(element.tag)
        if allowed is None:
            raise TemplateFault(f"{name}: <{element.tag}> is not an allowed tag (tools/email/markup.py)")
        if surplus := sorted(set(element.attrib) - allowed):
            raise TemplateFault(f"{name}: <{element.tag}> has the attribute {surplus[0]!r}, which is not allowed on it")
