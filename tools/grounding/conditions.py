"""Whether every material condition of the offer is stated, and the ones that matter most beside the claim."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from tools.grounding.checks import Checks
from tools.grounding.reading import Reading
from tools.grounding.support import Support, amount, date_matches
from tools.grounding.supported import support_for
from tools.grounding.tokens import listed
from tools.report import Evidence
from tools.snapshot import once_for_terms
from tools.subject import Subject

_ENROLLED: Final = re2.compile(
    r"(?i)\b(?:enrol|activat|regist(?:er|ration)|opt(?:ing)?[ -]in\b|sign(?:ing)?[ -]up\b"
    r"|add (?:it|this|the offer|this offer) to)"
)
_NOT_ENROLLED: Final = re2.compile(r"(?i)\b(?:no|without|zero) (?:enrol|activat|regist|sign)\w*")
_ONCE: Final = re2.compile(
    r"(?i)\b(?:once|single|per (?:card|cardmember|member|account|person)|one-time)\b"
    r"|\b(?:limit(?:ed to)?|only|just|maximum|at most):? (?:of )?(?:one|1 )"
    r"|\b(?:one|1) (?:per|reward|bonus|offer|enrollment|use|redemption|purchase|credit|time|statement)\b"
    r"|\bfirst (?:qualifying |eligible )?purchase\b"
    r"|\b(?:not|no|can't|cannot|never|n't)\b[^.!?]{0,40}\b(?:twice|a second time|more than once|again)\b"
    r"|\bone (?:to|for) (?:a|each|every) (?:card)?member\b|\blimit is one\b"
    r"|\bone (?:\w+ )?(?:a|each|to a) (?:card)?member\b"
    r"|\beach (?:card)?member (?:may|can|gets?|has|is)\b[^.!?]{0,40}\b(?:one|1|a single)\b"
)
_ONLINE: Final = re2.compile(r"(?i)\bonline\b|\bweb ?site\b|\bin[ -]app\b")
_IN_STORE: Final = re2.compile(
    r"(?i)\bin[ -](?:store|person|restaurant)s?\b|\bat the (?:register|counter|till)\b"
    r"|\b(?:in|at|inside|into|to|visit)(?: \S+){1,4} (?:store|shop|restaurant|location)s?\b"
)
_SMALL: Final = frozenset(listed("the and for with from any all not are was via only other"))
_STEM = 5

Stated = Callable[[Mapping[str, object], Support, list[Reading]], bool]


def _minimum(offer: Mapping[str, object], support: Support, readings: list[Reading]) -> bool:
    wanted = {amount(offer.get("minimum_spend"))}
    return any(
        quantity.unit == "money" and quantity.value in wanted and (not roles or "minimum_spend" in roles)
        for reading in readings
        for quantity, roles in zip(reading.quantities, reading.roles, strict=True)
    )


def _cap(offer: Mapping[str, object], support: Support, readings: list[Reading]) -> bool:
    values = {
        (unit, value)
        for (unit, role), values in support.values.items()
        if role in ("spend_cap", "reward_cap")
        for value in values
    }
    return any(
        (quantity.unit, quantity.value) in values and (not roles or bool(roles & {"spend_cap", "reward_cap"}))
        for reading in readings
        for quantity, roles in zip(reading.quantities, reading.roles, strict=True)
    )


def _end(offer: Mapping[str, object], support: Support, readings: list[Reading]) -> bool:
    end = support.dates.get("end")
    return end is None or any(
        date_matches(mention, end) or (mention.mode == "before" and mention.day == end.day + 1)
        for reading in readings
        for mention in reading.dates
        if mention.is_day and (not mention.roles or "end" in mention.roles or "enroll" not in support.dates)
    )


def _pattern(pattern: Any) -> Stated:
    return lambda offer, support, readings: any(pattern.search(reading.folded.text) for reading in readings)


def _enrollment(offer: Mapping[str, object], support: Support, readings: list[Reading]) -> bool:
    return any(_ENROLLED.search(_NOT_ENROLLED.sub("", reading.folded.text)) is not None for reading in readings)


def _enroll_by(offer: Mapping[str, object], support: Support, readings: list[Reading]) -> bool:
    wanted = support.dates.get("enroll")
    return wanted is None or any(
        date_matches(mention, wanted) for reading in readings for mention in reading.dates if mention.is_day
    )


def _redemptions(offer: Mapping[str, object], support: Support, readings: list[Reading]) -> bool:
    most = amount(offer.get("max_redemptions"))
    return any(
        quantity.unit == "count" and quantity.value == most for reading in readings for quantity in reading.quantities
    ) or (most == Decimal(1) and _pattern(_ONCE)(offer, support, readings))


def _exclusions(offer: Mapping[str, object], support: Support, readings: list[Reading]) -> bool:
    text = " ".join(reading.folded.text for reading in readings).lower()
    listed = offer.get("exclusions")
    return all(
        word[:_STEM] in text
        for exclusion in (listed if isinstance(listed, list | tuple) else ())
        for word in re.findall(r"[a-z]{3,}", str(exclusion).lower())
        if word not in _SMALL
    )


def _fulfillment(offer: Mapping[str, object], support: Support, readings: list[Reading]) -> bool:
    most = support.fulfillment[1] if support.fulfillment else None
    return any(
        quantity.unit == "days" and quantity.value == most for reading in readings for quantity in reading.quantities
    )


_CONDITIONS: Final[dict[str, tuple[Callable[[Mapping[str, object]], object], Stated, bool]]] = {
    "minimum_spend": (lambda offer: amount(offer.get("minimum_spend")), _minimum, True),
    "requires_enrollment": (lambda offer: offer.get("requires_enrollment") is True, _enrollment, True),
    "end_date": (lambda offer: offer.get("end_date"), _end, True),
    "enroll_by": (lambda offer: offer.get("enroll_by"), _enroll_by, False),
    "reward_cap": (lambda offer: amount(offer.get("reward_cap")), _cap, False),
    "online_only": (lambda offer: offer.get("channel") == "online_only", _pattern(_ONLINE), True),
    "in_store_only": (lambda offer: offer.get("channel") == "in_store_only", _pattern(_IN_STORE), True),
    "exclusions": (lambda offer: offer.get("exclusions"), _exclusions, False),
    "max_redemptions": (lambda offer: offer.get("max_redemptions"), _redemptions, False),
    "one_per_member": (
        lambda offer: offer.get("one_per_member") is True and "max_redemptions" not in offer,
        _pattern(_ONCE),
        False,
    ),
    "fulfillment_weeks": (lambda offer: offer.get("fulfillment_weeks"), _fulfillment, False),
}
"""Condition -> (whether the offer has it, whether texts state it, whether it must stand beside the claim)."""

_DEFAULT: Final = frozenset(_CONDITIONS) - {"fulfillment_weeks"}
PARAMS: Final = frozenset({"conditions"})


def conditions_stated(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find material conditions that body and terms leave out, or the body where it states the reward.

    The parameter `conditions` lists the ones to check (default: all but fulfillment_weeks). What is missing has no
    place in the text: such evidence has no offsets, and its quote names the condition.
    """
    chosen = params.get("conditions")
    names = (
        _DEFAULT if chosen is None else {str(name) for name in chosen} if isinstance(chosen, list | tuple) else set()
    )
    support = support_for(subject)
    readings = dict(checks.readings(subject))
    both = [readings[field] for field in ("body", "terms") if field in readings]
    body = [readings[field] for field in ("body",) if field in readings]
    claimed = any(_states_reward(reading, support) for reading in body)
    found: list[Evidence] = []
    for name, (applies, is_stated, is_near) in _CONDITIONS.items():
        if name not in names or not applies(subject.offer):
            continue
        if is_near and claimed and not is_stated(subject.offer, support, body):
            found.append(Evidence(field="body", quote=name))
        elif not _in_terms(checks, subject, name) and not is_stated(subject.offer, support, both):
            found.append(Evidence(field="terms" if "terms" in readings else "body", quote=name))
    return found


def _in_terms(checks: Checks, subject: Subject, name: str) -> bool:
    """Tell whether the terms alone state a condition: if they do, body and terms together do."""
    reading = dict(checks.readings(subject)).get("terms")
    if reading is None:
        return False
    is_stated = _CONDITIONS[name][1]
    key = "states", checks, name
    return once_for_terms(subject, key, lambda: is_stated(subject.offer, support_for(subject), [reading]))


def _states_reward(reading: Reading, support: Support) -> bool:
    return any(
        quantity.value in support.of(quantity.unit, "reward") and (not roles or "reward" in roles)
        for quantity, roles in zip(reading.quantities, reading.roles, strict=True)
    )
