"""Personal data in copy: card and account numbers, addresses, and the exact values of this member's profile."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from tools.folding import Folded, fold
from tools.grounding.checks import names_of
from tools.grounding.date_roles import DateMention
from tools.grounding.measures import Quantity
from tools.grounding.reading import statements_of
from tools.grounding.support import amount, day
from tools.grounding.supported import support_for
from tools.grounding.tokens import listed
from tools.hygiene.phrases import copy_of
from tools.report import Evidence
from tools.snapshot import once, once_for_terms
from tools.subject import Subject

_DIGITS: Final = re2.compile(r"\d(?:[ -]?\d){12,18}")
_FORMS: Final[Any] = re2.compile(
    r"\b\d{3}[- ]\d{2}[- ]\d{4}\b"  # US social security number
    r"|[\w.+-]+@[\w-]+\.[\w.-]*\w"
    r"|(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\b\d{3}[ .-])\d{3}[ .-]\d{4}\b|\b\d{10}\b|\+\d{1,3}[ .-]?\d[\d .-]{6,}\d"
    r"|\b\d{1,6}[A-Za-z]?,? (?:[NSEW]\.? )?(?:[A-Z][A-Za-z]+ |\d{1,3}(?:st|nd|rd|th) ){1,3}"
    r"(?:St|Street|Ave|Avenue|Rd|Road|Blvd|Boulevard|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Pkwy|Parkway)\b"
    r"|(?i:\bP\.? ?O\.? ?Box \d+)"
)
_NOT_PERSONAL: Final = frozenset(
    {"card_type", "preferred_domain_1", "preferred_domain_2", "last_offer_domain", "gender", "annual_fee", "domain"}
)
LABELS: Final = frozenset({"persona", "segment", "customer_lifecycle_stage", "lifecycle_stage"})
_ORDINARY_LABELS: Final = frozenset(
    {
        *("premium", "active", "onboarding", "small business", "business owner", "foodie", "travel enthusiast"),
        *("tech professional", "traveler"),
    }
)
"""Labels that are words of ordinary copy: they leak only where they name the reader."""
_READERS: Final = (
    "member",
    "cardmember",
    "customer",
    "client",
    "segment",
    "tier",
    "user",
    "account",
    "status",
    "profile",
    "group",
    "type",
)
_READER_LEADS: Final = tuple(
    f" {lead}"
    for lead in (
        "as a",
        "as an",
        "you're a",
        "you're an",
        "you are a",
        "you are an",
        "like",
        "fellow",
        "dear",
        "you're",
        "our",
    )
)
_ORDINARY_NAMES: Final = frozenset(
    listed(
        """
        art bill bliss booker chance chase cook dean drew faith frank gold grace grant guy harmony hope joy king mark
        max may merry mills miles new page park pat penny pierce price ray rich rob rose rush sage see sky stone store
        sunny sue summer trip walker way west will wood young april june august dawn best day long love short small
        wise hall field
        """
    )
)
"""Parts of names that are words: at the start of a sentence they are read as words."""
_GRAMMAR: Final = frozenset(
    listed(
        "the this that these those you your yours our ours with for and from here then there when what who how are not"
    )
)
"""Words without which no copy can be written: as part of a name they tell nothing."""
_MOST_NAMES: Final = 6
"""Words a name may have and still be read part by part; of a longer text only the first word could greet."""
_SMALLEST = 20
"""Whole numbers below this say nothing about one member."""
_SHORTEST_TEXT = 4
_ROUNDED: Final = (10, 100)
_TELLING = 10
"""A number is rounded to tens or hundreds only when that leaves at least two of its digits: 1,842 is "1.8K"."""


def no_personal_data(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find card, account and phone numbers, addresses, and names, places, numbers, dates and labels of the profile."""
    folded = {field: fold(text) for field, text in subject.text.items() if text}
    profile = profile_of(subject)
    copy = copy_of(subject)
    has_form = bool(_DIGITS.search(copy) or _FORMS.search(copy))
    lower = "\n".join(whole.text for whole in folded.values()).lower()
    texts = [(name, value) for name, value in profile.texts if _may_hold(lower, value)]
    merchants = [fold(name).text for name in names_of(subject)]
    found: list[Evidence] = []
    for field, whole in folded.items():
        text = whole.text
        spans = _forms_in(subject, field, text) if has_form or field == "terms" else set()
        if profile.has_figures:
            spans |= {*figures_of(subject, field)}
        if not texts:
            found += [_evidence(field, whole, start, end) for start, end in sorted(spans)]
            continue
        masked = [(at, at + len(name)) for name in merchants if (at := text.find(name)) >= 0]
        for span in _texts(text, texts):
            if not any(start <= span[0] and span[1] <= end for start, end in masked):
                spans.add(span)
        found += [_evidence(field, whole, start, end) for start, end in sorted(spans)]
    return found


def _evidence(field: str, whole: Folded, start: int, end: int) -> Evidence:
    first, last = whole.span(start, end)
    return Evidence(field=field, quote=whole.original[first:last], start=first, end=last)


def _forms_in(subject: Subject, field: str, text: str) -> set[tuple[int, int]]:
    if field != "terms":
        return {*_forms(text)}
    return {*once_for_terms(subject, "personal forms", lambda: tuple(_forms(text)))}


def _forms(text: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _DIGITS.finditer(text) if _is_luhn(match.group()))
    yield from (match.span() for match in _FORMS.finditer(text))


