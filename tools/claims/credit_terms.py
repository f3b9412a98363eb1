"""Credit terms a draft names: whether the offer has them, and whether what the law asks for stands with them."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tools.claims.credit_words import (
    APR,
    CARD_FEE_CLAIM,
    CREDIT_FACTS,
    DELAY_CLAIM,
    FINANCING_CLAIM,
    INTEREST_CLAIM,
    OTHER_FEE_CLAIM,
    RATE_CLAIM,
    REFERENCE,
    TRANSFER_CLAIM,
    evidence_of,
    has,
    number,
)
from tools.claims.trigger_terms import triggers
from tools.claims.written import Written, pattern_of, written
from tools.grounding.checks import Checks
from tools.grounding.measures import Unit
from tools.report import Evidence
from tools.subject import Detector, Subject


class _Term(NamedTuple):
    """A kind of credit term: how copy claims it, and the facts or offer types that make the claim true."""

    claim: Any
    facts: tuple[str, ...]
    offer_types: tuple[str, ...] = ()


_FINANCED: Final = ("deferred_interest", "installments", "balance_transfer")
_TIME_TO_PAY: Final = (
    "promo_apr", "deferred_interest", "deferral_months", "monthly_payment_usd", "total_of_payments_usd",
)  # fmt: skip
_TERMS: Final = (
    _Term(APR, ("promo_apr", "go_to_apr", "rates_fees_link", "apr_kind"), _FINANCED),
    _Term(
        INTEREST_CLAIM, ("promo_apr", "go_to_apr", "deferred_interest", "deferral_months", "rates_fees_link"), _FINANCED
    ),
    _Term(RATE_CLAIM, ("promo_apr", "go_to_apr", "rates_fees_link"), _FINANCED),
    _Term(CARD_FEE_CLAIM, ("annual_fee_new_card", "rates_fees_link")),
    _Term(
        OTHER_FEE_CLAIM,
        ("bt_fee_pct", "bt_fee_min", "cash_advance_fee_pct", "cash_advance_fee_min", "rates_fees_link"),
        _FINANCED,
    ),
    _Term(TRANSFER_CLAIM, ("bt_fee_pct", "bt_fee_min", "promo_apr", "cash_advance_fee_pct"), ("balance_transfer",)),
    _Term(FINANCING_CLAIM, _TIME_TO_PAY, _FINANCED),
    _Term(DELAY_CLAIM, _TIME_TO_PAY, _FINANCED),
)
_NOT_DENIED: Final = (CARD_FEE_CLAIM, INTEREST_CLAIM, OTHER_FEE_CLAIM, FINANCING_CLAIM, DELAY_CLAIM)
"""Claims that are denials themselves: "no interest" promises something."""
_VAGUE: Final = pattern_of(
    r"\b(?:details?|information|info|more|rest|fine print|costs?|fees?|rates?|pricing|charges|particulars"
    r"|terms)\b[^.!?]{0,40}"
    r"\b(?:somewhere|elsewhere|on our (?:web ?)?site|online|on the web|on request|upon request|at our website)\b",
    r"\b(?:fees?|rates?|costs?|pricing|charges?|APRs?)\b(?: may| also| can)? apply\s*[;:,.(–-]*\s*(?:just "
    r"|please )?(?:ask|call|contact|see|inquire|check|chat|visit)\b",
    r"\b(?:ask|call|contact|write|chat|phone|speak)(?: to| with)?(?: us| an? \w+| our \w+)?(?: today| now)?(?: for"
    r"| about| to (?:learn|hear|find out)(?: more)? about) (?:our |the |current |more )*(?:rates?|fees?|pricing"
    r"|costs?|details|terms|APRs?)\b",
    r"\b(?:visit|check|see|browse|go to) (?:us at |our |the )?(?:web ?site|homepage|app"
    r"|branch)\b[^.!?]{0,30}\b(?:details?|rates?|fees?|pricing|terms|costs?|more)\b",
)


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of credit terms in copy."""

    def offered(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find claims of credit terms that the offer doesn't have (12 CFR 1026.16(a))."""
        return _not_offered(written(checks, subject), subject)

    def disclosed(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find trigger terms whose disclosures stand neither in the copy nor in a rates table (1026.16(b)(1))."""
        draft = written(checks, subject)
        found = triggers(draft, subject)
        if not found or (has(subject, "rates_fees_link") and draft.says(REFERENCE)):
            return []
        return [] if has(subject, *CREDIT_FACTS) and _is_disclosed(draft, subject) else [evidence_of(found[0])]

    def referred(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find trigger terms whose rates table the copy doesn't point to, and pointers to nowhere (1026.16(c))."""
        draft = written(checks, subject)
        if draft.says(REFERENCE):
            return []
        found = triggers(draft, subject) if has(subject, "rates_fees_link") else []
        if has(subject, *CREDIT_FACTS) or triggers(draft, subject):
            found += draft.find(_VAGUE)
        return [evidence_of(each) for each in found[:1]]

    return (
        Detector("credit_terms_offered", ("member", "terms", "copy"), offered),
        Detector("credit_terms_disclosed", ("member", "terms", "copy"), disclosed),
        Detector("rates_table_referred", ("member", "terms", "copy"), referred),
    )


def _not_offered(draft: Written, subject: Subject) -> list[Evidence]:
    stated = {(passage.field, start, end) for passage, start, end in triggers(draft, subject)}
    found: list[Evidence] = []
    for term in _TERMS:
        if has(subject, *term.facts) or subject.offer.get("offer_type") in term.offer_types:
            continue
        if term.claim is CARD_FEE_CLAIM and number(subject.member.get("annual_fee")) == 0:
            continue
        for passage, start, end in draft.find(term.claim):
            if term.claim in (APR, RATE_CLAIM, INTEREST_CLAIM, CARD_FEE_CLAIM):
                if (passage.field, start, end) in stated and not (
                    term.claim not in _NOT_DENIED and passage.is_denied(start, end)
                ):
                    found.append(evidence_of((passage, start, end)))
            elif term.claim in _NOT_DENIED or not passage.is_denied(start, end):
                found.append(evidence_of((passage, start, end)))
    return found


_RATES: Final = re.compile(r"\d+(?:\.\d+)?(?=\s*(?:%|-|–|percent))")
_VARIABLE: Final = pattern_of(r"\bvar(?:y|ies|iable)\b", r"\b(?:prime rate|index)\b")


def _is_disclosed(draft: Written, subject: Subject) -> bool:
    """Tell whether the copy itself states every rate and fee that the offer has."""
    offer = subject.offer
    go_to = offer.get("go_to_apr")
    wanted: list[tuple[Unit, float]] = [("percent", float(value)) for value in rates_in(go_to)]
    if not wanted and (promo := number(offer.get("promo_apr"))) is not None:
        wanted.append(("percent", promo))
    fees: tuple[tuple[str, Unit], ...] = (("bt_fee_pct", "percent"), ("annual_fee_new_card", "money"))
    for fact, unit in fees:
        if fee := number(offer.get(fact)):
            wanted.append((unit, fee))
    if all(unit == "money" for unit, _ in wanted) and next(draft.claims(APR), None) is None:
        return False  # a fee alone is a trigger term too: an APR, or a table that has it, goes with it
    varies = isinstance(go_to, str) and "variable" in go_to.lower()
    return all(draft.states(unit, value) for unit, value in wanted) and (not varies or draft.says(_VARIABLE))


def rates_in(go_to_apr: object) -> list[str]:
    """Return the percentages of a go-to rate as the offer states it, such as 19.24 and 29.24."""
    return _RATES.findall(go_to_apr) if isinstance(go_to_apr, str) else []
