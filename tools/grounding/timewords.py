"""The spans of days that words of time name: this weekend, mid-January, the fall, Christmas Eve, next Friday."""

from calendar import monthrange
from collections.abc import Callable
from datetime import MINYEAR, date, timedelta
from typing import Final

Span = tuple[date, date]

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            "monday mon",
            "tuesday tue tues",
            "wednesday wed weds",
            "thursday thu thur thurs",
            "friday fri",
            "saturday sat",
            "sunday sun",
        )
    )
    for name in names.split()
}
_DAY: Final = timedelta(days=1)


def month_span(year: int, month: int) -> Span:
    """Return the first and the last day of a month."""
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def next_weekday(day: date, weekday: int) -> date:
    """Return the first day on or after `day` that falls on a weekday (Monday 0)."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def add_months(day: date, months: int) -> date:
    """Return the same day that many months later, or the last day of that month when it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _fixed(month: int, day: int) -> Callable[[date], Span]:
    def resolve(sent: date) -> Span:
        found = date(sent.year, month, day)
        found = found if found >= sent else date(sent.year + 1, month, day)
        return found, found

    return resolve


def _thanksgiving(later: int) -> Callable[[date], Span]:
    def resolve(sent: date) -> Span:
        for year in (sent.year, sent.year + 1):
            found = next_weekday(date(year, 11, 22), 3) + timedelta(days=later)
            if found >= sent:
                break
        return found, found

    return resolve


def _season(first_month: int) -> Callable[[date], Span]:
    """Return a span that is generous at its ends: ordinary speech starts a season with its first month."""

    def resolve(sent: date) -> Span:
        year = sent.year - (sent.month < first_month and first_month == 12 and sent.month <= 3)
        end = add_months(date(year, first_month, 1), 4) - 11 * _DAY
        if end < sent:
            year += 1
            end = add_months(date(year, first_month, 1), 4) - 11 * _DAY
        return date(year, first_month, 1), end

    return resolve


def _holiday(month: int, weekday: int, nth: int) -> Callable[[date], Span]:
    """Return the nth such weekday of a month (Monday 0), the last one when nth is -1."""

    def resolve(sent: date) -> Span:
        for year in (sent.year, sent.year + 1):
            first = date(year, month, 1)
            found = next_weekday(first, weekday) + timedelta(weeks=nth - 1)
            if nth < 0:
                found = next_weekday(month_span(year, month)[1] - 6 * _DAY, weekday)
            if found >= sent:
                break
        return found, found

    return resolve


def _holidays(sent: date) -> Span:
    """Return the days from Thanksgiving to New Year's Day, as American copy means them."""
    year = sent.year - (sent.month == 1 and sent.day == 1)
    return _thanksgiving(0)(date(year, 11, 1))[0], date(year + 1, 1, 1)


def _weekend(sent: date) -> Span:
    sunday = next_weekday(sent, 6)
    return sunday - _DAY, sunday


def _week(ahead: int) -> Callable[[date], Span]:
    def resolve(sent: date) -> Span:
        monday = sent - timedelta(days=sent.weekday()) + timedelta(weeks=ahead)
        return monday, monday + 6 * _DAY

    return resolve


def _month(ahead: int) -> Callable[[date], Span]:
    def resolve(sent: date) -> Span:
        later = add_months(sent.replace(day=1), ahead)
        return month_span(later.year, later.month)

    return resolve


def _last_of(resolve: Callable[[date], Span]) -> Callable[[date], Span]:
    return lambda sent: (resolve(sent)[1], resolve(sent)[1])


def _day(ahead: int) -> Callable[[date], Span]:
    return lambda sent: (sent + ahead * _DAY, sent + ahead * _DAY)


def _year(ahead: int) -> Callable[[date], Span]:
    return lambda sent: (date(sent.year + ahead, 1, 1), date(sent.year + ahead, 12, 31))


NAMED: Final[dict[tuple[str, ...], Callable[[date], Span]]] = (
    {
        ("today",): _day(0),
        ("tonight",): _day(0),
        ("midnight", "tonight"): _day(0),
        ("tomorrow",): _day(1),
        ("this", "weekend"): _weekend,
        ("the", "weekend"): _weekend,
        ("next", "weekend"): lambda sent: (_weekend(sent)[0] + 7 * _DAY, _weekend(sent)[1] + 7 * _DAY),
        ("this", "week"): _week(0),
        ("next", "week"): _week(1),
        ("this", "month"): _month(0),
        ("next", "month"): _month(1),
        ("this", "year"): _year(0),
        ("next", "year"): _year(1),
        ("end", "of", "the", "week"): _last_of(_week(0)),
        ("end", "of", "the", "month"): _last_of(_month(0)),
        ("end", "of", "this", "month"): _last_of(_month(0)),
        ("end", "of", "next", "month"): _last_of(_month(1)),
        ("last", "day", "of", "the", "month"): _last_of(_month(0)),
        ("last", "day", "of", "this", "month"): _last_of(_month(0)),
        ("last", "day", "of", "the", "year"): _last_of(_year(0)),
        ("end", "of", "the", "year"): _last_of(_year(0)),
        ("end", "of", "this", "year"): _last_of(_year(0)),
        ("end", "of", "next", "year"): _last_of(_year(1)),
        ("month", "-", "end"): _last_of(_month(0)),
        ("month", "end"): _last_of(_month(0)),
        ("month's", "end"): _last_of(_month(0)),
        ("year", "-", "end"): _last_of(_year(0)),
        ("year", "end"): _last_of(_year(0)),
        ("year's", "end"): _last_of(_year(0)),
        ("christmas", "eve"): _fixed(12, 24),
        ("christmas", "day"): _fixed(12, 25),
        ("christmas",): _fixed(12, 25),
        ("new", "year's", "eve"): _fixed(12, 31),
        ("new", "year's", "day"): _fixed(1, 1),
        ("new", "year's"): _fixed(1, 1),
        ("new", "year"): _fixed(1, 1),
        ("valentine's", "day"): _fixed(2, 14),
        ("independence", "day"): _fixed(7, 4),
        ("fourth", "of", "july"): _fixed(7, 4),
        ("halloween",): _fixed(10, 31),
        ("veterans", "day"): _fixed(11, 11),
        ("thanksgiving",): _thanksgiving(0),
        ("black", "friday"): _thanksgiving(1),
        ("cyber", "monday"): _thanksgiving(4),
        ("labor", "day"): _holiday(9, 0, 1),
        ("memorial", "day"): _holiday(5, 0, -1),
        ("presidents'", "day"): _holiday(2, 0, 3),
        ("columbus", "day"): _holiday(10, 0, 2),
        ("mother's", "day"): _holiday(5, 6, 2),
        ("father's", "day"): _holiday(6, 6, 3),
        ("juneteenth",): _fixed(6, 19),
        ("the", "holidays"): _holidays,
    }
    | {
        ("end", "of", *lead, season): _last_of(_season(first))
        for season, first in (("spring", 3), ("summer", 6), ("fall", 9), ("autumn", 9), ("winter", 12))
        for lead in ((), ("the",), ("this",))
    }
    | {
        (lead, season): _season(first)
        for season, first in (("spring", 3), ("summer", 6), ("fall", 9), ("autumn", 9), ("winter", 12))
        for lead in ("this", "the", "all", "next")
    }
)
"""Words of time as lower-case tokens, with the span of days they name on the day of sending."""

EARLIEST: Final = date(MINYEAR + 1, 1, 1)
