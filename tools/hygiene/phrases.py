"""Markup, links, leftover template marks and talk to a reviewer or a model: linear patterns over folded text."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from tools.folding import Folded, fold
from tools.grounding.reading import own_names
from tools.hygiene.talk import NOT_TO_THE_MEMBER
from tools.report import Evidence
from tools.snapshot import once, once_for_terms
from tools.subject import Subject


def _pattern(*parts: str) -> Any:
    return re2.compile("(?i)" + "|".join(parts))


_MARKUP: Final = _pattern(
    r"[<>]",
    r"&(?:lt|gt|amp|quot|apos|nbsp|lpar|rpar|colon|tab|newline)\b;?|&#",
    r"\]\(|!\[|\*\*|__",
    r"\{\{|\}\}|\{%|%\}|\$\{|\{#|#\{",
    r"\b(?:javascript|vbscript|livescript)\s*:|\bdata\s*:\s*[a-z]+/|\bdata:[;,]",
    r"\bon[a-z]{3,}\s*=|\b(?:style|class|href|src|width|height)\s*=\s*[\"'#\w]",
    r"\\[ux][0-9a-f]{2}|%3[ce]\b|%3[ce][a-z/]",
)
_LINK: Final = _pattern(
    r"\b(?:https?|hxxps?|ftp|mailto|tel|sms|file)\s*:\s*/?/?[\w+]\S*",
    r"[\w.+-]+@[\w-]+\.[\w.-]*\w",
    r"\bwww\s?\.\s?\S+",
    r"//[a-z0-9-]+\.[a-z]{2,}\S*",
    r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b",
    r"\bxn--[a-z0-9-]+",
    r"\b[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.(?:com|net|org|io|ly|co|info|biz|gov|edu|dev|app|ai|gl|gd|cc"
    r"|tv|link|shop|store|online|site|xyz|club|top|click|live|bank|ru|cn|uk|de|eu|me|us|ca|to|be|sh|page|web)\b(?:/\S*)?",
    r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/\S+",
    r"\b[a-z0-9-]+ ?[\[({] ?(?:dot|\.) ?[\])}] ?[a-z]{2,}\b",
    r"\b[a-z0-9-]+ dot (?:com|net|org|io|co|ly)\b",
)
_SENTENCE_TAILS: Final = frozenset(
    {"me", "us", "to", "be", "top", "live", "store", "shop", "online", "click", "page", "app", "link"}
)
"""Endings that are words: "today.Shop" is a missing space, "today.shop" a domain."""
_PLACEHOLDER: Final = _pattern(
    r"\{[^{}\n]{0,60}\}|\{\{|\}\}|[{}]",
    r"\[[a-z][a-z_ /-]{1,40}\]|\[\s*\]|\[x+\]",
    r"<[a-z_ ]{2,30}>",
    r"%\([a-z_]+\)[sd]|%%[a-z_]+%%|%[A-Z_]{3,}%|\$[A-Z_]{4,}\b|\B@[A-Z_]{3,}@",
    r"\b(?:TODO|TBD|TBC|TBA|FIXME|TKTK|PLACEHOLDER|CHANGEME)\b",
    r"\blorem(?: ipsum)?\b|\bdolor sit amet\b",
    r"\b(?:text|copy|line|name|headline|offer|logo|image|disclosure) goes here\b",
    r"\*\|[^|\n]{1,40}\|\*|@@[a-z_]+@@",
    r"\b(?:dear|hi|hello|hey),? (?:null|none|undefined|nan|n/a|first ?name|customer name|member name|name)\b",
    r"\bx{3,}\b|\$x{2,}\b|\bx{2,}(?:%|/x{2})|_{3,}",
    r"\b(?:mm/dd|dd/mm)(?:/y{2,4})?\b|\byyyy\b",
    r"\b(?:insert|enter|type) (?:[a-z]+ ){0,2}here\b|\byour (?:name|text|city|offer|logo|message) here\b",
    r"\bundefined\b|\b(?-i:NaN)\b|\$(?:none|null)\b|\b(?:none|null) (?:points|percent|days|weeks|dollars)\b",
    r"\b(?:first_name|last_name|offer_value|merchant_name|expiry_date|minimum_spend|enroll_by|reward_cap)\b",
)
Keep = Callable[[str, int, int], bool]


def _found(subject: Subject, pattern: Any, keep: Keep | None = None) -> list[Evidence]:
    # One scan of the whole copy settles the common case: nothing there.
    in_copy = pattern.search(copy_of(subject)) is not None
    found: list[Evidence] = []
    for field, text in subject.text.items():
        if field == "terms" and text:
            found += once_for_terms(subject, pattern, lambda: _in_field("terms", subject.text["terms"], pattern, keep))
        elif in_copy and text:
            found += _in_field(field, text, pattern, keep)
    return found


def _in_field(field: str, text: str, pattern: Any, keep: Keep | None) -> tuple[Evidence, ...]:
    whole = fold(text)
    return tuple(
        _evidence(field, whole, match.start(), match.end())
        for match in pattern.finditer(whole.text)
        if keep is None or keep(whole.text, match.start(), match.end())
    )


def copy_of(subject: Subject) -> bytes:
    """Return the folded fields other than the terms, one under the other, as RE2 reads them."""
    fields = subject.text.items
    return once(
        subject,
        "copy",
        lambda: "\n".join(fold(text).text for field, text in fields() if text and field != "terms").encode(),
    )


def _evidence(field: str, whole: Folded, start: int, end: int) -> Evidence:
    first, last = whole.span(start, end)
    return Evidence(field=field, quote=whole.original[first:last], start=first, end=last)


def plain_text(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find HTML, entities, Markdown, template syntax, script addresses and event handlers."""
    return _found(subject, _MARKUP)


def no_links(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find addresses and domains, written out or disguised, other than an offer merchant's name ("Booking.com")."""
    names = tuple(fold(name).text.lower() for name in own_names(subject.offer))

    def keep(text: str, start: int, end: int) -> bool:
        link = text[start:end]
        tail = link.rpartition(".")[2]
        if tail.lower() in _SENTENCE_TAILS and tail.istitle():
            return False
        return not _is_inside(text.lower(), start, end, names)

    return _found(subject, _LINK, keep)


def _is_inside(text: str, start: int, end: int, names: Iterable[str]) -> bool:
    for name in names:
        at = text.find(name, max(0, start - len(name)), end + len(name))
        if 0 <= at <= start and end <= at + len(name):
            return True
    return False


def no_placeholders(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find slots left unfilled, drafting marks and values that a program printed for nothing."""
    return _found(subject, _PLACEHOLDER)


def no_reviewer_instructions(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find text addressed to a model or a reviewer, claims of approval, and ids of policies."""
    return _found(subject, NOT_TO_THE_MEMBER)


_TEXT_FACTS: Final = ("merchants", "exclusions", "addon_name", "reward_note", "go_to_apr", "eligibility_excludes")


def offer_text_is_data(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find instructions, markup and template marks in the offer's own texts: names and notes are data, never orders."""
    found = []
    for name in _TEXT_FACTS:
        value = subject.offer.get(name)
        for text in value if isinstance(value, list | tuple) else (value,):
            if isinstance(text, str) and any(p.search(fold(text).text) for p in (NOT_TO_THE_MEMBER, _MARKUP)):
                found.append(Evidence(field=f"offer.{name}", quote=text))
    return found
