"""Dates of a text in any usual form, with their weekday, and what closes or opens on them."""

from datetime import date
from typing import Final

from tools.grounding.date_roles import BETWEEN, CLOSING, DateMention, bound, mode_before
from tools.grounding.timewords import MONTHS, NAMED, WEEKDAYS
from tools.grounding.tokens import Tokens, listed, low

_ORDINALS: Final = {
    word: number
    for number, word in enumerate(
        listed(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ),
        start=1,
    )
}
_TENS: Final = {"twenty": 20, "thirty": 30}
_ENDINGS: Final = frozenset({"st", "nd", "rd", "th"})
_CASED: Final = frozenset(listed("may march mar sun sat mon sep dec jan wed fri"))
"""Names that are words too, or parts of some: they count with a capital only."""
_BEFORE_MONTH: Final = frozenset(
    listed(
        """
        in through until till til by this next of late early mid - during before after from all since thru starting
        beginning ending
        """
    )
)
_PARTS: Final = {"early": (1, 12), "mid": (8, 22), "late": (18, 31)}
_NO_DATE_AFTER: Final = frozenset({"off", "price", "of", "the", "your", "points", "point", "x", "%", "back", "cup"})
_FIRST_YEAR, _LAST_YEAR = 2000, 2099


def dates_of(tokens: Tokens) -> list[DateMention]:
    """Return the dates in reading order, bound to what starts or ends on them."""
    found: list[DateMention] = []
    behind = 0
    for index in [at for at, token in enumerate(tokens) if token[1] in _STARTS or token[4] in _DIGITS]:
        mention = _at(tokens, index) if index >= behind else None
        if mention is None:
            continue
        mention = _with_weekday(tokens, mention, found[-1].last if found else 0)
        found.append(mention)
        behind = mention.last
        if mention.is_day and (tail := _second_day(tokens, mention)) is not None:
            found.append(tail)
            behind = tail.last
    return bound(tokens, found)


def _at(tokens: Tokens, index: int) -> DateMention | None:
    token = tokens[index]
    if token.kind == "date":
        return _numeric(tokens, index)
    if token.kind == "number":
        return _day_first(tokens, index) or _day_alone(tokens, index) or _year_alone(tokens, index)
    if token.low in _ORDINALS or token.low in _TENS:
        return _day_first(tokens, index) or _day_alone(tokens, index) or _named(tokens, index)
    if token.low in MONTHS and (token.low not in _CASED or token.text[0].isupper()):
        return _month_first(tokens, index)
    if token.low in WEEKDAYS:
        return _weekday_alone(tokens, index) or _named(tokens, index)
    of = index + (2 if token.low == "last" and low(tokens, index + 1) == "day" else 1)
    if token.low in ("end", "last") and low(tokens, of) == "of" and low(tokens, of + 1) in MONTHS:
        month = _month_first(tokens, of + 1)
        if month and month.day is None:
            return month._replace(start=token.start, first=index, last_day=True)
    return _named(tokens, index) if token.low in _NAMED_STARTS else None


_NAMED_STARTS: Final = frozenset(words[0] for words in NAMED)
_STARTS: Final = _NAMED_STARTS | _ORDINALS.keys() | _TENS.keys() | MONTHS.keys() | WEEKDAYS.keys()
_DIGITS: Final = ("number", "date")
_NAMED: Final[dict[tuple[str, ...], tuple[tuple[str, ...], ...]]] = {
    start: tuple(sorted((words for words in NAMED if words[:2] == start), key=len, reverse=True))
    for start in {words[:2] for words in NAMED}
}
"""The names of spans by their first two words, longest first."""


def _make(tokens: Tokens, first: int, last: int) -> DateMention:
    return DateMention(tokens[first].start, tokens[last - 1].end, first, last)


def _named(tokens: Tokens, index: int) -> DateMention | None:
    first, second = tokens[index].low, low(tokens, index + 1)
    for words in (*_NAMED.get((first, second), ()), *_NAMED.get((first,), ())):
        if all(low(tokens, index + step) == word for step, word in enumerate(words)):
            return _make(tokens, index, index + len(words))._replace(name=words)
    return None


