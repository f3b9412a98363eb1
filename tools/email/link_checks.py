"""Checks of every address in a message, of what it would load, and of anything that would run or submit."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from tools.email.brand import link_fault
from tools.email.checking import Case, detector, evidence
from tools.email.elements import Tag
from tools.report import Evidence

_TAGS: Final = frozenset(
    {
        *(
            "html",
            "head",
            "title",
            "meta",
            "style",
            "body",
            "div",
            "table",
            "tbody",
            "thead",
            "tfoot",
            "tr",
            "th",
            "td",
        ),
        *("caption", "colgroup", "col", "h1", "h2", "h3", "h4", "h5", "h6", "p", "span", "strong", "em", "b", "i", "u"),
        *("small", "sup", "sub", "br", "hr", "a", "ul", "ol", "li", "img"),
    }
)
_ADDRESSES: Final = frozenset(
    {
        *("href", "src", "srcset", "action", "formaction", "background", "poster", "data", "cite", "longdesc"),
        *("xlink:href", "ping", "manifest", "usemap", "codebase", "archive", "profile"),
    }
)
_IN_CSS: Final = re.compile(
    r"\b(?:url|src|image|image-set)\s*\(|@import|expression\s*\(|javascript:|-moz-binding|behavior\s*:", re.IGNORECASE
)
_IN_COMMENT: Final = re.compile(r"\b(?:href|src|action|background)\s*=|<script|<v:fill", re.IGNORECASE)
_SCHEMES: Final = ("javascript:", "data:", "vbscript:", "www.")
_AROUND: Final = ".,;:!?()[]<>'\""
_SHOWN_HOST: Final = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:/\S*)?", re.IGNORECASE)
_LEAST_SEEN_PX: Final = 3
"""A picture of fewer pixels on a side shows nothing: it can only report that it was loaded."""
_PIXELS: Final = re.compile(r"\s*(\d+)(?:\.\d+)?\s*(?:px)?\s*")


def _links(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    hosts = case.facts.allowed_hosts
    for element in case.document.parsed.elements:
        for fault in _faults_of(element.tag, hosts):
            yield evidence("html", fault, element.start)
    for part, text in case.parts:
        for word in text.split():
            if ("//" in word or word.lower().lstrip(_AROUND).startswith(_SCHEMES)) and (
                reason := link_fault(word.strip(_AROUND), hosts)
            ):
                at = case.at(part, word, text.find(word))
                yield evidence(part, f"{word} {reason}", at.start, len(word))


@lru_cache(maxsize=4096)
def _faults_of(tag: Tag, hosts: frozenset[str]) -> tuple[str, ...]:
    given = ((name, value) for name, value in tag.attributes.items() if name in _ADDRESSES)
    return tuple(f"{name}: {value} {reason}" for name, value in given if (reason := link_fault(value, hosts)))


def _link_texts(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """A link whose text is an address leads to that host: anything else is how phishing looks."""
    for link in case.document.named("a"):
        url = link.tag.attributes.get("href", "")
        shown = _SHOWN_HOST.fullmatch(case.document.text_in(link).strip(_AROUND))
        if shown and shown[1].lower() != (_host(url) or ""):
            yield evidence("html", f"the link shows {shown[0]} and leads to {url}", link.start)


@lru_cache(maxsize=1024)
def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _active(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    for element in case.document.parsed.elements:
        for fault in _active_in(element.tag):
            yield evidence("html", fault, element.start)
    for css, _media, start in case.document.parsed.sheets:
        if found := _IN_CSS.search(css):
            at = case.facts.html.find(css, start)
            yield evidence("html", f"style sheet: {found[0]}", max(at, start) + (found.start() if at >= 0 else 0))
    for comment, start in case.document.parsed.comments:
        if loaded := _loaded_by(comment):
            yield evidence("html", f"conditional comment: {loaded}", start)


@lru_cache(maxsize=1024)
def _loaded_by(comment: str) -> str:
    found = _IN_COMMENT.search(comment)
    return found[0] if found else ""


@lru_cache(maxsize=4096)
def _active_in(tag: Tag) -> tuple[str, ...]:
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
    return tuple(faults)


def _pixels(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    unseen = dict(case.document.unseen)
    for image in case.document.images:
        style = {each.name: each.value for each in image.tag.style}
        for side in ("width", "height"):
            given = _PIXELS.fullmatch(style.get(side, image.tag.attributes.get(side, "")))
            if given and int(given[1]) < _LEAST_SEEN_PX:
                yield evidence(
                    "html", f"<img src={image.tag.attributes.get('src', '')}> of {side} {given[1]}", image.start
                )
                break
        else:
            if why := unseen.get(image):
                shown = f"<img src={image.tag.attributes.get('src', '')}> isn't shown: {why}"
                yield evidence("html", shown, image.start)


LINKS: Final = (
    detector("message_links_allowed", _links),
    detector("message_link_texts_honest", _link_texts, needs=["html"]),
    detector("message_no_active_content", _active, needs=["html"]),
    detector("message_no_tracking", _pixels, needs=["html"]),
)
"""Detectors of addresses and of active content."""
