"""The licences of an offer: which of the licensed statements its facts allow, as patterns over marked text."""

import re
from collections.abc import Callable, Mapping, Set
from functools import lru_cache
from typing import Final

from tools.grounding.cue_words import PROMISE, Kind
from tools.grounding.forms import Forms
from tools.grounding.licence_table import LICENCES
from tools.grounding.support import amount

DATE, WEEKS, DAYS, AMOUNT, ISSUER, MERCHANT, EXCLUDED, COUNT = "\x01\x02\x03\x04\x05\x06\x07\x0e"
"""Marks that stand for each character of a value that the offer supports. Folding leaves none of them in a text."""

MARKS: Final = DATE + WEEKS + DAYS + AMOUNT + ISSUER + MERCHANT + EXCLUDED + COUNT

_SLOTS: Final = {
    "{date}": f"(?:(?:early|mid|late|the end of)[ -])?{DATE}+",
    "{weeks}": f"{WEEKS}+",
    "{days}": f"{DAYS}+",
    "{amount}": rf"{AMOUNT}+(?: (?:bonus |extra )?points?| cash back| discount| statement credits?| back| off"
    rf"| in purchases| in total| total)*",
    "{count}": f"{COUNT}+",
    "{merchants}": rf"{MERCHANT}+(?:(?:, | and | or |, and |, or | & ){MERCHANT}+)*",
    "{excluded}": rf"{EXCLUDED}+(?:(?:, | and | or |, and |, or ){EXCLUDED}+)*",
    "{words}": r"(?:[a-z'\x01-\x07\x0e-]+ ){0,5}",
    "{promise}": f"(?:{PROMISE})",
}

FACTS: Final[dict[str, Callable[[Mapping[str, object]], bool]]] = {
    "enroll": lambda offer: offer.get("requires_enrollment") is True,
    "no_enroll": lambda offer: offer.get("requires_enrollment") is False,
    "once": lambda offer: offer.get("one_per_member") is True or "max_redemptions" in offer,
    "cap": lambda offer: amount(offer.get("reward_cap")) is not None,
    "no_cap": lambda offer: (
        "reward_cap" not in offer and offer.get("one_per_member") is not True and "max_redemptions" not in offer
    ),
    "minimum": lambda offer: amount(offer.get("minimum_spend")) is not None,
    "no_minimum": lambda offer: amount(offer.get("minimum_spend")) is None,
    "online": lambda offer: offer.get("channel") == "online_only",
    "in_store": lambda offer: offer.get("channel") == "in_store_only",
    "any_channel": lambda offer: offer.get("channel") in ("any", None),
    "access": lambda offer: offer.get("offer_type") == "exclusive_access",
    "merchants": lambda offer: bool(offer.get("merchants")),
}


def facts_of(offer: Mapping[str, object]) -> frozenset[str]:
    """Return the names of the facts that hold for an offer."""
    return frozenset(name for name, holds in FACTS.items() if holds(offer))


class Licences:
    """The forms that may state something for an offer, and the kinds of statement that each of them licenses."""

    def __init__(self, facts: frozenset[str]) -> None:
        rows = [row for row in LICENCES if facts.issuperset(row.needs.split())]
        self._kinds = tuple(row.kinds for row in rows)
        self._forms = Forms([_filled(row.form) for row in rows], groups=False)

    def granted(self, text: str, kinds: Set[Kind]) -> dict[Kind, list[tuple[int, int]]]:
        """Return the spans of a text in which statements of these kinds are licensed."""
        wanted = frozenset(at for at, licensed in enumerate(self._kinds) if not kinds.isdisjoint(licensed))
        spans: dict[Kind, list[tuple[int, int]]] = {kind: [] for kind in kinds}
        for at, start, end, _ in self._forms.matches(text, wanted):
            for kind in self._kinds[at]:
                if kind in spans:
                    spans[kind].append((start, end))
        return spans


@lru_cache(maxsize=128)
def licences_for(facts: frozenset[str]) -> Licences:
    """Return the licences of an offer with these facts."""
    return Licences(facts)


def _filled(form: str) -> str:
    for _ in range(2):  # {merchants} and {words} hold marks, {promise} may stand in a slot
        for slot, pattern in _SLOTS.items():
            form = form.replace(slot, pattern)
    return rf"\b{form}" if re.match(r"\(*[a-z]", form) else form
