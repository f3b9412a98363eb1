"""Detectors that hold what the copy says against what the offer is: numbers, dates, merchants, agreement of parts."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple, TypeVar

import re2  # type: ignore[import-untyped]

from tools.grounding.date_roles import DateRole
from tools.grounding.examples import worked_examples
from tools.grounding.measures import Quantity, Unit
from tools.grounding.merchants import Gazetteer, is_disguised
from tools.grounding.reading import Reader, Reading, own_names
from tools.grounding.roles import Role
from tools.grounding.support import Support, amount
from tools.grounding.supported import is_supported, support_for
from tools.grounding.supported_dates import is_date_supported
from tools.report import Evidence
from tools.snapshot import once, once_for_terms
from tools.subject import Subject

T = TypeVar("T")

FIELDS: Final = ("subject", "preheader", "headline", "body", "cta", "terms")
_KEY_ROLES: Final[tuple[Role, ...]] = ("reward", "minimum_spend", "spend_cap", "reward_cap")
_KEY_DATES: Final[tuple[DateRole, ...]] = ("end", "enroll", "start")
_COUNT: Final = "(?:one|two|three|four|five|[1-9])"
_DEALS: Final = re2.compile(
    rf"(?i)\b{_COUNT}[- ]for[- ](?:the price of[- ])?{_COUNT}\b"
    rf"|\bbuy {_COUNT}\b[^.!?\n]{{0,30}}\bget {_COUNT}\b|\bbogo\b"
)
"""Deals that no offer type pays, in numbers too small to stand out."""
_PARTS_OF_REWARD: Final = frozenset(
    {"extra", "more", "additional", "bonus", "always", "other", "usual", "usually", "already", "normally", "regular"}
)
_TOTALS: Final[tuple[Role, ...]] = ("worth", "reward_cap", "reward_total")
_RATES: Final[Mapping[str, tuple[Unit, Decimal]]] = {
    "X_points": ("points", Decimal(1)),
    "percent": ("money", Decimal("0.01")),
}
"""Reward unit -> what a purchase earns, and how much of it per dollar and unit."""
_SPENT: Final[frozenset[Role]] = frozenset({"minimum_spend", "spend_for_cap", "spend_total", "spend_cap"})
_SPENDS: Final[tuple[Role, ...]] = ("spend_for_cap", "spend_total")
_CAPS: Final[frozenset[Role]] = frozenset({"spend_cap", "reward_cap", "reward_total"})


@dataclass(frozen=True, slots=True, eq=False)
class Checks:
    """The grounding checks of one catalogue."""

    reader: Reader
    gazetteer: Gazetteer

    def readings(self, subject: Subject) -> tuple[tuple[str, Reading], ...]:
        """Return each filled field with its reading."""
        return once(subject, ("readings", self), lambda: self._readings(subject))

    def reading(self, subject: Subject, field: str, names: tuple[str, ...]) -> Reading:
        """Return the reading of one filled field, these names being the offer's own."""
        if field != "terms":
            return self.reader.read(subject.text[field], names)
        key = "reading", self, names
        return once_for_terms(subject, key, lambda: self.reader.read(subject.text[field], names))

    def own(self, subject: Subject) -> frozenset[str]:
        """Return the catalogue names of the offer's merchants and its add-on."""
        return once_for_terms(subject, ("own", self), lambda: self.reader.own_merchants(own_names(subject.offer)))

    def by_field(self, subject: Subject, key: Hashable, one: "Callable[[str, Reading], Iterable[T]]") -> list[T]:
        """Return what `one` makes of each filled field, in order. What it makes of the terms is remembered.

        `key` names it, and holds whatever it reads beside the field, the offer and the day of sending.
        """
        found: list[T] = []
        for field, reading in self.readings(subject):
            if field == "terms":
                found += once_for_terms(subject, (key, self), partial(_tuple_of, one, field, reading))
            else:
                found += one(field, reading)
        return found

    def copy(self, subject: Subject) -> bytes:
        """Return the folded fields of copy, one under the other, as RE2 reads them."""
        return once(subject, ("copy", self), lambda: self._copy(subject))

    def _copy(self, subject: Subject) -> bytes:
        readings = self.readings(subject)
        return "\n".join(reading.folded.text for field, reading in readings if field != "terms").encode()

    def examples(self, subject: Subject, field: str, reading: Reading) -> frozenset[int]:
        """Return the indexes of the quantities of a field that belong to worked examples."""
        key = "examples", self, field
        return once(subject, key, lambda: worked_examples(reading, subject.offer))

    def _readings(self, subject: Subject) -> tuple[tuple[str, Reading], ...]:
        names = names_of(subject)
        return tuple((field, self.reading(subject, field, names)) for field, _ in texts_of(subject))

    def numbers(self, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find numbers that the offer doesn't have, or has in another role."""
        return list(once(subject, ("numbers", self), lambda: self._numbers(subject)))

    def _numbers(self, subject: Subject) -> list[Evidence]:
        support, deals = support_for(subject), _DEALS.search(self.copy(subject)) is not None

        def one(field: str, reading: Reading) -> Iterator[Evidence]:
            spans: list[tuple[int, int, str]] = []
            examples = self.examples(subject, field, reading)
            for at, (quantity, roles) in enumerate(zip(reading.quantities, reading.roles, strict=True)):
                if at in examples or is_supported(quantity, roles, support, subject, reading):
                    continue
                start = (
                    spans.pop()[0] if quantity.edge == "high" and spans and spans[-1][2] == "low" else quantity.start
                )
                spans.append((start, quantity.end, quantity.edge))
            yield from (reading.evidence(field, start, end) for start, end, _ in spans)
            if deals or field == "terms":
                yield from (reading.evidence(field, *match.span()) for match in _DEALS.finditer(reading.folded.text))

        return self.by_field(subject, ("numbers", card_fee(subject)), one)

    def dates(self, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find dates and periods of validity that the offer doesn't have, and days without a year in the terms."""
        return list(once(subject, ("dates", self), lambda: self._dates(subject)))

    def _dates(self, subject: Subject) -> list[Evidence]:
        support = support_for(subject)

        def one(field: str, reading: Reading) -> Iterator[Evidence]:
            whole = {(mention.month, mention.day) for mention in reading.dates if mention.year and mention.is_day}
            for mention in reading.dates:
                yearless = field == "terms" and mention.is_day and (mention.month, mention.day) not in whole
                if yearless or not is_date_supported(mention, support):
                    yield reading.evidence(field, mention.start, mention.end)
            for quantity, roles in zip(reading.quantities, reading.roles, strict=True):
                lasts = quantity.unit in ("days", "months", "hours", "clock") and "fulfillment" not in roles
                if lasts and not is_supported(quantity, roles, support, subject, reading):
                    yield reading.evidence(field, quantity.start, quantity.end)

        return self.by_field(subject, ("dates", card_fee(subject)), one)

    def merchants(self, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find merchants that the offer is not for, disguised or misspelt ones, and names that nobody knows."""
        own = self.own(subject)

        def one(field: str, reading: Reading) -> Iterator[Evidence]:
            for name in reading.names:
                quote = reading.quote(name.start, name.end)
                foreign = name.canonical and name.canonical not in own
                if foreign or is_disguised(quote, name.canonical or quote):
                    yield reading.evidence(field, name.start, name.end)
            yield from (reading.evidence(field, name.start, name.end) for name in reading.suspects)

        return self.by_field(subject, "merchants", one)

    def parts(self, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find the parts of the copy that state another reward, minimum, cap or date than the others do."""
        support = support_for(subject)

        def one(field: str, reading: Reading) -> Iterator[_Statement]:
            examples = self.examples(subject, field, reading)
            for at, (quantity, roles) in enumerate(zip(reading.quantities, reading.roles, strict=True)):
                if at not in examples and (role := _key_role(quantity, roles)) is not None:
                    held = support.has(quantity, roles) or any(
                        quantity.value in support.of(quantity.unit, spent) for spent in _SPENDS
                    )
                    if held or not _follows_from_reward(quantity, reading, support, subject.offer):
                        value = (quantity.unit, quantity.value)
                        yield _Statement(("number", role), value, held, field, reading, quantity.start, quantity.end)
            for mention in reading.dates:
                for role in _KEY_DATES if mention.is_day else ():
                    if mention.roles == {role}:
                        topic = "end" if role == "enroll" and role not in support.dates else role
                        held, on = is_date_supported(mention, support), (mention.month, mention.day)
                        yield _Statement(("date", topic), on, held, field, reading, mention.start, mention.end)

        stated: dict[tuple[str, str], list[_Statement]] = {}
        for said in self.by_field(subject, "parts", one):
            stated.setdefault(said.topic, []).append(said)
        found: list[Evidence] = []
        for mentions in stated.values():
            truth = next((said.value for said in mentions if said.held), mentions[0].value)
            if len({said.field for said in mentions}) > 1:
                found += [
                    said.reading.evidence(said.field, said.start, said.end)
                    for said in mentions
                    if not said.held and said.value != truth
                ]
        return found


class _Statement(NamedTuple):
    """What a field says on a topic, and whether that is the offer's."""

    topic: tuple[str, str]
    value: tuple[object, object]
    held: bool
    field: str
    reading: Reading
    start: int
    end: int


def _tuple_of(one: Callable[[str, Reading], Iterable[T]], field: str, reading: Reading) -> tuple[T, ...]:
    return tuple(one(field, reading))


def card_fee(subject: Subject) -> Decimal | None:
    """Return the one member fact that supports what copy says: the fee of the card."""
    return amount(subject.member.get("annual_fee"))


def names_of(subject: Subject) -> tuple[str, ...]:
    """Return the names that are the offer's own."""
    return once_for_terms(subject, "own names", lambda: own_names(subject.offer))


def texts_of(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Return the filled fields with their texts."""
    return tuple((field, text) for field in FIELDS if (text := subject.text.get(field)))


def _follows_from_reward(quantity: Quantity, reading: Reading, support: Support, offer: Mapping[str, object]) -> bool:
    """Tell a worth, a total or a part of the reward, and what a purchase of the same sentence earns."""
    if any(quantity.value in support.of(quantity.unit, role) for role in _TOTALS):
        return True
    rate, unit = amount(offer.get("reward_value")), offer.get("reward_unit")
    if rate is not None and unit in _RATES:
        sentence, (earned, per_dollar) = reading.tokens[quantity.first].sentence, _RATES[str(unit)]
        spent = {
            other.value
            for other in reading.quantities
            if other.unit == "money" and other is not quantity and reading.tokens[other.first].sentence == sentence
        }
        if quantity.unit == earned and any(quantity.value == rate * per_dollar * each for each in spent):
            return True
    return _is_part_of_reward(quantity, reading, support)


def _is_part_of_reward(quantity: Quantity, reading: Reading, support: Support) -> bool:
    """Tell the "2X extra" of a reward of 3X instead of 1X, and that usual rate."""
    around = (*range(quantity.first - 3, quantity.first), quantity.last, quantity.last + 1)
    words = {reading.beside(quantity, at) for at in around}
    per_point = next(iter(support.of("money", "point_value")), None)
    if quantity.unit == "multiplier" and per_point and quantity.value * per_point == 1:
        return True  # "20,000 points for a $200 credit" is a price of points, no rate of earning
    if quantity.unit != "multiplier" or not words & _PARTS_OF_REWARD:
        return False
    return quantity.value in support.of("multiplier", "extra") | support.of("multiplier", "base")


def _key_role(quantity: Quantity, roles: frozenset[Role]) -> str | None:
    if quantity.factor or quantity.unit in ("count", "days", "months", "hours", "clock"):
        return None
    if "minimum_spend" in roles and roles <= _SPENT:
        return "minimum_spend"
    if not roles and quantity.unit == "multiplier":
        return "reward"
    if roles and roles <= _CAPS:
        return "cap"
    return next((role for role in _KEY_ROLES if roles == {role}), None)
