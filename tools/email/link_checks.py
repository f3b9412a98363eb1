"""Check of every address in a message, and of anything that would run, submit or load."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from tools.email.brand import link_fault
from tools.email.checking import Case, detector, evidence
from tools.email.elements import Tag
from tools.report import Evidence

_TAGS: Final = frozenset(
    {
        *("html", "head", "title", "meta", "style", "body", "div", "table", "tbody", "thead", "tr", "th", "td"),
        *("h1", "h2", "h3", "p", "span", "strong", "em", "b", "i", "br", "hr", "a", "ul", "ol", "li", "img"),
    }
)
_ADDRESSES: Final = frozenset(
    {
        *("href", "src", "srcset", "action", "formaction", "background", "poster", "data", "cite", "longdesc"),
        *("xlink:href", "ping", "manifest", "usemap", "codebase", "archive", "profile"),
    }
)
_IN_CSS: Final = re.compile(r"url\s*\(|@import|expression\s*\(|javascript:|-moz-binding|behavior\s*:", re.IGNORECASE)
_IN_COMMENT: Final = re.compile(r"\b(?:href|src|action|background)\s*=|<script|<v:fill", re.IGNORECASE)
_SCHEMES: Final = ("javascript:", "data:", "vbscript:", "www.")
_AROUND: Final = ".,;:!?()[]<>'\""


def _links(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    hosts = case.facts.allowed_hosts
    for element in case.document.parsed.elements:
        for fault in _faults_of(element.tag, hosts):
            yield evidence("html", fault, element.start)
    for css, _media, start in case.document.parsed.sheets:
        if found := _IN_CSS.search(css):
            yield evidence("html", f"style sheet: {found[0]}", start)
    for comment, start in case.document.parsed.comments:
        if loaded := _loaded_by(comment):
            yield evidence("html", f"conditional comment: {loaded}", start)
    for field, text in case.parts:
        for word in text.split():
            if ("//" in word or word.lower().lstrip(_AROUND).startswith(_SCHEMES)) and (
                reason := link_fault(word.strip(_AROUND), hosts)
            ):
                yield evidence(field, f"{word} {reason}")


@lru_cache(maxsize=1024)
def _loaded_by(comment: str) -> str:
    found = _IN_COMMENT.search(comment)
    return found[0] if found else ""


@lru_cache(maxsize=4096)
def _faults_of(tag: Tag, hosts: frozenset[str]) -> tuple[str, ...]:
    faults: list[str] = []
    if tag.name not in _TAGS:
        faults.append(f"<{tag.name}> is not allowed in a message")
    if tag.name == "meta" and tag.attributes.get("http-equiv", "").lower() == "refresh":
        faults.append("<meta http-equiv=refresh> leads elsewhere")
    for name, value in tag.attributes.items():
        if name.startswith("on"):
            faults.append(f"{name} runs a script")
        elif name == "style" and (found := _IN_CSS.search(value)):
            faults.append(f"style: {found[0]}")
        elif name in _ADDRESSES and (reason := link_fault(value, hosts)):
            faults.append(f"{name}: {value} {reason}")
    return tuple(faults)


LINKS: Final = (detector("message_links_allowed", _links),)
"""The detector of links and active content."""
