"""How text in an element looks: its ink, ground and size after the cascade, and what may hide it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from tools.email.colour import Rgb, Rgba, blend, contrast, parse_paint
from tools.email.elements import Element, Tag
from tools.email.hiding import hiding, is_tight
from tools.email.stylesheet import HIDES, LOOKS, Compound, Declaration, Rule

Scheme = Literal["light", "dark"]

_LENGTH: Final = re.compile(r"(\d*\.?\d+)(px|pt|em|rem|%)|0")
_PX: Final = {"px": 1.0, "pt": 4 / 3, "rem": 16.0}
_SIZE_NAMES: Final = {
    **{"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0},
    "xx-large": 32.0,
}
_LARGE, _LARGE_BOLD = 24.0, 18.66
"""Pixels of 18 points, and of 14."""
_IN_SHORTHAND: Final = re.compile(
    r"(?:^|\s)(\d*\.?\d+(?:px|pt|em|rem|%)|0|(?:xx?-)?(?:small|large)|medium|smaller|larger)(?:\s*/\s*(\S+))?\s"
)
_BETWEEN: Final = re.compile(r"\s+(?![^()]*\))")
_BOLD: Final = frozenset({"bold", "bolder", "700", "800", "900"})
_OWN_LOOK: Final[dict[str, tuple[float, bool]]] = {
    "h1": (2.0, True),
    "h2": (1.5, True),
    "h3": (1.17, True),
    "h4": (1.0, True),
    "h5": (0.83, True),
    "h6": (0.67, True),
    **dict.fromkeys(("b", "strong", "th"), (1.0, True)),
    **dict.fromkeys(("small", "sup", "sub"), (0.83, False)),
}
"""Size as a share of what is around, and boldness, of tags that clients style by themselves (HTML, section 15)."""


@dataclass(frozen=True, slots=True)
class Look:
    """How text directly in an element appears.

    `ink` and `ground` are colours of CSS, `ink_alpha` the ink's opacity, `fade` the opacity of the element as a whole
    over its `backdrop`, `size` in pixels, `link` the colour of links nobody styled. `hidden` says why the text can't be
    seen, `unread` which paint couldn't be judged, `unsized` which size. `tight_lines` and `tight_letters` say which
    spacing puts text over itself.
    """

    ink: Rgb
    ground: Rgb
    link: Rgb
    size: float = 16.0
    bold: bool = False
    ink_alpha: float = 1.0
    fade: float = 1.0
    backdrop: Rgb = (255, 255, 255)
    hidden: str = ""
    unread: str = ""
    unsized: str = ""
    tight_lines: str = ""
    tight_letters: str = ""

    @property
    def contrast(self) -> float:
        """The ratio of what is seen of the ink to what is seen of the ground."""
        if self.ink_alpha == 1 and self.fade == 1:
            return contrast(self.ink, self.ground)
        ink = blend(self.ink, self.ground, self.ink_alpha)
        return contrast(blend(ink, self.backdrop, self.fade), blend(self.ground, self.backdrop, self.fade))

    @property
    def is_large(self) -> bool:
        """Whether this is large text: 18 pt, or 14 pt in bold (WCAG 2.1, 1.4.3)."""
        return self.size >= _LARGE or (self.bold and self.size >= _LARGE_BOLD)


CANVAS: Final[dict[Scheme, Look]] = {
    "light": Look(ink=(0, 0, 0), ground=(255, 255, 255), link=(0, 0, 238)),
    "dark": Look(ink=(255, 255, 255), ground=(18, 18, 18), link=(158, 158, 255)),
}
"""What a reader's client paints before any style: black on white, and white on near-black."""


