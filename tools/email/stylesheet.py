"""The part of CSS that decides how mail text looks: rules with simple selectors, in light and in dark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, Literal

Condition = Literal["always", "dark", "other"]
"""When a rule holds: always, in the dark scheme, or under a condition (a width) that isn't judged."""

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_BLOCK = re.compile(r"\s*([^{};]*)(;|\{|\})")
_DECLARATION = re.compile(r"(-?[a-z][a-z0-9-]*)\s*:\s*([^!]*)(!\s*important)?", re.IGNORECASE)
_DEEPEST = 6
"""Steps of the longest selector that is read."""
MOST_RULES: Final = 500
"""Rules that are read of one sheet; a fault names the rest."""
_COMPOUND = re.compile(r"([a-z][a-z0-9]*|\*)?((?:\.[a-z0-9_-]+)*)", re.IGNORECASE)

PAINTS: Final = frozenset(
    {"color", "background", "background-color", "background-image", "background-blend-mode", "mix-blend-mode"}
)
"""Properties that decide the contrast of text."""

LOOKS: Final = PAINTS | {"font", "font-size", "font-weight", "all"}
"""Properties that decide whether text can be read."""

HIDES: Final = frozenset(
    {
        *("display", "visibility", "opacity", "mso-hide", "height", "max-height", "width", "max-width", "overflow"),
        *(
            "margin",
            "margin-left",
            "margin-top",
            "margin-right",
            "margin-bottom",
            "line-height",
            "letter-spacing",
            "word-spacing",
            "position",
            "clip",
            "clip-path",
            "transform",
            "text-indent",
            "filter",
            "mask",
            "content",
            "animation",
        ),
        *("-webkit-text-fill-color", "text-shadow", "left", "top", "right", "bottom", "float", "zoom"),
        *("scale", "translate", "rotate", "inset", "z-index", "content-visibility", "-webkit-mask", "mask-image"),
        *(
            "-webkit-mask-image",
            "-webkit-clip-path",
            "-webkit-transform",
            "-ms-transform",
            "-webkit-filter",
            "offset-path",
        ),
        *(
            "-webkit-text-security",
            "-webkit-line-clamp",
            "line-clamp",
            "unicode-bidi",
            "pointer-events",
            "-webkit-animation",
        ),
        *("background-clip", "-webkit-background-clip", "offset", "animation-name", "-webkit-animation-name"),
        *("padding-left", "padding-top", "padding"),
    }
)
"""Properties that can hide or move text."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One `name: value`, lower case."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class Compound:
    """One step of a selector: `td.panel`, reached from an ancestor, or from the parent when `child`."""

    tag: str
    classes: frozenset[str]
    child: bool


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One selector with its declarations. `steps` is None when the selector is beyond this reader."""

    selector: str
    steps: tuple[Compound, ...] | None
    declarations: tuple[Declaration, ...]
    condition: Condition
    specificity: tuple[int, int]
    names: frozenset[str]
    """The properties it sets."""


@lru_cache(maxsize=2048)
def read_declarations(style: str) -> tuple[Declaration, ...]:
    """Return the declarations of a `style` attribute or a rule's block."""
    found = (_DECLARATION.fullmatch(piece) for piece in _pieces(style))
    return tuple(
        Declaration(each[1].lower(), each[2].strip().lower(), bool(each[3]))
        for each in found
        if each and each[2].strip()
    )


@lru_cache(maxsize=2048)
def style_fault(style: str) -> str:
    """Return what of a style attribute or a rule's block a client may read otherwise than this reader, or nothing.

    A client skips what it can't read and goes on; which pieces it skips depends on the client.
    """
    if odd := _ODD.search(style):
        return f"{odd[0]!r} in a style"
    return next((f"{piece[:60]!r} is no declaration" for piece in _pieces(style) if not _is_read(piece)), "")


_ODD = re.compile(r"\\|/\*|[{}]|<!--|-->")
"""Escapes, and marks that end something in one client and nothing in another."""
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")


def _pieces(style: str) -> Iterator[str]:
    return (piece for each in style.split(";") if (piece := each.strip()))


