"""The brand's look, read from theme.toml and refused when it can't be read by everyone."""

import tomllib
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from tools.email.colour import contrast, parse_colour
from tools.errors import TemplateFault

LEAST_CONTRAST: Final = 4.5
"""Text against its ground in both schemes (WCAG 2.1 AA, 1.4.3)."""

_PAIRS = (
    ("ink", "sheet"),
    ("ink", "panel"),
    ("ink_soft", "sheet"),
    ("ink_soft", "panel"),
    ("ink_soft", "page"),
    ("accent", "sheet"),
    ("accent", "panel"),
    ("link", "page"),
    ("band_ink", "band"),
    ("band_accent", "band"),
    ("button_ink", "button"),
)

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
Family = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ,'-]{1,200}$")]


class Palette(BaseModel):
    """The colours of one scheme."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: Colour
    sheet: Colour
    band: Colour
    band_ink: Colour
    band_accent: Colour
    ink: Colour
    ink_soft: Colour
    panel: Colour
    rule: Colour
    accent: Colour
    link: Colour
    button: Colour
    button_ink: Colour


class Fonts(BaseModel):
    """Font stacks. Nothing is loaded from the network, so only families the reader has will show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Family
    display: Family


class Sizes(BaseModel):
    """Lengths in CSS pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: int = Field(ge=14, le=20)
    fine: int = Field(ge=12, le=16)
    headline: int = Field(ge=24, le=44)
    figure: int = Field(ge=36, le=80)
    radius: int = Field(ge=0, le=32)


class Cards(BaseModel):
    """The colour of each card's small picture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    basic: Colour
    gold: Colour
    platinum: Colour


class Theme(BaseModel):
    """One look in two schemes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fonts: Fonts
    sizes: Sizes
    cards: Cards
    light: Palette
    dark: Palette


def read_theme(path: Path) -> Theme:
    """Return the theme of the file; TemplateFault names the entry that is missing, malformed or too faint."""
    try:
        theme = Theme.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise TemplateFault(f"{path.name}: {error}") from error
    for scheme, palette in (("light", theme.light), ("dark", theme.dark)):
        for ink, ground in _PAIRS:
            ratio = _contrast(getattr(palette, ink), getattr(palette, ground))
            if ratio < LEAST_CONTRAST:
                raise TemplateFault(
                    f"{path.name}: [{scheme}] {ink} on {ground} has a contrast of {ratio:.2f}, under {LEAST_CONTRAST}"
                )
    return theme


def _contrast(ink: str, ground: str) -> float:
    first, second = parse_colour(ink), parse_colour(ground)
    return contrast(first, second) if first and second else 1.0
