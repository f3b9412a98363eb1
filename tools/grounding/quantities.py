"""Every number of a text as a typed quantity: no numeric token is skipped, an untyped one is a count."""

from collections.abc import Container
from decimal import Decimal
from typing import Final

from tools.grounding.measures import (
    ADJECTIVES,
    BETWEEN,
    COUNTABLE,
    COUNTED,
    DOLLAR,
    EXTRA,
    FACTORS,
    LEADING,
    NOT_A_SHARE,
    NOT_MULTIPLIED,
    ORDINALS,
    PER,
    PREFIXES,
    QUALIFYING,
    RATE_LINKS,
    RATE_WORDS,
    SPANS,
    SUFFIXES,
    TIMES_OF,
    TWICE,
    Quantity,
    Unit,
)
from tools.grounding.numerals import NUMBER_WORDS, UNREADABLE, fraction_at, number_at
from tools.grounding.tokens import Tokens, low

_MOST_POINTS_PER_DOLLAR: Final = 100
_SHARP: Final = ("tv", "tvs", "ultra", "uhd", "video", "display", "displays", "monitor", "monitors", "hdr", "streaming")
_IDIOMS: Final = (
    *(("24/7",), ("24", "/", "7"), ("b", "2", "b"), ("for", "two")),
    *((count, "k", thing) for count in ("4", "8") for thing in _SHARP),
)
_MOST_MINUTES: Final = 59


def quantities_of(tokens: Tokens, taken: Container[int]) -> list[Quantity]:
    """Return the quantities in reading order; tokens in `taken` (dates, names) are left out."""
    found: list[Quantity] = []
    behind = 0
    for index in _starts(tokens):
        if index < behind or index in taken:
            continue
        if tokens[index].low in _IDIOM_STARTS and (skipped := _idiom(tokens, index)):
            behind = index + skipped
            continue
        quantity = _quantity_at(tokens, index)
        if quantity is not None:
            found.append(quantity)
            behind = quantity.last
    return _with_rates(tokens, _with_ranges(tokens, found))


_IDIOMS_FROM: Final = {first: tuple(idiom for idiom in _IDIOMS if idiom[0] == first) for first, *_ in _IDIOMS}
_IDIOM_STARTS: Final = frozenset(_IDIOMS_FROM)
_STARTS: Final = frozenset({*NUMBER_WORDS, *FACTORS, *_IDIOM_STARTS, *PREFIXES, "a", "an", "half", "usd", "us"})


def _starts(tokens: Tokens) -> list[int]:
    """Return where a quantity may start: at a number, a sign of one, or a word of the tables."""
    return [
        at
        for at, token in enumerate(tokens)
        if token[1] in _STARTS or token[4] in _DIGITS or (token[4] == "sign" and token[0].isnumeric())
    ]


_DIGITS: Final = ("number", "date", "clock")


def _idiom(tokens: Tokens, index: int) -> int:
    """Return the length of a phrase whose number counts nothing, or 0."""
    for idiom in _IDIOMS_FROM[tokens[index].low]:
        after = low(tokens, index + len(idiom))
        if all(low(tokens, index + step) == word for step, word in enumerate(idiom)) and after not in COUNTABLE:
            return len(idiom)
    return 0


def _quantity_at(tokens: Tokens, index: int) -> Quantity | None:
    token = tokens[index]
    if token.kind == "clock" or (token.kind == "number" and _half_of_day(tokens, index + 1)):
        return _clock(tokens, index)
    at = index + (token.low == "us" and low(tokens, index + 1) == "$")
    prefix = PREFIXES.get(low(tokens, at))
    if token.low in FACTORS and low(tokens, index + 1 + (low(tokens, index + 1) == "-")) not in NOT_MULTIPLIED:
        return _factor(tokens, index)
    share = fraction_at(tokens, index)
    if share is not None and not (token.low == "half" and _is_span(tokens, index)):
        return _make(tokens, share[0], "percent", index, share[1])
    if token.low in ("a", "an") and _is_lasting(tokens, index):
        unit, scale = SUFFIXES[low(tokens, index + 1)]
        return _make(tokens, scale, unit, index, index + 2)
    number = number_at(tokens, at + 1 if prefix else at) if at + bool(prefix) < len(tokens) else None
    if number is None:
        if token.kind in ("date", "number"):
            return _make(tokens, UNREADABLE, "count", index, index + 1)
        return None
    value, after = number
    if prefix:
        if low(tokens, after) in ("usd", "dollars"):
            after += 1
        return _make(tokens, value, prefix, index, after)
    return _typed(tokens, value, index, after)


