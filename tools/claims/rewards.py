"""How often a reward is counted and how large it is made: one reward once, and no more than the offer pays."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Final

from tools.claims.written import COPY, Passage, Sentence, any_of, quantities_in, signed
from tools.grounding.checks import Checks, card_fee
from tools.grounding.measures import Quantity
from tools.grounding.reading import Reading
from tools.grounding.roles import Role
from tools.grounding.support import amount
from tools.grounding.supported import is_supported, support_for
from tools.report import Evidence
from tools.subject import Detector, Subject

Family = str
"""What a reward is paid in: points, back (credit, cash), off (a lower price)."""

_OWN: Final[dict[str, frozenset[Family]]] = {
    "points_multiplier": frozenset({"points"}),
    "bonus_points": frozenset({"points"}),
    "statement_credit": frozenset({"back", "off"}),
    "cashback": frozenset({"back"}),
    "discount": frozenset({"off"}),
}
_BACK: Final = frozenset({"back", "credit", "credits", "bonus", "cash", "rebate", "reward", "gift", "statement"})
_OFF: Final = frozenset({"off", "discount", "savings", "cheaper"})
_GETS: Final = frozenset(
    [
        "get",
        "getting",
        "earn",
        "earning",
        "receive",
        "pocket",
        "collect",
        "take",
        "add",
        "adds",
        "pay",
        "pays",
        "give",
        "gives",
        "hand",
        "grab",
        "score",
        "another",
        "extra",
        "additional",
        "win",
        "plus",
        "bonus",
        "with",
    ]
)
_SPENT: Final[frozenset[Role]] = frozenset(
    {
        "minimum_spend", "spend_for_cap", "spend_total", "spend_cap", "reward_cap", "reward_total", "fee", "price",
        "payment", "payment_total", "point_value", "worth", "base",
    }
)  # fmt: skip
_ADDED: Final = any_of(
    r"\b(?:plus|also|too|another|additional|extra|second|separate|besides|both|again)\b",
    r"\b(?:as\s+well|on\s+top|in\s+addition|along\s+with|together\s+with|we'll\s+(?:also\s+)?(?:add|throw)"
    r"|thrown?\s+in|topped\s+(?:off|up)|stack\w*|not\s+to\s+mention|and\s+then|then|combined?\s+with|coupled\s+with"
    r"|paired\s+with|alongside)\b",
    r"(?:\bpoints\b|\bback\b|\bcredit\b|\boff\b|\bbonus\b|\d[\d,]*x?%?)\s*(?:\+|&|\band\b"
    r"|\bwith\b)\s*(?:\w+\s+){0,3}?(?:\$|\d|cash|statement|bonus|discount|triple|double)",
)
_SAME: Final = any_of(
    r"\b(?:worth|valued?|equals?|equivalent|redeem\w*|redemption|convert\w*|or|instead|rather|example|toward|towards"
    r"|whichever|choose|either|i\.e|usual(?:ly)?|regular(?:ly)?|normal(?:ly)?|always|already|ordinary"
    r"|standard)\b|=|[,(;:-]\s*that's\b"
)
_UNNUMBERED: Final[dict[Family, str]] = {
    "back": r"(?:cash[\s-]?back|statement\s+credits?|cash\s+(?:bonus|reward)|bonus\s+cash|account\s+credit|rebate|(?:a"
    r"|free)\s+gift\s+card)",
    "off": r"(?:a|an|extra|instant)\s+(?:\w+\s+)?discount",
    "points": r"(?:bonus|extra|double|triple|welcome|thousands\s+of|free)\s+points",
}
_LINKED: Final = (
    r"(?:\bplus\b|\+|&|\band\b(?:\s+also)?|\bas\s+well\s+as\b|\balong\s+with\b|\bon\s+top\s+of\b|\balso\s+(?:get|earn)\b"
    r"|\bwith\b)\s+(?:\w+\s+){0,2}?"
)
_UNNUMBERED_IN: Final = {family: any_of(_LINKED + words) for family, words in _UNNUMBERED.items()}
_TWICE: Final = any_of(
    r"\b(?:two|both|twin|dual|2|three|multiple|pair\s+of)\s+(?:\w+\s+)?(?:rewards|bonuses|credits|payouts|prizes"
    r"|paybacks)\b",
    r"\b(?:rewarded|paid|win|earn|rewards\s+you|pays\s+you)\s+twice\b|\bdouble[\s-]dip\w*"
    r"|\btwo\s+(?:\w+\s+)?(?:offers|rewards|bonuses|deals)\s+in\s+one\b",
    r"\ba\s+second\s+(?:\w+\s+)?(?:bonus|credit|reward|discount)\b",
)
_DENIED: Final = any_of(
    r"(?:\b(?:no|not|never|without|nor|neither|cannot|can't|isn't|don't|doesn't|only)\b|n't\b)|\b(?:excluded"
    r"|excludes|excluding|ineligible)\b"
)


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of rewards counted twice or made larger; each reads the offer and the copy."""
    return (
        Detector("one_reward_once", ("terms", "copy"), partial(_once, checks)),
        Detector("headline_not_larger", ("terms", "copy"), partial(_larger, checks)),
    )


