"""Words that contradict a typed fact of the offer: no enrollment, no minimum, the other channel, every card."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from tools.claims.credit_words import evidence_of, number
from tools.claims.written import Written, pattern_of, written
from tools.grounding.checks import Checks
from tools.grounding.support import day
from tools.report import Evidence
from tools.subject import Detector, Subject

_NO_ENROLLMENT: Final = pattern_of(
    r"\b(?:no|zero|without)(?: any)? (?:enrol?lment|sign ?up|registration|opt in|activation|enrolling|registering"
    r"|signing up)\b(?: (?:needed|required|necessary|form))?",
    r"\b(?:no need|don't (?:have|need)|do not (?:have|need)|needn't|without having|never have)(?: to)? (?:enrol?l"
    r"|register|sign up|activate|opt in)\b",
    r"\b(?:enrol?lment|registration|activation|sign ?up) (?:isn't|is not|not) (?:needed|required|necessary)\b",
    r"\b(?:you're|you are|your card is|we've|we have) (?:already|automatically) (?:enrol?led|registered|signed|in)\b",
    r"\b(?:enrol?lment|registration) is automatic\b",
    r"(?:^|\n|[.!?;:,]\s*|\b(?:just|can|simply) )(?:skip|forget)(?: about)? (?:the |any |all )*(?:sign ?up"
    r"|enrol?lment|enrolling|registration|registering"
    r"|opt in)\b",
    r"\bnothing to (?:sign|activate|enrol?l|register|join)\b",
)
_NO_MINIMUM: Final = pattern_of(
    r"\b(?:no|zero|without(?: a| any)?|forget the) minimum(?: (?:purchase|spend(?:ing)?|order|amount|basket"
    r"|transaction|ticket|required|needed|necessary))",
    r"\b(?:no|zero|without(?: a| any)?|forget the) minimum\s*(?:[.,!;:)-]|$)",
    r"\b(?:purchases?|orders?|baskets?|meals?|stays?|transactions?|spend) of any (?:size|amount)\b",
    r"\b(?:spend|spending|buy|buying|order|for|of|with|at) any (?:purchase |order )?amount\b",
    r"\bany (?:purchase |order )?amount (?:counts|qualifies|works|earns|will do|is fine)\b",
    r"\b(?:whatever the|no matter the|regardless of(?: the)?) (?:purchase |order )?amount\b",
    r"\b(?:from|starting with|on) (?:the|your) (?:very )?first dollar\b",
    r"\b(?:whatever|however (?:much|little)|no matter (?:what|how much|how little)) you (?:spend|buy|order)\b",
)
_ONLINE: Final = pattern_of(
    r"\b(?:shop|order|buy|spend|purchase|book|available|valid|use it|earn|pay|click|save|purchases?"
    r"|orders?)\b[^.!?]{0,40}\bonline\b",
    r"\bonline (?:or|and|purchases|orders|shoppers|too|as well)\b",
    r"\b(?:from|on) (?:your|the) (?:couch|sofa|phone|laptop)\b",
    r"\b(?:in stores? or online|in person or online)\b",
)
_IN_STORE: Final = pattern_of(
    r"\bin (?:a |any |their |the |your (?:local|nearest) )?(?:\S+ ){0,3}(?:stores?|shops?|boutiques?"
    r"|outlets?)\s*(?:[.,!;:)]|$|(?:or|and"
    r"|purchases?|shoppers?|as|too|only|at|near|today|now|to|with|by|through)\b)",
    r"\b(?:in person|over the counter|at the (?:counter|register|till|checkout counter))\b",
    r"\b(?:walk|stop|drop|pop|swing) (?:in|into|by)\b(?: any| a| your| the)?(?: local| nearest)?(?: store| shop"
    r"| branch| location)?",
    r"\bvisit (?:your|a|any|the|one of) (?:[\w']+ ){0,3}(?:stores?|shops?|locations?)\b",
    r"\bat (?:any|all|every|your (?:local|nearest)) (?:\S+ ){0,3}(?:stores?|shops?|locations?|branch)\b",
)
_ALL_CARDS: Final = pattern_of(
    r"\b(?:any|every|all|whichever|no matter which)(?: of)?(?: our| your| the)?(?: example bank)? cards? (?:you"
    r"|works?|counts?|qualif\w+|earns?|will do|is welcome|are welcome|holders?)\b",
    r"\b(?:with|on|using) (?:any|every|all|whichever)(?: of)?(?: our| your)?(?: example bank)? cards?\b",
    r"\b(?:all|every|any) card ?members? (?:can|may|is|are|gets?|earns?|qualif\w+)\b",
)
_AGAIN: Final = pattern_of(
    r"\b(?:each|every) (?:time you \w+|visit|trip|order|purchase|stay)\b[^.!?]{0,40}"
    r"\b(?:earns?|gets?|gives?|brings?|pays?|another|again|unlocks?|adds?)\b",
    r"\b(?:again and again|over and over|time and again|as many times as|as often as|repeatedly|twice"
    r"|multiple times|several times)\b",
    r"\b(?:use|redeem|claim) it (?:more than once|as often|again)\b",
)
_TOWARD: Final = pattern_of(r"\b(?:toward|towards|add(?:s|ed)? up|in total|altogether|combined)\b")
_AT_ONCE: Final = pattern_of(
    r"\b(?:points?|credits?|cash ?back|rewards?|money|it)\b[^.!?]{0,40}\b(?:post|arrive|appear|shows? up|land"
    r"|credited|paid|drop|hit|yours)s?\b[^.!?]{0,25}"
    r"\b(?:instantly|immediately|right away|the same day|at once|on the spot|within (?:minutes|hours)|overnight"
    r"|in real time|straight away|the next day|the moment)\b",
    r"\b(?:instant|immediate|same day|real time) (?:[\w$,.]+ )?(?:statement )?(?:credits?|points|cash ?back"
    r"|rewards?|payout)\b",
    r"\binstant \$\s?\d",
    r"\b(?:instantly|immediately) (?:get|receive|earn|see|pocket)\b",
)
_ENDLESS: Final = pattern_of(
    r"\b(?:offer|deal|promotion|this one) (?:never|doesn't|does not|won't|will not) (?:expires?|ends?|runs? out)\b",
    r"\b(?:no|without(?: an?| any)?) (?:expir(?:y|ation)(?: date)?|end date|deadline|closing date)s?\b",
)
_STILL: Final = pattern_of(
    r"\b(?:usual|regular|standard|still|base|also|already|redeem\w*|instead of|on top of|in place of"
    r"|normal(?:ly)?)\b",
)
_GET: Final = (
    r"\b(?:earn|get|receive|enjoy|collect|score|pocket|grab|take home)"
    r"(?: (?:up to|your|some|extra|big|more|great|real|bonus|double|triple|generous)){0,3}"
)
_CASH: Final = pattern_of(_GET + r" cash ?back\b", _GET + r" (?:a |an )?(?:statement|account|bill) credits?\b")
_POINTS: Final = pattern_of(_GET + r" (?:points|miles)\b")
_NOT_CASH: Final = ("X_points", "points")
_NOT_POINTS: Final = ("usd", "percent")


def _offer(fact: str, *values: object) -> Callable[[Subject], bool]:
    return lambda subject: subject.offer.get(fact) in values


def _has_minimum(subject: Subject) -> bool:
    return (number(subject.offer.get("minimum_spend")) or 0) > 0


def _is_single(subject: Subject) -> bool:
    once = subject.offer.get("one_per_member") is True or subject.offer.get("max_redemptions") == 1
    return once and subject.offer.get("offer_type") in ("statement_credit", "bonus_points")


def _always(subject: Subject) -> bool:
    return True


_CONTRADICTED: Final[tuple[tuple[Any, Callable[[Subject], bool], bool], ...]] = (
    (_NO_ENROLLMENT, _offer("requires_enrollment", True), False),
    (_NO_MINIMUM, _has_minimum, False),
    (_ONLINE, _offer("channel", "in_store_only"), True),
    (_IN_STORE, _offer("channel", "online_only"), True),
    (_ALL_CARDS, lambda subject: bool(subject.offer.get("eligible_card_types")), True),
    (_AGAIN, _is_single, True),
    (_AT_ONCE, lambda subject: bool(subject.offer.get("fulfillment_weeks")), True),
    (_ENDLESS, _always, False),
)
"""What may not be said, of which offers, and whether a denial of it is all right ("in-store purchases don't count")."""


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of contradictions."""

    def contradicted(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find words that contradict the offer's enrollment, minimum, channel, cards, uses, time or kind of reward."""
        draft = written(checks, subject)
        found: list[Evidence] = []
        for pattern, applies, deniable in _CONTRADICTED:
            if applies(subject):
                found += [
                    evidence_of(each)
                    for each in (draft.claims(pattern) if deniable else draft.find(pattern))
                    if pattern is not _AGAIN or _TOWARD.search(each[0].around(each[1], each[2])) is None
                ]
        return [*found, *_excluded(draft, subject), *_other_reward(draft, subject)]

    def announced(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find a message sent after its offer, or before it without a word on when the offer starts."""
        start, end = day(subject.offer.get("start_date")), day(subject.offer.get("end_date"))
        if end is not None and subject.send_date > end:
            return [Evidence(field="offer.end_date", quote=end.isoformat())]
        if start is None or subject.send_date >= start:
            return []
        dates = (mention for passage in written(checks, subject).passages for mention in passage.reading.dates)
        if any(mention.month == start.month and mention.day in (start.day, None) for mention in dates):
            return []
        return [Evidence(field="offer.start_date", quote=start.isoformat())]

    return (
        Detector("offer_facts_contradicted", ("terms", "copy"), contradicted),
        Detector("sent_in_window", ("terms", "copy"), announced),
    )


def _other_reward(draft: Written, subject: Subject) -> list[Evidence]:
    unit = subject.offer.get("reward_unit")
    pattern = _CASH if unit in _NOT_CASH else _POINTS if unit in _NOT_POINTS else None
    if pattern is None:
        return []
    return [
        evidence_of((passage, start, end))
        for passage, start, end in draft.claims(pattern)
        if _STILL.search(passage.around(start, end)) is None
    ]


def _excluded(draft: Written, subject: Subject) -> list[Evidence]:
    exclusions = subject.offer.get("exclusions")
    found: list[Evidence] = []
    for item in exclusions if isinstance(exclusions, list | tuple) else ():
        if isinstance(item, str) and item.strip() and item.lower() in draft.text.lower():
            found += [
                evidence_of((passage, start, end))
                for passage, start, end in draft.find(_counted(item.strip().lower()))
                if not passage.is_denied(start, start)
            ]
    return found


@lru_cache(maxsize=512)
def _counted(item: str) -> Any:
    name = r"[\s-]+".join(_literal(word) for word in item.split())
    return pattern_of(
        rf"\b(?:including|even(?: on)?|also on|as well as|plus) {name}\b",
        rf"\b{name} (?:also |do |too |all )?(?:count|qualify|earn|are included|are eligible|are welcome|too)\b",
        known=False,
    )


def _literal(word: str) -> str:
    return "".join(char if char.isalnum() else f"\\{char}" if char.isascii() else "." for char in word)
