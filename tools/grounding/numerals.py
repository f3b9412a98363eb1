"""Numbers as people write them: 1,500; 1.5K; twelve thousand; a hundred and fifty; two and a half; a dozen."""

import unicodedata
from decimal import Decimal
from typing import Final

from tools.grounding.tokens import Tokens, listed, low

_ONES: Final = {
    word: value
    for value, word in enumerate(
        listed(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        )
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(listed("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
} | {"fourty": 40}
_SCALES: Final = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "grand": 1_000}
_SHORT: Final = {"k": 1_000, "m": 1_000_000, "mm": 1_000_000, "b": 1_000_000_000, "bn": 1_000_000_000}
_LOOSE: Final = {"dozens": 12, "hundreds": 100, "thousands": 1_000, "millions": 1_000_000, "billions": 1_000_000_000}
_BIG: Final = frozenset({"hundred", "dozen", *_SCALES})
_FRACTIONS: Final = {
    **{"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5},
    **{"sixth": 6, "eighth": 8, "tenth": 10, "tenths": 10, "twentieth": 20},
}
_SHARED: Final = frozenset({"off", "of", "more", "less", "back", "cheaper", "savings", ",", ".", "!", ""})
"""What follows "a third" when it is a share; "a third visit" and "third-party" are none."""
_BEHIND_GRAND: Final = frozenset(
    {"", ".", ",", "!", "?", ";", ")", "in", "of", "on", "or", "back", "off", "and", "at", "per"}
)
"""What follows "a grand" when it is a sum of money; "a grand opening" is none."""
_MOST_DIGITS: Final = 20

UNREADABLE: Final = Decimal(-1)
"""Value of a number that can't be one of an offer: it keeps its place in the text and matches nothing."""

NUMBER_WORDS: Final = frozenset({*_ONES, *_TENS, *_LOOSE, *(_BIG - {"grand"})})


def number_at(tokens: Tokens, index: int) -> tuple[Decimal, int] | None:
    """Return the number that starts at a token and the index after it, or None when none starts there."""
    token = tokens[index]
    if token.kind == "number":
        return _digits(tokens, index)
    if token.low in _LOOSE:
        return Decimal(_LOOSE[token.low]), index + 1
    if token.low == "a" and low(tokens, index + 1) == "grand" and low(tokens, index + 2) in _BEHIND_GRAND:
        return Decimal(1_000), index + 2
    if token.low in ("a", "an") and low(tokens, index + 1) in _BIG - {"grand"}:
        return _words(tokens, index + 1)
    if token.low == "half" and low(tokens, index + 1) == "a" and low(tokens, index + 2) in _BIG:
        value, after = _words(tokens, index + 2)
        return value / 2, after
    if token.low in NUMBER_WORDS:
        return _words(tokens, index)
    if token.kind == "sign" and token.text.isnumeric():
        return Decimal(str(unicodedata.numeric(token.text))), index + 1
    return None


def fraction_at(tokens: Tokens, index: int) -> tuple[Decimal, int] | None:
    """Return a share in percent: half, a third, two-thirds, three quarters, 1/2; or None."""
    token = tokens[index]
    if token.kind == "date" and token.text.count("/") == 1:
        above, below = (int(part) for part in token.text.split("/"))
        return (Decimal(above * 100) / below, index + 1) if below else None
    if token.low == "half" and low(tokens, index + 1) == "a" and low(tokens, index + 2) in _BIG:
        return None
    at, above = index, 1
    if token.low in _ONES:
        at, above = index + 1, _ONES[token.low]
        at += low(tokens, at) == "-"
    elif token.low == "a":
        at = index + 1
    below = _FRACTIONS.get(low(tokens, at), 0)
    if not below or (below > 2 and (at == index or low(tokens, at + 1) not in _SHARED)):
        return None
    return Decimal(above * 100) / below, at + 1


def _digits(tokens: Tokens, index: int) -> tuple[Decimal, int]:
    text = tokens[index].text.replace(",", "")
    value = Decimal(text) if len(text) <= _MOST_DIGITS else UNREADABLE
    index += 1
    short = tokens[index] if index < len(tokens) else None
    if short and short.glued and short.low in _SHORT:
        return value * _SHORT[short.low], index + 1
    if (word := low(tokens, index)) in _BIG:
        value *= _SCALES.get(word, 12 if word == "dozen" else 100)
        index += 1
    return _and_a_half(tokens, value, index)


def _words(tokens: Tokens, index: int) -> tuple[Decimal, int]:
    total, current, last = 0, 0, ""
    while index < len(tokens):
        word = tokens[index].low
        if word in _ONES and (not last or last == "big" or (last == "tens" and 0 < _ONES[word] < 10)):
            current, last = current + _ONES[word], "ones"
        elif word in _TENS and (not last or last == "big"):
            current, last = current + _TENS[word], "tens"
        elif word in ("hundred", "dozen") and current < 100:
            current, last = max(current, 1) * (12 if word == "dozen" else 100), "big"
        elif word in _SCALES and (current or not total) and total < _SCALES[word] * 1_000:
            total, current, last = total + max(current, 1) * _SCALES[word], 0, "big"
        elif (word == "and" and last == "big" and low(tokens, index + 1) in _ONES.keys() | _TENS.keys()) or (
            word == "-" and last == "tens" and 0 < _ONES.get(low(tokens, index + 1), 0) < 10
        ):
            pass
        else:
            break
        index += 1
    return _and_a_half(tokens, Decimal(total + current), index)


def _and_a_half(tokens: Tokens, value: Decimal, index: int) -> tuple[Decimal, int]:
    if [low(tokens, index + step) for step in range(3)] == ["and", "a", "half"]:
        scale = _SCALES.get(low(tokens, index + 3), 0)
        return (value + Decimal("0.5")) * (scale or 1), index + 3 + bool(scale)
    return value, index
