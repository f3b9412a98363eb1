"""Check that a message hides nothing but its preheader: the mailbox rules and 12 USC 5536."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from tools.email.checking import Case, detector, evidence
from tools.email.document import Run
from tools.email.elements import squeeze
from tools.email.hiding import is_hiding
from tools.email.look import Look
from tools.email.stylesheet import HIDES
from tools.report import Evidence

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\U000e0000-\U000e007f]"
)
_SMALLEST_SEEN: Final = 6
"""Pixels; smaller text is hidden, not small."""
_FAINTEST_SEEN: Final = 1.5
"""Contrast; fainter text is hidden, not faint."""
_LONGEST_PREHEADER: Final = 200
"""Characters; where the checked copy isn't known, longer hidden text is no preheader."""
_COMMENT_SILENT: Final = re.compile(r"<[^<>]*>|\[[^\[\]]*\]>?|<!|&nbsp;|\s")
_COMMENT_BLOCKS: Final = (("<style", "</style>"), ("<xml>", "</xml>"))


def _no_hidden_text(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    written = case.subject.text.get("preheader")
    for place, run in enumerate(case.document.runs):
        reason = next((f"{why} ({scheme})" for scheme, look in run.looks if (why := why_hidden(look))), "")
        if reason and not (place == 0 and _is_preheader(run, written)):
            yield evidence("html", f"{run.text[:80]}: {reason}", run.start)
    for text, start in case.document.parsed.comments:
        if left := _COMMENT_SILENT.sub("", _without_blocks(text)):
            yield evidence("html", f"text in a comment: {left}", start)
    for rule in case.document.rules:
        # A rule this reader can't follow may not hide anything; a width rule is not followed either.
        hides = [each for each in rule.declarations if each.name in HIDES and is_hiding(each.name, each.value)]
        if hides and (rule.steps is None or rule.condition == "other"):
            at = case.document.place_of(rule.selector)
            yield evidence("html", f"{rule.selector} {{ {hides[0].name}: {hides[0].value} }} may hide text", at)
    yield from _invisible(case)


def _without_blocks(comment: str) -> str:
    """Return a conditional comment without the settings and styles that only Outlook reads."""
    for opening, closing in _COMMENT_BLOCKS:
        kept: list[str] = []
        position = 0
        while (start := comment.find(opening, position)) >= 0 and (end := comment.find(closing, start)) >= 0:
            kept.append(comment[position:start])
            position = end + len(closing)
        comment = "".join([*kept, comment[position:]])
    return comment


def _is_preheader(run: Run, written: str | None) -> bool:
    if not run.light.hidden:
        return False
    return len(run.text) <= _LONGEST_PREHEADER if written is None else run.text == squeeze(written)


def _invisible(case: Case) -> Iterator[Evidence]:
    for run in case.document.runs:
        for found in _INVISIBLE.finditer(run.text):
            yield evidence("html", _named(found[0]), run.start)
    for title in case.document.parsed.titles:
        for found in _INVISIBLE.finditer(title):
            yield evidence("html", _named(found[0]))
    for found in _INVISIBLE.finditer(case.facts.text):
        yield evidence("text", _named(found[0]), found.start(), 1)


def _named(character: str) -> str:
    return f"invisible character U+{ord(character):04X}"


def why_hidden(look: Look) -> str:
    """Return why text of this look can't be seen, or nothing."""
    if look.hidden:
        return look.hidden
    if squeezed := look.tight_lines or look.tight_letters:
        return squeezed
    if look.size < _SMALLEST_SEEN:
        return f"font-size {look.size:g}px"
    ratio = look.contrast
    return f"ink as its ground, {ratio:.2f}:1" if ratio < _FAINTEST_SEEN and not look.unread else ""


HIDDEN: Final = (
    detector(
        "message_no_hidden_text",
        _no_hidden_text,
        depends_on=("copy", "message"),
        unseen="whether hidden text at the top is the checked preheader (up to 200 characters count as one)",
    ),
)
"""The detector of hidden text."""
