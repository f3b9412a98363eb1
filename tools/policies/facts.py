"""The facts a clause may read, and how they enter CEL: amounts as float, counts as int, card types in lower case."""

import math
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from tools.columns import BY_NAME, PROTECTED, Kind, Use
from tools.vocabulary import COPY_FIELDS

FactKind = Literal["number", "count", "text", "word", "flag", "texts", "words", "counts", "any"]

OFFER_FACTS: Final[dict[str, FactKind]] = {
    "offer_type": "text",
    "reward_value": "number",
    "reward_unit": "text",
    "minimum_spend": "number",
    "start_date": "text",
    "end_date": "text",
    "base_rate": "number",
    "point_value_usd": "number",
    "reward_cap": "number",
    "reward_cap_unit": "text",
    "expiration_days": "count",
    "requires_enrollment": "flag",
    "enroll_by": "text",
    "channel": "text",
    "merchants": "texts",
    "merchant_ids": "texts",
    "domain": "text",
    "fulfillment_weeks": "counts",
    "exclusions": "texts",
    "one_per_member": "flag",
    "max_redemptions": "count",
    "eligible_card_types": "words",
    "eligibility_excludes": "any",
    "booking_start": "text",
    "apr_kind": "text",
    "promo_apr": "number",
    "promo_months": "count",
    "go_to_apr": "text",
    "rates_fees_link": "any",
    "deferred_interest": "flag",
    "deferral_months": "count",
    "bt_fee_pct": "number",
    "bt_fee_min": "number",
    "cash_advance_fee_pct": "number",
    "cash_advance_fee_min": "number",
    "monthly_payment_usd": "number",
    "total_of_payments_usd": "number",
    "addon_name": "text",
    "addon_price_usd_month": "number",
    "addon_optional": "flag",
    "negative_option": "flag",
    "billed_during_trial": "flag",
    "selection_required_at_checkout": "flag",
    "annual_fee_new_card": "number",
    "firm_offer": "flag",
    "reward_note": "any",
    "expected_cost_usd": "number",
}
"""Fields of an offer as a stand-alone check or `OfferTerms.facts()` gives them."""

ALWAYS_GIVEN: Final = frozenset({"offer_type", "reward_value", "reward_unit", "start_date", "end_date"})
"""Offer fields a clause may read without asking `has(offer.…)` first; any other may be a term the offer hasn't."""

UNQUOTED: Final = frozenset({"expected_cost_usd"})
"""Offer fields whose value stays out of reports, which feed the next prompt."""

_KINDS: Final[dict[Kind, FactKind]] = {
    Kind.TEXT: "text",
    Kind.INTEGER: "count",
    Kind.NUMBER: "number",
    Kind.DATE: "text",
    Kind.BOOLEAN: "flag",
}
MEMBER_FACTS: Final[dict[str, FactKind]] = {
    **{name: _KINDS[column.kind] for name, column in BY_NAME.items() if column.use is Use.DECISION},
    "card_type": "word",
    "region": "text",
    "email_opt_out": "flag",
    "offers_this_month": "count",
    "max_offers_per_month": "count",
    "days_since_category_offer": "count",
    "days_since_category_decline": "count",
    "high_value_offers_quarter": "count",
    "active_multiplier_offers": "count",
    "credits_this_year_usd": "number",
    "average_monthly_spend_usd": "number",
    "account_age_days": "count",
    "confidence_score": "number",
    "min_confidence_score": "number",
    "offer_flag": "count",
}
"""What a decision may rest on: derived facts, and the columns that are neither protected, key nor address."""

PROTECTED_FACTS: Final = PROTECTED
"""Columns no clause may read: a decision never rests on them."""

TEXT_FIELDS: Final[tuple[str, ...]] = (*COPY_FIELDS, "terms")
"""The written fields: five of copy, and the terms and conditions."""

MESSAGE_FIELDS: Final = ("message_text", "message_html")
"""The two parts of a built email; clauses of stage message may read them."""


class NotAFact(ValueError):
    """A value isn't of its fact's kind."""


def typed(values: Mapping[str, object], kinds: Mapping[str, FactKind]) -> tuple[dict[str, object], frozenset[str]]:
    """Return the known facts as CEL takes them, and the names of those whose value isn't of their kind.

    None counts as absent. Facts that `kinds` doesn't name are left out.
    """
    facts: dict[str, object] = {}
    invalid = set()
    for name, kind in kinds.items():
        value = values.get(name)
        if value is None:
            continue
        try:
            facts[name] = _CONVERT[kind](value)
        except NotAFact:
            invalid.add(name)
    return facts, frozenset(invalid)


def _number(value: object) -> float:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise NotAFact


def _count(value: object) -> int:
    number = _number(value)
    if number.is_integer() and abs(number) < 2**53:
        return int(number)
    raise NotAFact


def _text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    raise NotAFact


def _word(value: object) -> str:
    return _text(value).lower()


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise NotAFact


def _many(value: object, convert: Callable[[object], object]) -> list[object]:
    if isinstance(value, list | tuple | set | frozenset):
        items = [convert(item) for item in value]
        return items if isinstance(value, list | tuple) else sorted(items, key=repr)
    raise NotAFact


def _any(value: object) -> object:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return _many(value, _text)
    return _number(value)


_CONVERT: Final[dict[FactKind, Callable[[object], object]]] = {
    "number": _number,
    "count": _count,
    "text": _text,
    "word": _word,
    "flag": _flag,
    "texts": lambda value: _many(value, _text),
    "words": lambda value: _many(value, _word),
    "counts": lambda value: _many(value, _count),
    "any": _any,
}
