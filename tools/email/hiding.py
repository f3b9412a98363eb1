"""Declarations that hide text, or move it out of sight."""

import re
from collections.abc import Mapping
from typing import Final

from tools.email.elements import Tag

_TINY: Final = re.compile(r"[0-5](?:\.\d+)?px|0(?:%|em)?")
"""Sizes of a box that shows no text."""
_FAR: Final = re.compile(r"-\d{3,}px|-\d{2,}(?:r?em|%)|\d{4,}px")
"""Distances that move text out of sight."""


def hiding(values: Mapping[str, str], tag: Tag) -> str:
    """Return the declaration that hides or may hide what is inside, or nothing."""
    if "hidden" in tag.attributes or tag.attributes.get("aria-hidden") == "true":
        return "hidden"
    for name, value in values.items():
        if (
            (name == "display" and value == "none")
            or (name == "visibility" and value != "visible")
            or (name == "mso-hide")
            or (name in ("height", "max-height", "width", "max-width") and _TINY.fullmatch(value))
            or (name == "position" and value not in ("static", "relative"))
            or (name in ("left", "top", "right", "bottom", "text-indent") and value.startswith("-"))
            or (name.startswith(("margin", "text-indent")) and is_far(value))
            or (name in ("clip", "clip-path", "transform", "filter", "mask", "animation", "zoom"))
            or (name in ("-webkit-text-fill-color", "text-shadow", "content"))
        ):
            return f"{name}: {value}"
    return ""


def is_far(value: str) -> bool:
    """Tell whether a margin or an indent moves text out of sight."""
    return bool(_FAR.search(value))


def is_hiding(name: str, value: str) -> bool:
    """Tell whether a declaration hides text by itself, wherever its rule holds."""
    if name in ("display", "visibility"):
        return value in ("none", "hidden", "collapse")
    if name in ("width", "max-width", "height", "max-height", "opacity"):
        return value.startswith("0")
    if name.startswith(("margin", "text-indent")):
        return is_far(value) or (name == "text-indent" and value.startswith("-"))
    return name not in ("overflow", "float", "position") or value in ("absolute", "fixed")