def _is_lasting(tokens: Tokens, index: int) -> bool:
    """Tell "lasts a month" and "good for a year", which state how long, from "once a month"."""
    if low(tokens, index + 1) not in ("day", "week", "month", "year"):
        return False
    before = low(tokens, index - 1)
    return before in ("lasts", "within") or (before == "for" and low(tokens, index - 2) in _LASTS)


_LASTS: Final = frozenset({"valid", "good", "runs", "run", "open", "available", "lasts", "live", "on"})


def _typed(tokens: Tokens, value: Decimal, index: int, after: int) -> Quantity:
    if low(tokens, after - 1) == "grand":
        return _make(tokens, value, "money", index, after)
    following = low(tokens, after)
    glued = after < len(tokens) and tokens[after].glued
    if following in ORDINALS and glued:
        return _make(tokens, value, "count", index, after + 1, noun=low(tokens, after + 1))
    if following == "x" and (glued or tokens[after].text == "X") and not _is_amount(tokens, after + 1):
        return _multiplier(tokens, value, index, after + 1)
    if following == "times" and low(tokens, after + 1) in TIMES_OF:
        return _multiplier(tokens, value, index, after + 1)
    at = after + (following == "-")
    skipped: set[str] = set()
    while low(tokens, at) in ADJECTIVES and len(skipped) < 3:
        skipped.add(low(tokens, at))
        at += 1
    if low(tokens, at) == "per" and low(tokens, at + 1) == "cent":
        return _make(tokens, value, "percent", index, at + 2)
    unit, scale = SUFFIXES.get(low(tokens, at), (None, Decimal(1)))
    if unit is None or (unit == "hours" and at > after and following != "-"):
        if (rate := _rate_end(tokens, after)) is not None:
            return _rate(tokens, value, index, rate)
        noun, end = _noun(tokens, after)
        count = _make(tokens, value, "count", index, after, noun=noun, extra=low(tokens, after) in EXTRA)
        return count._replace(end=end or tokens[after - 1].end)
    if unit == "points" and (rate := _rate_end(tokens, at + 1)) is not None:
        return _rate(tokens, value, index, rate)._replace(extra=bool(skipped & EXTRA))
    if unit == "multiplier":
        return _multiplier(tokens, value, index, at + 1)
    if unit == "money" and value * scale < 1 and (rate := _rate_end(tokens, at + 1 + (low(tokens, at + 1) == "back"))):
        return _make(tokens, value * scale * 100 / (rate[1] or 1), "percent", index, rate[0])
    return _make(tokens, value * scale, unit, index, at + 1, extra=bool(skipped & EXTRA))


def _make(
    tokens: Tokens, value: Decimal, unit: Unit, first: int, last: int, *, noun: str = "", extra: bool = False
) -> Quantity:
    start, end = tokens[first].start, tokens[last - 1].end
    return Quantity(value, unit, start, end, first, last, noun=noun, extra=extra)


def _multiplier(tokens: Tokens, value: Decimal, index: int, after: int) -> Quantity:
    tail = _rate_end(tokens, after + (low(tokens, after) in ("points", "point")))
    return _make(tokens, value, "multiplier", index, after if tail is None else tail[0])


def _rate(tokens: Tokens, value: Decimal, index: int, rate: tuple[int, Decimal]) -> Quantity:
    after, per = rate
    return _make(tokens, value / per if per else UNREADABLE, "multiplier", index, after)


def _rate_end(tokens: Tokens, index: int) -> tuple[int, Decimal] | None:
    """Return the end and the dollars of "per dollar", "for every $1", "a dollar", "on the dollar" at an index."""
    at = index + (low(tokens, index) in RATE_LINKS)
    if low(tokens, at) not in RATE_WORDS and not (low(tokens, at) == "the" and at > index):
        return None
    at += 1
    at += low(tokens, at) in QUALIFYING
    if low(tokens, at) in DOLLAR:
        return at + 1, Decimal(1)
    if low(tokens, at) == "$":
        number = number_at(tokens, at + 1) if at + 1 < len(tokens) else None
        return (number[1], number[0]) if number else (at + 1, Decimal(1))
    return None


