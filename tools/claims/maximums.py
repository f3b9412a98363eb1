"""Claims of "up to": the maximum is the offer's, and what it takes to reach it stands close by."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from tools import sentences
from tools.claims.credit_words import number
from tools.claims.written import Passage, pattern_of, written
from tools.grounding.checks import Checks
from tools.grounding.measures import Quantity, Unit
from tools.report import Evidence
from tools.subject import Detector, Subject

_UP_TO: Final = pattern_of(
    r"\b(?:up to|upto|as (?:much|many|high) as|a maximum of|max(?:imum)? of|at most|no more than)(?: (?:a total of"
    r"|a full|an? extra|another|an additional|an?|our|whopping|huge|massive|cool|generous))*[\s:]*$"
)
_LIMITS: Final = ("a maximum of", "maximum of", "max of", "at most", "no more than")
"""Ways to state a cap that sell nothing: they are held to no condition."""
_SPENT: Final = pattern_of(
    r"^\s*(?:worth |in |of |on )*(?:total |combined |eligible |qualifying |your |net |online |in store |dining "
    r"|travel )*(?:purchases?|spend(?:ing)?|bookings?|orders?|balances?|transfers?|transactions?)\b"
)
_ON: Final = pattern_of(
    r"\b(?:on|for|of|transfer|spend|charge|finance|move)(?: (?:the first"
    r"|your first))?(?: purchases?)?(?: of)? (?:up to|as much as)(?: a total of)?[\s:]*$",
)
_WORTH: Final = pattern_of(
    r"\b(?:worth|valued?(?: at)?|free night|night|dinner|meal|ticket) \(?(?:up to|as much as)\s*$",
)
_RATED: Final[dict[str, Unit]] = {"percent": "percent", "X_points": "multiplier"}
_HEAD: Final = frozenset({"subject", "preheader", "headline", "cta"})
"""Fields too short for a condition: they are read together with the body below them."""
_NEAR: Final = 200
"""Characters within which the qualifying spend stands, as the issuer reads "close by"."""
_UNITS: Final[tuple[Unit, ...]] = ("money", "points", "percent", "multiplier")


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of maxima."""

    def qualified(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find an "up to" that isn't the offer's maximum, or whose qualifying spend isn't close by."""
        found: list[Evidence] = []
        draft = written(checks, subject)
        passages = draft.passages
        for passage in passages if draft.copy.has_words_of(_UP_TO) else draft.only("terms").passages:
            for quantity, sells in _maxima(passage):
                if not _is_offered(quantity, subject) or (sells and not _is_said(passage, quantity, passages, subject)):
                    found.append(passage.evidence(quantity.start, quantity.end))
        return found

    return (Detector("maximum_qualified", ("terms", "copy"), qualified),)


def _is_said(passage: Passage, quantity: Quantity, passages: Sequence[Passage], subject: Subject) -> bool:
    """Tell whether what the maximum takes stands near it; a line of a message's head may leave that to the body."""
    if _is_qualified(passage, quantity, subject):
        return True
    return passage.field in _HEAD and any(
        _is_qualified(other, same, subject)
        for other in passages
        if other.field == "body"
        for same in other.reading.quantities
        if (same.unit, same.value) == (quantity.unit, quantity.value)
    )


def _maxima(passage: Passage) -> Iterator[tuple[Quantity, bool]]:
    """Yield the amounts behind "up to", and whether each is a selling claim."""
    for quantity in passage.reading.quantities:
        if quantity.unit not in _UNITS:
            continue
        before = sentences.before(passage.text, quantity.start, 50)
        up_to = _UP_TO.search(before)
        if up_to is None or _ON.search(before) or _SPENT.search(sentences.behind(passage.text, quantity.end, 45)):
            continue
        states_a_cap = passage.field == "terms" or up_to.group(0).lower().lstrip().startswith(_LIMITS)
        yield quantity, not states_a_cap


def _is_offered(quantity: Quantity, subject: Subject) -> bool:
    return quantity.value in {
        Decimal(str(round(value, 6))).normalize() for value in _values(quantity.unit, subject)
    } or any(float(quantity.value) == value for value in _values(quantity.unit, subject))


def _values(unit: Unit, subject: Subject) -> Iterator[float]:
    """Yield what a maximum may be: the cap, the reward, and what they come to."""
    offer = subject.offer
    reward, cap = number(offer.get("reward_value")), number(offer.get("reward_cap"))
    base, worth = number(offer.get("base_rate")), number(offer.get("point_value_usd"))
    kinds = {"usd": "money", "points": "points", "percent": "percent", "X_points": "multiplier", "apr": "percent"}
    if reward is not None and kinds.get(str(offer.get("reward_unit"))) == unit:
        yield reward
        if (times := number(offer.get("max_redemptions"))) is not None:
            yield reward * times
    cap_unit = offer.get("reward_cap_unit")
    points: list[float] = []
    if cap is not None:
        if (unit == "money" and cap_unit in ("usd", "usd_spend", None)) or (unit == "points" and cap_unit == "points"):
            yield cap
        if cap_unit == "usd_spend" and reward is not None:
            if offer.get("reward_unit") == "X_points":
                points = [cap * reward, cap * (reward - (base or 0))]
            elif offer.get("reward_unit") == "percent" and unit == "money":
                yield cap * reward / 100
        if cap_unit == "points":
            points = [cap]
    if offer.get("reward_unit") == "points" and reward is not None:
        points = [*points, reward]
    if unit == "points":
        yield from points
    if unit == "money" and worth is not None:
        yield from (each * worth for each in points)


def _is_qualified(passage: Passage, quantity: Quantity, subject: Subject) -> bool:
    """Tell whether what it takes stands close by: the spend, or the rate whose product the maximum is."""
    within = (max(0, quantity.start - _NEAR), quantity.end + _NEAR)
    offer = subject.offer
    reward, cap, minimum = (number(offer.get(fact)) for fact in ("reward_value", "reward_cap", "minimum_spend"))
    rated = _RATED.get(str(offer.get("reward_unit")))
    # Of a reward that grows with the spend, the least spend doesn't bring the most reward.
    spends: list[tuple[Unit, float]] = [("money", minimum)] if minimum and rated is None else []
    if rated is not None and reward:
        if quantity.unit not in ("percent", "multiplier"):
            spends.append((rated, reward))
        if cap and offer.get("reward_cap_unit") == "usd":
            spends.append(("money", cap * 100 / reward))
        if cap and offer.get("reward_cap_unit") == "points":
            spends += [
                ("money", cap / rate) for rate in (reward, reward - (number(offer.get("base_rate")) or 0)) if rate > 0
            ]
        if cap and offer.get("reward_cap_unit") == "usd_spend":
            spends.append(("money", cap))
    if not spends:
        return True
    return any(
        other is not quantity
        for unit, value in spends
        for other in passage.amounts(unit, round(value, 6), within=within)
    )