def _is_luhn(text: str) -> bool:
    digits = [int(char) for char in text if char.isdecimal()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


class Profile:
    """The telling texts of a profile as (column, text), and its figures, read when copy holds one of nobody's."""

    def __init__(self, personal: Mapping[str, object]) -> None:
        told = [(name, value) for name, value in personal.items() if value is not None and name not in _NOT_PERSONAL]
        self._figures = [value for _, value in told if not isinstance(value, str) or day(value) is not None]
        self.has_figures = bool(self._figures)
        self.texts = [
            (name, value.strip())
            for name, value in told
            if isinstance(value, str) and value.strip() and (not value[0].isdigit() or day(value) is None)
        ]

    @cached_property
    def dates(self) -> frozenset[date]:
        """The days of the profile."""
        return frozenset(found for value in self._figures if (found := day(value)) is not None)

    @cached_property
    def numbers(self) -> frozenset[Decimal]:
        """The numbers of the profile, each in every form in which copy may state it."""
        amounts = (amount(value) for value in self._figures if not isinstance(value, str | date))
        return frozenset(form for found in amounts if found is not None for form in _forms_of(abs(found)))


def _forms_of(number: Decimal) -> set[Decimal]:
    """Return a number as copy may state it: itself, rounded or cut off, in tens or hundreds, a fraction in percent."""
    if 0 < number < 1:
        forms = {number, number * 100, Decimal(round(number * 100)), round(number * 100, 1)}
    else:
        forms = {number, Decimal(round(number)), Decimal(int(number)), round(number, 2)}
    for size in _ROUNDED:
        if number >= _TELLING * size:
            forms |= {Decimal(round(number / size)) * size, Decimal(int(number / size)) * size}
    return {form for form in forms if form >= _SMALLEST or form != int(form)}


def profile_of(subject: Subject) -> Profile:
    """Return the profile of the subject's member."""
    return once(subject, "profile", lambda: Profile(subject.personal))


def figures_of(subject: Subject, field: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of a folded field that state a number or day of the profile which the offer doesn't have."""
    return once(subject, ("profile figures", field), lambda: tuple(_figures(subject, field)))


def _figures(subject: Subject, field: str) -> Iterator[tuple[int, int]]:
    profile = profile_of(subject)
    mentions, quantities = (
        once_for_terms(subject, "no figures of the offer", lambda: _not_offered(subject, field))
        if field == "terms"
        else _not_offered(subject, field)
    )
    for mention in mentions:
        key = (mention.month, mention.day)
        if any(mention.year in (None, own.year) for own in profile.dates if key == (own.month, own.day)):
            yield mention.start, mention.end
    for quantity in quantities:
        if quantity.value in profile.numbers:
            yield quantity.start, quantity.end


def _not_offered(subject: Subject, field: str) -> tuple[tuple[DateMention, ...], tuple[Quantity, ...]]:
    """Return the days and numbers of a field that the offer has in no role."""
    _, mentions, quantities = statements_of(fold(subject.text[field]).text)
    support = support_for(subject)
    offered = {(known.month, known.day) for known in support.dates.values()}
    return (
        tuple(each for each in mentions if each.is_day and (each.month, each.day) not in offered),
        tuple(each for each in quantities if not support.has(each, frozenset())),
    )


def _may_hold(draft: str, value: str) -> bool:
    """Tell cheaply whether some word of a value is in the draft at all."""
    words = "".join(char if char.isalnum() else " " for char in fold(value).text.lower()).split()
    return not words or any(word in draft for word in words)


def _texts(text: str, values: list[tuple[str, str]]) -> Iterator[tuple[int, int]]:
    lower = text.lower()
    for name, value in values:
        if name == "name":
            yield from _name_parts(text, lower, value)
        elif name == "location":
            yield from _phrase(text, fold(value.split(",")[0]).text.strip(), cased=True)
        elif name in LABELS:
            for part in (value, *value.split("/")):
                yield from labels_in(lower, fold(part).text.strip().lower())
        elif len(value) >= _SHORTEST_TEXT:
            yield from _phrase(lower, fold(value).text.strip().lower())


def _phrase(text: str, phrase: str, *, cased: bool = False) -> Iterator[tuple[int, int]]:
    """Yield the whole-word occurrences of a phrase; a cased one also in capitals."""
    for wanted in {phrase, phrase.upper()} if cased else {phrase}:
        at = text.find(wanted) if wanted else -1
        while at >= 0:
            end = at + len(wanted)
            if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
                yield at, end
            at = text.find(wanted, end)


def _name_parts(text: str, lower: str, name: str) -> Iterator[tuple[int, int]]:
    whole = fold(name).text
    yield from _phrase(lower, whole.lower())
    parts = whole.replace(".", " ").replace(",", " ").split()
    for part in parts if len(parts) <= _MOST_NAMES else parts[:1]:
        if len(part) < 3 or part.lower() in _GRAMMAR:
            continue
        for start, end in _phrase(text, part[0].upper() + part[1:], cased=True):
            before = text[:start].rstrip(" \"'(")
            opens = not before or before[-1] in ".!?:\n"
            if not (opens and part.lower() in _ORDINARY_NAMES):
                yield start, end


@lru_cache(maxsize=1024)
def _spellings(label: str) -> frozenset[str]:
    return frozenset({label, label.replace("_", " "), label.replace("_", "-"), label.replace(" ", "-")})


def may_name(lower: str, label: str) -> bool:
    """Tell whether a lower-case text holds a label in some spelling."""
    return any(spelt in lower for spelt in _spellings(label))


def labels_in(lower: str, label: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of a lower-case text that name a label; ordinary uses of such words are left out."""
    for spelt in _spellings(label):
        for start, end in _phrase(lower, spelt):
            after = lower[end:].lstrip(" ,").split(" ", 1)[0].strip(".,!?;:'\"").removesuffix("s")
            before = " ".join(lower[max(0, start - 24) : start].split())
            if spelt not in _ORDINARY_LABELS or after in _READERS or f" {before}".endswith(_READER_LEADS):
                yield start, end