def _numeric(tokens: Tokens, index: int) -> DateMention | None:
    text = tokens[index].text
    mark = next(char for char in text if not char.isdigit())
    numbers = [int(part) for part in text.split(mark)]
    if len(numbers) == 2 and low(tokens, index + 1) in _NO_DATE_AFTER:
        return None
    year: int | None = None
    if len(numbers) == 3:
        year = numbers.pop(0) if numbers[0] > 31 else numbers.pop()
        year += 2000 if year < 100 else 0
    month, day = numbers
    if month > 12 >= day and year is not None:
        month, day = day, month
    if not _exists(year, month, day):
        return None
    return _make(tokens, index, index + 1)._replace(year=year, month=month, day=day)


def _exists(year: int | None, month: int, day: int) -> bool:
    try:
        date(year or 2024, month, day)
    except ValueError:
        return False
    return year is None or _FIRST_YEAR <= year <= _LAST_YEAR


def _day_number(tokens: Tokens, index: int) -> tuple[int, int] | None:
    """Return the day of a month written as 6, 6th or sixth, and the index after it."""
    word = low(tokens, index)
    if word in _ORDINALS:
        return _ORDINALS[word], index + 1
    if word in _TENS:
        return _tens(tokens, index)
    if not word.isdecimal() or len(word) > 2 or not 1 <= int(word) <= 31:
        return None
    has_ending = low(tokens, index + 1) in _ENDINGS and tokens[index + 1].glued
    after = index + 1 + has_ending
    if not has_ending and after < len(tokens) and tokens[after].glued and _is_no_day(tokens, after):
        return None
    return int(word), after


def _is_no_day(tokens: Tokens, after: int) -> bool:
    """Tell by what is glued to a number that it is a rate, a multiple, a thousand or an hour."""
    if low(tokens, after) != ":":
        return low(tokens, after) in ("%", "x", "k")
    return after + 1 < len(tokens) and tokens[after + 1].glued and tokens[after + 1].kind == "number"


def _tens(tokens: Tokens, index: int) -> tuple[int, int] | None:
    """Return the day of "twenty-eighth", and the index after it; "twenty" alone is none."""
    at = index + 1 + (low(tokens, index + 1) == "-")
    unit = _ORDINALS.get(low(tokens, at), 0)
    return (_TENS[tokens[index].low] + unit, at + 1) if 0 < unit < 10 else None


def _year_number(tokens: Tokens, index: int) -> tuple[int, int] | None:
    at = index + (low(tokens, index) == "," or low(tokens, index) == "of")
    word = low(tokens, at)
    if word == "'" and len(low(tokens, at + 1)) == 2 and low(tokens, at + 1).isdecimal():
        return 2000 + int(low(tokens, at + 1)), at + 2
    if len(word) == 4 and word.isdecimal() and _FIRST_YEAR <= int(word) <= _LAST_YEAR:
        return int(word), at + 1
    return None


def _month_first(tokens: Tokens, index: int) -> DateMention | None:
    token = tokens[index]
    at = index + 1 + (low(tokens, index + 1) == "." and len(token.low) <= 4)
    if low(tokens, at) == "the":
        at += low(tokens, at + 1) in _ORDINALS or low(tokens, at + 2) in _ENDINGS
    number, month = _day_number(tokens, at), MONTHS[token.low]
    if number is not None and _exists(None, month, number[0]) and not _is_counted(tokens, number[1]):
        day, after = number
        year = _year_number(tokens, after)
        if not _exists(year[0] if year else None, month, day):
            return None
        mention = _make(tokens, index, year[1] if year else after)
        return mention._replace(year=year[0] if year else None, month=month, day=day)
    year = _year_number(tokens, at)
    if year is not None:
        part = _PARTS.get(low(tokens, index - 1)) or (_PARTS.get(low(tokens, index - 2)) if index else None)
        return _make(tokens, index, year[1])._replace(year=year[0], month=month, part=part)
    before = low(tokens, index - 1)
    if len(token.low) <= 3 and token.low != "may" and not token.text.istitle():
        return None
    if token.low in _CASED and before not in _BEFORE_MONTH:
        return None
    part = _PARTS.get(before) or (_PARTS.get(low(tokens, index - 2)) if before == "-" else None)
    return _make(tokens, index, index + 1)._replace(month=month, part=part)


def _is_counted(tokens: Tokens, after: int) -> bool:
    """Tell "In January 3 points" from "January 3": a day isn't followed by a unit."""
    return low(tokens, after) in ("points", "point", "percent", "x", "dollars", "partners", "%")


