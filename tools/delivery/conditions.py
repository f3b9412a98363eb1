"""Which of an offer's material conditions a short text states, read with closed forms of words.

Material is what decides whether and how much a member gets: FTC, .com Disclosures (2013), on space-constrained
messages; 12 CFR 1026.16 and 16 CFR 251 ask for conditions at the outset, beside the claim. A condition said in a form
that isn't listed here counts as left out: the texts are reviewed, so they can be written in the forms.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
Facts = Mapping[str, object]


def left_out(offer: Facts, text: str) -> Iterator[str]:
    """Yield the name of each fact of the offer that is a condition and that the text leaves out or states otherwise.

    The usual rate is no condition; but a text that compares with it must name it.
    """
    for name, pattern in _conditions(offer):
        said = text if name == "enroll_by" else re.sub(_ENROLLMENT, " ", text)
        if not re.search(pattern, said, re.IGNORECASE):
            yield name
    usual = _USUAL.search(text)
    if usual and (base := offer.get("base_rate")) is not None and not re.match(rf"{_number(base)}X\b", usual[1]):
        yield "base_rate"
    merchants = offer.get("merchants")
    if isinstance(merchants, list | tuple) and not all(str(merchant) in text for merchant in merchants):
        yield "merchants"


def _conditions(offer: Facts) -> Iterator[tuple[str, str]]:
    yield "reward_value", _REWARD[str(offer["reward_unit"])](offer.get("reward_value"))
    if (minimum := offer.get("minimum_spend")) is not None:
        yield "minimum_spend", rf"\b(?:spend|minimum)\b[^.!?;]{{0,25}}?{_dollars(minimum)}"
    if (cap := offer.get("reward_cap")) is not None:
        points = offer.get("reward_cap_unit") == "points"
        most = rf"{_number(cap)} (?:bonus )?points\b" if points else _dollars(cap)
        yield "reward_cap", rf"\b(?:cap(?:ped)?|up to|at most|applies to)\b[^.!?;]{{0,25}}?{most}"
    yield "end_date", rf"\b(?:through|until|by|ends|ends on)\s+{_day(offer['end_date'])}"
    if offer.get("requires_enrollment"):
        yield "enroll_by", rf"\benroll\b[^.!?;]{{0,30}}?\bby\s+{_day(offer.get('enroll_by', offer['end_date']))}"
    if (place := _PLACES.get(str(offer.get("channel")))) is not None:
        yield "channel", place


_ENROLLMENT: Final = re.compile(r"\benroll\b[^.!?;,]{0,30}?\bby\s+\w+\.? \d{1,2}, \d{4}", re.IGNORECASE)
"""The day to enroll by is not the day the offer ends, even where both are the same day."""
_USUAL: Final = re.compile(r"\b(?:in place|instead) of (?:the |your )?(?:usual )?(\S+)", re.IGNORECASE)
_PLACES: Final[dict[str, str]] = {
    "online_only": r"\bonline\b",
    "in_store_only": r"\bin[- ]store\b|\bin person\b",
}
_REWARD: Final[dict[str, Callable[[object], str]]] = {
    "X_points": lambda value: rf"{_number(value)}X\b",
    "usd": lambda value: _dollars(value),
    "percent": lambda value: rf"{_number(value)} ?%",
    "none": lambda value: r"\bearly access\b",
}


def _number(value: object) -> str:
    return rf"(?<![\d.,]){re.escape(f'{float(str(value)):,.10g}')}"


def _dollars(value: object) -> str:
    amount = float(str(value))
    shown = f"{amount:,.0f}" if amount.is_integer() else f"{amount:,.2f}"
    return rf"\${re.escape(shown)}(?![\d]|[.,]\d)"


def _day(value: object) -> str:
    day = date.fromisoformat(str(value))
    return rf"{_MONTHS[day.month - 1]}[a-z]*\.? {day.day}, {day.year}\b"
