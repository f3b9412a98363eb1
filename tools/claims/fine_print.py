"""Fine print that takes back what the headline says, rather than explaining it."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from tools.claims.written import COPY, Written, any_of, signed
from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject

_SPLIT: Final = any_of(
    r"\b(?:in\s+(?:the\s+)?aggregate|in\s+total|total|combined|altogether|cumulative(?:ly)?"
    r"|sum)\b[^.;!?]{0,40}\b(?:across|over|from|of|for|after)\s+(?:\w+\s+)?(?:\d+|two|three|four|five|six|ten|twelve"
    r"|several|multiple|separate)\s+(?:\w+\s+)?(?:purchases?|stays?|visits?|orders?|transactions?|months?|trips?"
    r"|bookings?|installments?|statements?|quarters?|years?)\b",
    r"\b(?:paid|issued|credited|posted|delivered|given|split|spread|divided|awarded|released|arrives?|comes?"
    r"|applied)\s+(?:out\s+)?(?:\w+\s+){0,3}?(?:in|into|over|across|as|between|among)\s+(?:\w+\s+)?(?:\d+|two|three"
    r"|four|five|six|ten|twelve|equal|separate|monthly|quarterly|several|installments?|parts?)\s+(?:\w+\s+)?(?:parts?"
    r"|installments?|instalments?|portions?|payments?|credits?|steps?|statements?|equal|months|quarters|years)\b",
    r"\b(?:\d+|two|three|four|five|six|ten|twelve)\s+(?:equal\s+|separate\s+|monthly\s+"
    r"|quarterly\s+)?(?:installments?|parts|instalments?|portions|payments|credits)\s+of\b",
    r"\$\d[\d,]*(?:\.\d+)?\s+(?:\w+\s+){0,2}(?:per|each|for\s+each|on\s+each|for\s+every"
    r"|with\s+each)\s+(?:\w+\s+)?(?:purchase|stay|visit|order|transaction|month|trip|booking|quarter|statement"
    r"|year)\b[^.;!?]{0,60}\b(?:up\s+to|maximum|max|limit|for)\s+(?:\w+\s+){0,2}(?:\d+|two|three|four|five|six|ten"
    r"|twelve)\b",
    r"\b(?:requires?|after|only\s+after|once)\s+(?:\w+\s+){0,3}(?:two|three|four|five|six|ten|\d+)\s+(?:separate"
    r"|different|additional|further|more|such)\s+(?:purchases?|stays?|visits?|orders?|transactions?|bookings?)\b",
)
_UP_TO: Final = any_of(
    r"\bup\s+to\b|\bas\s+much\s+as\b|\bmaximum\b|\bper\b|\beach\b|\bacross\b|\bover\b|\bin\s+(?:total|all)\b"
    r"|\btimes\b|\bevery\b|\bmonthly\b"
)
_NEWCOMERS: Final = any_of(
    r"\b(?:new|first[\s-]time|newly\s+\w+|brand[\s-]new)\s+(?:\w+\s+)?(?:accounts?|card\s*members?|members?"
    r"|cardholders?|customers?|guests?|buyers?|shoppers?|clients?|subscribers?|users?|applicants?"
    r"|cards?)\b[^.;!?]{0,40}\bonly\b",
    r"\bonly\b[^.;!?]{0,40}\b(?:new|first[\s-]time|newly\s+\w+)\s+(?:\w+\s+)?(?:accounts?|card\s*members?|members?"
    r"|cardholders?|customers?|guests?|buyers?|shoppers?|subscribers?|users?|applicants?|cards?)\b",
    r"\b(?:only\s+)?(?:accounts?|cards?|members?|cardmembers?)\s+(?:\w+\s+){0,2}(?:opened|approved|issued"
    r"|who\s+(?:opened|joined)|joined)\s+(?:after|on\s+or\s+after|within|since|in)\b",
    r"\b(?:existing|current|returning|previous|prior)\s+(?:\w+\s+)?(?:accounts?|card\s*members?|members?"
    r"|cardholders?|customers?|guests?|shoppers?)\s+(?:\w+\s+){0,2}(?:not\s+eligible|ineligible|don't\s+qualify"
    r"|do\s+not\s+qualify|excluded|cannot|can't|earn\s+nothing|aren't)",
    r"\b(?:who|that|which|with|if\s+you)\s+(?:already|currently|previously|ever|once)\s+(?:have|had|has|hold|held|own|owned|shopped|stayed|used|received|enrolled|earned|bought|ordered)\b[^.;!?]{0,60}\b(?:not\s+eligible|ineligible|excluded|don't|do\s+not|cannot|can't|aren't|are\s+not)\b",
    r"\b(?:if\s+you\s+have\s+(?:never|not)|who\s+have\s+(?:never|not)|haven't|have\s+not)\s+(?:\w+\s+)?(?:shopped"
    r"|purchased|stayed|ordered|bought|visited|dined|booked|held|used|had|made)\b",
)
_NEW_SAID: Final = any_of(r"\b(?:new|first[\s-]time|newly|never\s+(?:shopped|stayed|ordered|tried))\b")
_LESS: Final = any_of(
    r"\b(?:actual|final|real|effective|your)\s+(?:\w+\s+)?(?:percentage|rate|reward|amount|credit|discount|points"
    r"|earnings?|value|cash\s+back|bonus|multiplier)\s+(?:\w+\s+)?(?:may|might|can|could|will)\s+(?:be\s+)?(?:lower"
    r"|less|smaller|reduced|vary|differ|change|only)\w*",
    r"\b(?:reward|amount|credit|discount|points|rate|percentage|bonus|cash\s+back|savings)\b[^.;!?]{0,25}\b(?:may"
    r"|might|could|can)\s+(?:be\s+)?(?:lower|less|smaller|reduced|lowered|substituted|replaced)\b",
    r"\b(?:not\s+(?:everyone|all\s+(?:members|cardmembers|customers))\s+(?:will\s+)?(?:receive|get|earn|gets?"
    r"|receives?))\b|\b(?:winners?|recipients?|members?)\s+(?:will\s+be\s+|are\s+)?(?:drawn|chosen"
    r"|selected)\s+(?:at\s+random|by\s+lot)|\brandomly\s+(?:selected|chosen|drawn)\b",
    r"\b(?:may|will|can|is|are|be)\s+(?:\w+\s+)?(?:issued|paid|given|provided|delivered|fulfilled|substituted"
    r"|replaced)\s+(?:\w+\s+)?(?:as|by|with|in\s+the\s+form\s+of)\s+(?:an?\s+)?(?:\w+\s+)?(?:vouchers?|coupons?"
    r"|gift\s+cards?|store\s+credits?|merchandise|sweepstakes|entr(?:y|ies))\b",
    r"\b(?:in\s+lieu|instead)\s+of\s+(?:the\s+)?(?:\w+\s+)?(?:credit|cash|points|reward|discount|cash\s+back)\b",
    r"\b(?:applies|valid|good|earned|available|redeemable|earn|usable)\s+(?:\w+\s+)?only\s+(?:on|between|during|for"
    r"|from|before|after|with)\s+(?:mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|weekdays?"
    r"|weekends?|off[\s-]peak|non-?peak|midnight|noon|the\s+hours|\d{1,2}(?::\d\d)?\s*(?:am|pm|a\.m|p\.m)?"
    r"|select(?:ed)?|certain)\b|\b(?:mondays?|tuesdays?|wednesdays?|weekdays?)\s+only\b",
)
_EXCLUDES: Final = any_of(
    r"\b(?:exclud(?:es|ed|ing|e)|except(?:ing|ion\w*)?|other\s+than|ineligible|(?:not|n't|never"
    r"|no)\s+(?:\w+\s+){0,2}?(?:apply|applies|count|qualify|qualifies|eligible|include[sd]?|valid|available|earn"
    r"|redeem\w*|cover\w*)|earns?\s+nothing|earns?\s+no)\b"
)
_NEUTRAL: Final = any_of(
    r"\b(?:before|prior|returned|cancel\w*|refund\w*|gift\s+cards?|after\s+the|outside|placed|elsewhere"
    r"|other\s+merchants?|other\s+stores?|third[\s-]part\w+|sold\s+by|on\s+resale|resold|delivery\s+fees|taxes|tips"
    r"|without\s+enroll\w*|until\s+you|unless|if\s+you|not\s+named|not\s+listed)\b"
)
_KINDS: Final[dict[str, str]] = {
    "dining": r"(?:dining|restaurants?|caf[eé]s?|bars?|dinners?|lunch(?:es)?|meals?|eat(?:ing)?\s+out|food|takeout"
    r"|delivery|dine[\s-]in)",
    "groceries": r"(?:grocer(?:y|ies)|supermarkets?|food|produce)",
    "travel": r"(?:travel|airfare|airlines?|flights?|hotels?|lodging|cruises?|car\s+rentals?|rental\s+cars?|trips?)",
    "hotel": r"(?:hotels?|rooms?|stays?|lodging|nights?|room\s+rates?)",
    "flights": r"(?:flights?|airfare|airlines?|tickets?)",
    "electronics": r"(?:electronics|computers?|laptops?|phones?|tablets?|televisions?|tvs?|devices?)",
    "entertainment": r"(?:entertainment|concerts?|movies?|shows?|tickets?|theaters?|theatres?)",
    "streaming": r"(?:streaming|subscriptions?)",
    "books": r"(?:books?|novels?|paperbacks?|hardcovers?|fiction)",
    "home": r"(?:furniture|home\s+goods|d[eé]cor|bedding|sofas?|lamps?)",
    "clothing": r"(?:clothing|apparel|clothes|shoes|fashion)",
    "gas": r"(?:gas|fuel|gasoline)",
    "office": r"(?:office\s+supplies|software|shipping|advertising)",
    "tickets": r"(?:tickets?|seats?)",
    "online": r"(?:online\s+(?:orders?|purchases?)|web\s*site\s+(?:orders?|purchases?))",
}
_KIND_OF: Final = tuple(any_of(rf"\b{words}\b") for words in _KINDS.values())
_OPENERS: Final = frozenset(
    {
        "",
        "excludes",
        "excluded",
        "excluding",
        "exclude",
        "except",
        "to",
        "for",
        "and",
        "or",
        "all",
        "on",
        "at",
        "than",
        "any",
        "no",
        "include",
        "purchases",
        "including",
        "the",
        "with",
        "are",
        "of",
        "in",
        "cover",
        "earn",
        "a",
        "exceptions",
        "most",
    }
)


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of promises taken back; it reads the copy beside the terms."""
    return (Detector("headline_kept", ("terms", "copy"), partial(_taken_back, checks)),)


