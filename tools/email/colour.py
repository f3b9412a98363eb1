"""Colours as CSS writes them, and the contrast between two of them."""

import re
from functools import lru_cache

Rgb = tuple[int, int, int]

_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.ASCII | re.IGNORECASE)
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.ASCII | re.IGNORECASE)
_NAMED = {"white": (255, 255, 255), "black": (0, 0, 0)}


@lru_cache(maxsize=512)
def parse_colour(value: str) -> Rgb | None:
    """Return the colour of `#rgb`, `#rrggbb`, `rgb(r, g, b)`, white or black; None for anything else."""
    text = value.strip().lower()
    if text in _NAMED:
        return _NAMED[text]
    if found := _HEX.fullmatch(text):
        digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if (found := _RGB.fullmatch(text)) and all(int(part) <= 255 for part in found.groups()):
        return int(found[1]), int(found[2]), int(found[3])
    return None


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
