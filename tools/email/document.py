"""A message's HTML as checks read it: its text in order, and how each stretch looks in light and in dark."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, takewhile
from typing import Final

from tools.email.elements import Element, Parsed, parse
from tools.email.look import CANVAS, Look, RuleIndex, look_of
from tools.email.stylesheet import HIDES, LOOKS, MOST_RULES, Rule, read_sheet

_HEADS: Final = frozenset({"head", "title", "style", "script"})


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One stretch of text with its looks."""

    text: str
    parent: Element
    start: int
    light: Look
    dark: Look

    @property
    def looks(self) -> tuple[tuple[str, Look], ...]:
        """The look by scheme."""
        return ("light", self.light), ("dark", self.dark)

    def inside(self, ancestor: Element) -> bool:
        """Tell whether the text stands in this element, at any depth."""
        return self.parent is ancestor or self.parent.inside(ancestor)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A parsed and styled message."""

    source: str
    parsed: Parsed
    rules: tuple[Rule, ...]
    runs: tuple[Run, ...]
    images: tuple[Element, ...]
    unseen: tuple[tuple[Element, str], ...]
    """Pictures that can't be seen, each with what hides it."""
    visible: str
    """What a reader sees, in order, one blank between runs."""

    def source_of(self, offset: int) -> int:
        """Return where in the HTML the text run begins that holds this offset of `visible`."""
        passed = 0
        for run in self.runs:
            if not run.light.hidden:
                passed += len(run.text) + 1
                if offset < passed:
                    return run.start
        return 0

    def place_of(self, selector: str) -> int | None:
        """Return where in the HTML a style sheet has this selector."""
        found = (self.source.find(selector, start) for _, _, start in self.parsed.sheets)
        return next((at for at in found if at >= 0), None)

    def named(self, *names: str) -> Iterator[Element]:
        """Yield the elements of these names in order."""
        return (element for element in self.parsed.elements if element.tag.name in names)

    def runs_in(self, ancestor: Element) -> list[Run]:
        """Return the runs inside one element: they stand one behind the other."""
        first = bisect_right(self.runs, ancestor.start, key=lambda run: run.start)
        return list(takewhile(lambda run: run.inside(ancestor), islice(self.runs, first, None)))

    def text_in(self, ancestor: Element) -> str:
        """Return the visible text inside one element, or what stands for it: the alternative text of a picture."""
        return _text_in(self, ancestor)


# Several checks ask for the text of the same links and headings.
@lru_cache(maxsize=256)
def _text_in(document: Document, ancestor: Element) -> str:
    written = [(run.start, run.text) for run in document.runs_in(ancestor) if not run.light.hidden]
    first = bisect_right(document.images, ancestor.start, key=lambda image: image.start)
    images = takewhile(lambda image: image.inside(ancestor), islice(document.images, first, None))
    written += ((image.start, image.tag.attributes.get("alt", "")) for image in images)
    return " ".join(text for _, text in sorted(written) if text)


@lru_cache(maxsize=16)
def read_document(source: str) -> Document:
    """Parse and style HTML once for all checks."""
    parsed = parse(source)
    every = (rule for css, media, _ in parsed.sheets for rule in read_sheet(css, media))
    rules = tuple(islice(every, MOST_RULES))
    if next(every, None) is not None:
        parsed.faults.append((f"over {MOST_RULES} rules in all style sheets", parsed.sheets[0][2]))
    parsed.faults.extend(_case_faults(parsed, rules))
    looks = _looks(parsed, rules)
    runs = _runs(parsed, looks)
    images = tuple(element for element in parsed.elements if element.tag.name == "img")
    return Document(
        source,
        parsed,
        rules,
        runs,
        images,
        tuple(_unseen(images, looks)),
        " ".join(run.text for run in runs if not run.light.hidden),
    )


def _case_faults(parsed: Parsed, rules: tuple[Rule, ...]) -> Iterator[tuple[str, int]]:
    """Yield classes that meet their rule in some clients only: letter case counts, except in quirks mode."""
    named = {name for rule in rules for step in rule.steps or () for name in step.classes}
    spellings: dict[str, set[str]] = {}
    for name in named:
        spellings.setdefault(name.lower(), set()).add(name)
    for element in parsed.elements:
        for name in element.tag.classes:
            if spellings.get(name.lower(), set()) - {name}:
                yield f"class {name} differs from the style sheet's in case alone", element.start


_Looks = dict[Element | None, tuple[Look, Look]]
_FAINTEST: Final = 0.1
"""Opacity of a picture; a fainter one is hidden."""


def _unseen(images: tuple[Element, ...], looks: _Looks) -> Iterator[tuple[Element, str]]:
    for image in images:
        for look in looks[image]:
            if look.hidden or look.fade < _FAINTEST:
                yield image, look.hidden or f"opacity {look.fade:g}"
                break


def _looks(parsed: Parsed, rules: tuple[Rule, ...]) -> _Looks:
    judged = [rule for rule in rules if rule.steps and rule.condition != "other" and rule.names & (LOOKS | HIDES)]
    light = RuleIndex([rule for rule in judged if rule.condition == "always"])
    dark = RuleIndex(judged)
    canvas = CANVAS["light"], CANVAS["dark"]
    looks: _Looks = {None: canvas}
    for element in parsed.elements:
        above = looks.get(element.parent, canvas)
        looks[element] = (
            look_of(above[0], element.tag, light.matching(element)),
            look_of(above[1], element.tag, dark.matching(element)),
        )
    return looks


def _runs(parsed: Parsed, looks: _Looks) -> tuple[Run, ...]:
    return tuple(
        Run(text.text, text.parent, text.start, *looks.get(text.parent, looks[None]))
        for text in parsed.texts
        if text.parent.tag.name not in _HEADS
    )
