"""Tokens of one folded text: words, numbers and signs with their offsets and their sentence."""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final, Literal, NamedTuple

Kind = Literal["word", "number", "date", "clock", "sign"]

_NUMERIC: Final = (
    r"(?<![\d.,/])(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{1,2}-\d{1,2}-\d{4}"
    r"|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2})(?![\d/]|[.,]\d)"  # a date
    r"|\d{1,2}:\d{2}(?!\d)"  # a time of day
    r"|\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\d)\.\d+"
)
_PIECE: Final = re.compile(rf"(\s*)([^\W\d_]+(?:'[^\W\d_]+)*|{_NUMERIC}|\S)")
_ASCII: Final = re.compile(rf"([\s\x1c-\x1f]*)([A-Za-z]+(?:'[A-Za-z]+)*|{_NUMERIC}|\S)", re.ASCII)
"""Space, and what it stands before. Each alternative is linear: no repetition holds another that could match the same
characters, and the text ends in no space, so that space is always followed by something."""


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a list written as text, as the tables of this package are."""
    return tuple(text.split())


_ABBREVIATIONS: Final = frozenset(
    listed(
        "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun "
        "vs no st mr mrs ms dr approx min max"
    )
)
_ENDINGS: Final = frozenset(listed("inc co ltd corp etc"))
"""Abbreviations that close a name or a list: behind them a capital opens a new sentence, and nothing else does."""
_SENTENCE_ENDS: Final = frozenset(".!?;")


class Token(NamedTuple):
    """One token. `start`/`end` are offsets in the folded text; `glued` means no space stands before it."""

    text: str
    low: str
    start: int
    end: int
    kind: Kind
    sentence: int
    glued: bool


Tokens = tuple[Token, ...]


@lru_cache(maxsize=512)
def tokens_of(text: str) -> Tokens:
    """Return the tokens of a folded text. A sentence ends at . ! ? ; before a space, and at a line's end."""
    found: list[Token] = []
    sentence, end, ends, may_end, previous = 0, 0, False, False, ""
    for gap, word in (_ASCII if text.isascii() else _PIECE).findall(text.rstrip()):
        start = end + len(gap)
        glued = not gap and end > 0
        if not glued and (ends or "\n" in gap or (may_end and word[0].isupper())):
            sentence += 1
        end = start + len(word)
        low = word.lower()
        kind: Kind = "word"
        if word.isalpha() or (len(word) > 1 and not (word[0].isdecimal() or word[0] == ".")):
            ends = may_end = False
        elif word in _SENTENCE_ENDS:
            kind = "sign"
            may_end = word == "." and previous in _ENDINGS
            ends = word != "." or not (
                may_end
                or (previous in _ABBREVIATIONS and found[-1].text != "APR")  # a rate ends a sentence, April doesn't
                or (len(previous) == 1 and previous.isalpha())
            )
        else:
            kind = "sign" if len(word) == 1 and not word.isdecimal() else _numeric_kind(word)
            ends = glued and word in "\"')" and bool(found) and found[-1].low in _SENTENCE_ENDS
            may_end = False
        # Plain tuples with a name: building them by keyword costs more than all the rest of this loop.
        found.append(_TOKEN((word, low, start, end, kind, sentence, glued)))
        previous = low
    return tuple(found)


_TOKEN: Final[Callable[[tuple[str, str, int, int, Kind, int, bool]], Token]] = partial(tuple.__new__, Token)


def _numeric_kind(word: str) -> Kind:
    if ":" in word:
        return "clock"
    return "date" if "/" in word or "-" in word or word.count(".") == 2 else "number"


def beside(tokens: Tokens, index: int, other: int) -> str:
    """Return the lower-case token at an index, or an empty string where it is no token of the other's sentence."""
    return tokens[index].low if 0 <= index < len(tokens) and tokens[index].sentence == tokens[other].sentence else ""


def low(tokens: Tokens, index: int) -> str:
    """Return the lower-case token at an index, or an empty string outside the text."""
    return tokens[index].low if 0 <= index < len(tokens) else ""
