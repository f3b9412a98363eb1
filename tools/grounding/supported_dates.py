"""Whether an offer supports a day or a span of days that a text mentions, in the role the text gives it."""

from datetime import date, timedelta
from typing import Final

from tools.grounding.date_roles import DateMention
from tools.grounding.support import Support, date_matches
from tools.grounding.timewords import NAMED, Span, month_span, next_weekday

_CASUAL: Final = frozenset({("today",), ("tonight",), ("this", "week"), ("this", "weekend"), ("the", "weekend")})
_DAY: Final = timedelta(days=1)


def is_date_supported(mention: DateMention, support: Support) -> bool:
    """Tell whether a day or span of days is one of the offer's, in the role that the text gives it."""
    wanted = _wanted(mention, support)
    if mention.is_day:
        if mention.mode == "before":
            wanted = {*wanted, *(day + _DAY for day in wanted if day < date.max), *_opening(support)}
        return any(date_matches(mention, day) for day in wanted)
    spans = _spans(mention, support)
    closing = mention.mode in ("through", "by", "before") and not mention.part
    if closing and not _is_single(spans):
        return any(day == hi or (day == lo - _DAY and _is_open(mention)) for lo, hi in spans for day in wanted)
    if mention.mode in ("through", "by", "before", "within", "from"):
        return any(lo <= day <= hi for lo, hi in spans for day in wanted)
    start, end = support.dates.get("start", support.sent), support.dates.get("end", date.max)
    return mention.name in _CASUAL or any(lo <= end and min(start, support.sent) <= hi for lo, hi in spans)


def _wanted(mention: DateMention, support: Support) -> set[date]:
    roles = mention.roles or support.dates.keys()
    wanted = {support.dates[role] for role in roles if role in support.dates}
    if mention.roles == {"enroll"} and "enroll" not in support.dates and "end" in support.dates:
        wanted.add(support.dates["end"])
    return wanted


def _opening(support: Support) -> set[date]:
    """Return the start as a day before which nothing counts: "purchases before November 23 don't qualify"."""
    return {support.dates["start"]} if "start" in support.dates else set()


def _is_single(spans: list[Span]) -> bool:
    return all(lo == hi for lo, hi in spans)


def _is_open(mention: DateMention) -> bool:
    """Tell whether the first day of a span may already be too late: "before January", "until next month"."""
    return mention.mode in ("by", "before") or (bool(mention.name) and mention.name[0] == "next")


def _spans(mention: DateMention, support: Support) -> list[Span]:
    """Return the spans of days a mention may mean, in each year that the offer touches."""
    sent = support.sent
    if mention.name == ("weekday",) and mention.weekday is not None:
        day = next_weekday(sent, mention.weekday)
        return [(day, day)]
    if mention.name:
        return [NAMED[mention.name](sent)]
    years = [mention.year] if mention.year else sorted({sent.year, *(day.year for day in support.dates.values())})
    if mention.month is None:
        first = date(years[0], 12, 31) if mention.last_day else date(years[0], 1, 1)
        return [(first, date(years[0], 12, 31))]
    spans = [month_span(year, mention.month) for year in years]
    if mention.last_day:
        return [(hi, hi) for _, hi in spans]
    if mention.part:
        opens, closes = mention.part
        return [(lo.replace(day=opens), hi.replace(day=min(closes, hi.day))) for lo, hi in spans]
    return spans
