"""The words that cues are made of, and the shape of a cue."""

from typing import Any, Final, Literal, NamedTuple

import re2  # type: ignore[import-untyped]

from tools.grounding.tokens import listed

Kind = Literal[
    "enrollment", "bound", "time", "pace", "coverage", "subject", "exclusion", "limit", "channel", "legal", "issuer",
    "credit", "cost", "return", "money", "denial", "member",
]  # fmt: skip


class Cue(NamedTuple):
    """A row of the rulebook. The last group of an allow-list row is the word that `after` may hold.

    With `near`, the pattern is a cue only in a clause that holds `near` as well.
    """

    kind: Kind
    pattern: str
    after: frozenset[str] = frozenset()
    near: Any = None


def row(kind: Kind, pattern: str, *, after: str = "", near: str = "") -> Cue:
    """Return a row of the rulebook; `after` is a list of words, `near` alternatives that are whole words."""
    return Cue(kind, pattern, frozenset(listed(after)), _near(near))


def _near(pattern: str) -> Any:
    return re2.compile(rf"(?i)\b(?:{pattern})\b") if pattern else None


PROMISE: Final = (
    "offers?|deals?|promotions?|rewards?|bonus(?:es)?|credits?|points?|cash[ -]back|discounts?|access|perks?"
    "|benefits?|savings"
)
EARNS: Final = rf"{PROMISE}|cards?|earns?|earning|use|used|valid|works?|counts?|redeem|gets?|get|rewarded|save|saves"
COVERS: Final = (
    EARNS.replace("|works?", "|it works?|that works?") + "|cards?|covered|included|accepted|welcome|spend|pay"
)
CALENDAR: Final = (
    "day|days|night|week|weeks|weekends?|fortnight|month|months|quarters?|season|seasons|year|years|decade|hours?"
    "|minutes?|moments?|holidays?|winter|spring|summer|fall|autumn|statement|bill|cycle|break|semester|school|payday"
    "|birthday|anniversary|christmas|thanksgiving|easter|hanukkah|halloween|new year's|new year|super bowl|ramadan"
    "|valentine's|labor|memorial|independence|veterans|mother's|father's|presidents'?|black friday|cyber monday"
)
SPAN: Final = (
    r"(?:(?:the|this|that|these|next|each|every|your|a|an|any|couple|few|several|some|all|whole|entire|coming|last"
    r"|first|very|early|mid|late|end|close|rest|middle|start|of|following|business|working|billing"
    r"|calendar|more|many)"
    rf"[ -])*(?:{CALENDAR})"
)
BOUGHT: Final = (
    "merchants?|stores?|shops?|restaurants?|retailers?|hotels?|airlines?|brands?|sites?|websites?|places?|locations?"
    "|partners?|countr(?:y|ies)|cit(?:y|ies)|states?|regions?|purchases?|spending|orders?|transactions?|buys?"
    "|items?|products?|aisles?|categor(?:y|ies)|departments?"
    "|cards?|cardmembers?|members?|customers?|shoppers?|users?|amounts?|sums?|dollars?|cents?|penn(?:y|ies)|charges?"
    "|checkouts?|receipts?|bills?|fees?|taxes|tips?|subscriptions?|services?|cuisines?|menus?|deals?|offers?"
    "|discounts?|coupons?|fares?|bookings?|reservations?|plans?|events?"
)
OUTINGS: Final = "travel|trips?|flights?|stays?|rides?|tickets?|visits?|meals?|nights?|dinners?|shows?"
GO_ON: Final = """
    on with from at for in of to and or when that is are was as than then if you your our the a an this instead across
    toward towards here there waiting details awaits await waits wait fits fit suits suit makes make feels feel gives
    give goes go adds add brings bring turns turn helps help per just ready together around along with'you today now
    but so into up out off over after before through by until once while because where what how
    points credits who be been being isn't aren't 's side too also as was were like each all made chosen picked selected
    it online
"""
"""Words that follow the name of a promise and say nothing about how long, where or to whom it is due."""
