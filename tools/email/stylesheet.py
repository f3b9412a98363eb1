"""The part of CSS that decides how mail text looks: rules with simple selectors, in light and in dark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Condition = Literal["always", "dark", "other"]
"""When a rule holds: always, in the dark scheme, or under a condition (a width) that isn't judged."""

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLOCK = re.compile(r"\s*([^{};]*)(;|\{|\})")
_DECLARATION = re.compile(r"\s*([a-z-]+)\s*:\s*([^;]*?)\s*(!\s*important)?\s*(?:;|$)", re.IGNORECASE)
_COMPOUND = re.compile(r"([a-z][a-z0-9]*|\*)?((?:\.[a-z0-9_-]+)*)", re.IGNORECASE)

PAINTS: Final = frozenset({"color", "background", "background-color"})
"""Properties that decide the contrast of text."""

LOOKS: Final = PAINTS | {"font", "font-size", "font-weight"}
"""Properties that decide whether text can be read."""

HIDES: Final = frozenset(
    {
        *("display", "visibility", "opacity", "mso-hide", "height", "max-height", "width", "max-width", "overflow"),
        *(
            "margin",
            "margin-left",
            "margin-top",
            "margin-right",
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
    return tuple(
        Declaration(found[1].lower(), found[2].strip().lower(), bool(found[3]))
        for found in _DECLARATION.finditer(style)
        if found[2]
    )


@lru_cache(maxsize=64)
def read_sheet(css: str, media: str = "") -> tuple[Rule, ...]:
    """Return the rules of a style element in order. `media` is its own media attribute."""
    return tuple(_rules(_COMMENT.sub("", css), media))


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
                steps = _steps(selector.strip().lower())
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
        tag = "" if found[1] in (None, "*") else found[1]
        steps.append(Compound(tag, frozenset(found[2].split(".")[1:]), child))
        child = False
    return tuple(steps) or None


def _specificity(steps: tuple[Compound, ...] | None) -> tuple[int, int]:
    return sum(len(step.classes) for step in steps or ()), sum(bool(step.tag) for step in steps or ())
