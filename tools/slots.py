"""The closed set of slots in copy, and how code fills them from the terms. Nothing in a text is ever evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from tools.braces import TOKEN, fill_text, slots_in
from tools.drafts import Copy
from tools.terms import MenuOption, OfferTerms, Reward
from tools.vocabulary import CopyField, Domain

SLOTS: Final[frozenset[str]] = frozenset(
    {
        "first_name",
        "offer_value",
        "base_rate",
        "minimum_spend",
        "reward_cap",
        "merchants",
        "domain",
        "start_date",
        "expiry_date",
        "enroll_by",
        "offer_days",
        "fulfillment",
        "card_type",
    }
)
"""Every name that may stand in braces."""

FALLBACK_NAME: Final = "Cardmember"
"""Stands for a first name that is missing or erased, and for any name while the gate judges copy."""

NAME_FIELDS: Final[frozenset[CopyField]] = frozenset({"subject", "preheader", "body"})
"""The fields that may greet by name."""

ACCESS_TO: Final[dict[Domain, str]] = {
    "Travel": "travel sales",
    "Dining": "new menu items",
    "Electronics": "new products",
    "Business Services": "new services",
    "Retail": "sales",
    "Entertainment": "new releases",
}
"""What exclusive access opens early, by domain, as the partner contracts put it."""

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SlotFault:
    """One slot that can't be filled: where it stands in the draft's field (character offsets), and why."""

    field: CopyField
    quote: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class FilledCopy:
    """Copy with every slot filled, by field in reading order, and the slots each field used."""

    fields: Mapping[CopyField, str]
    slots: Mapping[CopyField, frozenset[str]]


@dataclass(frozen=True, slots=True)
class SlotFaults:
    """Why copy can't be filled. Never empty."""

    faults: tuple[SlotFault, ...]


def fill(text: Copy, terms: OfferTerms, *, first_name: str = FALLBACK_NAME) -> FilledCopy | SlotFaults:
    """Fill the slots of `text` from the terms, in one pass: what a slot brings in is never read again.

    An unknown slot, a stray or nested brace, a slot whose term this offer doesn't have and a name in a field that
    doesn't greet are faults; this function raises nothing.
    """
    values = renderings(terms) | {"first_name": first_name}
    faults: list[SlotFault] = []
    fields: dict[CopyField, str] = {}
    used: dict[CopyField, frozenset[str]] = {}
    for name, template in text.fields().items():
        found = _faults(name, template, values)
        faults += found
        if not found:
            fields[name] = fill_text(template, values)
            used[name] = slots_in(template)
    return SlotFaults(tuple(faults)) if faults else FilledCopy(fields=fields, slots=used)


def legal_slots(option: Reward) -> frozenset[str]:
    """Return the slots that copy for this option (or these terms) may use."""
    absent = {
        "base_rate": option.base_rate is None,
        "minimum_spend": option.minimum_spend is None,
        "reward_cap": option.reward_cap is None,
        "enroll_by": not option.requires_enrollment,
        "fulfillment": option.fulfillment_weeks is None,
    }
    return SLOTS - {name for name, is_absent in absent.items() if is_absent}


def renderings(terms: OfferTerms) -> dict[str, str | None]:
    """Return the words of every slot but first_name; None where the offer has no such term."""
    weeks = terms.fulfillment_weeks
    cards = join([card.capitalize() for card in terms.eligible_card_types], "or")
    return {
        "offer_value": offer_value(terms, terms.domain),
        "base_rate": None if terms.base_rate is None else f"{_plain(terms.base_rate)}X",
        "minimum_spend": None if terms.minimum_spend is None else dollars(terms.minimum_spend),
        "reward_cap": _cap(terms),
        "merchants": join([merchant.merchant_name for merchant in terms.merchants], "and"),
        "domain": terms.domain,
        "start_date": day(terms.start_date),
        "expiry_date": day(terms.end_date),
        "enroll_by": None if terms.enroll_by is None else day(terms.enroll_by),
        "offer_days": _counted(terms.expiration_days, "day"),
        "fulfillment": None if weeks is None else _weeks(*weeks),
        "card_type": cards,
    }


def offer_value(reward: MenuOption | OfferTerms, domain: Domain) -> str:
    """Return the reward in words: "3X points", "$25 statement credit", "10% cash back", "early access to sales"."""
    value = reward.reward_value
    if reward.offer_type == "exclusive_access" or value is None:
        return f"early access to {ACCESS_TO[domain]}"
    if reward.offer_type == "points_multiplier":
        return f"{_plain(value)}X points"
    if reward.offer_type == "statement_credit":
        return f"{dollars(value)} statement credit"
    return f"{_plain(value)}% {'cash back' if reward.offer_type == 'cashback' else 'discount'}"


def day(value: date) -> str:
    """Return a date as "January 6, 2027", whatever the machine's locale."""
    return f"{_MONTHS[value.month - 1]} {value.day}, {value.year}"


def join(words: list[str], last: str) -> str:
    """Return a list in words: "A", "A and B", "A, B and C"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _faults(field: CopyField, template: str, values: Mapping[str, str | None]) -> list[SlotFault]:
    faults: list[SlotFault] = []
    for token in TOKEN.finditer(template):
        slot = token[1]
        if slot is None:
            reason = "stray brace; braces only mark slots"
        elif slot not in SLOTS:
            reason = f"unknown slot; known are {', '.join(sorted(SLOTS))}"
        elif slot == "first_name" and field not in NAME_FIELDS:
            reason = f"the name is only used in {', '.join(sorted(NAME_FIELDS))}"
        elif values[slot] is None:
            reason = f"this offer has no {slot}; drop the sentence"
        else:
            continue
        faults.append(SlotFault(field=field, quote=token[0], start=token.start(), end=token.end(), reason=reason))
    return faults


def _plain(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def dollars(value: Decimal) -> str:
    """Return an amount as "$1,250", with cents only where there are some."""
    return f"${value:,.0f}" if value == value.to_integral_value() else f"${value:,.2f}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def _weeks(least: int, most: int) -> str:
    return _counted(most, "week") if least == most else f"{least} to {_counted(most, 'week')}"


def _cap(terms: Reward) -> str | None:
    if terms.reward_cap is None:
        return None
    if terms.reward_cap_unit == "points":
        return f"{_plain(terms.reward_cap)} bonus points"
    amount = dollars(terms.reward_cap)
    return f"{amount} in purchases" if terms.reward_cap_unit == "usd_spend" else amount
