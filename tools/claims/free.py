"""What copy calls free: its conditions beside the word (16 CFR 251.1(c)), and nothing that the member pays for."""

from collections.abc import Iterator, Mapping
from typing import Final

from tools.claims.credit_words import evidence_of, number
from tools.claims.written import Passage, Written, pattern_of, written
from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject

_FREE: Final = pattern_of(
    r"\bfree\b",
    r"\bfreebies?\b",
    r"\bcomplimentary\b",
    r"\bcomp(?:ed|s)\b",
    r"\bgratis\b",
    r"\bon us\b",
    r"\bon the house\b",
    r"\b(?:our|my) treat\b",
    r"\bwe(?:'re| are)? (?:treating|treat you|buying)\b",
    r"\b(?:our|a|an|this|special|welcome|holiday|thank you|surprise|little|small|your|mystery|free) gifts?\b",
    r"\bgifts?\s?[*†‡§]",
    r"\b(?:a|your) (?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|new year|winter|spring|summer|autumn|fall|season's) gifts?\b",
    r"\bgifts? (?:from us|for you|to you|with|inside|awaits?|waiting|is|of thanks)\b",
    r"\b(?:without|no|at no|free of) charge\b",
    r"\bbonus (?:night|meal|gift|credit|cash|item|month|ticket|dessert|stay|treat|reward)s?\b",
    r"\b(?:won't|will not|doesn't|does not) cost (?:you )?(?:a thing|anything|a cent|a penny|a dime)\b",
    r"\bwe(?:'ll| will)? (?:pick up|cover|foot|get) (?:the|your) (?:tab|bill|check|cheque|first|next)\b",
    r"\bpay nothing\b",
)
_OTHER_SENSE: Final = pattern_of(
    r"\b(?:feel|feels|set|break|carbon|tax|duty|sugar|gluten|dairy|nut|fat|meat|hands|hassle|stress|worry|risk"
    r"|care|toll|smoke"
    r"|cage|interest|fee|lead|pet|cruelty|wrinkle|fragrance|ad|commercial|caffeine|allergy|clutter|contact|guilt"
    r"|trouble|cash|paper) free\b",
    r"\bfree (?:to|time|range|hand|hands|evenings?|nights? (?:out|off)|weekends?|afternoons?|days?|moments?|hours?"
    r"|from|of (?:worr\w+|sugar|gluten|meat|hassles?|stress|clutter|ads|plastic)|will|form|style"
    r"|spirit\w*|agents?|up|standing|flowing|wifi|wi fi|parking|weights?|market|trade|throws?|kicks?|returns?)\b",
    r"\bfree (?:\w+ ){0,2}(?:shipping|delivery|returns?|parking|wi fi|wifi|breakfast"
    r"|cancel\w+)\b[^.!?]{0,60}\b(?:provided|offered|from|by) (?:by )?(?:the )?(?:merchant|hotel|store|retailer"
    r"|property|restaurant)\b",
    r"\b(?:count|rely|depend|lean|call|based|focus|trust|turn|check in|bank) on us\b",
    r"\bon us (?:purchases?|soil|flights?|websites?|dollars?|sites?|territory|and canad\w+|merchants?|restaurants?"
    r"|locations?|hotels?|only)\b",
    r"\b(?:no|not|never|n't|isn't) (?:\w+ ){0,2}(?:free|gift|complimentary)\b",
    r"\b(?:choose|pick|find|buy|buying|give|giving|wrap|shop(?:ping)? for|perfect|great|thoughtful|holiday"
    r"|birthday|wedding|host|hostess) (?:\w+ ){0,4}gifts?\b",
    r"\bgifts? (?:cards?|certificates?|ideas?|shop\w*|giving|list|season|guide|wrap\w*|receipts?)\b",
    r"\b(?:no|without) charge (?:to|for) (?:add|enrol\w*|join\w*|us\w+|activat\w*|sav\w*|register\w*|sign\w*"
    r"|opt\w*|adding|tak\w+)\b",
    r"\bcomplimentary (?:colou?rs?|flavou?rs?)\b",
    r"\b(?:parking|wi fi|wifi|shipping|delivery|admission|entry|breakfast|returns?|refills?|ships?|delivers?"
    r"|kids (?:eat|stay)|children (?:eat|stay)) (?:is |are |comes? )?free\b",
    r"\bfree (?:over|above|on orders|for orders|country)\b",
)
_MARK: Final = pattern_of(r"^[^.;\n]{0,30}[*†‡§]", r"^\s?\[\d\]")
_ENROLL: Final = pattern_of(
    r"\b(?:enrol\w*|register\w*|registration|sign(?:ing|ed)? up|opt(?:ing|ed)? in|activat\w+|add (?:the"
    r"|this) offer)\b",
)
_SPEND: Final = pattern_of(
    r"\b(?:spend\w*|spent|purchases?|minimum|buy|buying|orders?|bookings?|stays?|or more|after|when you)\b",
)
_DATE: Final = pattern_of(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.? \d{1,2}\b",
    r"\b\d{1,4}[/-]\d{1,2}[/-]\d{1,4}\b",
    r"\b\d{1,2} (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
)
_VALUE: Final = pattern_of(
    r"\bfree (?:\w+ ){0,2}(?:\$\s?\d|money|cash|points|miles|credits?|dollars?|bucks|funds|rewards?|spending"
    r"|statement credit)",
    r"\$\s?\d[\d,]*(?:\.\d+)?,?(?: [\w']+){0,3} free\b",
    r"\b(?:money|cash|points|dollars|bucks|credit|credits|miles),? (?:is |are |it's |that's |for "
    r"|comes? )*(?:yours )?(?:\w+ )?free\b",
    r"\bfree (?:of charge )?(?:\d[\d,]* )(?:points|miles|dollars)\b",
)
_WITH_PURCHASE: Final = pattern_of(
    r"\bwith (?:any |your |a |an |every |each |eligible |qualifying |\$[\d,]+(?:\.\d+)? (?:in )?)*"
    r"(?:\w+ )?(?:purchases?|orders?|bookings?|stays?|spend)\b",
    r"\b(?:when|after|once|if|by) (?:you )?(?:spend\w*|spent|buy|buying|purchas\w+|order\w*|book\w*)\b",
    r"\bspend(?:ing)? (?:a total of |at least |just |only )*\$?\s?\d",
    r"\b(?:after|for|on) (?:a |your )?(?:minimum (?:of )?)?\$\s?\d",
)
_PAID: Final = pattern_of(
    r"\bfree\b",
    r"\bcomplimentary\b",
    r"\bgratis\b",
    r"\bon us\b",
    r"\bon the house\b",
    r"\b(?:without|at no|free of) (?:charge|cost)\b",
)
_PAID_THING: Final = ("annual_fee_new_card", "addon_price_usd_month")
_PRICE: Final = pattern_of(r"\$\s?\d", r"\b\d+ dollars\b")


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of what is called free."""

    def conditioned(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find what is called free without the offer's conditions in the same sentence or the next."""
        draft = written(checks, subject)
        return [evidence_of(each) for each in _free(draft.copy) if not _is_conditioned(each, subject)]

    def paid(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find money or points called free that must be bought, and things called free that have a price."""
        draft = written(checks, subject)
        found: list[Evidence] = []
        if (number(subject.offer.get("minimum_spend")) or 0) > 0:
            for passage, start, end in _free(draft, _VALUE):
                if _WITH_PURCHASE.search(passage.around(start, end)) is None:
                    found.append(passage.evidence(start, end))
        if any((number(subject.offer.get(fact)) or 0) > 0 for fact in _PAID_THING):
            for passage, start, end in _free(draft, _PAID):
                if not _is_priced(passage, start, end, subject):
                    found.append(passage.evidence(start, end))
        return found

    return (
        Detector("free_conditioned", ("terms", "copy"), conditioned),
        Detector("free_is_free", ("terms", "copy"), paid),
    )


def _free(draft: Written, pattern: object = _FREE) -> Iterator[tuple[Passage, int, int]]:
    """Yield what is called free, other than "feel free", "gluten-free" and "shopping for gifts"."""
    for passage, start, end in draft.find(pattern):
        first, last = passage.sentence(start, end)
        senses = _OTHER_SENSE.finditer(passage.text[first:last])
        if any(sense.start() < end - first and start - first < sense.end() for sense in senses):
            continue
        if passage.text[start:end].endswith("US") and not passage.text[first:last].isupper():
            continue
        yield passage, start, end


def _is_conditioned(each: tuple[Passage, int, int], subject: Subject) -> bool:
    passage, start, end = each
    offer = subject.offer
    if _MARK.search(passage.text[end : end + 45]) is not None:
        return False
    bounds = passage.sentence(start, end, neighbours=1)
    near = passage.text[bounds[0] : bounds[1]]
    minimum = number(offer.get("minimum_spend")) or 0
    if minimum > 0 and not (next(passage.amounts("money", minimum, within=bounds), None) and _SPEND.search(near)):
        return False
    if offer.get("requires_enrollment") is True and _ENROLL.search(near) is None:
        return False
    return (
        minimum > 0
        or offer.get("requires_enrollment") is True
        or _DATE.search(near) is not None
        or _is_trial(subject, near)
    )


def _is_trial(subject: Subject, near: str) -> bool:
    """Tell a trial that states its price: what it is free of is said by UDAAP-13's clause."""
    return subject.offer.get("negative_option") is True and _PRICE.search(near) is not None


def _is_priced(passage: Passage, start: int, end: int, subject: Subject) -> bool:
    """Tell whether the fee or price that the member pays stands with the word."""
    bounds = passage.sentence(start, end, neighbours=1)
    fees = [fee for fact in _PAID_THING if (fee := number(subject.offer.get(fact)))]
    return any(next(passage.amounts("money", fee, within=bounds), None) is not None for fee in fees)
