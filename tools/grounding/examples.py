"""Worked examples: "a $100 dinner earns 300 points" is true of 3X points, though neither number is a term."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tools.grounding.measures import Quantity
from tools.grounding.reading import Reading
from tools.grounding.support import amount
from tools.grounding.tokens import low

_SAMPLE: Final = frozenset({"a", "an", "at"})


def worked_examples(reading: Reading, offer: Mapping[str, object]) -> frozenset[int]:
    """Return the indexes of the quantities that are a purchase of the offer's size and exactly what it earns."""
    rate, base = amount(offer.get("reward_value")), amount(offer.get("base_rate"))
    unit = {"X_points": "points", "percent": "money"}.get(str(offer.get("reward_unit")))
    if rate is None or unit is None:
        return frozenset()
    per_dollar = rate if unit == "points" else rate / 100
    found: set[int] = set()
    for at, spent in enumerate(reading.quantities):
        if not _is_purchase(reading, at, offer):
            continue
        sentence = reading.tokens[spent.first].sentence
        others = [
            (other, said, reading.roles[other])
            for other, said in enumerate(reading.quantities)
            if other != at and reading.tokens[said.first].sentence == sentence
        ]
        earned = {other for other, said, _ in others if said.unit == unit and said.value == spent.value * per_dollar}
        if earned:
            found |= {at, *earned}
            found |= {other for other, said, roles in others if "base" in roles and _is_base(said, spent.value, base)}
    return frozenset(found)


def _is_purchase(reading: Reading, at: int, offer: Mapping[str, object]) -> bool:
    """Tell "a $100 dinner" within the offer's limits from "spend $100", which would be a condition."""
    spent = reading.quantities[at]
    least = amount(offer.get("minimum_spend")) or Decimal(0)
    if spent.unit != "money" or (low(reading.tokens, spent.first - 1) not in _SAMPLE and spent.value != least):
        return False
    cap = amount(offer.get("reward_cap")) if offer.get("reward_cap_unit") == "usd_spend" else None
    return "reward" not in reading.roles[at] and least <= spent.value and (cap is None or spent.value <= cap)


def _is_base(said: Quantity, spent: Decimal, base: Decimal | None) -> bool:
    return base is not None and said.unit in ("points", "count") and said.value == spent * base
