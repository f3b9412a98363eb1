"""How copy speaks of credit: the expressions that the rules on rates, interest, fees and transfers share."""

from typing import Final

from tools import sentences
from tools.claims.written import Passage, pattern_of
from tools.report import Evidence
from tools.subject import Subject

_NONE: Final = (
    r"(?:no|zero|0%?|0\.0%|\$0|without|free (?:of|from)|skip(?:ping)?|avoid(?:ing)?|dodg(?:e|ing)|goodbye to|bye to)"
)
_CUT: Final = (
    r"(?:waiv(?:e|es|ed|ing)|stop(?:s|ped)? paying|eliminat\w+|remov(?:e|es|ed|ing)|drop(?:s|ped|ping)?|cut(?:s"
    r"|ting)?"
    r"|forget|paus(?:e|es|ed|ing)|refund\w*|reduc(?:e|es|ed|ing)|lower(?:s|ed|ing)?|halv(?:e|es|ed|ing)|forgiv\w+"
    r"|cover"
    r"|erase[sd]?|low|less|tiny|minimal|never pay)"
)
_FILL: Final = (
    r"(?: (?:any|the|your|more|paying|all|of|about|worry|worries|those|pesky|a|an|in|on|further|hidden|first|year's"
    r"|this|next|second|last|our|whole|full|entire)){0,4}"
)
_CARD_FEE: Final = r"(?:annual|yearly|membership|card|cardmember(?:ship)?|per year|account)"
_OTHER_FEE: Final = (
    r"(?:late(?: payment)?|over limit|returned payment|foreign(?: transaction)?|currency|balance transfer|transfer"
    r"|cash advance|monthly|account|service|overdraft|penalty|plan)"
)
_GONE: Final = (
    r"(?:(?:is|are|has been|have been|will be|get|gets|was)? ?(?:waived|on us|on hold|gone|forgiven|refunded"
    r"|dropped|cut"
    r"|lower(?:ed)?|reduced|halved|zero|free|covered|suspended|paused|history|off|taken care of|settled|no more"
    r"|no longer)|goes? away|disappears?|vanish\w*)"
)

