"""Tokens of one folded text: words, numbers and signs with their offsets and their sentence."""

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

Kind = Literal["word", "number", "date", "clock", "sign"]

_TOKEN: Final = re.compile(
    r"(?P<date>(?<![\d.,/])(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{1,2}-\d{1,2}-\d{4}"
    r"|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2})(?![\d/]|[.,]\d))"
    r"|(?P<clock>\d{1,2}:\d{2}(?!\d))"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\d)\.\d+)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)"
    r"|(?P<sign>\S)"
)
"""Each alternative is linear: no repetition holds another that could match the same characters."""


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
    sentence, previous_end, ends, may_end = 0, 0, False, False
    previous = ""
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        glued = start == previous_end and start > 0
        word = match.group()
        if not glued and (ends or (may_end and word[0].isupper()) or "\n" in text[previous_end:start]):
            sentence += 1
        low = word.lower()
        may_end = word == "." and previous in _ENDINGS
        ends = word in _SENTENCE_ENDS and not (
            word == "." and (may_end or previous in _ABBREVIATIONS or (len(previous) == 1 and previous.isalpha()))
        )
        ends = ends or (word in "\"')" and bool(found) and found[-1].low in _SENTENCE_ENDS and glued)
        found.append(Token(word, low, start, end, match.lastgroup, sentence, glued))  # type: ignore[arg-type]
        previous, previous_end = low, end
    return tuple(found)


def low(tokens: Tokens, index: int) -> str:
    """Return the lower-case token at an index, or an empty string outside the text."""
    return tokens[index].low if 0 <= index < len(tokens) else ""
