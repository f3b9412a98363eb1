"""Check that both parts of a message carry the same facts: the offer's, the checked copy's and each other's."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from tools.email.checking import Case, detector, evidence
from tools.email.elements import Element, squeeze
from tools.report import Evidence
from tools.subject import MessagePart

Quantity = tuple[str, str]
"""Kind and value of one fact: ("usd", "25"), ("percent", "10"), ("date", "2026-06-17"), or a bare number."""

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_URL: Final = re.compile(r"https?://\S+")
_QUANTITY: Final = re.compile(
    r"\$\s?(?P<usd>\d[\d,]*(?:\.\d+)?)"
    r"|(?P<percent>\d+(?:\.\d+)?)\s?%"
    r"|(?P<times>\d+(?:\.\d+)?)x\b"
    r"|(?P<points>\d[\d,]*)\s(?:bonus\s)?points\b"
    r"|(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s(?P<day>\d{1,2}),?\s(?P<year>\d{4})"
    r"|(?P<span>\d+(?:\s(?:to|or|-)\s\d+)?)[\s-](?P<unit>day|week|month|year)s?\b"
    r"|(?P<number>\d[\d,]*(?:[./:-]\d+)+|\d[\d,]*\d)"
)


@lru_cache(maxsize=32)
def quantities(text: str) -> frozenset[Quantity]:
    """Return the typed facts of a text; figures inside links don't count."""
    return frozenset(_typed(found) for found in _QUANTITY.finditer(_URL.sub(" ", text).lower()))


def _typed(found: re.Match[str]) -> Quantity:
    if found["month"]:
        month = _MONTHS.index(found["month"]) + 1
        return "date", f"{found['year']}-{month:02}-{int(found['day']):02}"
    if found["span"]:
        return found["unit"], found["span"]
    kind = found.lastgroup or ""
    if kind == "number":
        return kind, found["number"].replace(",", "")
    return kind, _plain(float(found[kind].replace(",", "")))


def _plain(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _weeks(value: object) -> str:
    weeks = [str(week) for week in value] if isinstance(value, (list, tuple)) else [str(value)]
    return " to ".join(dict.fromkeys(weeks))


_KIND_OF_UNIT: Final = {"X_points": "times", "usd": "usd", "percent": "percent", "usd_spend": "usd", "points": "points"}


def _required(offer: Mapping[str, object]) -> Iterator[tuple[str, Quantity]]:
    """Yield each typed fact of the offer that a member must be able to read."""
    for name, unit in (("reward_value", "reward_unit"), ("reward_cap", "reward_cap_unit")):
        value, kind = offer.get(name), _KIND_OF_UNIT.get(str(offer.get(unit)))
        if isinstance(value, (int, float)) and kind:
            yield name, (kind, _plain(value))
    minimum = offer.get("minimum_spend")
    if isinstance(minimum, (int, float)):
        yield "minimum_spend", ("usd", _plain(minimum))
    for name in ("start_date", "end_date", "enroll_by"):
        if day := offer.get(name):
            yield name, ("date", str(day))
    if weeks := offer.get("fulfillment_weeks"):
        yield "fulfillment_weeks", ("week", _weeks(weeks))


_BOTH_WAYS: Final[tuple[tuple[MessagePart, MessagePart], ...]] = (("html", "text"), ("text", "html"))


def _parts_agree(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    # The postal address is its own check's.
    ours = {quantity for quantity in quantities(case.facts.postal_address) if quantity[0] == "number"}
    found = {part: quantities(written) - ours for part, written in case.parts}
    for part, other in _BOTH_WAYS:
        for kind, value in sorted(found[other] - found[part]):
            yield evidence(part, f"{kind} {value} stands only in the {other} part")
    shown = {link.tag.attributes.get("href", ""): link.start for link in _seen_links(case)}
    written = frozenset(_cleaned(url) for url in _URL.findall(case.facts.text))
    for url, start in shown.items():
        if url.startswith("http") and url not in written:
            yield evidence("html", f"{url} stands only in the html part", start)
    in_html = {*shown, *(_cleaned(url) for url in _URL.findall(case.document.visible))}
    for url in sorted(written - in_html):
        yield evidence("text", f"{url} stands only in the text part", case.facts.text.find(url))


def _seen_links(case: Case) -> Iterator[Element]:
    """Yield the links a reader sees words of; a picture that links has no counterpart in plain text."""
    for link in case.document.named("a"):
        if any(not run.light.hidden for run in case.document.runs_in(link)):
            yield link


def _cleaned(url: str) -> str:
    return url.rstrip(".,;:!?)>]'\"")


def _shows_offer(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    found = {part: quantities(written) for part, written in case.parts}
    for name, quantity in _required(case.subject.offer):
        for part in found:
            if quantity not in found[part]:
                yield evidence(part, f"{name} ({quantity[1]}) is missing")
    merchants = case.subject.offer.get("merchants")
    names = [squeeze(str(name)) for name in merchants] if isinstance(merchants, (list, tuple)) else []
    for part, written in case.parts:
        for merchant in names:
            if merchant not in written:
                yield evidence(part, f"the merchant {merchant} is missing")
        for field in ("headline", "body", "cta", "terms"):
            for paragraph in case.subject.text.get(field, "").split("\n"):
                if squeeze(paragraph) not in written:
                    yield evidence(part, f"{field}: the checked text is missing or changed: {paragraph}")


PARITY: Final = (
    detector("message_parts_agree", _parts_agree, needs=["html", "text"]),
    detector("message_shows_offer", _shows_offer, needs=["html", "text"], depends_on=("terms", "copy", "message")),
)
"""Detectors of facts that differ between the parts, or from the offer."""
