"""Expressions of the detectors of claims: built of phrases, and looked for in one pass by the words they need."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from tools.policies.pattern import by_line
from tools.policies.regex import compile_regex
from tools.sieve import Sieve


def pattern_of(*alternatives: str, known: bool = True) -> Any:
    """Return one case-blind expression of several; a space in it stands for any white space or a hyphen."""
    spaced = (each.replace(" ?", r"[\s-]*").replace(" ", r"[\s-]+") for each in alternatives)
    return any_of(*spaced, known=known)


def any_of(*patterns: str, known: bool = True) -> Any:
    """Return one case-blind expression that finds any of the patterns.

    One that is not known beforehand, such as of an offer's own words, is looked for by itself.
    """
    pattern = compile_regex("|".join(f"(?:{pattern})" for pattern in patterns), groups=True)
    if known:
        _KNOWN.setdefault(pattern, None)
    return pattern


_KNOWN: Final[dict[Any, None]] = {}
"""The expressions of `tools/claims`, which a text is screened for in one pass."""


class Screen(NamedTuple):
    """What tells which of the known expressions a text may hold."""

    patterns: tuple[Any, ...]
    indexes: frozenset[Any]
    sieve: Sieve


def screen() -> Screen:
    """Return the screen of all expressions known by now."""
    return _screen(len(_KNOWN))


@lru_cache(maxsize=1)
def _screen(count: int) -> Screen:
    known = tuple(_KNOWN)[:count]
    return Screen(known, frozenset(known), Sieve([pattern.pattern for pattern in known]))


@lru_cache(maxsize=1024)
def line_wise(pattern: Any) -> Any:
    """Return the expression that takes each line of a text for a text of its own; it has no groups."""
    return compile_regex(by_line(pattern.pattern))