def _factor(tokens: Tokens, index: int) -> Quantity:
    word = tokens[index].low
    counted = word in TWICE and low(tokens, index + 1) not in TIMES_OF
    unit: Unit = "count" if counted else "multiplier"
    quantity = _make(tokens, Decimal(FACTORS[word]), unit, index, index + 1, noun="times" if counted else "")
    return quantity._replace(factor=not counted)


def _is_span(tokens: Tokens, index: int) -> bool:
    """Tell "half an hour", "the first half", "half-day" from a share of a price."""
    following = [low(tokens, index + step) for step in (1, 2)]
    return low(tokens, index - 1) in NOT_A_SHARE or bool(SPANS.intersection(following))


def _is_amount(tokens: Tokens, index: int) -> bool:
    return low(tokens, index) == "$" or (index < len(tokens) and tokens[index].kind == "number")


def _noun(tokens: Tokens, after: int) -> tuple[str, int]:
    """Return what a bare number counts, one of the three words that follow it directly, and where it ends."""
    at = after + (low(tokens, after) == "-")
    each = False
    for step in range(3):
        word = low(tokens, at + step)
        if word in COUNTED:
            return "" if each else word, tokens[at + step].end
        if at + step >= len(tokens) or tokens[at + step].kind != "word":
            break
        each |= word in RATE_WORDS  # "two per card" counts no cards
    return "", 0


def _half_of_day(tokens: Tokens, index: int) -> str:
    word = low(tokens, index)
    if word in ("am", "pm"):
        return word
    dotted = [low(tokens, index + step) for step in range(3)]
    return f"{dotted[0]}m" if dotted[0] in ("a", "p") and dotted[1:] == [".", "m"] else ""


def _clock(tokens: Tokens, index: int) -> Quantity:
    hours, _, minutes = tokens[index].text.partition(":")
    half = _half_of_day(tokens, index + 1)
    after = index + 1 + (0 if not half else 1 if low(tokens, index + 1) == half else 3)
    if not hours.isdecimal() or int(minutes or 0) > _MOST_MINUTES or len(hours) > 2:
        return _make(tokens, UNREADABLE, "clock", index, after)
    hour = int(hours) % 12 + 12 * (half == "pm") if half else int(hours)
    return _make(tokens, Decimal(60 * hour + int(minutes or 0)), "clock", index, after)


def _with_ranges(tokens: Tokens, found: list[Quantity]) -> list[Quantity]:
    """Give the ends of "6-8 weeks", "$25 to 50", "2X-4X" one unit, and say which end each is."""
    for at in range(len(found) - 1):
        one, two = found[at], found[at + 1]
        if two.first - one.last != 1 or (link := low(tokens, one.last)) not in BETWEEN:
            continue
        if one.unit == "points" and two.unit == "multiplier":
            one = one._replace(unit="multiplier")
        elif one.unit == "count" and two.unit not in ("count", "clock") and not one.noun:
            scale = SUFFIXES.get(low(tokens, two.last - 1), ("count", Decimal(1)))[1]
            one = one._replace(unit=two.unit, value=one.value * scale)
        elif two.unit == "count" and not two.noun and one.unit in LEADING and link in ("-", "to"):
            two = two._replace(unit=one.unit)
        if one.unit == two.unit and link in ("-", "to", "and") and one.unit != "count":
            one, two = one._replace(edge="low"), two._replace(edge="high")
        found[at], found[at + 1] = one, two
    return found


def _with_rates(tokens: Tokens, found: list[Quantity]) -> list[Quantity]:
    """Read "for every dollar you spend, earn 3 points" as a rate; its "$1" promises nothing by itself."""
    opened: dict[int, int] = {}
    for at, quantity in enumerate(found):
        if quantity.unit == "money" and quantity.value == 1 and low(tokens, quantity.first - 1) in PER:
            opened.setdefault(tokens[quantity.first].sentence, quantity.first)
            found[at] = quantity._replace(rate_base=True)
    in_rates = {
        at for quantity in found if quantity.unit == "multiplier" for at in range(quantity.first, quantity.last)
    }
    for at in range(1, len(tokens)):
        if tokens[at].low in DOLLAR and low(tokens, at - 1) in PER and at not in in_rates:
            opened.setdefault(tokens[at].sentence, at)
    if opened:
        for at, quantity in enumerate(found):
            before = opened.get(tokens[quantity.first].sentence, len(tokens))
            if quantity.unit == "points" and before < quantity.first and quantity.value < _MOST_POINTS_PER_DOLLAR:
                found[at] = quantity._replace(unit="multiplier")
    return found
