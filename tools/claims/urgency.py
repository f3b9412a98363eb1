"""Claims that time or stock runs out: true on the day of sending, dated, and never about a stock nobody counts."""

import math
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from tools.claims.urgency_words import CALM, FLASH, LEFT, MISSING, NAMED, NEARLY_OVER, PRESSING, SCARCE, WINDOW, WITHIN
from tools.claims.written import COPY, signed
from tools.grounding.checks import Checks
from tools.grounding.reading import Reading
from tools.grounding.supported import support_for
from tools.grounding.supported_dates import is_date_supported
from tools.report import Evidence
from tools.subject import Detector, Subject

_WORDS: Final = {
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
}  # fmt: skip
_FEW: Final = 5
_DAYS: Final = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0}
_WEEK: Final = 7
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SOME_DAYS: Final = frozenset({"today", "tonight", "midnight"})


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of urgency; each reads the offer's dates, the day of sending and the copy."""
    return (
        Detector("urgency_true", ("terms", "copy"), partial(_urgency, checks), frozenset({"days"})),
        Detector("last_chance_true", ("terms", "copy"), partial(_last_chance, checks), frozenset({"days"})),
        Detector("limited_time_dated", ("terms", "copy"), partial(_limited_time, checks)),
        Detector("scarcity_true", ("terms", "copy"), partial(_scarcity, checks)),
    )


def _urgency(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find pressure where the offer runs longer than `days` more, or where no last day stands beside it."""
    most = _number(params.get("days"), default=14)

    def false(reading: Reading, match: Any, sentence: str) -> bool:
        return not _is_dated(reading, subject, most=most)

    found = _found(checks, subject, PRESSING, false)
    return found + _found(checks, subject, FLASH, lambda *_: _length(subject) > _WEEK)


def _last_chance(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find "last chance", "3 days left", "ends tonight" and "today only" where the offer's dates say otherwise."""
    left, most = _left(subject), _number(params.get("days"), default=3)

    def late(reading: Reading, match: Any, sentence: str) -> bool:
        allowed = 1.0 if any(word in match.group().lower() for word in ("hour", "minute", "moment")) else most
        return not any(days <= allowed for days in left)

    def counted(reading: Reading, match: Any, sentence: str) -> bool:
        days = _stated_days(match)
        return days is not None and not any(days - 1.01 <= each <= days + 1 for each in left)

    def within(reading: Reading, match: Any, sentence: str) -> bool:
        days = _stated_days(match)
        return days is not None and not any(each <= days for each in left)

    def window(reading: Reading, match: Any, sentence: str) -> bool:
        days = _stated_days(match)
        return days is not None and _length(subject) > max(days, 1) and not any(each <= days for each in left)

    def named(reading: Reading, match: Any, sentence: str) -> bool:
        word = " ".join(next(group for group in match.groups() if group).lower().split())
        if word in _WEEKDAYS:
            ahead = (_WEEKDAYS.index(word) - subject.send_date.weekday()) % _WEEK
            dated = _is_dated(reading, subject)
            return not dated and not any(days in (ahead, ahead + _WEEK) for days in left)
        reach = 0 if word in _SOME_DAYS or word.endswith(" day") else 1 if word == "tomorrow" else _WEEK
        return not any(days <= reach for days in left)

    rules: tuple[tuple[Any, _Test], ...] = (
        (NEARLY_OVER, late), (LEFT, counted), (WITHIN, within), (WINDOW, window), (NAMED, named),
    )  # fmt: skip
    return [evidence for pattern, test in rules for evidence in _found(checks, subject, pattern, test)]


def _limited_time(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find "limited time" and "don't miss" in a field that doesn't name the last day."""
    found = _found(checks, subject, MISSING, lambda reading, match, _: not _is_dated(reading, subject))
    if not found:
        return []
    dated = {field for field, reading in checks.readings(subject) if _is_dated(reading, subject)}
    # An inbox shows the preheader behind the subject, on one line.
    return [each for each in found if not (each.field == "subject" and "preheader" in dated)]


def _scarcity(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find scarcity. Offers carry no stock, so only a note of the reward that limits it can bear a claim of one."""
    note = str(subject.offer.get("reward_note") or "")
    if SCARCE.search(note) or ("first" in note.lower() and any(char.isdigit() for char in note)):
        return []
    return _found(checks, subject, SCARCE, lambda *_: True)


_Test = Callable[[Reading, Any, str], bool]


def _found(checks: Checks, subject: Subject, pattern: Any, is_false: _Test) -> list[Evidence]:
    found = []
    for passage, sentence, match in signed(checks, subject).only(*COPY).say(pattern):
        if any(_overlap(calm, match) for calm in CALM.finditer(sentence.text)):
            continue
        shifted = _Shifted(match, sentence.start)
        if is_false(passage.reading, shifted, sentence.text):
            found.append(passage.evidence(*shifted.span()))
    return found


class _Shifted:
    """A match in a sentence, with the offsets of its field."""

    def __init__(self, match: Any, by: int) -> None:
        self._match, self._by = match, by
        self.group, self.groups = match.group, match.groups

    def span(self) -> tuple[int, int]:
        start, end = self._match.span()
        return start + self._by, end + self._by


def _overlap(one: Any, two: Any) -> bool:
    return bool(one.start() < two.end() and two.start() < one.end())


def _left(subject: Subject) -> list[int]:
    """Return the days from sending to the last day to enroll and to the last day of the offer."""
    dates = support_for(subject).dates
    return [(day - subject.send_date).days for role, day in dates.items() if role in ("end", "enroll")]


def _length(subject: Subject) -> float:
    dates = support_for(subject).dates
    start, end = dates.get("start", subject.send_date), dates.get("end", date.max)
    return (end - start + timedelta(days=1)).days


def _is_dated(reading: Reading, subject: Subject, *, most: float = math.inf) -> bool:
    """Tell whether the field names a last day of the offer, no more than so many days ahead."""
    support = support_for(subject)
    closing = {
        (day.month, day.day)
        for role, day in support.dates.items()
        if role in ("end", "enroll") and (day - subject.send_date).days <= most
    }
    return any(
        mention.is_day and (mention.month, mention.day) in closing and is_date_supported(mention, support)
        for mention in reading.dates
    )


def _stated_days(match: Any) -> float | None:
    groups = [group.lower() for group in match.groups() if group]
    if len(groups) < 2:
        return None
    number, unit = groups[0], groups[1]
    if number.isdigit():
        return int(number) * _DAYS[unit]
    return _WORDS.get(number, _FEW) * _DAYS[unit]


def _number(value: object, *, default: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default
