"""Claims that time or stock runs out: true on the day of sending, dated, and never about a stock nobody counts."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from tools.claims.wording import compiled, written
from tools.grounding.checks import Checks, is_date_supported, support_for
from tools.grounding.reading import Reading
from tools.grounding.support import Support
from tools.report import Evidence
from tools.subject import Detector, Subject

_OFFERED: Final = (
    r"(?:offer|deal|bonus|reward|savings?|discount|promotion|window|chance|opportunity|enrollment|it|this|they|these"
    r"|time)"
)
_SOON: Final = (
    r"(?:soon|shortly|before\s+(?:you\s+know\s+it|long)|any\s+(?:day|minute|moment)(?:\s+now)?|in\s+no\s+time|quickly"
    r"|fast)"
)
_PRESSING: Final = compiled(
    r"\b(?:hurry|rush|race|dash|run,?\s+don't\s+walk)\b(?:\s+(?:up|in|over|now|to|and|before|while))*",
    r"\b(?:act|move|respond|reply|decide|jump|pounce|be)\s+(?:now|fast|quick(?:ly)?|today|soon|right\s+away"
    r"|immediately|at\s+once|swiftly)\b",
    r"\b(?:don't|do\s+not|never|no\s+time\s+to|can't\s+afford\s+to|why)\s+(?:wait|delay|hesitate|sleep\s+on|dawdle"
    r"|dilly|put\s+(?:it|this)\s+off|lose\s+(?:time|a\s+(?:minute|moment))|waste\s+(?:time|a\s+(?:minute|moment"
    r"|second)))\b",
    rf"\b(?:expir(?:es|ing|e)|end(?:s|ing)?|clos(?:es|ing)|disappear(?:s|ing)?|vanish(?:es|ing)?|go(?:es|ing)?"
    rf"|leav(?:es|ing)|gone|fad(?:es|ing))\s+(?:very\s+|really\s+|so\s+|all\s+too\s+)?{_SOON}",
    rf"\b{_OFFERED}\s*(?:is|are|'s|'re)?\s+(?:quickly\s+|fast\s+|rapidly\s+)?(?:running|slipping|ticking"
    rf"|winding)\s+(?:out|away|down|by)",
    r"\b(?:time|clock|countdown|timer)(?:'s|\s+is|\s+has)?\s+(?:running|ticking|started|begun|counting|almost\s+up"
    r"|nearly\s+up|short|of\s+the\s+essence|on)\b",
    r"\b(?:won't|will\s+not)\s+(?:\w+\s+)?(?:last|wait|stick\s+around|hang\s+around|be\s+(?:around|here|back)"
    r"|stay\s+(?:around|long)|keep)\b(?:\s+(?:long|forever))?|^\s*quick\s*[!:,]|\bgoing[,.\s]+going\b|\b(?:time"
    r"|time's|time\s+is)\s+(?:\w+\s+)?(?:almost|nearly|about)\s+(?:up|out|over)\b|\bstart\s+the\s+clock\b"
    r"|\bbeat\s+the\s+(?:clock|deadline|rush)\b|^\s*(?:expiring|ending)\s*[:!-]|\b(?:ends|expires"
    r"|closes)\s+within\s+(?:hours|days)\b|\bticking\b",
    r"\b(?:before\s+(?:it's|it\s+is|they're|they\s+are|time|the\s+clock)\s+(?:too\s+late|gone|over|runs?\s+out|up"
    r"|is\s+up)|before\s+(?:somebody|someone)\s+else)\b",
    rf"\b{_OFFERED}\s+(?:won't|will\s+not|can't|doesn't)\s+(?:last|wait|be\s+(?:around|here|back)|stick\s+around"
    rf"|come\s+(?:back|again|around)|stay)\b",
    r"\bnow\s+or\s+never\b|\bonce[\s-]in[\s-]a[\s-]lifetime\b|\burgent(?:ly)?\b|\btime[\s-]sensitive\b|\bfleeting\b"
    r"|\bblink\s+and\b|\bwhile\s+you\s+(?:still\s+)?can\b|\bas\s+long\s+as\s+(?:it|they|this|the\s+offer)\s+lasts?\b"
    r"|\bwhile\s+it\s+lasts\b",
)
_MISSING: Final = compiled(
    r"\b(?:don't|do\s+not|never|can't\s+afford\s+to|not\s+(?:one\s+)?to)\s+(?:want\s+to\s+"
    r"|let\s+yourself\s+)?(?:miss|lose)\s*(?:out|it|this)?\b",
    r"\b(?:don't|do\s+not|never)\s+let\s+(?:it|this|these|the\s+\w+)\s+(?:\w+\s+)?(?:slip|pass|get\s+away|go|expire)\b",
    r"\blimited[\s-]+(?:time|period|run|engagement|edition|window)\b",
    r"\bfor\s+a\s+(?:short|limited|brief)\s+(?:time|while|period|window)\b|\b(?:brief|short|narrow)\s+window\b"
    r"|\btemporary\s+offer\b|\bfor\s+now\s+only\b|\bshort[\s-]lived\b",
)
_NEARLY_OVER: Final = compiled(
    r"\b(?:last|final)\s+(?:chance|call|opportunity|days?|hours?|minutes?|moments?|notice|reminder|push|countdown"
    r"|stretch|weekend)s?\b",
    r"\b(?:down\s+to\s+the\s+wire|eleventh[\s-]hour|closing\s+(?:hours|moments|days)|ends\s+imminently"
    r"|only\s+hours\s+(?:left|remain\w*|away)|just\s+hours\s+(?:left|remain\w*|away)|hours\s+(?:left|remain\w*"
    r"|to\s+go))\b",
    rf"\b{_OFFERED}\s*(?:is|are|'s|'re)?\s+(?:almost|nearly|about\s+to\s+(?:be\s+)?|practically)\s*(?:over|up|gone"
    rf"|done|ended|finished|expired?|end|expire|close|vanish|disappear|run\s+out)",
    r"\b(?:almost|nearly)\s+(?:over|gone|out\s+of\s+time)\b|\b(?:your|the|this)\s+(?:very\s+)?last\s+(?:shot|day)\b",
)
_NUMBER: Final = (
    r"(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|a\s+few"
    r"|a\s+couple(?:\s+of)?|a)"
)
_UNIT: Final = r"(?:more\s+|short\s+|full\s+)?(minute|hour|day|week)s?"
_LEFT: Final = compiled(
    rf"\b(?:only|just)?\s*{_NUMBER}[\s-]+{_UNIT}\s+(?:left|remain\w*|to\s+go|away|until\s+(?:it|this|the)"
    rf"|before\s+(?:it|this|the\s+(?:offer|deal)))\b"
)
_WITHIN: Final = compiled(
    rf"\b(?:ends?|ending|expires?|expiring|closes?|closing|gone|over|vanish\w*|disappear\w*|only|just)\s+(?:in"
    rf"|for)\s+(?:just\s+|only\s+|the\s+next\s+|less\s+than\s+|under\s+)?{_NUMBER}[\s-]+{_UNIT}\b",
    rf"\b(?:the\s+)?(?:next|coming)\s+{_NUMBER}[\s-]+{_UNIT}\s+only\b|\b(?:you(?:'ve|\s+have)\s+(?:only"
    rf"|just))\s+{_NUMBER}[\s-]+{_UNIT}\b",
    rf"\b(?:last|final)\s+{_NUMBER}[\s-]+{_UNIT}\b",
)
_WINDOW: Final = compiled(
    rf"\b{_NUMBER}[\s-]+{_UNIT}[\s-]+(?:only|flash|sale|event|special|window|deal|blitz)\b|\b(?:only\s+for|for\s+only"
    rf"|for\s+just)\s+{_NUMBER}[\s-]+{_UNIT}\b"
)
_NAMED: Final = compiled(
    r"\b(?:ends?|ending|expires?|expiring|closes?|closing|over|gone|until|by|through|finish\w*"
    r"|before)\s+(?:at\s+)?(today|tonight|midnight|tomorrow|this\s+week(?:end)?|the\s+end\s+of\s+(?:the\s+)?(?:day"
    r"|week))\b",
    r"\b(?:ends?|ending|expires?|expiring|closes?|closing|over|gone)\s+(?:on\s+|this\s+)?((?:mon|tues|wednes|thurs"
    r"|fri|satur|sun)day)\b",
    r"\b(today|tonight|this\s+week(?:end)?|tomorrow)(?:'s)?[\s-]+only\b|\b(?:only|just)\s+(?:for\s+)?(today|tonight"
    r"|this\s+week(?:end)?)\b|\b(today|tonight)\s+is\s+(?:the|your)\s+(?:very\s+)?last\b|\bgone\s+(tomorrow)\b",
)
_FLASH: Final = compiled(
    r"\bflash\s+(?:sale|deal|offer|event|bonus|reward)s?\b|\b(?:lightning|pop[\s-]up)\s+(?:deal|offer|sale)s?\b"
)
_SCARCE: Final = compiled(
    r"\b(?:only|just|fewer\s+than|less\s+than|under|(?:a\s+)?(?:few|handful\s+of|couple\s+of"
    r"|limited\s+number\s+of))\s+(?:(?:the\s+)?\d[\d,]*|\w+)?\s*(?:left|(?:more\s+)?(?:spots?|places?|seats?|slots?"
    r"|openings?|spaces?|enrollments?|vouchers?|redemptions?|bonuses|units|pieces)\b)(?:\s+(?:left|remain\w*"
    r"|available|to\s+go|open))?",
    r"\b(?:only|just|fewer\s+than|less\s+than|under|last|final|remaining)\s+(?:\d[\d,]*|a\s+(?:few|handful"
    r"|couple))\s+(?:of\s+\w+\s+)?(?:\w+\s+){0,2}(?:left|remain\w*|available|to\s+(?:grab|claim)|up\s+for\s+grabs"
    r"|in\s+stock)\b|\b(?:last|final)\s+(?:few\s+)?(?:spots?|places?|seats?|slots?|tickets?|pieces|units|rooms?)\b"
    r"|\b(?:almost|nearly)\s+(?:full|sold\s+out|out\s+of\s+stock|all\s+(?:gone|taken))\b|\bdemand\s+is\b"
    r"|\bcan't\s+keep\s+(?:\w+\s+)?in\s+stock\b",
    r"\b(?:spots?|places?|seats?|slots?|openings?|spaces?|vouchers?|enrollments?|stocks?|supplies|supply|quantities"
    r"|quantity|inventory|rewards|bonuses|offers?)\s*(?:is|are|'s|'re)?\s+(?:\w+\s+)?(?:limited|scarce|(?:running"
    r"|selling|filling|flying|disappearing|vanishing|going|dwindling|drying)(?:\s+(?:out|up|fast|off|quick(?:ly)?))?"
    r"|almost\s+gone|nearly\s+gone|going\s+fast|remain|won't\s+last)\b",
    r"\b(?:limited|scarce|few|dwindling)\s+(?:spots?|places?|seats?|slots?|openings?|spaces?|availability|quantit\w+"
    r"|supply|supplies|stock|number\s+of\s+(?:spots|enrollments|members|places|bonuses))\b",
    r"\b(?:while|as\s+long\s+as)\s+(?:supplies|stocks?|quantities|inventory|spots|they|rewards|funds)\s+lasts?\b"
    r"|\b(?:selling|sell|sells|sold|filling|fill|fills|booking)\s+(?:out\s+|up\s+)?(?:fast|quick(?:ly)?|soon)\b"
    r"|\bselling\s+out\b",
    r"\b(?:for\s+(?:only\s+)?|only\s+)?the\s+first\s+(?:\d[\d,]*|hundred|thousand|\w+\s+(?:hundred|thousand"
    r"|dozen))\s+(?:\w+\s+)?(?:members?|cardmembers?|people|customers|enrollments?|to\s+(?:enroll|sign|register|act)"
    r"|who)\b",
    r"\bfirst[\s-]come,?\s+first[\s-]served?\b|\bin\s+(?:high|hot|huge|heavy)\s+demand\b|\b(?:going|go"
    r"|gone)\s+fast\b|\bmembers\s+are\s+(?:snapping|grabbing|rushing|racing|scooping)\b|\bothers?\s+(?:are"
    r"|is)\s+(?:looking|viewing|enrolling|eyeing|grabbing)\b",
)
_CALM: Final = compiled(
    r"\b(?:no|not|without|never|isn't|n't)\s+(?:need\s+(?:to|for)\s+|a\s+|any\s+|in\s+a\s+|the\s+|to\s+"
    r"|reason\s+to\s+|have\s+to\s+|your\s+)*(?:hurry|rush|race|last\s+chance|limited|final|urgent)",
    r"\b(?:in|of|your|morning|evening|holiday|lunch|dinner|gold|adrenaline|the|after|pre"
    r"|early)[\s-]+(?:a\s+)?(?:hurry|rush|race|dash)\b|\b(?:rush|race|dash)\s+(?:hour|shipping|delivery|order|day"
    r"|car|track|of)|\b(?:race|dash)\s+of\b",
    r"\b(?:miss|lose)\s+(?:out\s+on\s+)?(?:the\s+|any\s+|your\s+)?(?:terms|details|fine\s+print|steps?|date|deadline"
    r"|enrollment\s+date|connection|flight|train|sleep)",
    r"\b(?:is|are)\s*(?:not|n't)\s+(?:limited|scarce)\b|\blimited\s+to\b|\bwait\s+for\s+(?:points|the"
    r"|your)\s+(?:points|credit|cash|reward|statement)",
    r"\bdon't\s+(?:wait\s+in\s+line|rush)\b|\b(?:last|final)\s+(?:day|days|date)\s+(?:to|of|for"
    r"|is)\b[^.;!?]{0,40}\b(?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:the|your|a)\s+urgent\s+care\b"
    r"|\bfinal\s+(?:sale|bill|price)\b",
)
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
    left = _left(subject)
    near = left and min(left) <= _number(params.get("days"), default=14)

    def false(reading: Reading, match: Any, sentence: str) -> bool:
        return not (near and _is_dated(reading, subject, match.span()))

    found = _found(checks, subject, _PRESSING, false)
    return found + _found(checks, subject, _FLASH, lambda *_: _length(subject) > _WEEK)


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
            dated = _is_dated(reading, subject, match.span())
            return not dated and not any(days in (ahead, ahead + _WEEK) for days in left)
        reach = 0 if word in _SOME_DAYS or word.endswith(" day") else 1 if word == "tomorrow" else _WEEK
        return not any(days <= reach for days in left)

    rules: tuple[tuple[Any, _Test], ...] = (
        (_NEARLY_OVER, late), (_LEFT, counted), (_WITHIN, within), (_WINDOW, window), (_NAMED, named),
    )  # fmt: skip
    return [evidence for pattern, test in rules for evidence in _found(checks, subject, pattern, test)]


def _limited_time(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find "limited time" and "don't miss" in a field that doesn't name the last day."""
    return _found(checks, subject, _MISSING, lambda reading, match, _: not _is_dated(reading, subject, match.span()))


