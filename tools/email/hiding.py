"""Declarations that hide text, or move it out of sight. What can't be judged counts as hiding."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from tools.email.elements import Tag

_LENGTH: Final = re.compile(r"([+-]?\d*\.?\d+)([a-z]*|%)")
_PX: Final = {
    "": 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "em": 16.0,
    "rem": 16.0,
    "ex": 8.0,
    "ch": 8.0,
    "%": 6.4,
    "vw": 6.4,
    "vh": 6.4,
}
"""Pixels of a unit, a sheet of 640 px and text of 16 px assumed; another unit can't be judged."""
_SILENT: Final = frozenset({"auto", "inherit", "initial", "unset", "normal", "none", "fit-content", "max-content"})
_LEAST_BOX: Final = 6.0
"""Pixels; a smaller box shows no text."""
_LEAST_PULL: Final = -16.0
"""Pixels; a box pulled further may lie over text."""
_FARTHEST: Final = 600.0
_FARTHEST_INDENT: Final = 100.0
"""Pixels; text moved further may be out of sight."""
_TIGHTEST: Final = {"line-height": 6.0, "letter-spacing": -1.0, "word-spacing": -4.0}
"""Pixels; closer lines, letters or words lie over one another."""
_FAINTEST: Final = 0.5
_DISPLAYS: Final = frozenset(
    {
        *("block", "inline", "inline-block", "table", "inline-table", "table-row", "table-cell", "table-row-group"),
        *("table-header-group", "table-footer-group", "table-caption", "list-item", "flex", "inline-flex", "grid"),
        *("inherit", "initial", "unset"),
    }
)


def pixels(value: str) -> float | None:
    """Return a length in pixels, about; None for what is no plain length."""
    found = _LENGTH.fullmatch(value)
    share = _PX.get(found[2]) if found else None
    return float(found[1]) * share if found and share is not None else None


def _outside(least: float, most: float) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        for word in value.split():
            if word not in _SILENT and ((length := pixels(word)) is None or not least <= length <= most):
                return True
        return False

    return test


def _only(*allowed: str) -> Callable[[str], bool]:
    return lambda value: value not in allowed


_boxed, _moved = _outside(_LEAST_BOX, float("inf")), _outside(_LEAST_PULL, _FARTHEST)
_still = _only("none", "normal", "initial", "unset", "1", "100%")
_TESTS: Final[dict[str, Callable[[str], bool]]] = {
    "display": lambda value: value not in _DISPLAYS,
    "visibility": _only("visible"),
    "mso-hide": lambda value: True,
    "position": _only("static", "relative"),
    "text-indent": _outside(0, _FARTHEST_INDENT),
    "z-index": lambda value: value.startswith("-"),
    "pointer-events": _only("auto", "all", "initial"),
    "unicode-bidi": _only("normal", "embed", "isolate", "initial"),
    "content-visibility": _only("visible", "auto"),
    **dict.fromkeys(("background-clip", "-webkit-background-clip"), lambda value: "text" in value),
    **dict.fromkeys(("height", "max-height", "width", "max-width"), _boxed),
    **dict.fromkeys(("margin", "margin-left", "margin-top", "margin-right", "margin-bottom"), _moved),
    **dict.fromkeys(("padding", "padding-left", "padding-top", "left", "top", "right", "bottom", "inset"), _moved),
    **dict.fromkeys(("clip", "clip-path", "transform", "filter", "mask", "mask-image", "animation", "zoom"), _still),
    **dict.fromkeys(("scale", "translate", "rotate", "offset", "offset-path", "animation-name", "line-clamp"), _still),
    **dict.fromkeys(("-webkit-mask", "-webkit-mask-image", "-webkit-clip-path", "-webkit-transform"), _still),
    **dict.fromkeys(("-ms-transform", "-webkit-filter", "-webkit-text-security", "-webkit-line-clamp"), _still),
    **dict.fromkeys(("-webkit-animation", "-webkit-animation-name", "text-shadow", "content"), _only("none")),
    "-webkit-text-fill-color": _only("currentcolor", "inherit"),
}
"""By property: whether a value hides what is inside, or may."""


def hiding(values: Mapping[str, str], tag: Tag) -> str:
    """Return the declaration that hides or may hide what is inside, or nothing."""
    if "hidden" in tag.attributes or tag.attributes.get("aria-hidden", "").lower() == "true":
        return "hidden"
    for name, value in values.items():
        if (test := _TESTS.get(name)) and test(value):
            return f"{name}: {value}"
    return ""


def is_tight(name: str, value: str) -> bool:
    """Tell whether lines, letters or words lie so close that nobody can read them. A bare line height is a share."""
    if value in _SILENT:
        return False
    length = pixels(f"{value}em" if name == "line-height" and value.strip("0123456789.") == "" else value)
    if length is not None and name == "line-height" and value.endswith("%"):
        length *= 2.5  # of the text, not of the sheet
    return length is None or length < _TIGHTEST[name]


def is_hiding(name: str, value: str) -> bool:
    """Tell whether a declaration hides text by itself, wherever its rule holds."""
    if name in _TIGHTEST:
        return is_tight(name, value)
    if name == "opacity":
        share = pixels(value) if not value.endswith("%") else (pixels(value[:-1]) or 0) / 100
        return share is None or share < _FAINTEST
    return name in _TESTS and _TESTS[name](value)