def _taken_back(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find terms that take back what subject, headline or body say without a word of it there."""
    draft = signed(checks, subject)
    terms, everything = draft.only("terms"), _said(draft, *COPY)
    shown = _said(draft, "subject", "headline")
    found: list[Evidence] = []
    for pattern, said in ((_LESS, (_LESS, everything)), (_NEWCOMERS, (_NEW_SAID, everything))):
        taken = [passage.evidence(*sentence.span(match)) for passage, sentence, match in terms.say(pattern)]
        found += taken if taken and said[0].search(said[1]) is None else []
    split = [passage.evidence(*sentence.span(match)) for passage, sentence, match in terms.say(_SPLIT)]
    if split and _UP_TO.search(shown) is None and _SPLIT.search(everything) is None:
        found += split
    return found + _excluded(terms, shown if shown.strip() else everything)


def _said(draft: Written, *fields: str) -> str:
    return " ".join(sentence.text for _, sentence in draft.only(*fields).sentences())


def _excluded(terms: Written, shown: str) -> list[Evidence]:
    """Find where a sentence of the terms excludes the very kind of purchase that the headline is about."""
    found: list[Evidence] = []
    for said in [kind for kind in _KIND_OF if kind.search(shown) is not None]:
        for passage, sentence, match in terms.say(said):
            text = sentence.text
            if _EXCLUDES.search(text) is None or _NEUTRAL.search(text) is not None:
                continue
            after = text[match.end() : match.end() + 14].lower()
            qualified = text[max(0, match.start() - 24) : match.start()].lower().split()[-1:] or [""]
            whole = qualified[0].strip(",:") in _OPENERS
            if whole and not after.startswith((" gift", " card", " fee", " tax", " sold")):
                found.append(passage.evidence(*sentence.span(match)))
    return found
