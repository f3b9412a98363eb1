"""Checks of a message's markup: what assistive technology needs to name, order and relate its contents (WCAG 2.1 A)."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from tools.email.checking import Case, detector, evidence
from tools.email.elements import Element
from tools.report import Evidence

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_EMPTY_LINKS: Final = frozenset(
    {"", "click", "click here", "here", "link", "more", "read more", "this", "go", "learn more", "this link"}
)
_ROLES_SILENT: Final = frozenset({"presentation", "none"})


def _named(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """Language (3.1.1) and title (2.4.2)."""
    root = next(case.document.named("html"), None)
    language = root.tag.attributes.get("lang", "").strip() if root else ""
    at = root.start if root else None
    if not language:
        yield evidence("html", "<html> names no lang", at)
    elif not _LANGUAGE.fullmatch(language):
        yield evidence("html", f"lang={language} is no language tag such as en or en-US", at)
    if not any(case.document.parsed.titles):
        title = next(case.document.named("title"), None)
        yield evidence("html", "<title> is missing or empty", title.start if title else at)


def _headings(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """One main heading that comes first, and no level left out (1.3.1)."""
    headings = [each for each in case.document.named(*_HEADINGS) if case.document.text_in(each)]
    mains = [each for each in headings if each.tag.name == "h1"]
    if len(mains) != 1:
        at = mains[1].start if mains else headings[0].start if headings else None
        yield evidence("html", f"{len(mains)} <h1> with text; one names the message", at)
    level = 0
    for heading in headings:
        own = int(heading.tag.name[1])
        if own > level + 1 and mains:
            before = f"<h{level}>" if level else "nothing"
            text = case.document.text_in(heading)
            yield evidence("html", f"<{heading.tag.name}> {text[:60]!r} follows {before}", heading.start)
        level = own


def _alternatives(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """Each picture says in words what it shows (1.1.1)."""
    for image in case.document.named("img"):
        if "alt" not in image.tag.attributes:
            yield evidence("html", f"<img src={image.tag.attributes.get('src', '')}> has no alt", image.start)


def _link_texts(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """A link's text says where it leads (2.4.4)."""
    for link in case.document.named("a"):
        text = case.document.text_in(link)
        if text.casefold().strip(" .!>»›→") in _EMPTY_LINKS:
            yield evidence("html", f"the link text {text!r} doesn't say where it leads", link.start)


def _tables(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """A table is either layout and silent, or has heads (1.3.1)."""
    heads = [cell for cell in case.document.named("th") if cell.tag.attributes.get("scope") in ("row", "col")]
    headed = {_table_of(cell) for cell in heads}
    for table in case.document.named("table"):
        role = table.tag.attributes.get("role", "")
        if role not in _ROLES_SILENT and not (role in ("", "table") and table in headed):
            yield evidence("html", "<table> is neither role=presentation nor headed by <th scope>", table.start)


def _table_of(cell: Element) -> Element | None:
    above = cell.parent
    while above is not None and above.tag.name != "table":
        above = above.parent
    return above


def _well_formed(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """Markup that each client reads alike, with ids that stand once (4.1.1)."""
    for what, start in case.document.parsed.faults:
        yield evidence("html", f"not well-formed: {what}", start)
    marked = [(element.tag.attributes["id"], element) for element in case.document.parsed.elements if _has_id(element)]
    counts = Counter(name for name, _ in marked)
    seen: set[str] = set()
    for name, element in marked:
        if counts[name] > 1 and name in seen:
            yield evidence("html", f"id={name} stands {counts[name]} times", element.start)
        seen.add(name)


def _has_id(element: Element) -> bool:
    return "id" in element.tag.attributes


STRUCTURE: Final = (
    detector("message_language_and_title", _named, needs=["html"]),
    detector("message_headings", _headings, needs=["html"]),
    detector("message_alternatives", _alternatives, needs=["html"]),
    detector("message_link_texts", _link_texts, needs=["html"]),
    detector("message_tables", _tables, needs=["html"]),
    detector("message_well_formed", _well_formed, needs=["html"]),
)
"""Detectors of markup."""