APR: Final = pattern_of(
    r"\b(?-i:APRs?|aprs?)\b",  # "Apr." is a month
    r"\b(?-i:A\.P\.R\.?s?|a\.p\.r\.?)",
    r"\bannual(?:ized|ised)? percentage (?:yield )?rates?\b",
)
INTEREST_CLAIM: Final = pattern_of(
    rf"\b{_NONE}{_FILL} (?:interest|finance charges?|financing (?:charges?|costs?)|interest charges?)\b",
    rf"\b{_CUT}{_FILL} (?:interest|finance charges?|interest charges?|interest rates?)\b",
    r"\binterest free\b",
    r"\b\d+(?:\.\d+)?\s?(?:%|percent) (?:interest|financing)\b",
    r"\b(?:interest|finance charges?|interest charges?) " + _GONE,
    r"\bwithout (?:ever )?(?:paying|being charged|owing|adding)(?: a (?:cent|penny|dime) (?:of"
    r"|in))?(?: any)? interest\b",
    r"\b(?:interest|finance charges?) (?:rates?|charges?) (?:of|at|as low as|from|starting)\b",
    r"\b(?:pay|owe|paying|owing) (?:nothing|zilch|not a (?:cent|penny|dime)) (?:in|of) (?:interest"
    r"|finance charges?)\b",
    r"\b(?:interest|finance charges?)\?\s+(?:no|not|none|zero|nope|never|forget|gone|what)\b",
    r"\bfinance charges?\b",
    r"\b(?:low|lower|reduced|fixed|variable|promotional|promo|introductory|intro|teaser) interest\b",
)
RATE_CLAIM: Final = pattern_of(
    r"\brates? (?:as low as|starting at|starting from|from just|from only)\b",
    r"\b(?:low|lower|reduced|promotional|promo|introductory|intro|teaser|variable|fixed|purchase|borrowing|lending"
    r"|balance transfer|transfer|credit card) rates?\b",
    r"\b\d+(?:\.\d+)?\s?(?:%|percent) (?:variable|fixed|promo\w*|intro\w*)\b",
)
CARD_FEE_CLAIM: Final = pattern_of(
    rf"\b{_NONE}{_FILL} {_CARD_FEE}(?: {_CARD_FEE})? fees?\b",
    rf"(?:^|\s)\$0 (?:\w+ )?{_CARD_FEE} fees?\b",
    rf"\b{_CUT}{_FILL} {_CARD_FEE}(?: {_CARD_FEE})? fees?\b",
    rf"\b{_CARD_FEE} fees? {_GONE}",
    rf"\b{_CARD_FEE} fees?[\s?:,-]+(?:consider (?:it|them)|it's|that's|we've got) (?:taken care of|gone|covered"
    rf"|on us|handled|waived|it)\b",
    rf"\b{_CARD_FEE} fees?\?\s+(?:no|not|none|zero|nope|never|forget|gone|what)\b",
    rf"\b{_CARD_FEE} fee free\b",
    r"\bfirst year (?:is |comes )?(?:free|on us|at no (?:cost|charge))\b",
)
OTHER_FEE_CLAIM: Final = pattern_of(
    rf"\b{_NONE}{_FILL} {_OTHER_FEE} (?:fees?|charges?)\b",
    rf"\b{_CUT}{_FILL} {_OTHER_FEE} (?:fees?|charges?)\b",
    rf"\b{_OTHER_FEE} (?:fees?|charges?) {_GONE}",
)
_MOVE: Final = (
    r"(?:transfer(?:ring)?|mov(?:e|ing)|bring(?:ing)?|shift(?:ing)?|consolidat(?:e|ing)|roll(?:ing)?|switch(?:ing)?"
    r"|combin(?:e|ing)|merg(?:e|ing))"
)
_OWED: Final = r"(?:balances?|debts?|what you owe|outstanding amounts?)"
TRANSFER_CLAIM: Final = pattern_of(
    rf"\b{_MOVE}(?: over| across| in)?(?: [\w'-]+){{0,5}} {_OWED}\b",
    rf"\b{_MOVE}(?: over| across| in)? (?:your |all )*other (?:credit )?cards?\b",
    r"\bpay(?:ing)? (?:off|down) (?:your |all |any |those )*(?:other|existing|old|high rate|high interest|outside"
    r"|another)(?: [\w'-]+){0,2}"
    r" (?:balances?|debts?|cards?|loans?|bills?)\b",
    r"\b(?:balances?|debts?|what you owe) (?:elsewhere|on (?:your )?other cards?|at other banks?"
    r"|with other (?:banks?|lenders?|issuers?))\b",
    rf"\b{_OWED}(?: [\w'-]+){{0,3}} (?:moved|transferred|brought|consolidated)\b",
    r"\b(?:balance transfers?|convenience checks?|cash advance checks?|balance transfer checks?)\b",
)
FINANCING_CLAIM: Final = pattern_of(
    r"\b(?:special|easy|flexible|promotional|promo|instant|convenient|in store|low cost|no cost|free|deferred"
    r"|point of sale"
    r"|month|months'?|offers?|with|get|enjoy|use) financing\b",
    r"\bfinancing (?:offer|plan|option|deal|terms|is|available|for|on|that)\w*\b",
    r"\b(?:be|get|is|are) financed\b",
    r"\b(?:finance|financed) (?:your|the|any|it|this|that|every|a|an|all)\b",
    r"\b(?:buy|shop|dine|travel|book|eat|play|order|get it|take it|have it|it's yours|enjoy it|enjoy|dinner|stay"
    r"|fly) now,?"
    r"(?: and)?(?: then)? pay (?:for it |for them )?(?:later|after|next year|in (?:january|february|spring|summer"
    r"|20\d\d))\b",
    r"\bpay(?:ing)? (?:later|over time|it off over|in (?:equal |easy |monthly )*instal(?:l)?ments|monthly for)\b",
)
DELAY_CLAIM: Final = pattern_of(
    r"\bsame as cash\b",
    r"\bdefer(?:red|ring)? (?:your |the |all )?(?:payments?|interest|billing)\b",
    r"\b(?:no|zero|\$0) (?:\w+ )?(?:payments?|money down|down payment) (?:until|till|for|before|due|required"
    r"|necessary)\b",
    r"\b(?:no|zero|\$0) (?:money down|down payment)\b",
    r"\b(?:skip|pause|miss|postpone|delay|hold off on) (?:a|your|the|one|next|this|your next"
    r"|a monthly) (?:month's |monthly |card |next )*payments?\b",
    r"\bpayment (?:holiday|break|vacation|pause)\b",
    r"\bpayments? (?:is|are|will be|can be) (?:deferred|postponed|paused|delayed|on hold|skipped)\b",
    r"\b(?:nothing|no payment|not a (?:cent|dime|penny)) (?:to pay |is |due )*(?:until|till|before) (?:next|spring"
    r"|summer|fall|autumn|winter|jan\w*|feb\w*|mar\w*|apr\w*|jun\w*|jul\w*|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*)\b",
    r"\b(?:don't|won't|do not|will not|needn't) (?:have to |need to )?(?:pay|see a bill|worry about paying"
    r"|be billed)(?: [\w']+){0,2} (?:until|till|before) (?:next|spring|summer|fall|winter|20\d\d|\d+ days)\b",
    r"\b(?:split|spread|break|divide)(?:s|ting|ing)? (?:up )?(?:the|your|it|this|that|any|every|a)(?: [\w'-]+){0,4}"
    r" (?:into|over|across) (?:[\w-]+ )?(?:[\w-]+ )?(?:payments?|instal(?:l)?ments?|months?|years?)\b",
    r"\binstal(?:l)?ment (?:plan|loan|payment|option|offer|financing)s?\b",
    r"\b(?:personal|cash|short term|instant) loans?\b",
    r"\b(?:borrow|lend)(?:ing)? (?:up to|as much|money|cash|what|against|from)\b",
)
REFERENCE: Final = pattern_of(
    r"\b(?:rates?|pricing|prices|fees?|terms|APRs?)\s*,?(?: and|\s*&|\s*\+|\s*/)\s*(?:fees?|terms|rates?|charges"
    r"|pricing|APRs?|costs?)\b",
    r"\b(?:rates?|fees?|pricing|fees|cost|schumer) (?:table|box|schedule|summary|chart|sheet|disclosures?"
    r"|information)\b",
    r"\b(?:table|schedule|summary|chart) of (?:our |the |all |your )?(?:rates?|fees?|costs?|APRs?)\b",
)
CREDIT_FACTS: Final = (
    "promo_apr", "go_to_apr", "rates_fees_link", "annual_fee_new_card", "deferred_interest", "deferral_months",
    "bt_fee_pct", "bt_fee_min", "cash_advance_fee_pct", "cash_advance_fee_min", "monthly_payment_usd",
)  # fmt: skip
"""Facts that make an offer one of credit. A reward offer has none of them."""


