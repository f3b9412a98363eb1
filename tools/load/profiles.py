"""Map the nested profiles of older clients to the export's columns.

Values that a profile states win; what it leaves out is computed from its histories as of one date. A profile's
field that no column holds is ignored and counted.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from tools.columns import BY_NAME
from tools.load.cells import as_cell
from tools.vocabulary import DOMAINS

SECTIONS: Final = ("profile", "transaction_history", "engagement_behavior", "offer_history")
ACCEPTED: Final = frozenset({"accepted", "redeemed"})
YEAR, QUARTER, MONTH, HALF_YEAR = timedelta(365), timedelta(90), timedelta(30), timedelta(183)

Fault = tuple[str, str, str]
"""Place in the profile, value, reason."""


@dataclass(frozen=True, slots=True)
class _Event:
    day: date
    label: str
    amount: float = 0.0
    accepted: bool = False


class _Unfit(Exception):
    """A part of the profile is not what it should be."""

    def __init__(self, where: str, value: object, reason: str) -> None:
        super().__init__(where, str(value), reason)
        self.fault: Fault = (where, str(value), reason)


def flatten(nested: Mapping[str, object], *, as_of: date) -> tuple[dict[str, str | None], list[Fault], list[str]]:
    """Return a profile's columns as text, its faults, and the names of fields that no column holds."""
    computed: dict[str, object] = {}
    faults: list[Fault] = []
    for section, read, summarise in (
        ("transaction_history", _purchase, _spending),
        ("offer_history", _offer, _offers),
    ):
        if nested.get(section) is None:
            continue
        try:
            events = [read(f"{section}[{place}]", item) for place, item in enumerate(_items(section, nested[section]))]
            if late := [place for place, event in enumerate(events) if event.day > as_of]:
                raise _Unfit(f"{section}[{late[0]}].date", events[late[0]].day, f"after {as_of}")
            computed |= summarise(events, as_of)
        except _Unfit as unfit:
            faults.append(unfit.fault)
    ignored: list[str] = []
    for where, name, value in _stated(nested, faults):
        if name not in BY_NAME:
            ignored.append(where)
        elif (cell := as_cell(value)).fault:
            faults.append((where, cell.text or "", cell.fault))
        elif cell.text is not None:
            computed[name] = cell.text
    return {name: as_cell(value).text for name, value in computed.items()}, faults, ignored


def _stated(nested: Mapping[str, object], faults: list[Fault]) -> Iterator[tuple[str, str, object]]:
    for section in ("profile", "engagement_behavior"):
        fields = nested.get(section)
        if isinstance(fields, dict):
            yield from ((f"{section}.{name}", name, value) for name, value in fields.items())
        elif fields is not None:
            faults.append((section, str(fields), "expected an object"))
    yield from ((name, name, value) for name, value in nested.items() if name not in SECTIONS)


def _items(section: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise _Unfit(section, value, "expected a list")
    return value


def _purchase(where: str, item: object) -> _Event:
    fields = _fields(where, item)
    amount = fields.get("amount")
    if isinstance(amount, str):
        try:
            amount = float(amount)
        except ValueError as error:
            raise _Unfit(f"{where}.amount", amount, "not a number") from error
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        raise _Unfit(f"{where}.amount", amount, "not a finite number")
    return _Event(_day(where, fields), _domain(fields.get("category")), amount=float(amount))


def _offer(where: str, item: object) -> _Event:
    fields = _fields(where, item)
    accepted = str(fields.get("status", "")).strip().casefold() in ACCEPTED
    return _Event(_day(where, fields), _domain(fields.get("domain")), accepted=accepted)


def _fields(where: str, item: object) -> Mapping[str, object]:
    if not isinstance(item, dict):
        raise _Unfit(where, item, "expected an object")
    return item


def _day(where: str, fields: Mapping[str, object]) -> date:
    given = fields.get("date")
    try:
        return datetime.fromisoformat(str(given)).date()
    except ValueError as error:
        raise _Unfit(f"{where}.date", given, "not a date; expected YYYY-MM-DD") from error


def _domain(given: object) -> str:
    return {domain.casefold(): domain for domain in DOMAINS}.get(str(given).strip().casefold(), "")


def _spending(purchases: list[_Event], as_of: date) -> dict[str, object]:
    def spent(start: timedelta, end: timedelta) -> float:
        """Spend net of refunds in the days more than `start` and at most `end` ago; today counts as less than a day."""
        return math.fsum(p.amount for p in purchases if start <= as_of - p.day < end)

    year = [p for p in purchases if as_of - p.day < YEAR and p.amount > 0]
    total = max(0.0, round(spent(timedelta(0), YEAR), 2))
    by_domain: dict[str, float] = {}
    for purchase in year:
        if purchase.label:
            by_domain[purchase.label] = by_domain.get(purchase.label, 0.0) + purchase.amount
    preferred = sorted(by_domain, key=lambda domain: (-by_domain[domain], domain))
    return {
        "total_transactions_12m": len(year),
        "total_spend_12m": total,
        "avg_transaction_amount": round(total / len(year), 2) if year else None,
        "recency_days": min((as_of - p.day).days for p in year) if year else None,
        "frequency_30d": sum(as_of - p.day < MONTH for p in year),
        "monetary_30d": min(total, max(0.0, round(spent(timedelta(0), MONTH), 2))),
        "spend_change_pct_30d": _change(spent(timedelta(0), MONTH), spent(MONTH, 2 * MONTH)),
        "spend_change_pct_90d": _change(spent(timedelta(0), QUARTER), spent(QUARTER, 2 * QUARTER)),
        "preferred_domain_1": preferred[0] if preferred else None,
        "preferred_domain_2": preferred[1] if len(preferred) > 1 else None,
    }


def _change(recent: float, before: float) -> float | None:
    """Return the change as a fraction, held within what the column can mean; None when there was nothing before."""
    low, high = BY_NAME["spend_change_pct_90d"].low, BY_NAME["spend_change_pct_90d"].high
    if before <= 0 or low is None or high is None:
        return None
    return min(high, max(low, round((recent - before) / before, 4)))


def _offers(offers: list[_Event], as_of: date) -> dict[str, object]:
    recent = [offer for offer in offers if as_of - offer.day < HALF_YEAR]
    accepted = sum(offer.accepted for offer in recent)
    last = max(offers, key=lambda offer: offer.day, default=None)
    return {
        "offers_shown_6m": len(recent),
        "offers_accepted_6m": accepted,
        "historical_acceptance_rate": accepted / len(recent) if recent else None,
        "offers_sent_this_month": sum((o.day.year, o.day.month) == (as_of.year, as_of.month) for o in offers),
        "days_since_last_offer": (as_of - last.day).days if last else None,
        "last_offer_accepted": last.accepted if last else None,
        "last_offer_domain": (last.label or None) if last else None,
        "last_offer_date": last.day.isoformat() if last else None,
    }
