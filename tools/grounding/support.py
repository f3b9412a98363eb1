"""What an offer supports: each of its terms, and what follows from them, as (unit, role) -> values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, Protocol

from tools.grounding.date_roles import DateMention, DateRole
from tools.grounding.measures import Quantity, Unit
from tools.grounding.roles import Role
from tools.grounding.timewords import add_months

_UNIT_OF: Final[dict[object, Unit]] = {
    "X_points": "multiplier",
    "points": "points",
    "usd": "money",
    "percent": "percent",
    "apr": "percent",
}
_MONEY_TERMS: Final[tuple[tuple[str, Unit, Role], ...]] = (
    ("minimum_spend", "money", "minimum_spend"),
    ("point_value_usd", "money", "point_value"),
    ("promo_apr", "percent", "apr"),
    ("promo_apr", "percent", "promo_apr"),
    ("bt_fee_pct", "percent", "fee"),
    ("bt_fee_min", "money", "fee"),
    ("cash_advance_fee_pct", "percent", "fee"),
    ("cash_advance_fee_min", "money", "fee"),
    ("annual_fee_new_card", "money", "fee"),
    ("annual_fee_new_card", "money", "yearly"),
    ("monthly_payment_usd", "money", "payment"),
    ("total_of_payments_usd", "money", "payment_total"),
    ("addon_price_usd_month", "money", "price"),
    ("promo_months", "months", "period"),
    ("deferral_months", "months", "period"),
    ("promo_months", "count", "period"),
    ("expiration_days", "days", "validity"),
    ("max_redemptions", "count", "redemptions"),
    ("base_rate", "multiplier", "base"),
)
_CONSTANTS: Final = (("money", 1), ("count", 50), ("count", 1), ("count", 2), ("count", 3))
_SINGLE: Final = frozenset({"payment", "installment", "transaction", "purchase", "order", "visit", "stay", "time"})
"""One of these is how a reward is earned, not how often."""
_LAST_MINUTES: Final = frozenset({Decimal(23 * 60 + 59), Decimal(0), Decimal(24 * 60)})
_ROLES_OF_COUNT: Final[tuple[Unit, ...]] = ("multiplier", "money", "percent", "points")


@dataclass(frozen=True, slots=True)
class Support:
    """The values an offer supports, by unit and role, and its dates by role."""

    values: Mapping[tuple[Unit, Role], frozenset[Decimal]]
    dates: Mapping[DateRole, date]
    fulfillment: tuple[Decimal, Decimal] | None
    sent: date

    def has(self, quantity: Quantity, roles: frozenset[Role]) -> bool:
        """Tell whether the offer has this quantity in one of these roles, or, without any, in some role."""
        value, unit = quantity.value, quantity.unit
        if unit == "clock":
            return value in _LAST_MINUTES
        if unit == "days" and (not roles or "fulfillment" in roles) and self._is_fulfillment(quantity):
            return True
        if unit == "months" and (not roles or roles & {"validity", "enroll"}) and self._is_months(value):
            return True
        if unit in ("count", "points") and "base" in roles:
            unit = "multiplier"
        if unit == "count" and value == 1 and (quantity.noun in _SINGLE or not quantity.noun):
            return True
        if value in self.values.get((unit, "note"), ()):
            return True
        if roles:
            return any(value in self.values.get((unit, role), ()) for role in roles)
        if unit == "count" and (
            value == 1 or any(value in self.values.get((u, "reward"), ()) for u in _ROLES_OF_COUNT)
        ):
            return True
        return any(
            value in values for (kind, role), values in self.values.items() if kind == unit and role != "constant"
        )

    def of(self, unit: Unit, role: Role) -> frozenset[Decimal]:
        """Return the values of one role, none when the offer has no such term."""
        return self.values.get((unit, role), frozenset())

    def _is_fulfillment(self, quantity: Quantity) -> bool:
        if self.fulfillment is None:
            return False
        least, most = self.fulfillment
        return quantity.value == (least if quantity.edge == "low" else most)

    def _is_months(self, months: Decimal) -> bool:
        start, end = self.dates.get("start"), self.dates.get("end")
        if start is None or end is None or months != int(months) or not 0 < months < 1000:
            return False
        return add_months(start, int(months)) in (end, end + timedelta(days=1))


def amount(value: object) -> Decimal | None:
    """Return a fact as a number; None for anything that is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    return _decimal(str(value))


