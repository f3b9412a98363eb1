"""Whether the member can use the offer: the card it is for, the regions its merchants serve, places the copy names."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from tools.claims.written import COPY, any_of, signed
from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject

Regions = Mapping[str, frozenset[str]]
"""Canonical merchant name -> the regions it serves; a merchant that serves all is left out."""

_CARDS: Final = (
    r"(blue|green|gold|platinum|silver|basic|black|white|red|sapphire|diamond|emerald|titanium|bronze|classic|everyday"
    r"|reserve|summit|signature|prestige|infinite|student|pearl|ruby|centurion|elite|world|rose\s+gold|copper|onyx)"
)
_YOUR_CARD: Final = any_of(
    rf"\b(?:your|my)\s+(?:\w+\s+){{0,2}}?{_CARDS}\s+(?:credit\s+|rewards\s+|plus\s+)?(?:card|account|membership)\b",
    rf"\bas\s+an?\s+(?:\w+\s+)?{_CARDS}\s+(?:card)?(?:\s*)(?:member|holder|cardmember|cardholder|customer)\b",
    rf"\b(?:you|you're|you\s+are)\s+(?:an?\s+)?{_CARDS}\s+(?:card\s*)?(?:member|holder|customer)\b",
)
_FOR_CARDS: Final = any_of(
    rf"\b(?:for|to|all|dear|only|every|our|hello|hi|attention)\s+(?:(?:our|all|every|only|select|loyal|eligible"
    rf"|\w+\s+and|\w+\s+or)\s+)*{_CARDS}\s+(?:card\s*)?(?:members?|holders?|cardmembers?|cardholders?|cards?"
    rf"|customers?)\b"
)
_UPGRADES: Final = frozenset({"product_upgrade"})
_PLACE: Final = (
    r"(?:store|shop|location|branch|restaurant|hotel|caf[eé]|theat(?:er|re)|outlet|\x1f+|market|cinema|bookstore|kitchen"
    r"|table)"
)
_CLOSE: Final = any_of(
    r"\b(?:(?:just|right)\s+)?(?:around|round)\s+(?:the|your)\s+corner\b|\b(?:just\s+)?(?:down|up|along|across"
    r"|over\s+on)\s+(?:the|your)\s+(?:street|road|block|hall|avenue|way\s+from\s+you)\b|\bnext\s+door\b"
    r"|\bacross\s+town\b|\bon\s+(?:the|your)\s+(?:corner|block|street|way\s+(?:home|to\s+work))\b",
    r"\b(?:in|from|near|within|of|around|serving|to)\s+your\s+(?:own\s+)?(?:neighbou?rhood|area|city|town|street"
    r"|zip\s*code|part\s+of\s+(?:town|the)|backyard|community|state|region|county|corner\s+of|home\s*town|block"
    r"|doorstep)\b",
    r"\b(?:near|nearby|close\s+to|closest\s+to|next\s+to|by)\s+(?:you|your\s+(?:home|house|work|office|place|door"
    r"|apartment))\b|\b(?:close|near)(?:er)?\s+(?:to\s+home|by)\b|\bnearby\b|\bwalking\s+distance\b",
    r"\b(?:short|quick|easy|\d+[\s-]minute|five[\s-]minute|ten[\s-]minute|\w+\s+minutes?)\s+(?:walk|drive|stroll"
    r"|ride|trip|away)\b|\b(?:minutes|steps|blocks|miles?|moments)\s+(?:away|from\s+(?:you|your|home|where))\b"
    r"|\ba\s+stone's\s+throw\b",
    rf"\byour\s+(?:(?:\w+\s+)?local|nearest|closest|neighbou?rhood|hometown|corner|nearby)\s+(?:\w+\s+)?{_PLACE}\b",
    r"\byour\s+(?:(?:\w+\s+)?local|nearest|closest|neighbou?rhood|corner|nearby|own)\s+\x1f",
    r"\bwhere\s+you\s+live\b|\blocal\s+to\s+you\b",
)
_OPEN: Final = any_of(
    r"\b(?:find|finding|check|locate|locator|search|look\s+(?:up|for)|see\s+(?:if|whether|where)|whether|if|any|not"
    r"|may|might|availab\w+|vary|varies|depend\w*|browse|map|where)\b|\b(?:isn't|aren't|don't|doesn't"
    r"|won't)\s+(?:\w+\s+)?(?:be\s+)?(?:near|in|a|available|have)",
    r"\b(?:holidays?|season|summer|winter|spring|fall|autumn|weekend|vacation|year|break|thanksgiving|christmas"
    r"|hanukkah|birthday|date|\w+day|semester|school|travel|tax|patio|gift\w*|finals|playoffs?|december|january"
    r"|february|march)\b[^.;!?]{0,30}\baround\s+the\s+corner",
)
_ALL_STATES: Final = any_of(
    r"\b(?:in\s+)?all\s+(?:50|fifty)\s+states\b|\bnationwide\b|\bcoast\s+to\s+coast\b|\b(?:every|each)\s+state\b"
    r"|\bacross\s+(?:the\s+)?(?:country|nation|u\.?s\b)|\banywhere\s+in\s+the\s+(?:u\.?s|united|country)"
)
_STATES: Final[dict[str, str]] = {
    "US-NORTHEAST": "connecticut, maine, massachusetts, new hampshire, rhode island, vermont, new jersey, new york, "
    "pennsylvania",
    "US-MIDWEST": "illinois, indiana, michigan, ohio, wisconsin, iowa, kansas, minnesota, missouri, nebraska, "
    "north dakota, south dakota",
    "US-SOUTH": "delaware, florida, georgia, maryland, virginia, alabama, kentucky, mississippi, tennessee, arkansas, "
    "louisiana, oklahoma, texas, north carolina, south carolina, west virginia, district of columbia",
    "US-WEST": "arizona, colorado, idaho, montana, nevada, utah, wyoming, alaska, california, hawaii, oregon, "
    "washington, new mexico",
    "US-TERRITORIES": "guam, puerto rico, american samoa, virgin islands",
}
"""The Census Bureau's regions; Washington is left to the state, the capital is the District of Columbia."""
_ALSO_CALLED: Final[dict[str, frozenset[str]]] = {
    "US-EAST": frozenset({"US-NORTHEAST", "US-SOUTH"}),
    "US-SOUTHEAST": frozenset({"US-SOUTH"}),
    "US-SOUTHWEST": frozenset({"US-SOUTH", "US-WEST"}),
    "US-CENTRAL": frozenset({"US-MIDWEST", "US-SOUTH"}),
    "US-NORTHWEST": frozenset({"US-WEST"}),
    "US-MOUNTAIN": frozenset({"US-WEST"}),
    "US-PACIFIC": frozenset({"US-WEST"}),
}
"""Regions of other maps, and those of ours that each may lie in."""
_REGION_OF: Final = {state: region for region, states in _STATES.items() for state in states.split(", ")}
_STATE: Final = any_of(r"\b(" + "|".join(sorted(_REGION_OF, key=len, reverse=True)) + r")\b")
_LIMITED: Final = any_of(
    r"\b(?:only|limited\s+to|exclusive(?:ly)?|restricted\s+to|residents?\s+of|must\s+(?:live|reside|be\s+located)"
    r"|open\s+to|valid\s+in|available\s+in|redeem\w*\s+in)\b"
)
_EXCLUDING: Final = any_of(
    r"\b(?:void|except|excluding|excludes|not\s+(?:valid|available)|other\s+than|outside|unavailable)\b"
)