def _day_first(tokens: Tokens, index: int) -> DateMention | None:
    number = _day_number(tokens, index)
    if number is None:
        return None
    day, at = number
    at += low(tokens, at) == "of"
    month = MONTHS.get(low(tokens, at))
    if month is None or not tokens[at].text[0].isupper() or not _exists(None, month, day):
        return None
    after = at + 1 + (low(tokens, at + 1) == "." and len(tokens[at].low) <= 4 and tokens[at].low != "may")
    year = _year_number(tokens, after)
    after = year[1] if year else min(after, at + 1)
    return _make(tokens, index, after)._replace(year=year[0] if year else None, month=month, day=day)


def _day_alone(tokens: Tokens, index: int) -> DateMention | None:
    """Read "by the 15th" and "before the fifteenth", which leave the month open; "by the second cup" is none."""
    number = _day_number(tokens, index)
    if number is None or low(tokens, index - 1) != "the" or mode_before(tokens, index) not in CLOSING:
        return None
    day, after = number
    if after == index + 1 and tokens[index].kind == "number":
        return None
    following = [low(tokens, after + step) for step in range(3)]
    if following[0] not in ("", ".", ",", "!", ";", "and", "to") and following != ["of", "the", "month"]:
        return None
    return _make(tokens, index, after)._replace(day=day)


def _year_alone(tokens: Tokens, index: int) -> DateMention | None:
    year = _year_number(tokens, index) if low(tokens, index - 1) not in ("$", "usd", "#") else None
    if year is None or year[1] != index + 1 or low(tokens, index + 1) in _NO_DATE_AFTER | {"bonus", "dollars", "-"}:
        return None
    return _make(tokens, index, index + 1)._replace(year=year[0], last_day=low(tokens, index - 2) == "end")


def _weekday_alone(tokens: Tokens, index: int) -> DateMention | None:
    lead = index - (low(tokens, index - 1) in ("next", "this", "coming"))
    if tokens[index].low in _CASED or len(tokens[index].low) < 6 or mode_before(tokens, lead) not in CLOSING:
        return None
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if following and (following.kind == "date" or following.low in MONTHS or following.low in (",", "the")):
        after = index + 1 + (following.low == ",")
        if after < len(tokens) and (
            tokens[after].kind != "word" or tokens[after].low in MONTHS or following.low != ","
        ):
            return None
    return _make(tokens, index, index + 1)._replace(name=("weekday",), weekday=WEEKDAYS[tokens[index].low])


def _with_weekday(tokens: Tokens, mention: DateMention, floor: int) -> DateMention:
    """Take in a weekday written before a day ("Friday, March 31") or behind it ("March 31 (Friday)")."""
    if not mention.is_day:
        return mention
    at = mention.first - 1
    while at > floor and low(tokens, at) in (",", ".", "the", "on"):
        at -= 1
    word = low(tokens, at) if at >= floor else ""
    if word in WEEKDAYS and tokens[at].text[0].isupper():
        return mention._replace(start=tokens[at].start, first=at, weekday=WEEKDAYS[word])
    if low(tokens, mention.last) in ("(", ",") and low(tokens, mention.last + 1) in WEEKDAYS:
        last = mention.last + 2
        return mention._replace(end=tokens[last - 1].end, last=last, weekday=WEEKDAYS[low(tokens, last - 1)])
    return mention


def _second_day(tokens: Tokens, mention: DateMention) -> DateMention | None:
    """Read the second day of "December 1 to 31" and "January 6-12, 2027"."""
    if low(tokens, mention.last) not in BETWEEN:
        return None
    number = _day_number(tokens, mention.last + 1)
    if number is None or (number[1] < len(tokens) and tokens[number[1]].kind == "word" and _is_unit(tokens, number[1])):
        return None
    day, after = number
    year = _year_number(tokens, after)
    month = mention.month or 1
    if low(tokens, after) in MONTHS or not _exists(year[0] if year else mention.year, month, day):
        return None
    span = _make(tokens, mention.last + 1, year[1] if year else after)
    return span._replace(year=year[0] if year else mention.year, month=month, day=day)


def _is_unit(tokens: Tokens, index: int) -> bool:
    return low(tokens, index) in ("points", "point", "percent", "x", "dollars", "weeks", "days", "months", "partners")
