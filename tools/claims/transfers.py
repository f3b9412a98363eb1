"""Balance transfers and convenience checks: the fee, and that new purchases may lose their grace period."""

from collections.abc import Mapping
from typing import Final

from tools.claims.credit_words import TRANSFER_CLAIM, evidence_of, has, number
from tools.claims.written import Written, pattern_of, written
from tools.grounding.checks import Checks
from tools.grounding.measures import Unit
from tools.report import Evidence
from tools.subject import Detector, Subject

_FEE: Final = pattern_of(r"\bfees?\b")
_GRACE: Final = pattern_of(
    r"\bgrace periods?\b",
    r"\b(?:charged?|pay|owe|accrues?|incur|billed?|assessed?)\b[^.!?]{0,30}\binterest\b[^.!?]{0,40}\b(?:new |your "
    r"|other |any |all )*purchases?\b",
    r"\binterest\b[^.!?]{0,40}\b(?:on|for|to) (?:all |any |your |other )*(?:new |future |additional "
    r"|everyday )*purchases?\b",
    r"\b(?:new |your |other |future )*purchases?\b[^.!?]{0,120}\binterest\b",
    r"\binterest free period\b",
)
_NOT_COUNTED: Final = pattern_of(
    r"\b(?:exclud\w+|do(?:es)? not (?:count|qualify|earn|include|apply)|don't (?:count|qualify|earn)"
    r"|not (?:counting|including|eligible|purchases)|earns? (?:nothing|no)|ineligible|other than)\b"
)


_FEES: Final[tuple[tuple[str, Unit], ...]] = (("bt_fee_pct", "percent"), ("bt_fee_min", "money"))


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of what a transfer costs."""

    def costed(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find an offer or claim of transfers without the fee of the offer, or without the word on new purchases."""
        draft = written(checks, subject)
        claims = [
            each
            for each in draft.claims(TRANSFER_CLAIM)
            if _NOT_COUNTED.search(each[0].around(each[1], each[2])) is None
        ]
        if not claims and not _is_transfer(subject):
            return []
        if _states_fee(draft, subject) and draft.says(_GRACE):
            return []
        return [evidence_of(claims[0]) if claims else Evidence(field="body")]

    return (Detector("transfer_costs_stated", ("terms", "copy"), costed),)


def _is_transfer(subject: Subject) -> bool:
    offer = subject.offer
    return offer.get("offer_type") in ("balance_transfer", "convenience_checks", "convenience_check") or has(
        subject, "bt_fee_pct", "bt_fee_min"
    )


def _states_fee(draft: Written, subject: Subject) -> bool:
    wanted: list[tuple[Unit, float]] = [(unit, fee) for fact, unit in _FEES if (fee := number(subject.offer.get(fact)))]
    if not wanted and has(subject, "cash_advance_fee_pct"):
        wanted = [("percent", number(subject.offer["cash_advance_fee_pct"]) or 0.0)]
    return draft.says(_FEE) and all(draft.states(unit, fee) for unit, fee in wanted)
