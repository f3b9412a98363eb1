"""What points are said to be worth, against what they are redeemed for."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from tools.claims.written import Passage, Sentence, any_of, quantities_in, signed
from tools.grounding.checks import Checks
from tools.grounding.measures import Quantity
from tools.grounding.reading import Reading
from tools.grounding.roles import Role
from tools.grounding.support import amount
from tools.report import Evidence
from tools.snapshot import once_for_terms
from tools.subject import Detector, Subject

_WORTH: Final = any_of(
    r"\bworth\b|\bvalued?\b|\bequals?\b|\bequivalent\b|=|\bredeem\w*\s+(?:\w+\s+){0,3}for\b|\btranslat\w+"
    r"|\bconvert\w*|\bcomes?\s+to\b|\bamounts?\s+to\b|\badds?\s+up\s+to\b|\bgood\s+for\b|\bthat's\b|\bcash(?:es"
    r"|ed)?\s+(?:\w+\s+)?out\b|\bbuys?\b|\bgets?\s+you\b|\bturns?\s+into\b|\blike\b|\bmeans?\b|\bworks?\s+out\b|\bget\s+you\b|\bgoes\s+for\b"
    r"|\bas\s+much\s+as\b|\bor\b"
)
_EACH: Final = any_of(
    r"\b(?:each|every|a|per|one|single|1)\s+(?:\w+\s+)?point\b|\bpoints?\b[^;!?]{0,40}\b(?:each|apiece)\b"
    r"|\bcents?\s+(?:a|per)\s+point|\bcpp\b"
)
_POINT: Final = any_of(r"\bpoints?\b|\d\s*x\b|\bbonus\b")
_RETURN: Final = frozenset({"back", "return", "cash", "value", "off", "rebate"})
_REDEEMED: Final = any_of(r"\b(\d[\d,]*)\s+points?\s+(?:\w+\s+){0,2}?for\s+(?:\w+\s+)?\$\s?(\d[\d,]*(?:\.\d+)?)")
"""A price of points, which otherwise reads as a rate of earning."""
_NEAR: Final = 8
_CENT: Final = Decimal("0.01")


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of worth; it reads the offer and the copy."""
    return (Detector("point_value_true", ("terms", "copy"), partial(_point_value, checks)),)


def _point_value(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find dollars, cents or percent said to be the worth of points that aren't, at `point_value_usd`."""
    per_point = amount(subject.offer.get("point_value_usd"))
    found: list[Evidence] = []
    draft = signed(checks, subject)
    for passage, sentence, match in draft.say(_REDEEMED):
        points, dollars = (Decimal(number.replace(",", "")) for number in match.groups())
        if per_point is None or abs(points * per_point - dollars) > _CENT:
            found.append(passage.evidence(*sentence.span(match)))
    for passage in draft.passages:
        said = partial(_said, passage, subject, per_point)
        key = "point values", checks
        found += once_for_terms(subject, key, said) if passage.field == "terms" else said()
    return found


def _said(passage: Passage, subject: Subject, per_point: Decimal | None) -> list[Evidence]:
    found: list[Evidence] = []
    reading, before = passage.reading, ""
    for sentence in passage.sentences:
        beside, before = f"{before} {sentence.text}" if before else sentence.text, sentence.text
        here = list(quantities_in(reading, sentence))
        if not here or not _POINT.search(beside) or not _WORTH.search(sentence.text):
            continue
        for quantity, roles in here:
            expected = _expected(reading, quantity, roles, here, sentence, subject, per_point)
            if expected is not None and quantity.value not in expected:
                found.append(passage.evidence(quantity.start, quantity.end))
    return found


def _expected(
    reading: Reading,
    quantity: Quantity,
    roles: frozenset[Role],
    here: list[tuple[Quantity, frozenset[Role]]],
    sentence: Sentence,
    subject: Subject,
    per_point: Decimal | None,
) -> set[Decimal] | None:
    """Return the values a stated worth may have; None for a number that states none."""
    if roles & {"minimum_spend", "fee", "price", "payment"} and "worth" not in roles:
        return None
    following = [reading.beside(quantity, quantity.last + step) for step in range(2)]
    text = reading.folded.text[max(sentence.start, quantity.start - 60) : quantity.start]
    links = [match.end() for match in _WORTH.finditer(text)]
    linked = (
        bool(links)
        and len(text[links[-1] :].split()) <= _NEAR
        and not any(
            other.end <= quantity.start and other.end > quantity.start - len(text) + links[-1] for other, _ in here
        )
    )
    if quantity.unit == "percent" and _RETURN.intersection(following) and linked:
        rate = amount(subject.offer.get("reward_value"))
        rates = {other.value for other, _ in here if other.unit == "multiplier"} or (
            {rate} if rate is not None else set()
        )
        if subject.offer.get("reward_unit") != "X_points":
            return None
        return {each * per_point * 100 for each in rates} if per_point is not None else set()
    if quantity.unit != "money":
        return None
    if not (linked or "value" in following or "worth" in following[:1] or "worth" in roles or quantity.value < 1):
        return None
    if "cents" in sentence.text.lower() and quantity.value < 1 and _EACH.search(sentence.text):
        return {per_point} if per_point is not None else set()
    if quantity.value < 1 or _EACH.search(sentence.text):
        if not _EACH.search(sentence.text):
            return None
        if quantity.value < 1:
            return {per_point} if per_point is not None else set()
    points = {other.value for other, _ in here if other.unit == "points"}
    points |= {
        other.value
        for other, _ in here
        if other.unit == "count" and other.value >= 100 and "points" in sentence.text.lower()
    }
    if not points and subject.offer.get("reward_unit") == "points" and _POINT.search(sentence.text):
        points = {value for value in [amount(subject.offer.get("reward_value"))] if value is not None}
    if not points:
        return None
    if per_point is None:
        return set()
    exact = {count * per_point for count in points}
    return exact | {quantity.value} if any(abs(quantity.value - value) <= _CENT for value in exact) else exact