def detectors(checks: Checks, regions: Regions) -> tuple[Detector, ...]:
    """Return the detectors of eligibility. They read facts of the member; without them only the copy is judged."""
    return (
        Detector("card_named_is_eligible", ("member", "terms", "copy"), partial(_card, checks)),
        Detector("place_not_claimed", ("terms", "copy"), partial(_place, checks)),
        Detector("region_is_served", ("member", "terms", "copy"), partial(_region, checks, regions)),
    )


def _words(value: object) -> frozenset[str]:
    items = value if isinstance(value, list | tuple) else [value] if isinstance(value, str) else []
    return frozenset(str(item).lower() for item in items)


def _card(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find cards in the copy that are neither the member's nor, where that isn't known, ones the offer is for."""
    own, eligible = _words(subject.member.get("card_type")), _words(subject.offer.get("eligible_card_types"))
    upgrading = subject.offer.get("offer_type") in _UPGRADES
    found: list[Evidence] = []
    for pattern, allowed in ((_YOUR_CARD, own or eligible), (_FOR_CARDS, own | eligible)):
        if not allowed or (upgrading and pattern is _FOR_CARDS):
            continue
        for passage, sentence, match in signed(checks, subject).say(pattern):
            named = next(group for group in match.groups() if group).lower()
            upgrade = upgrading and "new" in match.group().lower().split()
            if named not in allowed and not upgrade:
                found.append(passage.evidence(*sentence.span(match)))
    return found


def _place(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find claims that a merchant is near the reader: nobody knows where the reader is."""
    said = signed(checks, subject).only(*COPY).say(_CLOSE)
    return [
        passage.evidence(*sentence.span(match))
        for passage, sentence, match in said
        if _OPEN.search(sentence.text) is None
    ]


def _region(checks: Checks, regions: Regions, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find merchants and limits of residence that leave out the member's region, and "nationwide" where it isn't."""
    own = str(subject.member.get("region") or "").upper()
    homes = _ALSO_CALLED.get(own, frozenset({own} & _STATES.keys()))
    merchants = subject.offer.get("merchants")
    names = [str(name) for name in merchants] if isinstance(merchants, list | tuple) else []
    catalogued = checks.reader.own_merchants(tuple(names))
    partial_reach = [name for name in sorted(catalogued) if name in regions]
    found = [
        Evidence(field="offer.merchants", quote=name)
        for name in partial_reach
        if homes and homes.isdisjoint(regions[name])
    ]
    excluded = _words(subject.offer.get("eligibility_excludes"))
    facts = {own.lower()} | _words(subject.member.get("card_type"))
    if excluded & (facts - {""}):
        found.append(Evidence(field="offer.eligibility_excludes"))
    draft = signed(checks, subject)
    if not draft.may_hold(_STATE) and (not partial_reach or not draft.may_hold(_ALL_STATES)):
        return found
    for passage, sentence in draft.sentences():
        for start, end in _misfits(sentence.text, homes, reaches=not partial_reach):
            found.append(passage.evidence(start + sentence.start, end + sentence.start))
    return found


def _misfits(text: str, homes: frozenset[str], *, reaches: bool) -> Iterator[tuple[int, int]]:
    if not reaches and not _EXCLUDING.search(text):
        yield from (match.span() for match in _ALL_STATES.finditer(text))
    states = list(_STATE.finditer(text))
    if states and homes and _LIMITED.search(text) and not _EXCLUDING.search(text):
        served = {_REGION_OF[" ".join(match.group().lower().split())] for match in states}
        if homes.isdisjoint(served):
            yield states[0].start(), states[-1].end()