_CURIOSITY: Final = pattern_of(r"^ in (?:[\w']+)")
_TIME_OR_FULL: Final = pattern_of(
    r"^ in (?:the|full|your|any|\d+|one|two|three|six|nine|ten|twelve|eighteen|20\d\d|jan\w*|feb\w*|mar\w*|apr\w*"
    r"|jun\w*|jul\w*"
    r"|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*)\b"
)


def is_curiosity(passage: Passage, end: int) -> bool:
    """Tell "no interest in pasta" from "no interest in the first year"."""
    behind = sentences.behind(passage.text, end, 30)
    return _CURIOSITY.search(behind) is not None and _TIME_OR_FULL.search(behind) is None


def has(subject: Subject, *facts: str) -> bool:
    """Tell whether the offer has one of these facts, other than as a plain no."""
    values = (subject.offer.get(fact) for fact in facts)
    # A rate of 0 is a fact, and 0 == False.
    return any(value is not None and value is not False and value != "" for value in values)


def number(value: object) -> float | None:
    """Return a fact as a number, or None where it is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def evidence_of(found: tuple[Passage, int, int]) -> Evidence:
    """Return a match as evidence."""
    passage, start, end = found
    while start < end and passage.text[start].isspace():
        start += 1
    return passage.evidence(start, end)
