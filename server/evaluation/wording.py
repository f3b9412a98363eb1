"""How figures are written in verdicts, tables and reports."""

from typing import Final

MINUS: Final = "−"


def share(value: float) -> str:
    """Return a share of 1 in per cent: 87.5 %."""
    return f"{100 * value:.1f} %"


def points(value: float, *, unit: bool = True, signed: bool = True) -> str:
    """Return a difference of shares in percentage points: +4.0 points."""
    said = number(100 * value, places=1, signed=signed)
    return f"{said} points" if unit else said


def number(value: float, *, places: int, signed: bool = False) -> str:
    """Return a number with thousands apart, and a real minus."""
    rounded = round(value, places) + 0.0
    return f"{rounded:{'+' if signed and rounded else ''},.{places}f}".replace("-", MINUS)


def p_value(value: float) -> str:
    """Return a p-value as one writes it: p = 0.012, p < 0.001."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: 1 case, 2,000 cases."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
