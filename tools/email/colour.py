"""Colours as CSS writes them, how they lie over one another, and the contrast between two of them."""

import colorsys
import re
from functools import lru_cache
from typing import Final

Rgb = tuple[int, int, int]
Rgba = tuple[Rgb, float]
"""A colour and its opacity, 0 to 1."""

_HEX = re.compile(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.ASCII | re.IGNORECASE)
_FUNCTION = re.compile(r"(rgb|hsl)a?\(\s*([^()]*?)\s*\)", re.ASCII | re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*[,/]\s*|\s+")
_NAMED: Final[dict[str, Rgb]] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "silver": (192, 192, 192),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "red": (255, 0, 0),
    "maroon": (128, 0, 0),
    "yellow": (255, 255, 0),
    "olive": (128, 128, 0),
    "lime": (0, 255, 0),
    "green": (0, 128, 0),
    "aqua": (0, 255, 255),
    "cyan": (0, 255, 255),
    "teal": (0, 128, 128),
    "blue": (0, 0, 255),
    "navy": (0, 0, 128),
    "fuchsia": (255, 0, 255),
    "magenta": (255, 0, 255),
    "purple": (128, 0, 128),
    "orange": (255, 165, 0),
    "darkgray": (169, 169, 169),
    "darkgrey": (169, 169, 169),
    "dimgray": (105, 105, 105),
    "dimgrey": (105, 105, 105),
    "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211),
    "gainsboro": (220, 220, 220),
    "whitesmoke": (245, 245, 245),
    "darkblue": (0, 0, 139),
    "midnightblue": (25, 25, 112),
    "royalblue": (65, 105, 225),
    "steelblue": (70, 130, 180),
    "darkgreen": (0, 100, 0),
    "darkred": (139, 0, 0),
    "crimson": (220, 20, 60),
    "gold": (255, 215, 0),
}
"""The basic names of CSS and those that mail uses; another name is one nobody judged."""


def parse_colour(value: str) -> Rgb | None:
    """Return an opaque colour: `#rgb`, `#rrggbb`, `rgb()`, `hsl()` or a common name; None for anything else."""
    found = parse_paint(value)
    return found[0] if found and found[1] == 1.0 else None


@lru_cache(maxsize=512)
def parse_paint(value: str) -> Rgba | None:
    """Return a colour with its opacity, in any of the forms of `parse_colour`; None for anything else."""
    text = value.strip().lower()
    if text in _NAMED:
        return _NAMED[text], 1.0
    if text == "transparent":
        return (0, 0, 0), 0.0
    if found := _HEX.fullmatch(text):
        digits = found[1] if len(found[1]) > 4 else "".join(digit * 2 for digit in found[1])
        channels = [int(digits[at : at + 2], 16) for at in range(0, len(digits), 2)]
        return (channels[0], channels[1], channels[2]), channels[3] / 255 if len(channels) == 4 else 1.0
    return _function(found[1], found[2]) if (found := _FUNCTION.fullmatch(text)) else None


def _function(name: str, arguments: str) -> Rgba | None:
    words = [word for word in _SEPARATOR.split(arguments) if word]
    if len(words) not in (3, 4):
        return None
    try:
        alpha = _share(words[3], 1.0) if len(words) == 4 else 1.0
        if name == "hsl":
            hue = float(words[0].removesuffix("deg")) / 360
            red, green, blue = colorsys.hls_to_rgb(hue % 1, _share(words[2], 100.0), _share(words[1], 100.0))
        else:
            red, green, blue = (_share(word, 255.0) for word in words[:3])
    except ValueError:
        return None
    channels = (round(red * 255), round(green * 255), round(blue * 255))
    return (channels, alpha) if all(0 <= each <= 255 for each in channels) and 0 <= alpha <= 1 else None


def _share(word: str, whole: float) -> float:
    return float(word[:-1]) / 100 if word.endswith("%") else float(word) / whole


@lru_cache(maxsize=4096)
def blend(above: Rgb, below: Rgb, alpha: float) -> Rgb:
    """Return what is seen of a colour of that opacity over another."""
    if alpha >= 1:
        return above
    red, green, blue = (round(top * alpha + under * (1 - alpha)) for top, under in zip(above, below, strict=True))
    return red, green, blue


@lru_cache(maxsize=4096)
def contrast(ink: Rgb, ground: Rgb) -> float:
    """Return the contrast ratio, 1 to 21 (WCAG 2.1, 1.4.3)."""
    lighter, darker = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