class RuleIndex:
    """Rules by the tag or class of their last step, so that an element meets only those that might match."""

    def __init__(self, rules: list[Rule]) -> None:
        self._known: dict[tuple[Element | None, Tag], tuple[Rule, ...]] = {}
        self._by_key: dict[str, list[tuple[int, Rule, frozenset[str]]]] = {}
        for order, rule in enumerate(rules):
            last = (rule.steps or ())[-1]
            key = f".{min(last.classes)}" if last.classes else last.tag
            needed = frozenset().union(*(step.classes for step in rule.steps or ()))
            self._by_key.setdefault(key, []).append((order, rule, needed))

    def matching(self, element: Element) -> tuple[Rule, ...]:
        """Return the rules that apply, weakest first. No rule that is read tells like siblings apart."""
        key = element.parent, element.tag
        if (known := self._known.get(key)) is None:
            known = self._known[key] = self._matching(element)
        return known

    def _matching(self, element: Element) -> tuple[Rule, ...]:
        found = [
            (rule.specificity, order, rule)
            for key in ("", element.tag.name, *element.tag.class_keys)
            for order, rule, needed in self._by_key.get(key, ())
            if needed <= element.lineage and _matches(rule.steps or (), element)
        ]
        return tuple(rule for _, _, rule in sorted(found, key=lambda item: item[:2])) if found else ()


def _matches(steps: tuple[Compound, ...], element: Element) -> bool:
    """Tell whether a selector reaches an element: from the last step outwards, all the places each step can stand."""
    reached = [element] if _is(steps[-1], element) else []
    for step, below in zip(steps[-2::-1], steps[:0:-1], strict=True):
        if not reached:
            return False
        above = (each.parent for each in reached) if below.child else _above(reached[0])
        reached = [each for each in above if each is not None and _is(step, each)]
    return bool(reached)


def _is(step: Compound, element: Element) -> bool:
    return (not step.tag or step.tag == element.tag.name) and step.classes <= element.tag.classes


def _above(element: Element) -> Iterator[Element]:
    above = element.parent
    while above is not None:
        yield above
        above = above.parent


@lru_cache(maxsize=8192)
def look_of(above: Look, tag: Tag, rules: tuple[Rule, ...]) -> Look:
    """Return the look inside an element, given the look around it and the rules that match it."""
    values = _cascade(tag, rules)
    is_link = tag.name == "a" and "href" in tag.attributes
    if not values and not is_link and tag.name not in _OWN_LOOK and not _MARKS & tag.attributes.keys():
        return above
    look = replace(above, hidden=above.hidden or hiding(values, tag))
    look = replace(look, link=_link_of(tag) or look.link)
    look = _inked(look, values.get("color") or tag.attributes.get(_INK_ATTRIBUTES.get(tag.name, "")), is_link)
    if "background" in tag.attributes:
        look = replace(look, unread="background: a picture")
    for value in (tag.attributes.get("bgcolor"), values.get("background"), values.get("background-color")):
        look = _grounded(look, value)
    for name in _OVERLAYS:
        if (value := values.get(name, "none")) not in ("none", "normal", "initial"):
            look = replace(look, unread=f"{name}: {value}")
    if "all" in values:
        look = replace(look, unread=f"all: {values['all']}")
    look = _spaced(look, values)
    look = _sized(look, tag.name, values)
    return _faded(look, above.ground, values.get("opacity", "1"))


_MARKS: Final = frozenset({"background", "bgcolor", "color", "hidden", "aria-hidden", "link", "text"})
_INK_ATTRIBUTES: Final = {"body": "text", "font": "color"}
"""Where HTML of old gives the ink."""


_OVERLAYS: Final = ("background-image", "background-blend-mode", "mix-blend-mode")


def _spaced(look: Look, values: dict[str, str]) -> Look:
    shorthand = _IN_SHORTHAND.search(values.get("font", ""))
    value = values.get("line-height") or (shorthand[2] if shorthand else "")
    if value and value != "inherit":
        look = replace(look, tight_lines=f"line-height: {value}" if is_tight("line-height", value) else "")
    for name in ("letter-spacing", "word-spacing"):
        if (value := values.get(name, "")) and value != "inherit":
            look = replace(look, tight_letters=f"{name}: {value}" if is_tight(name, value) else "")
    return look