def _scarcity(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find scarcity. Offers carry no stock, so only a note of the reward that limits it can bear a claim of one."""
    note = str(subject.offer.get("reward_note") or "")
    if _SCARCE.search(note) or ("first" in note.lower() and any(char.isdigit() for char in note)):
        return []
    return _found(checks, subject, _SCARCE, lambda *_: True)


_Test = Callable[[Reading, Any, str], bool]


def _found(checks: Checks, subject: Subject, pattern: Any, is_false: _Test) -> list[Evidence]:
    found = []
    for field, reading, sentences in written(checks, subject):
        for sentence in sentences:
            for match in pattern.finditer(sentence.text):
                if any(_overlap(calm, match) for calm in _CALM.finditer(sentence.text)):
                    continue
                shifted = _Shifted(match, sentence.start)
                if is_false(reading, shifted, sentence.text):
                    found.append(reading.evidence(field, *shifted.span()))
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


def _is_dated(reading: Reading, subject: Subject, span: tuple[int, int]) -> bool:
    """Tell whether the field names a last day of the offer."""
    support = support_for(subject)
    return any(
        mention.is_day and is_date_supported(mention, support) and _closes(mention, support)
        for mention in reading.dates
    )


def _closes(mention: Any, support: Support) -> bool:
    days = {(day.month, day.day) for role, day in support.dates.items() if role in ("end", "enroll")}
    return (mention.month, mention.day) in days


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
