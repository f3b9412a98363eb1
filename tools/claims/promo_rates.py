"""Promotional rates and fees: the word that names them, and when they end and what follows, beside the first one."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final, NamedTuple

from tools import sentences
from tools.claims.credit_terms import rates_in
from tools.claims.credit_words import evidence_of, has, number
from tools.claims.written import Passage, Written, pattern_of, written
from tools.grounding.checks import Checks
from tools.grounding.measures import Quantity
from tools.grounding.roles import Role
from tools.grounding.support import day
from tools.grounding.supported import support_for
from tools.report import Evidence
from tools.subject import Detector, Subject

_INTRO: Final = pattern_of(r"\bintro(?:ductory)?\b")
_INTRO_TERM: Final = pattern_of(
    r"\bintro(?:ductory)?(?: [\w%$']+(?:\.\d+%?)?){0,4} (?:APRs?|annual percentage rate|rates?|interest|fees?|period"
    r"|financing|balance transfers?)\b",
    r"\b(?:APRs?|rates?|interest|fees?)\b[\s:,(-]+(?:\w+ ){0,3}intro(?:ductory)?\b",
    r"\bintro(?:ductory)? \d+(?:\.\d+)?\s?%",
)
_BEFORE_INTRO, _BEHIND_INTRO = 45, 25
"""Characters within which "intro" is beside a rate: some six words before it, three behind."""
_NOT_A_RATE: Final = pattern_of(
    r"^\s*(?:balance |cash |intro(?:ductory)? |promotional )*(?:transfer|advance|transaction|plan|foreign"
    r"|processing)? ?(?:fee|cash ?back|back|off|points|rebate|discount|of (?:each|every|the|your) (?:transfer"
    r"|advance|transaction|amount))",
)
_FEE_BEFORE: Final = pattern_of(r"\bfees?\b[\s:(]*(?:of |is |at |equal to |applies[\s:]*)?(?:just |only )?$")
_NAMED_RATE: Final = pattern_of(
    r"\b(?:promotional|promo|special|reduced|introductory|intro|low|lower|limited time)(?: [\w'%]+(?:\.\d+%?)?){0,3}"
    r" (?:APRs?|annual percentage rates?|interest rates?|rates?)\b",
    r"\b(?:no|zero|0%?) (?:APR|interest)\b",
    r"\binterest free\b",
)
_ENDS: Final = pattern_of(
    r"\b(?:until|through|till|thru|to|by|ends?(?: on)?|expires?(?: on)?|valid (?:to"
    r"|through))(?: the)?(?: end of)? (?:\w+day,? )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?\b",
    r"\b(?:until|through|till|by|ends?(?: on)?) \d{1,4}[/-]\d",
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|eighteen|twenty(?: \w+)?"
    r"|twenty four) (?:full )?(?:months?|years?|weeks?|days?|billing (?:cycles?|periods?)|statement(?: cycles?"
    r"| periods?)?|cycles)\b",
    r"\b(?:first|one full|a full|one|a whole|the first) (?:year|month)\b",
)
_THEN: Final = pattern_of(
    r"\b(?:then|afterwards?|after (?:that|this|which|the|your|year|month|\d+|twelve|six)|thereafter|from then on"
    r"|once (?:it|the|that|this)"
    r"|following (?:that|this|the)|when (?:it|that|the \w+) (?:ends?|is over|expires?)|subsequently|later"
    r"|going forward|reverts?|becomes?|rises? to|goes? (?:up )?to)\b(?:[^.!?\n]|\.\d){0,120}(?:\d\s?%"
    r"|\d percent|\$\s?\d[\d,]*|\d dollars)"
)
_PROMO_FEE: Final = pattern_of(
    r"(?:\b(?:no|zero|waived|free|reduced|half|discounted|introductory|intro|promotional)"
    r"|\$0)(?: [\w%$]+){0,2} (?:annual|yearly|membership|plan|balance transfer|transfer|cash advance|card) fees?\b",
    r"\b(?:annual|yearly|membership|plan|balance transfer|transfer|cash advance|card) fees? (?:is |are |will be "
    r"|of |: ?)*(?:waived|free|on us|zero|\$0|reduced|cut|halved|refunded)",
    r"\bwaiv(?:e|es|ed|ing)(?: [\w']+){0,3} (?:annual|yearly|membership|plan|transfer|card) fees?\b",
)
_FOR_A_TIME: Final = pattern_of(
    r"\b(?:first|until|through|till|promotional|promo|intro(?:ductory)?|limited|year one|this year|for (?:\d+"
    r"|\w+) (?:months?|years?|days?)|for a (?:year|while|time|limited)|while|when you (?:open|move|upgrade|join)"
    r"|for now)\b"
)
_REACH: Final = 260
"""Characters that count as close to the first mention; the regulation says "closely proximate", never a number."""


_CHARGED: Final[frozenset[Role]] = frozenset({"fee", "yearly", "apr", "promo_apr", "go_to_apr", "price", "payment"})


class _Mention(NamedTuple):
    passage: Passage
    start: int
    end: int


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of promotional rates."""

    def named(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find an introductory rate not called so at each mention, or one called so that isn't (1026.16(g)(2))."""
        draft = written(checks, subject)
        if subject.offer.get("apr_kind") == "introductory":
            return [evidence_of(each) for each in _rates(draft, subject) if not _is_intro(each)]
        return [
            evidence_of((passage, start, end))
            for passage, start, end in draft.claims(_INTRO_TERM)
            if not _is_room(passage.around(start, end))
        ]

    def ended(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find a first promotional rate or fee without its end and what follows close by (1026.16(g)(4))."""
        draft = written(checks, subject)
        first = _first_rate(draft, subject)
        found = [evidence_of(first)] if first and not _is_complete(draft, first, subject) else []
        fees = (
            draft.copy.find(_PROMO_FEE)
            if has(subject, "rates_fees_link", "annual_fee_new_card", "promo_apr", "bt_fee_pct", "go_to_apr")
            or subject.offer.get("offer_type") == "installments"
            else ()
        )
        for fee in fees:
            near = _close_by(draft, _Mention(*fee))
            timed = _FOR_A_TIME.search(fee[0].around(fee[1], fee[2])) is not None
            if timed and not _says_what_follows(near, subject):
                found.append(evidence_of(fee))
                break
        return found

    return (
        Detector("introductory_named", ("terms", "copy"), named),
        Detector("promotion_ends", ("terms", "copy"), ended),
    )


def _is_room(sentence: str) -> bool:
    return _ROOM.search(sentence) is not None


_ROOM: Final = pattern_of(r"\b(?:rooms?|nightly|hotel|member) (?:rates?|fees?)\b")


def _rates(draft: Written, subject: Subject) -> Iterator[_Mention]:
    """Yield each mention of the promotional rate as a number, not of an equal fee or reward."""
    promo = number(subject.offer.get("promo_apr"))
    if promo is None:
        return
    for passage in draft.passages:
        for quantity in passage.amounts("percent", promo):
            if not _is_fee_or_reward(passage, quantity):
                yield _Mention(passage, quantity.start, quantity.end)


def _is_fee_or_reward(passage: Passage, quantity: Quantity) -> bool:
    behind = sentences.behind(passage.text, quantity.end, 50)
    before = sentences.before(passage.text, quantity.start, 40)
    return _NOT_A_RATE.search(behind) is not None or _FEE_BEFORE.search(before) is not None


def _is_intro(mention: _Mention) -> bool:
    passage = mention.passage
    first, last = passage.sentence(mention.start, mention.end)
    near = passage.text[max(first, mention.start - _BEFORE_INTRO) : min(last, mention.end + _BEHIND_INTRO)]
    return _INTRO.search(near) is not None


def _first_rate(draft: Written, subject: Subject) -> _Mention | None:
    """Return the first mention in reading order; the envelope (subject, preheader) only where nothing else has one."""
    if not has(subject, "promo_apr", "apr_kind") and not (
        has(subject, "go_to_apr") and not has(subject, "deferred_interest")
    ):
        named = [_Mention(*each) for each in draft.copy.claims(_NAMED_RATE) if _is_timed(each)]
        return named[0] if named else None
    for fields in (("headline", "body", "cta"), ("terms",), ("subject", "preheader")):
        part = draft.only(*fields)
        mentions = chain(_rates(part, subject), (_Mention(*each) for each in part.find(_NAMED_RATE)))
        order = {field: at for at, field in enumerate(fields)}
        if first := min(mentions, key=lambda each: (order[each.passage.field], each.start), default=None):
            return first
    return None


def _is_timed(each: tuple[Passage, int, int]) -> bool:
    passage, start, end = each
    sentence = passage.around(start, end)
    return _FOR_A_TIME.search(sentence) is not None and not _is_room(sentence)


def _close_by(draft: Written, mention: _Mention) -> list[_Mention]:
    """Return what stands close to a mention; a headline reads on into the body, and the body never into the terms."""
    passage = mention.passage
    if passage.field not in ("headline", "body", "cta", "terms"):
        return [_Mention(each, 0, len(each.text)) for each in draft.passages]
    near = [_Mention(passage, max(0, mention.start - _REACH), min(mention.end + _REACH, len(passage.text)))]
    if passage.field == "headline":
        left = max(0, _REACH - (len(passage.text) - mention.end))
        near += [_Mention(each, 0, left) for each in draft.passages if each.field == "body"]
    return near


def _text_of(near: list[_Mention]) -> str:
    return "\n".join(passage.text[start:end] for passage, start, end in near)


def _says_what_follows(near: list[_Mention], subject: Subject) -> bool:
    """Tell "then 19.24%" and "after that, $95 a year" from "then spend $50": the offer's own amounts follow no rate."""
    support = support_for(subject)
    for passage, start, end in near:
        for match in _THEN.finditer(passage.text[start:end]):
            first, last = start + match.start(), start + match.end()
            own = [
                not roles & _CHARGED and bool(roles) and support.has(quantity, roles)
                for quantity, roles in zip(passage.reading.quantities, passage.reading.roles, strict=True)
                if quantity.unit in ("money", "percent") and first < quantity.end and quantity.start < last
            ]
            if not own or not own[-1]:
                return True
    return False


def _says_its_end(near: list[_Mention], subject: Subject) -> bool:
    """Tell the end of a rate from days that end none: of enrolling, of taking an offer that lasts for months."""
    last = day(subject.offer.get("end_date")) if has(subject, "promo_months") else None
    for passage, start, end in near:
        reading = passage.reading
        others = [
            (mention.start, mention.end)
            for mention in reading.dates
            if mention.roles == {"enroll"}
            or (last is not None and (mention.month, mention.day) == (last.month, last.day))
        ]
        others += [
            (quantity.start, quantity.end)
            for quantity, roles in zip(reading.quantities, reading.roles, strict=True)
            if "fulfillment" in roles
        ]
        for match in _ENDS.finditer(passage.text[start:end]):
            first, behind = start + match.start(), start + match.end()
            if not any(first < stop and begin < behind for begin, stop in others):
                return True
    return False


def _is_complete(draft: Written, mention: _Mention, subject: Subject) -> bool:
    close = _close_by(draft, mention)
    near = _text_of(close)
    if not _says_its_end(close, subject):
        return False
    rates = rates_in(subject.offer.get("go_to_apr"))
    if not rates:
        return _says_what_follows(close, subject)
    return all(rate in near for rate in rates) and (
        "variable" not in str(subject.offer["go_to_apr"]).lower() or "var" in near.lower()
    )