def _link_of(tag: Tag) -> Rgb | None:
    paint = parse_paint(tag.attributes.get("link", "")) if tag.name == "body" else None
    return paint[0] if paint else None


def _inked(look: Look, value: str | None, is_link: bool) -> Look:
    if value is None:
        return replace(look, ink=look.link, ink_alpha=1.0) if is_link else look
    if value in ("inherit", "currentcolor"):
        return look
    paint = parse_paint(value)
    return replace(look, ink=paint[0], ink_alpha=paint[1]) if paint else replace(look, unread=f"color: {value}")


def _grounded(look: Look, value: str | None) -> Look:
    if not value or value in ("none", "transparent", "inherit"):
        return look
    paint = _painted(value)
    if paint is None:
        return replace(look, unread=f"background: {value}")
    return replace(look, ground=blend(paint[0], look.ground, paint[1]))


def _painted(value: str) -> Rgba | None:
    """Return the one colour of a background, which may be written as a shorthand."""
    if "url(" in value or "gradient(" in value:
        return None
    paints = [paint for word in _BETWEEN.split(value) if (paint := parse_paint(word))]
    return paints[0] if len(paints) == 1 else None


def _sized(look: Look, name: str, values: dict[str, str]) -> Look:
    share, is_bold = _OWN_LOOK.get(name, (1.0, False))
    around = look.size
    look = replace(look, size=around * share, bold=look.bold or is_bold)
    shorthand = values.get("font", "")
    if shorthand and shorthand != "inherit":
        given = _IN_SHORTHAND.search(shorthand)
        measured = _length(given[1], around) if given else None
        if measured is None:
            look = replace(look, unsized=f"font: {shorthand}")
        else:
            look = replace(look, size=measured, bold=bool(_BOLD & set(shorthand.split())))
    if weight := values.get("font-weight"):
        look = replace(look, bold=look.bold if weight == "inherit" else weight in _BOLD)
    if (size := values.get("font-size")) and size != "inherit":
        measured = _length(size, around)
        look = replace(look, unsized=size) if measured is None else replace(look, size=measured)
    return look


def size_of(declaration: Declaration) -> float | None:
    """Return the pixels that a `font` or `font-size` asks for in text of 16 px; None when that can't be told."""
    value = declaration.value
    if value == "inherit":
        return 16.0
    if declaration.name == "font":
        found = _IN_SHORTHAND.search(value)
        value = found[1] if found else ""
    return _length(value, 16.0)


def _length(value: str, around: float) -> float | None:
    """Return a font size in pixels; `around` is the size in the element around."""
    if value in _SIZE_NAMES:
        return _SIZE_NAMES[value]
    found = _LENGTH.fullmatch(value)
    if not found:
        return {"smaller": around / 1.2, "larger": around * 1.2}.get(value)
    if not found[1]:
        return 0.0
    if found[2] in ("em", "%"):
        return float(found[1]) * around / (100 if found[2] == "%" else 1)
    return float(found[1]) * _PX[found[2]]


def _faded(look: Look, behind: Rgb, value: str) -> Look:
    if value == "1":
        return look
    try:
        share = float(value[:-1]) / 100 if value.endswith("%") else float(value)
    except ValueError:
        return replace(look, unread=f"opacity: {value}")
    backdrop = behind if look.fade == 1 else look.backdrop
    return replace(look, fade=look.fade * min(1.0, max(0.0, share)), backdrop=backdrop)


_LONGHANDS: Final = {
    "background": ("background-color", "background-image"),
    "font": ("font-size", "font-weight", "line-height"),
}


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
            for longhand in _LONGHANDS.get(declaration.name, ()):
                values.pop(longhand, None)  # a shorthand sets them anew
            values[declaration.name] = declaration.value
    return {name: value for name, value in values.items() if name in LOOKS or name in HIDES}
