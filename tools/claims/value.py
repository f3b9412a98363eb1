"""What a reward is said to be worth, and how often it is counted: one reward once, points at their present value."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from tools.claims.wording import COPY, Sentence, compiled, written
from tools.grounding.checks import Checks, is_supported, support_for
from tools.grounding.measures import Quantity
from tools.grounding.reading import Reading
from tools.grounding.roles import Role
from tools.grounding.support import amount
from tools.grounding.tokens import low
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
_ADDED: Final = compiled(
    r"\b(?:plus|also|too|another|additional|extra|second|separate|besides|both|again)\b",
    r"\b(?:as\s+well|on\s+top|in\s+addition|along\s+with|together\s+with|we'll\s+(?:also\s+)?(?:add|throw)"
    r"|thrown?\s+in|topped\s+(?:off|up)|stack\w*|not\s+to\s+mention|and\s+then|then|combined?\s+with|coupled\s+with"
    r"|paired\s+with|alongside)\b",
    r"(?:\bpoints\b|\bback\b|\bcredit\b|\boff\b|\bbonus\b|\d[\d,]*x?%?)\s*(?:\+|&|\band\b"
    r"|\bwith\b)\s*(?:\w+\s+){0,3}?(?:\$|\d|cash|statement|bonus|discount|triple|double)",
)
_SAME: Final = compiled(
    r"\b(?:worth|valued?|equals?|equivalent|redeem\w*|redemption|convert\w*|or|instead|rather|example|toward|towards"
    r"|whichever|choose|either|that's|i\.e|usual(?:ly)?|regular(?:ly)?|normal(?:ly)?|always|already|ordinary"
    r"|standard)\b|="
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
_UNNUMBERED_IN: Final = {family: compiled(_LINKED + words) for family, words in _UNNUMBERED.items()}
_TWICE: Final = compiled(
    r"\b(?:two|both|twin|dual|2|three|multiple|pair\s+of)\s+(?:\w+\s+)?(?:rewards|bonuses|credits|payouts|prizes"
    r"|paybacks)\b",
    r"\b(?:rewarded|paid|win|earn|rewards\s+you|pays\s+you)\s+twice\b|\bdouble[\s-]dip\w*"
    r"|\btwo\s+(?:\w+\s+)?(?:offers|rewards|bonuses|deals)\s+in\s+one\b",
    r"\ba\s+second\s+(?:\w+\s+)?(?:bonus|credit|reward|discount)\b",
)
_DENIED: Final = compiled(
    r"(?:\b(?:no|not|never|without|nor|neither|cannot|can't|isn't|don't|doesn't|only)\b|n't\b)|\b(?:excluded"
    r"|excludes|excluding|ineligible)\b"
)
_WORTH: Final = compiled(
    r"\bworth\b|\bvalued?\b|\bequals?\b|\bequivalent\b|=|\bredeem\w*\s+(?:\w+\s+){0,3}for\b|\btranslat\w+"
    r"|\bconvert\w*|\bcomes?\s+to\b|\bamounts?\s+to\b|\badds?\s+up\s+to\b|\bgood\s+for\b|\bthat's\b|\bcash(?:es"
    r"|ed)?\s+(?:\w+\s+)?out\b|\bbuys?\b|\bgets?\s+you\b|\bturns?\s+into\b|\blike\b|\bmeans?\b|\bgoes\s+for\b"
    r"|\bas\s+much\s+as\b|\bor\b"
)
_EACH: Final = compiled(
    r"\b(?:each|every|a|per|one|single|1)\s+(?:\w+\s+)?point\b|\bpoints?\b[^;!?]{0,40}\b(?:each|apiece)\b"
    r"|\bcents?\s+(?:a|per)\s+point|\bcpp\b"
)
_POINT: Final = compiled(r"\bpoints?\b|\d\s*x\b|\bbonus\b")
_RETURN: Final = frozenset({"back", "return", "cash", "value", "off", "rebate"})
_NEAR: Final = 8
_CENT: Final = Decimal("0.01")


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of worth; each reads the offer and the copy."""
    return (
        Detector("one_reward_once", ("terms", "copy"), partial(_once, checks)),
        Detector("headline_not_larger", ("terms", "copy"), partial(_larger, checks)),
        Detector("point_value_true", ("terms", "copy"), partial(_point_value, checks)),
    )


