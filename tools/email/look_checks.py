"""Checks that everyone can read the message, and that nothing in it is hidden: WCAG 2.1 AA and the mailbox rules."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from tools.email.checking import Case, detector, evidence, number
from tools.email.colour import contrast
from tools.email.document import Document, Run
from tools.email.elements import Element, squeeze
from tools.email.look import Look
from tools.email.stylesheet import HIDES, LOOKS
from tools.email.theme import LEAST_CONTRAST
from tools.report import Evidence

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\U000e0000-\U000e007f]"
)
_SMALLEST_SEEN: Final = 6
"""Pixels; smaller text is hidden, not small."""
_FAINTEST_SEEN: Final = 1.5
"""Contrast; fainter text is hidden, not faint."""
_COMMENT_SILENT: Final = re.compile(r"<style.*?</style>|<xml>.*?</xml>|<[^>]*>|\[[^\]]*\]>?|<!|&nbsp;|\s", re.DOTALL)
_EMPTY_LINKS: Final = frozenset(
    {"", "click", "click here", "here", "link", "more", "read more", "this", "go", "learn more"}
)
_TAGS_SILENT: Final = frozenset({"presentation", "none"})


def _no_hidden_text(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    written = case.subject.text.get("preheader")
    for place, run in enumerate(case.document.runs):
        reason = next((f"{why} ({scheme})" for scheme, look in run.looks if (why := _why_hidden(look))), "")
        is_preheader = place == 0 and bool(run.light.hidden) and (written is None or run.text == squeeze(written))
        if reason and not is_preheader:
            yield evidence("html", f"{run.text[:80]}: {reason}", run.start)
    for text, start in case.document.parsed.comments:
        if left := _COMMENT_SILENT.sub("", text):
            yield evidence("html", f"text in a comment: {left}", start)
    for rule in case.document.rules:
        # A rule this reader can't follow may not hide anything; a width rule is not followed either.
        hides = [each for each in rule.declarations if each.name in HIDES and _is_hiding(each.name, each.value)]
        if hides and (rule.steps is None or rule.condition == "other"):
            yield evidence("html", f"{rule.selector} {{ {hides[0].name}: {hides[0].value} }} may hide text")
    html = " ".join((*case.document.parsed.titles, *(run.text for run in case.document.runs)))
    for field, text in (("html", html), ("text", case.facts.text)):
        for found in _INVISIBLE.finditer(text):
            yield evidence(field, f"invisible character U+{ord(found[0]):04X}")


def _why_hidden(look: Look) -> str:
    if look.hidden:
        return look.hidden
    if look.size < _SMALLEST_SEEN:
        return f"font-size {look.size:g}px"
    ratio = contrast(look.ink, look.ground)
    return f"ink as its ground, {ratio:.2f}:1" if ratio < _FAINTEST_SEEN and not look.unread else ""


def _is_hiding(name: str, value: str) -> bool:
    if name in ("display", "visibility"):
        return value in ("none", "hidden", "collapse")
    if name in ("width", "max-width", "height", "max-height", "opacity"):
        return value.startswith("0")
    return name not in ("overflow", "float", "position") or value in ("absolute", "fixed")


def _accessible(case: Case, params: Mapping[str, object]) -> Iterator[Evidence]:
    document = case.document
    for what, start in document.parsed.faults:
        yield evidence("html", f"not well-formed: {what}", start)
    yield from _names(document)
    yield from _schemes(document)
    yield from _tables(document)
    least = number(params, "min_contrast", LEAST_CONTRAST)
    for run in document.runs:
        yield from _legible(run, least)
    yield from _sizes(case, number(params, "min_body_px", 14), number(params, "min_fine_px", 12))


def _names(document: Document) -> Iterator[Evidence]:
    root = next(document.named("html"), None)
    if root is None or not root.tag.attributes.get("lang", "").strip():
        yield evidence("html", "<html> names no lang")
    if not any(document.parsed.titles):
        yield evidence("html", "<title> is missing or empty")
    headings = [heading for heading in document.named("h1") if document.text_in(heading)]
    if len(headings) != 1:
        yield evidence("html", f"{len(headings)} <h1> with text; one names the message")
    for image in document.named("img"):
        if "alt" not in image.tag.attributes:
            yield evidence("html", f"<img src={image.tag.attributes.get('src', '')}> has no alt", image.start)
    for link in document.named("a"):
        text = document.text_in(link)
        if text.casefold().strip(" .!>»›→") in _EMPTY_LINKS:
            yield evidence("html", f"the link text {text!r} doesn't say where it leads", link.start)


def _schemes(document: Document) -> Iterator[Evidence]:
    metas = {
        element.tag.attributes.get("name", "").lower(): element.tag.attributes for element in document.named("meta")
    }
    for name in ("color-scheme", "supported-color-schemes"):
        if {"light", "dark"} - set(metas.get(name, {}).get("content", "").lower().split()):
            yield evidence("html", f"<meta name={name} content='light dark'> is missing")
    if not any(rule.condition == "dark" and rule.names & LOOKS for rule in document.rules):
        yield evidence("html", "no colours for prefers-color-scheme: dark")
    for rule in document.rules:
        if (rule.steps is None or rule.condition == "other") and (seen := rule.names & (LOOKS - {"font-size"})):
            yield evidence("html", f"{rule.selector} sets {min(seen)} where its contrast can't be judged")


def _tables(document: Document) -> Iterator[Evidence]:
    headed = {_table_of(cell) for cell in document.named("th") if cell.tag.attributes.get("scope") in ("row", "col")}
    for table in document.named("table"):
        role = table.tag.attributes.get("role", "")
        if role not in _TAGS_SILENT and not (role in ("", "table") and table in headed):
            yield evidence("html", "<table> is neither role=presentation nor headed by <th scope>", table.start)


def _table_of(cell: Element) -> Element | None:
    above = cell.parent
    while above is not None and above.tag.name != "table":
        above = above.parent
    return above


def _legible(run: Run, least: float) -> Iterator[Evidence]:
    for scheme, look in run.looks:
        if _why_hidden(look):
            continue
        if look.unread:
            yield evidence("html", f"{run.text[:80]}: {look.unread} can't be judged ({scheme})", run.start)
        elif (ratio := contrast(look.ink, look.ground)) < least:
            yield evidence("html", f"{run.text[:80]}: contrast {ratio:.2f}:1 ({scheme}), at least {least:g}", run.start)


def _sizes(case: Case, body: float, fine: float) -> Iterator[Evidence]:
    copy = squeeze(" ".join(case.subject.text.get(name, "") for name in ("headline", "body", "cta")))
    terms = squeeze(case.subject.text.get("terms", ""))
    for run in case.document.runs:
        if any(_why_hidden(look) for _, look in run.looks):
            continue
        smallest = min(look.size for _, look in run.looks)
        least = body if run.text in copy and run.text not in terms else fine
        if smallest < least:
            yield evidence("html", f"{run.text[:80]}: {smallest:g}px, at least {least:g}px", run.start)
    for rule in case.document.rules:
        for declaration in rule.declarations:
            is_small = declaration.name == "font-size" and declaration.value.removesuffix("px") in _SMALL
            if is_small and (rule.condition == "other" or rule.steps is None):
                yield evidence("html", f"{rule.selector} {{ font-size: {declaration.value} }}: at least {fine:g}px")


_SMALL: Final = frozenset(str(size) for size in range(12))


LOOK: Final = (
    detector("message_no_hidden_text", _no_hidden_text, depends_on=("copy", "message")),
    detector(
        "message_accessible",
        _accessible,
        depends_on=("copy", "message"),
        params=frozenset({"min_contrast", "min_body_px", "min_fine_px"}),
    ),
)
"""Detectors of hidden and of hard to read text."""
