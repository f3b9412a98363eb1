"""Checks that text can be read: contrast in light and dark, and sizes (WCAG 2.1 AA, 1.4.3; 12 CFR 1026.5(a))."""

from collections.abc import Iterator, Mapping
from typing import Final

from tools.email.checking import Case, detector, evidence, number
from tools.email.document import Document, Run
from tools.email.elements import squeeze
from tools.email.hidden_check import why_hidden
from tools.email.look import size_of
from tools.email.stylesheet import PAINTS
from tools.email.theme import LEAST_CONTRAST
from tools.report import Evidence

_LEAST_LARGE: Final = 3.0
"""Contrast of large text (WCAG 2.1 AA, 1.4.3)."""
_SCHEMES: Final = ("color-scheme", "supported-color-schemes")


def _contrast(case: Case, params: Mapping[str, object]) -> Iterator[Evidence]:
    least = number(params, "min_contrast", LEAST_CONTRAST)
    least_large = number(params, "min_contrast_large", _LEAST_LARGE)
    for run in case.document.runs:
        yield from _legible(run, least, least_large)
    for rule in case.document.rules:
        if (rule.steps is None or rule.condition == "other") and (seen := rule.names & PAINTS):
            at = case.document.place_of(rule.selector)
            yield evidence("html", f"{rule.selector} sets {min(seen)} where its contrast can't be judged", at)


def _legible(run: Run, least: float, least_large: float) -> Iterator[Evidence]:
    for scheme, look in run.looks:
        if why_hidden(look):
            continue
        wanted = least_large if look.is_large else least
        if look.unread:
            yield evidence("html", f"{run.text[:80]}: {look.unread} can't be judged ({scheme})", run.start)
        elif (ratio := look.contrast) < wanted:
            what = f"contrast {ratio:.2f}:1 ({scheme}), at least {wanted:g}"
            yield evidence("html", f"{run.text[:80]}: {what}", run.start)


def _dark_scheme(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    document = case.document
    metas = {
        element.tag.attributes.get("name", "").lower(): element.tag.attributes for element in document.named("meta")
    }
    for name in _SCHEMES:
        if {"light", "dark"} - set(metas.get(name, {}).get("content", "").lower().split()):
            yield evidence("html", f"<meta name={name} content='light dark'> is missing")
    if not any(rule.condition == "dark" and rule.names & PAINTS for rule in document.rules):
        yield evidence("html", "no colours for prefers-color-scheme: dark")


def _text_size(case: Case, params: Mapping[str, object]) -> Iterator[Evidence]:
    body, fine = number(params, "min_body_px", 14), number(params, "min_fine_px", 12)
    copy = squeeze(" ".join(case.subject.text.get(name, "") for name in ("headline", "body", "cta")))
    terms = squeeze(case.subject.text.get("terms", ""))
    for run in case.document.runs:
        if any(why_hidden(look) for _, look in run.looks):
            continue
        for scheme, look in run.looks:
            if look.unsized:
                yield evidence("html", f"{run.text[:80]}: {look.unsized} can't be judged ({scheme})", run.start)
        smallest = min(look.size for _, look in run.looks)
        least = body if run.text in copy and run.text not in terms else fine
        if smallest < least:
            yield evidence("html", f"{run.text[:80]}: {smallest:g}px, at least {least:g}px", run.start)
    yield from _small_rules(case.document, fine)


def _small_rules(document: Document, fine: float) -> Iterator[Evidence]:
    for rule in document.rules:
        for declaration in rule.declarations:
            if declaration.name not in ("font", "font-size") or not (rule.condition == "other" or rule.steps is None):
                continue
            size = size_of(declaration)
            if size is None or size < fine:
                at = document.place_of(rule.selector)
                what = f"{rule.selector} {{ {declaration.name}: {declaration.value} }}"
                yield evidence("html", f"{what}: at least {fine:g}px", at)


CONTRAST: Final = (
    detector("message_contrast", _contrast, needs=["html"], params=frozenset({"min_contrast", "min_contrast_large"})),
    detector("message_dark_scheme", _dark_scheme, needs=["html"]),
    detector(
        "message_text_size",
        _text_size,
        needs=["html"],
        depends_on=("copy", "message"),
        params=frozenset({"min_body_px", "min_fine_px"}),
        unseen="which text is the body, so all is held to 12 px in place of 14",
    ),
)
"""Detectors of text that is hard to read."""