def _once(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find one reward counted twice: points and dollars, a credit and a discount, "two rewards in one"."""
    own = _OWN.get(str(subject.offer.get("offer_type")))
    if own is None:
        return []
    note = str(subject.offer.get("reward_note") or "").lower()
    many = (amount(subject.offer.get("max_redemptions")) or Decimal(1)) > 1
    found: list[Evidence] = []
    for field, reading, sentences in written(checks, subject):
        for sentence in sentences:
            foreign = [
                quantity
                for quantity, roles in _in(reading, sentence)
                if (family := _family(reading, quantity, roles)) and family not in own
            ]
            if foreign and not note and _ADDED.search(sentence.text) and not _SAME.search(sentence.text):
                found += [reading.evidence(field, quantity.start, quantity.end) for quantity in foreign]
                continue
            if not many:
                found += _repeated(field, reading, sentence, own)
                found += [
                    reading.evidence(field, match.start() + sentence.start, match.end() + sentence.start)
                    for match in _TWICE.finditer(sentence.text)
                    if not _DENIED.search(sentence.text)
                ]
            for family, pattern in _UNNUMBERED_IN.items():
                match = pattern.search(sentence.text)
                if match and family not in own and not note and not _excused(sentence.text):
                    found.append(reading.evidence(field, match.start() + sentence.start, match.end() + sentence.start))
    return found


def _excused(text: str) -> bool:
    return _SAME.search(text) is not None or _DENIED.search(text) is not None


def _in(reading: Reading, sentence: Sentence) -> Iterator[tuple[Quantity, frozenset[Role]]]:
    for quantity, roles in zip(reading.quantities, reading.roles, strict=True):
        if sentence.start <= quantity.start < sentence.end:
            yield quantity, roles


def _family(reading: Reading, quantity: Quantity, roles: frozenset[Role]) -> Family:
    """Return what a number says the reward is paid in; empty for one that is no reward."""
    if quantity.rate_base or roles & {"base", "fee", "apr", "payment", "price"}:
        return ""
    if quantity.unit in ("points", "multiplier"):
        return "" if quantity.factor and "reward" not in roles else "points"
    following = [low(reading.tokens, quantity.last + step) for step in range(2)]
    if "value" in following or "worth" in following or ("gift" in following[:1] and "cards" in following):
        return ""
    if quantity.unit in ("percent", "money") and _OFF.intersection(following):
        return "off"
    if quantity.unit in ("percent", "money") and _BACK.intersection(following):
        return "back"
    if quantity.unit != "money" or roles & _SPENT:
        return ""
    before = {low(reading.tokens, quantity.first - step) for step in range(1, 4)}
    return "back" if _GETS & before and not {"spend", "purchase", "purchases", "order", "of"} & before else ""


def _repeated(field: str, reading: Reading, sentence: Sentence, own: frozenset[Family]) -> list[Evidence]:
    """Find the second of two equal rewards of one sentence: "a $50 credit, then another $50 off"."""
    rewards = [(q, f) for q, roles in _in(reading, sentence) if (f := _family(reading, q, roles)) in own]
    found = []
    for (one, _), (two, _) in zip(rewards, rewards[1:], strict=False):
        text = reading.folded.text[one.end : two.start].lower()
        again = any(word in text.split() for word in ("another", "second", "additional", "extra", "plus", "+"))
        if again and one.value == two.value and one.unit == two.unit:
            found.append(reading.evidence(field, two.start, two.end))
    return found


def _larger(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find a reward in subject, preheader or headline above the offer's, and a whole rate sold as an extra."""
    reward, support = amount(subject.offer.get("reward_value")), support_for(subject)
    if reward is None or str(subject.offer.get("offer_type")) not in _OWN:
        return []
    unit = {"X_points": "multiplier", "points": "points", "usd": "money", "percent": "percent"}.get(
        str(subject.offer.get("reward_unit"))
    )
    found: list[Evidence] = []
    for field, reading in checks.readings(subject):
        for quantity, roles in zip(reading.quantities, reading.roles, strict=True):
            if quantity.unit != unit or is_supported(quantity, roles, support, subject, reading):
                continue
            more = "extra" in roles and quantity.value >= reward and field in COPY
            shown = field in ("subject", "preheader", "headline") and not roles & (
                _SPENT - {"reward_cap", "reward_total"}
            )
            is_reward = unit != "money" or _family(reading, quantity, roles) or "reward" in roles
            if more or (shown and is_reward and quantity.value > reward):
                found.append(reading.evidence(field, quantity.start, quantity.end))
    return found


def _point_value(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find dollars, cents or percent said to be the worth of points that aren't, at `point_value_usd`."""
    per_point = amount(subject.offer.get("point_value_usd"))
    found: list[Evidence] = []
    for field, reading, sentences in written(checks, subject, (*COPY, "terms")):
        for at, sentence in enumerate(sentences):
            spoken_of = _POINT.search(" ".join(each.text for each in sentences[max(0, at - 1) : at + 1]))
            if not spoken_of or not _WORTH.search(sentence.text):
                continue
            here = list(_in(reading, sentence))
            for quantity, roles in here:
                expected = _expected(reading, quantity, roles, here, sentence, subject, per_point)
                if expected is not None and quantity.value not in expected:
                    found.append(reading.evidence(field, quantity.start, quantity.end))
    return found


def _expected(
    reading: Reading,
    quantity: Quantity,
    roles: frozenset[Role],
    here: list[tuple[Quantity, frozenset[Role]]],
    sentence: Sentence,
    subject: Subject,
    per_point: Decimal | None,
) -> set[Decimal] | None:
    """Return the values a stated worth may have; None for a number that states none."""
    if roles & {"minimum_spend", "fee", "price", "payment"} and "worth" not in roles:
        return None
    following = [low(reading.tokens, quantity.last + step) for step in range(2)]
    text = reading.folded.text[max(sentence.start, quantity.start - 60) : quantity.start]
    links = [match.end() for match in _WORTH.finditer(text)]
    linked = (
        bool(links)
        and len(text[links[-1] :].split()) <= _NEAR
        and not any(
            other.end <= quantity.start and other.end > quantity.start - len(text) + links[-1] for other, _ in here
        )
    )
    if quantity.unit == "percent" and _RETURN.intersection(following) and linked:
        rate = amount(subject.offer.get("reward_value"))
        rates = {other.value for other, _ in here if other.unit == "multiplier"} or (
            {rate} if rate is not None else set()
        )
        if subject.offer.get("reward_unit") != "X_points":
            return None
        return {each * per_point * 100 for each in rates} if per_point is not None else set()
    if quantity.unit != "money":
        return None
    if not (linked or "value" in following or "worth" in following[:1] or "worth" in roles or quantity.value < 1):
        return None
    if "cents" in sentence.text.lower() and quantity.value < 1 and _EACH.search(sentence.text):
        return {per_point} if per_point is not None else set()
    if quantity.value < 1 or _EACH.search(sentence.text):
        if not _EACH.search(sentence.text):
            return None
        if quantity.value < 1:
            return {per_point} if per_point is not None else set()
    points = {other.value for other, _ in here if other.unit == "points"}
    points |= {
        other.value
        for other, _ in here
        if other.unit == "count" and other.value >= 100 and "points" in sentence.text.lower()
    }
    if not points and subject.offer.get("reward_unit") == "points" and _POINT.search(sentence.text):
        points = {value for value in [amount(subject.offer.get("reward_value"))] if value is not None}
    if not points:
        return None
    if per_point is None:
        return set()
    exact = {count * per_point for count in points}
    return exact | {quantity.value} if any(abs(quantity.value - value) <= _CENT for value in exact) else exact
