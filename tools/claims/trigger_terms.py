"""Trigger terms: the mentions of rates, interest and fees that call for disclosures (12 CFR 1026.16(b)(1))."""

from typing import Final

from tools.claims.credit_words import APR, CARD_FEE_CLAIM, INTEREST_CLAIM, RATE_CLAIM, has, is_curiosity, number
from tools.claims.written import Passage, Written, pattern_of
from tools.snapshot import once
from tools.subject import Subject

STANDS: Final = pattern_of(
    r"\b(?:not|n't|never|no|nothing|without)\b(?: [\w'-]+){0,4} (?:chang\w+|affect\w*|alter\w*|touch\w*|impact\w*"
    r"|effect|bearing|rais\w+|lower\w*|increas\w+|replac\w+|waiv\w+)\b",
    r"\b(?:stays?|remains?|continues?|are|is) (?:exactly |just )?(?:the same|unchanged|as (?:it is|they are|before"
    r"|usual)|in (?:place|effect|force))\b",
    r"\b(?:still|continues? to|also) (?:applies|apply|due|owed|payable|be charged)\b",
)
"""A sentence that says that terms of the account stay as they are."""
_MEMBERSHIP_FEE: Final = pattern_of(r"\b(?:annual|yearly|membership|cardmember(?:ship)?) fees?\b")
_REWARD_RATE: Final = pattern_of(
    r"\b(?:rooms?|nightly|hotel|weekend|rental|exchange|earn(?:ing)?s?|rewards?|cash back|points?|base|member"
    r"|group|daily"
    r"|postage|shipping|day) rates?\b",
    r"\brates? (?:on|for) (?:rooms?|suites?|stays?|cars?|rentals?|hotels?|nights?)\b",
)
_LISTED: Final = pattern_of(
    r"\b(?:exclud\w+|except\w*|do not (?:count|qualify|earn)|don't (?:count|qualify|earn)|not (?:count|include"
    r"|eligible)\w*"
    r"|are not (?:eligible|purchases)|does not (?:count|include|apply to|qualify))\b"
)


def triggers(draft: Written, subject: Subject) -> list[tuple[Passage, int, int]]:
    """Return the terms whose mention, for or against, calls for the disclosures of 12 CFR 1026.16(b)(1).

    The card's own annual fee, stated as it is, and sentences that leave the account's terms alone call for nothing.
    """
    return list(once(subject, ("trigger terms", draft), lambda: _triggers(draft, subject)))


def _triggers(draft: Written, subject: Subject) -> list[tuple[Passage, int, int]]:
    found = []
    for pattern in (APR, INTEREST_CLAIM, RATE_CLAIM, CARD_FEE_CLAIM, _MEMBERSHIP_FEE):
        for passage, start, end in draft.find(pattern):
            if pattern in (RATE_CLAIM, INTEREST_CLAIM, APR) and _is_reward_rate(passage, start, end):
                continue
            if pattern is INTEREST_CLAIM and is_curiosity(passage, end):
                continue
            if not _is_left_alone(passage, start, end, subject):
                found.append((passage, start, end))
    return found


def _is_reward_rate(passage: Passage, start: int, end: int) -> bool:
    return _REWARD_RATE.search(passage.around(start, end)) is not None


def _is_left_alone(passage: Passage, start: int, end: int, subject: Subject) -> bool:
    """Tell a mention that states no term: of what is excluded or unchanged, or of the card's own fee in dollars."""
    bounds = passage.sentence(start, end)
    sentence = passage.text[bounds[0] : bounds[1]]
    if _LISTED.search(sentence) is not None:
        return True
    affirmed = CARD_FEE_CLAIM.search(sentence) is not None or INTEREST_CLAIM.search(sentence) is not None
    if STANDS.search(sentence) is not None and not affirmed:
        return True
    fee = number(subject.member.get("annual_fee"))
    if fee is None or has(subject, "annual_fee_new_card") or affirmed or APR.search(sentence) is not None:
        return False
    return next(passage.amounts("money", fee, within=bounds), None) is not None
