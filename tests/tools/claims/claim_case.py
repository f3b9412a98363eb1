"""Run one detector of claims on copy, and check that its evidence quotes what it points at."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from tools.claims import claim_detectors
from tools.grounding import grounding_checks
from tools.subject import Detector, Subject

SENT: Final = date(2026, 11, 23)
DETECTORS: Final[dict[str, Detector]] = {
    detector.name: detector
    for detector in claim_detectors(grounding_checks(merchant_names={"Olive Garden": ()}, issuer="Example Bank"))
}
REWARD: Final[dict[str, object]] = {
    "offer_type": "points_multiplier",
    "reward_value": 3.0,
    "reward_unit": "X_points",
    "base_rate": 1.0,
    "minimum_spend": 50.0,
    "reward_cap": 1500.0,
    "reward_cap_unit": "usd_spend",
    "start_date": "2026-11-23",
    "end_date": "2027-01-06",
    "requires_enrollment": True,
    "merchants": ["Olive Garden"],
    "fulfillment_weeks": [6, 8],
}
TRANSFER: Final[dict[str, object]] = {
    "offer_type": "balance_transfer",
    "reward_value": 3.99,
    "reward_unit": "apr",
    "start_date": "2026-11-23",
    "end_date": "2027-01-06",
    "apr_kind": "promotional",
    "promo_apr": 3.99,
    "promo_months": 12,
    "go_to_apr": "19.24%-29.24% variable",
    "bt_fee_pct": 3,
    "bt_fee_min": 5,
    "rates_fees_link": True,
}
CREDIT: Final[dict[str, object]] = {
    "offer_type": "statement_credit",
    "reward_value": 20.0,
    "reward_unit": "usd",
    "minimum_spend": 100.0,
    "start_date": "2026-11-23",
    "end_date": "2027-01-06",
    "merchants": ["Marlowe Books"],
    "one_per_member": True,
}


def quotes(
    detector: str,
    text: str | Mapping[str, str],
    offer: Mapping[str, object] = REWARD,
    *,
    annual_fee: float | None = 250.0,
    send_date: date = SENT,
    **changes: Any,
) -> list[str]:
    """Return what a detector quotes; a change of None takes a fact away."""
    facts = {name: value for name, value in {**offer, **changes}.items() if value is not None}
    member = {} if annual_fee is None else {"annual_fee": annual_fee}
    subject = Subject(
        text={"body": text} if isinstance(text, str) else dict(text), offer=facts, send_date=send_date, member=member
    )
    found = list(DETECTORS[detector].run(subject, {}))
    for item in found:
        if item.start is not None:
            assert subject.text[item.field][item.start : item.end] == item.quote
    return [item.quote for item in found]
