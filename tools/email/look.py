"""How text in an element looks: its ink, ground and size after the cascade, and what may hide it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from tools.email.colour import Rgb, parse_colour
from tools.email.elements import Element, Tag
from tools.email.stylesheet import HIDES, LOOKS, Compound, Rule

Scheme = Literal["light", "dark"]

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)px|0")


@dataclass(frozen=True, slots=True)
class Look:
    """How text directly in an element appears. `hidden` says why it can't be seen; `unread` what couldn't be judged."""

    ink: Rgb
    ground: Rgb
    size: float = 16.0
    hidden: str = ""
    unread: str = ""


CANVAS: Final[dict[Scheme, Look]] = {
    "light": Look(ink=(0, 0, 0), ground=(255, 255, 255)),
    "dark": Look(ink=(255, 255, 255), ground=(18, 18, 18)),
}
"""What a reader's client paints before any style: black on white, and white on near-black."""


class RuleIndex:
    """Rules by the tag or class of their last step, so that an element meets only those that might match."""

    def __init__(self, rules: list[Rule]) -> None:
        self._by_key: dict[str, list[tuple[int, Rule, frozenset[str]]]] = {}
        for order, rule in enumerate(rules):
            last = (rule.steps or ())[-1]
            key = f".{min(last.classes)}" if last.classes else last.tag
            needed = frozenset().union(*(step.classes for step in rule.steps or ()))
            self._by_key.setdefault(key, []).append((order, rule, needed))

    def matching(self, element: Element) -> tuple[Rule, ...]:
        """Return the rules that apply, weakest first."""
        found = [
            (rule.specificity, order, rule)
            for key in ("", element.tag.name, *element.tag.class_keys)
            for order, rule, needed in self._by_key.get(key, ())
            if needed <= element.lineage and _matches(rule.steps or (), element)
        ]
        return tuple(rule for _, _, rule in sorted(found, key=lambda item: item[:2])) if found else ()


def _matches(steps: tuple[Compound, ...], element: Element) -> bool:
    last = steps[-1]
    if (last.tag and last.tag != element.tag.name) or not last.classes <= element.tag.classes:
        return False
    if len(steps) == 1:
        return True
    above = element.parent
    while above is not None:
        if _matches(steps[:-1], above):
            return True
        if last.child:
            return False
        above = above.parent
    return False


@lru_cache(maxsize=8192)
def look_of(above: Look, tag: Tag, rules: tuple[Rule, ...]) -> Look:
    """Return the look inside an element, given the look around it and the rules that match it."""
    values = _cascade(tag, rules)
    if not values and "bgcolor" not in tag.attributes and "hidden" not in tag.attributes:
        return above
    unread = above.unread
    ink, ground, size = above.ink, above.ground, above.size
    if "color" in values and values["color"] != "inherit":
        colour = parse_colour(values["color"])
        ink, unread = (colour, unread) if colour else (ink, f"color: {values['color']}")
    for value in (tag.attributes.get("bgcolor"), values.get("background"), values.get("background-color")):
        if value and value not in ("none", "transparent", "inherit"):
            colour = parse_colour(value)
            ground, unread = (colour, unread) if colour else (ground, f"background: {value}")
    if "font-size" in values:
        measured = _SIZE.fullmatch(values["font-size"])
        size, unread = (float(measured[1] or 0), unread) if measured else (size, f"font-size: {values['font-size']}")
    hidden = above.hidden or _hidden(values, tag)
    return Look(ink, ground, size, hidden, unread)


def _cascade(tag: Tag, rules: tuple[Rule, ...]) -> dict[str, str]:
    layers = (
        (declaration for rule in rules for declaration in rule.declarations if not declaration.important),
        (declaration for declaration in tag.style if not declaration.important),
        (declaration for rule in rules for declaration in rule.declarations if declaration.important),
        (declaration for declaration in tag.style if declaration.important),
    )
    values: dict[str, str] = {}
    for layer in layers:
        for declaration in layer:
            if declaration.name == "background":
                values.pop("background-color", None)
            values[declaration.name] = declaration.value
    return {name: value for name, value in values.items() if name in LOOKS or name in HIDES}


def _hidden(values: dict[str, str], tag: Tag) -> str:
    """Return the declaration that hides or may hide what is inside, or nothing."""
    if "hidden" in tag.attributes or tag.attributes.get("aria-hidden") == "true":
        return "hidden"
    for name, value in values.items():
        zero = value in ("0", "0px", "0%", "0em", "1px")
        if (
            (name == "display" and value == "none")
            or (name == "visibility" and value != "visible")
            or (name == "opacity" and not value.startswith("1"))
            or (name == "mso-hide")
            or (name in ("height", "max-height", "width", "max-width") and zero)
            or (name == "position" and value not in ("static", "relative"))
            or (name in ("left", "top", "right", "bottom", "text-indent") and value.startswith("-"))
            or (name in ("clip", "clip-path", "transform", "filter", "mask", "animation", "zoom"))
            or (name == "color" and value == "transparent")
            or (name in ("-webkit-text-fill-color", "text-shadow", "content"))
        ):
            return f"{name}: {value}"
    return ""