@lru_cache(maxsize=2048)
def _decimal(written: str) -> Decimal | None:
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def day(value: object) -> date | None:
    """Return a fact as a day; None for anything that is not an ISO date."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


class _Add(Protocol):
    def __call__(self, unit: Unit, role: Role, *numbers: Decimal | None) -> None: ...


def support_of(
    offer: Mapping[str, object], sent: date, *, notes: Sequence[Quantity] = (), later: Sequence[Quantity] = ()
) -> Support:
    """Return what an offer supports on the day of sending.

    `notes` are the numbers of its own free-text facts, `later` those of the rate that follows a promotional one.
    """
    values: dict[tuple[Unit, Role], set[Decimal]] = {}

    def add(unit: Unit, role: Role, *numbers: Decimal | None) -> None:
        values.setdefault((unit, role), set()).update(number for number in numbers if number is not None)

    for name, unit, role in _MONEY_TERMS:
        if name in offer:
            add(unit, role, amount(offer[name]))
    for unit, constant in _CONSTANTS:
        add(unit, "constant", Decimal(constant))
    for note in notes:
        add(note.unit, "note", note.value)
    for rate in later:
        if rate.unit == "percent":
            add("percent", "apr", rate.value)
            add("percent", "go_to_apr", rate.value)
        else:
            add(rate.unit, "note", rate.value)
    if (price := amount(offer.get("addon_price_usd_month"))) is not None:
        add("money", "yearly", price * 12)
    add("count", "merchants", Decimal(len(_listed(offer.get("merchants")))))
    payment, total = amount(offer.get("monthly_payment_usd")), amount(offer.get("total_of_payments_usd"))
    if payment and total and total % payment == 0:
        add("months", "period", total / payment)
        add("count", "redemptions", total / payment)
    if offer.get("one_per_member") is True or "max_redemptions" not in offer:
        add("count", "redemptions", Decimal(1))
    if (most := amount(offer.get("max_redemptions"))) is not None:
        add("count", "extra", most - 1)
    if (months := amount(offer.get("promo_months"))) is not None:
        add("count", "extra", months + 1)  # "from month 16" is what follows fifteen months
    _add_reward(offer, add)
    dates = _dates(offer)
    if start := dates.get("start"):
        if (end := dates.get("end")) and "expiration_days" not in offer:
            add("days", "validity", Decimal((end - start).days), Decimal((end - start).days + 1))
        if enroll := dates.get("enroll"):
            add("days", "enroll", *(Decimal((enroll - first).days) for first in (start, sent)))
    if (end := dates.get("end")) and sent <= end:
        add("days", "validity", Decimal((end - sent).days), Decimal((end - sent).days + 1))
    if "enroll_by" not in offer:
        add("days", "enroll", *values.get(("days", "validity"), ()))
    weeks = [amount(week) for week in _listed(offer.get("fulfillment_weeks"))]
    fulfillment = (weeks[0] * 7, weeks[-1] * 7) if weeks and weeks[0] is not None and weeks[-1] is not None else None
    return Support({key: frozenset(found) for key, found in values.items()}, dates, fulfillment, sent)


def _add_reward(offer: Mapping[str, object], add: _Add) -> None:
    unit, reward = _UNIT_OF.get(offer.get("reward_unit")), amount(offer.get("reward_value"))
    if unit is None or reward is None:
        return
    if offer.get("reward_unit") == "apr":
        add("percent", "apr", reward)
        add("percent", "promo_apr", reward)
        return
    add(unit, "reward", reward)
    base, cap, per_point = (amount(offer.get(name)) for name in ("base_rate", "reward_cap", "point_value_usd"))
    times = amount(offer.get("max_redemptions")) or Decimal(1)
    points: list[Decimal] = []
    if unit == "multiplier" and base is not None:
        add("multiplier", "extra", reward - base)
        add("points", "extra", reward - base)
        if base:
            add("multiplier", "ratio", reward / base)
            add("percent", "extra", (reward / base - 1) * 100)
    if unit in ("money", "points"):
        add(unit, "reward_total", reward * times)
        if (spend := amount(offer.get("minimum_spend"))) is not None and times > 1:
            add("money", "spend_total", spend * times)
    rate = reward / 100 if unit == "percent" else reward if unit == "multiplier" else None
    paid: Unit = "points" if unit == "multiplier" else "money"
    match offer.get("reward_cap_unit"), cap:
        case _, None:
            pass
        case "usd_spend", Decimal():
            add("money", "spend_cap", cap)
            if rate is not None:
                more = cap * (reward - base) if paid == "points" and base is not None else None
                add(paid, "reward_cap", cap * rate, more)
                add(paid, "extra", more)
                points += [cap * rate] if paid == "points" else []
        case "points", Decimal():
            add("points", "reward_cap", cap)
            points.append(cap)
        case _:
            add("money", "reward_cap", cap)
    if rate and cap is not None and offer.get("reward_cap_unit") in ("usd", "points"):
        add("money", "spend_for_cap", cap / rate)
        add("money", "spend_cap", cap / rate)
    points += [reward] if unit == "points" else []
    if per_point is not None:
        add("money", "worth", *(count * per_point for count in points))


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _dates(offer: Mapping[str, object]) -> dict[DateRole, date]:
    roles: tuple[tuple[DateRole, str], ...] = (("start", "start_date"), ("end", "end_date"), ("enroll", "enroll_by"))
    return {role: found for role, name in roles if (found := day(offer.get(name))) is not None}


def date_matches(mention: DateMention, wanted: date) -> bool:
    """Tell whether a day in the copy is the wanted one, its year and weekday included where they are written."""
    if mention.month not in (None, wanted.month) or mention.day != wanted.day:
        return False
    if mention.year not in (None, wanted.year):
        return False
    return mention.weekday in (None, wanted.weekday())
