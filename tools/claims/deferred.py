"""Deferred interest: "no interest" only with "if paid in full" and the period, and what happens otherwise."""

from collections.abc import Mapping
from typing import Final

from tools.claims.credit_words import INTEREST_CLAIM, evidence_of, has, is_curiosity, number
from tools.claims.written import Passage, pattern_of, written
from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject

_DEFERRED: Final = pattern_of(
    r"\b(?:same|good|as good) as cash\b",
    r"\b(?:0|zero) (?:percent )?(?:interest|financing)\b",
    r"\b0\s?% (?:\w+ )?(?:interest|financing)\b",
    r"\b(?:interest|finance charges?) (?:is |are )?(?:can |will )?waits?\b",
    r"\b(?:interest|financing) free\b",
    r"\bfree (?:of interest|financing)\b",
    r"\bskips? (?:the |all |your )?interest\b",
    r"\b(?:owe|pay|paying|charged|accrue|see|with|at)(?: [\w']+)? (?:no|zero|nothing in|not a cent (?:of|in)"
    r"|not a penny (?:of|in))(?: [\w']+)? (?:interest|finance charges?)\b",
)
_PAID_IN_FULL: Final = pattern_of(
    r"\b(?:if|when|provided|as long as|so long as|once|should|unless|by|must|and|to)\b[^.!?]{0,60}\b(?:paid|pay"
    r"|paying|repaid|repay|clear|cleared|settle|settled)\b[^.!?]{0,60}\b(?:in full|full|off|whole|entire|all)\b",
    r"\b(?:pay|clear|settle|repay|paying)\b[^.!?]{0,50}\b(?:in full|off|full (?:balance|amount)|entire|whole)\b",
)
_MONTH_DATE: Final = pattern_of(
    r"\b(?:by|before|until|through|till) (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.? (?:\d{1,2}"
    r"|20\d\d)\b",
    r"\b(?:by|before|until|through|till) \d{1,4}[/-]\d",
)
_PERIOD: Final = pattern_of(
    r"\b(?:\d+|six|nine|twelve|eighteen|twenty four|three|fifteen|thirty six) (?:full |equal )?(?:months?"
    r"|billing cycles?|days)\b",
    r"\b(?:a|one|the|two) (?:full |whole )?years?\b",
)
_CHARGED: Final = pattern_of(
    r"\binterest\b[^.!?]{0,110}\b(?:from|since|back to|retroactive(?:ly)?(?: to| from)?|starting(?: on| from)?"
    r"|beginning(?: on)?|as of|going back to|dating (?:back )?(?:to|from)|accru\w+ (?:from|since)|on) (?:the "
    r"|your |its )?(?:original |initial |very )*(?:day|date|moment|time|purchase|transaction"
    r"|posting)\b[^.!?]{0,30}",
    r"\b(?:from|since|back to|retroactive to|as of|starting) (?:the |your )?(?:original |initial )?(?:day|date"
    r"|purchase|transaction)\b[^.!?]{0,80}\binterest\b",
    r"\b(?:retroactive|backdated|back dated|accrued|deferred) (?:interest"
    r"|finance charges?)\b[^.!?]{0,80}\b(?:purchase|transaction|bought|buy|day one|charged|added|billed|due"
    r"|owed?)\b",
    r"\binterest\b[^.!?]{0,60}\b(?:retroactively|from day one|going back to day one)\b",
)
_UNPAID: Final = pattern_of(
    r"\b(?:not|n't|isn't|unless|fail(?:s|ure)?|without)\b[^.!?]{0,60}\b(?:paid|pay|repaid|repay|clear\w*|settled?"
    r"|paying)\b",
    r"\b(?:unpaid|outstanding|remaining|any (?:balance|amount|of (?:it|the balance)))\b",
    r"\b(?:balance|amount|anything|any) (?:still |that )?(?:remains?|is left|left over|outstanding|due)\b",
    r"\bremains?\b|\bless than the (?:full|whole|entire)\b",
    r"\botherwise\b|\bif you don't\b",
)
_REACH: Final = 70
"""Characters between a claim and its "if paid in full": immediate proximity, within one sentence."""


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of deferred interest."""

    def conditioned(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find claims of no interest without "if paid in full" and the period beside them (1026.16(h)(3))."""
        if has(subject, "promo_apr", "go_to_apr") and not is_deferred(subject):
            return []
        draft = written(checks, subject)
        found = []
        for pattern in (_DEFERRED, INTEREST_CLAIM):
            for each in draft.find(pattern):
                if _is_claim(each) and not _is_conditioned(each, subject):
                    found.append(evidence_of(each))
        return found

    def charged(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find a deferred-interest offer whose copy doesn't say from when interest is owed (1026.16(h)(4))."""
        if not is_deferred(subject):
            return []
        draft = written(checks, subject)
        if any(_says_charged(passage) for passage in draft.passages):
            return []
        return [Evidence(field="body")]

    return (
        Detector("deferred_interest_conditioned", ("terms", "copy"), conditioned),
        Detector("deferred_interest_charged", ("terms", "copy"), charged),
    )


def is_deferred(subject: Subject) -> bool:
    """Tell an offer whose interest is charged back unless everything is paid in the period."""
    return (
        has(subject, "deferred_interest", "deferral_months") or subject.offer.get("offer_type") == "deferred_interest"
    )


_WARNING: Final = pattern_of(
    r"\b(?:to avoid|you'll owe|you will owe|will be charged|are charged|is charged|accrues?|added|may apply"
    r"|unless)\b[^.!?]{0,40}\binterest\b",
    r"\binterest (?:charges? )?(?:will be|is|are|may be|can be) (?:charged|added|due|owed|assessed|billed|applied"
    r"|calculated)\b",
    r"\binterest (?:charges? )?(?:accrues?|begins?|applies|apply|starts?)\b",
    r"\b(?:does not|doesn't|not) (?:mean|affect|change)\b",
)


def _is_claim(each: tuple[Passage, int, int]) -> bool:
    """Tell a promise from a warning: "interest will be charged", "to avoid interest, pay in full"."""
    passage, start, end = each
    if is_curiosity(passage, end):
        return False
    words = passage.text[start:end].lower()
    if "financ" in words and "interest" not in words and not words.strip().startswith(("0", "zero", "no", "free")):
        return "finance charges" not in words or _WARNING.search(passage.around(start, end)) is None
    return words.strip().startswith(("no", "zero", "0")) or _WARNING.search(passage.around(start, end)) is None


def _is_conditioned(each: tuple[Passage, int, int], subject: Subject) -> bool:
    passage, start, end = each
    first, last = passage.sentence(start, end)
    low, high = max(first, start - _REACH), min(last, end + _REACH + 30)
    near = passage.text[low:high]
    if _PAID_IN_FULL.search(near) is None:
        return False
    months = number(subject.offer.get("deferral_months"))
    if _MONTH_DATE.search(near) is not None:
        return True
    if months is None:
        return _PERIOD.search(near) is not None
    return next(passage.amounts("months", months, within=(low, high)), None) is not None or (
        months == 12 and _YEAR.search(near) is not None
    )


_YEAR: Final = pattern_of(r"\b(?:a|one|1|12) (?:full |whole )?(?:years?|months?)\b", r"\btwelve months?\b")


def _says_charged(passage: Passage) -> bool:
    for match in _CHARGED.finditer(passage.text):
        if _UNPAID.search(passage.around(match.start(), match.end())) is not None:
            return True
    return False