def _is_read(piece: str) -> bool:
    found = _DECLARATION.fullmatch(piece)
    return bool(found and found[2].strip()) and not _STRING.sub("", piece).count('"')


def sheet_fault(css: str) -> tuple[str, int]:
    """Return what of a style sheet a client may read otherwise than this reader, with its offset; "" for nothing."""
    bare = _COMMENT.sub(lambda found: " " * len(found[0]), css)
    if css.count("/*") > css.count("*/"):
        return "a comment in a style sheet is never closed", css.rfind("/*")
    for found in _STRING.finditer(bare):
        if any(mark in found[0] for mark in "{};"):
            return f"{found[0][:60]} in a style sheet", found.start()
    if (odd := bare.find("\\")) >= 0:
        return "an escape in a style sheet", odd
    return _unbalanced(bare)


def _unbalanced(css: str) -> tuple[str, int]:
    depth = position = 0
    many = 0
    while found := _BLOCK.match(css, position):
        head, mark = found[1].strip(), found[2]
        position = found.end()
        if mark == ";" and not head.startswith("@"):
            return f"{head[:60]!r} before ';' in a style sheet", found.start()
        if mark == "}":
            depth -= 1
            if depth < 0 or head:
                return "a stray '}' in a style sheet", found.start(2)
        elif mark == "{" and head.startswith("@"):
            depth += 1
        elif mark == "{":
            many += head.count(",") + 1
            if many > MOST_RULES:
                return f"over {MOST_RULES:,} rules in a style sheet", found.start()
            end = css.find("}", position)
            if end < 0:
                return f"{head[:60]!r} is never closed in a style sheet", found.start(1)
            if fault := style_fault(css[position:end]):
                return fault, position
            position = end + 1
    if depth or css[position:].strip():
        return "a style sheet ends too early", position
    return "", 0


@lru_cache(maxsize=64)
def read_sheet(css: str, media: str = "") -> tuple[Rule, ...]:
    """Return the rules of a style element in order. `media` is its own media attribute."""
    return tuple(islice(_rules(_COMMENT.sub(" ", css), media), MOST_RULES))


def _rules(css: str, media: str) -> Iterator[Rule]:
    conditions = [_condition(media)]
    position = 0
    while found := _BLOCK.match(css, position):
        head, mark = found[1].strip(), found[2]
        position = found.end()
        if mark == "}" and len(conditions) > 1:
            conditions.pop()
        elif mark == "{" and head.startswith("@"):
            conditions.append(_both(conditions[-1], _condition(head.removeprefix("@media"))))
        elif mark == "{":
            end = css.find("}", position)
            end = len(css) if end < 0 else end
            declarations = read_declarations(css[position:end])
            position = end + 1
            for selector in head.split(","):
                steps = _steps(selector.strip())
                names = frozenset(declaration.name for declaration in declarations)
                yield Rule(selector.strip(), steps, declarations, conditions[-1], _specificity(steps), names)


def _condition(media: str) -> Condition:
    text = re.sub(r"\s+", "", media.lower())
    if text in ("", "all", "screen", "onlyscreen"):
        return "always"
    return "dark" if text in ("(prefers-color-scheme:dark)", "screenand(prefers-color-scheme:dark)") else "other"


def _both(outer: Condition, inner: Condition) -> Condition:
    return inner if outer == "always" else outer if inner in ("always", outer) else "other"


def _steps(selector: str) -> tuple[Compound, ...] | None:
    steps: list[Compound] = []
    child = False
    for word in selector.replace(">", " > ").split():
        if word == ">":
            child = True
            continue
        found = _COMPOUND.fullmatch(word)
        if not found:
            return None
        tag = "" if found[1] in (None, "*") else found[1].lower()
        steps.append(Compound(tag, frozenset(found[2].split(".")[1:]), child))
        child = False
    return tuple(steps) if 0 < len(steps) <= _DEEPEST else None


def _specificity(steps: tuple[Compound, ...] | None) -> tuple[int, int]:
    return sum(len(step.classes) for step in steps or ()), sum(bool(step.tag) for step in steps or ())
