"""Claims of no fee and no cost, when the card or the offer has one."""

from collections.abc import Mapping
from typing import Final

from tools import sentences
from tools.claims.credit_words import evidence_of, number
from tools.claims.written import Passage, pattern_of, written
from tools.grounding.checks import Checks
from tools.grounding.measures import Unit
from tools.report import Evidence
from tools.subject import Detector, Subject

_NO_COST: Final = pattern_of(
    r"\b(?:no|zero|without|never an?|not a single|free of|not one|\$0 in)(?: (?:any|hidden|surprise|sneaky|ongoing"
    r"|monthly|upfront|up front|pesky|annoying|other|card|annual|yearly|membership|single|more"
    r"|of the usual)){0,3} (?:fees?|charges?|costs?|price tag)\b",
    r"(?:^|\s)\$0 (?:in )?(?:fees?|costs?|charges?)\b",
    r"\b(?:fee|cost|charge) free\b",
    r"\bat (?:absolutely |zero |no |not a )+(?:cost|charge|expense|price)\b",
    r"\bat (?:our|the bank's) (?:cost|expense)\b",
    r"\bfree of (?:cost|charge|fees)\b",
    r"\bcosts?(?: (?:you|cardmembers|members))?(?: (?:absolutely|exactly|precisely|next to))? (?:nothing|zero"
    r"|zilch|\$0|not a (?:cent|penny|dime))\b",
    r"\b(?:won't|will not|doesn't|does not|didn't|never|without|don't)(?: ever)? (?:cost|costs|costing|pay|paying"
    r"|set|spending)(?: (?:you|you back|back))? (?:a|anything|one|even a|any|so much as a)(?: (?:single"
    r"|red))? ?(?:cent|penny|dime|thing|dollar)?s?\b",
    r"\b(?:you|you'll|you will|members?|cardmembers?) (?:only )?pays? (?:nothing|zero|\$0)\b",
    r"\b(?:nothing|not a (?:cent|penny|dime|thing)) to pay\b",
    r"\b(?:charge|charging|cost|pay|bill|owe)\w*\b[^.!?]{0,60}\? ?(?:nothing|zero|zilch|not (?:a|one)(?: single)?"
    r" (?:cent|penny|dime|dollar|thing))\b",
    r"\b(?:don't|do not|never|doesn't|does not|won't|will not) (?:ever )?(?:charge|bill|take|add|ask"
    r"|levy)(?: (?:you|for))?(?: an?| any)?(?: \w+){0,2} (?:fees?|charges?)\b",
    r"\b(?:we|bank) (?:charge|charges) (?:you )?nothing\b",
    r"\bnever (?:see|pay|worry about|think about|owe|be charged)(?: an?| any| another| for)? fees?\b",
    r"\b(?:forget|skip|goodbye to|bye to|say no to) (?:about )?(?:the |all |any |those )?fees\b",
    r"\bfees? (?:are|is) (?:waived|on us|history|a thing of the past|zero|gone)\b",
    r"\bcomplimentary (?:\w+ )?(?:card|card ?membership|upgrade|membership|account|add on|monitoring|protection"
    r"|service)\b",
    r"\b(?:it|card|membership|account|plan|this) (?:is|comes) (?:completely |totally |absolutely |entirely "
    r"|100% )?free\b",
)
_MERELY: Final = pattern_of(
    r"\b(?:to|for|of|when you|by|if you) (?:you to )?(?:enrol\w*|add\w*|join\w*|activat\w*|sav\w+|register\w*"
    r"|registration|sign\w*|opt\w*|tak\w+ part|participat\w+|us(?:e|ing) (?:this|the) offer|redeem\w*|cancel\w*"
    r"|unenrol\w*|leav\w+|see|view|check\w*|unsubscrib\w+|look|brows\w+|compare|ask|find out|learn|try on|walk in"
    r"|reserve|do (?:so|this|it))\b",
    r"\b(?:enrol\w*|adding|joining|activating|registering|registration|signing up|opting in|taking part"
    r"|participating|participation|sign up)(?: \w+){0,4} (?:is|are|costs?|has|have|carr(?:y|ies)|comes?|free"
    r"|doesn't|does not|won't)\b",
    r"\b(?:enrol\w*|add|join|activate|register|sign up|opt in)\b[^.!?]{0,30}\b(?:at no (?:cost|charge)|for free"
    r"|free of charge|without (?:a )?(?:fee|charge|cost))\b",
)
_MERCHANTS_FEE: Final = pattern_of(
    r"\b(?:booking|delivery|shipping|service|cover|resort|baggage|bag|change|cancellation|cancel|cleaning"
    r"|ticket\w*|parking|handling|corkage|seat|rental|reservation|setup|restocking|convenience|admission"
    r"|foreign transaction|destination|drop off|mileage) (?:fees?|charges?|costs?)\b"
)
_OFFER_FEES: Final = (
    "annual_fee_new_card", "bt_fee_pct", "bt_fee_min", "cash_advance_fee_pct", "cash_advance_fee_min",
    "addon_price_usd_month", "monthly_payment_usd",
)  # fmt: skip
_FEE_UNITS: Final[tuple[Unit, ...]] = ("money", "percent")
_FEE: Final = pattern_of(r"\b(?:fee|costs?|charge|price|renews?|then|a month|per month|monthly|a year)\b")
_NO_TRANSFER_FEE: Final = pattern_of(
    r"\b(?:no|zero|without(?: an?| any)?|waived|free) (?:balance )?transfer (?:fees?|charges?)\b",
    r"\$0 (?:balance )?transfer fees?\b",
    r"\b(?:balance )?transfer fees? (?:is |are )?(?:waived|on us|zero|gone)\b",
)
_EXTRA: Final = pattern_of(
    r"\b(?:no|zero|without(?: any)?|at no|free of(?: any)?) (?:extra|additional|added|further) (?:fees?|charges?"
    r"|costs?)\b"
)


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of claims of no cost."""

    def costless(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find claims of no fee or no cost where the card or the offer has one that the sentence doesn't state."""
        offered = [fee for fact in _OFFER_FEES if (fee := number(subject.offer.get(fact)) or 0) > 0]
        annual = number(subject.member.get("annual_fee")) or 0
        if not offered and annual <= 0:
            return []
        draft = written(checks, subject)
        transfers = (number(subject.offer.get("bt_fee_pct")) or 0) > 0 or (
            number(subject.offer.get("bt_fee_min")) or 0
        ) > 0
        claims = [
            *draft.find(_NO_COST),
            *(draft.find(_NO_TRANSFER_FEE) if transfers else ()),
            *(draft.find(_EXTRA) if offered else ()),
        ]
        return [evidence_of(each) for each in claims if not _is_true(each, [*offered, annual])]

    return (Detector("cost_claims_true", ("member", "terms", "copy"), costless),)


def _is_true(each: tuple[Passage, int, int], fees: list[float]) -> bool:
    """Tell "no fee to enroll", a merchant's own fee, and a sentence that states the fee there is."""
    passage, start, end = each
    bounds = passage.sentence(start, end)
    sentence = passage.text[bounds[0] : bounds[1]]
    claim = passage.text[start:end] + sentences.behind(passage.text, end, 30)
    if _MERELY.search(sentence) is not None or _MERCHANTS_FEE.search(claim) is not None:
        return True
    if _FEE.search(sentence) is None:
        return False
    stated = (passage.amounts(unit, fee, within=bounds) for fee in fees if fee for unit in _FEE_UNITS)
    return any(next(mentions, None) is not None for mentions in stated)