def _once(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find one reward counted twice: points and dollars, a credit and a discount, "two rewards in one"."""
    own = _OWN.get(str(subject.offer.get("offer_type")))
    if own is None:
        return []
    note = str(subject.offer.get("reward_note") or "").lower()
    many = (amount(subject.offer.get("max_redemptions")) or Decimal(1)) > 1
    draft = signed(checks, subject).only(*COPY)
    twice = () if many else tuple(draft.say(_TWICE))
    foreign_forms = [] if note else [pattern for family, pattern in _UNNUMBERED_IN.items() if family not in own]
    unnumbered = tuple(said for pattern in foreign_forms for said in draft.say(pattern))
    found: list[Evidence] = []
    for passage, sentence in draft.sentences():
        reading = passage.reading
        foreign = [
            quantity
            for quantity, roles in quantities_in(reading, sentence)
            if (family := _family(reading, quantity, roles)) and family not in own
        ]
        if foreign and not note and _ADDED.search(sentence.text) and not _SAME.search(sentence.text):
            found += [passage.evidence(quantity.start, quantity.end) for quantity in foreign]
            continue
        if not many:
            found += _repeated(passage, sentence, own)
        for said, excuses in ((twice, (_DENIED,)), (unnumbered, (_DENIED, _SAME))):
            matches = [match for _, where, match in said if where is sentence]
            if matches and not any(excuse.search(sentence.text) for excuse in excuses):
                found += [passage.evidence(*sentence.span(match)) for match in matches]
    return found


def _family(reading: Reading, quantity: Quantity, roles: frozenset[Role]) -> Family:
    """Return what a number says the reward is paid in; empty for one that is no reward."""
    if quantity.rate_base or roles & {"base", "fee", "apr", "payment", "price"}:
        return ""
    if quantity.unit in ("points", "multiplier"):
        return "" if quantity.factor and "reward" not in roles else "points"
    following = [reading.beside(quantity, quantity.last + step) for step in range(2)]
    if "value" in following or "worth" in following or ("gift" in following[:1] and "cards" in following):
        return ""
    if quantity.unit in ("percent", "money") and _OFF.intersection(following):
        return "off"
    if quantity.unit in ("percent", "money") and _BACK.intersection(following):
        return "back"
    if quantity.unit != "money" or roles & _SPENT:
        return ""
    before = {reading.beside(quantity, quantity.first - step) for step in range(1, 4)}
    return "back" if _GETS & before and not {"spend", "purchase", "purchases", "order", "of"} & before else ""


def _repeated(passage: Passage, sentence: Sentence, own: frozenset[Family]) -> list[Evidence]:
    """Find the second of two equal rewards of one sentence: "a $50 credit, then another $50 off"."""
    reading = passage.reading
    rewards = [(q, f) for q, roles in quantities_in(reading, sentence) if (f := _family(reading, q, roles)) in own]
    found = []
    for (one, _), (two, _) in pairwise(rewards):
        text = reading.folded.text[one.end : two.start].lower()
        again = any(word in text.split() for word in ("another", "second", "additional", "extra", "plus", "+"))
        if again and one.value == two.value and one.unit == two.unit:
            found.append(passage.evidence(two.start, two.end))
    return found


def _larger(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find a reward in subject, preheader or headline above the offer's, and a whole rate sold as an extra."""
    reward, support = amount(subject.offer.get("reward_value")), support_for(subject)
    if reward is None or str(subject.offer.get("offer_type")) not in _OWN:
        return []
    unit = {"X_points": "multiplier", "points": "points", "usd": "money", "percent": "percent"}.get(
        str(subject.offer.get("reward_unit"))
    )

    def one(field: str, reading: Reading) -> Iterator[Evidence]:
        for quantity, roles in zip(reading.quantities, reading.roles, strict=True):
            if quantity.unit != unit or is_supported(quantity, roles, support, subject, reading):
                continue
            more = "extra" in roles and quantity.value >= reward and field in COPY
            shown = field in ("subject", "preheader", "headline") and not roles & (
                _SPENT - {"reward_cap", "reward_total"}
            )
            is_reward = unit != "money" or _family(reading, quantity, roles) or "reward" in roles
            if more or (shown and is_reward and quantity.value > reward):
                yield reading.evidence(field, quantity.start, quantity.end)

    return checks.by_field(subject, ("larger", card_fee(subject)), one)
