"""Checks of what the law wants in the footer, and of marks a template leaves behind."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from tools.email.checking import Case, detector, evidence, in_header
from tools.email.elements import Tag
from tools.report import Evidence

_ADVERTISEMENT: Final = re.compile(r"this is an advertisement\b|advertisement[.:]|promotional email\b")
"""Reads lower-case text."""
_LEFTOVER: Final = re.compile(
    r"\{\{|\}\}|\{%|%\}|\$\{|\{[a-z_][a-z0-9_]*\}|\[(?:name|first name|merchant|amount|date|link|url|company|offer)\]"
    r"|\[[A-Z][A-Z_ ]+\]|%%\w+%%|\*\|\w+\|\*|<<\w+>>|%7[Bb]%?\w*|[Ll]orem ipsum|TODO\b|TBD\b|undefined\b|NaN\b"
    r"|Hi ,|Hi (?:None|null)\b"
)

_LINK_TOKEN: Final = re.compile(r"(?<=/)[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
"""A link's token (`tools.email.tokens`): one in forty thousand ends in what would be a left-over word in a text."""


def _ad_identified(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    for part, text in case.parts:
        if not _ADVERTISEMENT.search(text.lower()):
            yield evidence(part, "nothing says that this is an advertisement")


def _postal_address(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    address = " ".join(case.facts.postal_address.split())
    for part, text in case.parts:
        if not address or address not in text:
            yield evidence(part, f"the postal address is missing: {address}")


def _placeholders(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    for part, text in case.parts:
        for found in _LEFTOVER.finditer(_without_tokens(text)):
            yield case.at(part, found[0], found.start())
    for run in case.document.runs:
        if run.light.hidden and (left := _LEFTOVER.search(run.text)):
            yield evidence("html", left[0], run.start)
    for element in case.document.parsed.elements:
        for name, mark in _left_in(element.tag):
            yield evidence("html", f"{name}: {mark}", element.start)
    for title in case.document.parsed.titles:
        if left := _LEFTOVER.search(title):
            yield case.at("html", left[0], 0)
    for name, value in case.facts.headers.items():
        # A member's own address may hold a brace; the check of the address itself tells whether it is one.
        if name.lower() != "to" and (left := _LEFTOVER.search(_without_tokens(value))):
            yield in_header(name, left[0])


@lru_cache(maxsize=4096)
def _left_in(tag: Tag) -> tuple[tuple[str, str], ...]:
    given = ((name, tag.attributes.get(name, "")) for name in ("href", "src", "alt", "title"))
    return tuple((name, left[0]) for name, value in given if (left := _LEFTOVER.search(_without_tokens(value))))


def _without_tokens(text: str) -> str:
    """Return a text of the same length with the tokens of links blotted out: nobody wrote them."""
    return _LINK_TOKEN.sub(lambda token: "0" * len(token[0]), text)


FOOTER: Final = (
    detector("message_ad_identified", _ad_identified),
    detector("message_postal_address", _postal_address),
    detector("message_no_placeholders", _placeholders),
)
"""Detectors of the footer and of leftovers."""
