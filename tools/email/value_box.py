"""What the value box of the mail says: the offer's figure and its conditions, each rendered from the terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tools.email.theme import Cards
from tools.errors import TemplateFault
from tools.terms import Merchant, OfferTerms
from tools.vocabulary import CapUnit, Channel, MerchantType, OfferType

_CAP_LABELS: Final[dict[CapUnit, str]] = {"usd": "Most you can get", "usd_spend": "On up to", "points": "Up to"}
_CHANNEL_LABELS: Final[dict[Channel, str | None]] = {
    "any": None,
    "online_only": "Online purchases only",
    "in_store_only": "In-store purchases only",
}
_POSTING_LABELS: Final[dict[OfferType, str]] = {
    "points_multiplier": "Points post",
    "statement_credit": "Credit posts",
    "cashback": "Cash back posts",
    "discount": "Discount shows",
    "exclusive_access": "Access details",
}
_PLACES: Final[dict[Channel, dict[MerchantType, str]]] = {
    "any": {"online": "Online", "in-store": "In store", "both": "Online and in store"},
    "online_only": {"online": "Online", "in-store": "In store", "both": "Online"},
    "in_store_only": {"online": "Online", "in-store": "In store", "both": "In store"},
}

Words = Mapping[str, str | None]
"""What `tools.slots.renderings` returns: the words of every slot, None where the offer has no such term."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is set in large type and the words beside it: ("4X", "points"), or ("Early access", "to new releases")."""

    figure: str
    unit: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Card:
    """The card the offer is for, "Gold", and the colour of its picture."""

    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Row:
    """One condition: ("Minimum spend", "$50")."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Place:
    """One merchant and where the offer works there."""

    name: str
    place: str


def card_of(terms: OfferTerms, words: Words, cards: Cards) -> Card:
    """Return the card the offer is for; of several, the first lends its colour."""
    return Card(_rendered("card_type", words), str(getattr(cards, terms.eligible_card_types[0])))


def value_of(words: Words) -> Value:
    """Return the offer's value, split after its figure, or before "to" when it has none."""
    text = _rendered("offer_value", words)
    figure, _, unit = text.partition(" ")
    if any(sign.isdigit() for sign in figure):
        return Value(figure, unit, True)
    figure, to, unit = text.partition(" to ")
    return Value(figure[:1].upper() + figure[1:], f"{to}{unit}".strip(), False)


def window_of(words: Words) -> str:
    """Return the first and last day in words; both count."""
    return f"Valid {_rendered('start_date', words)} through {_rendered('expiry_date', words)}"


def rows_of(terms: OfferTerms, words: Words) -> tuple[Row, ...]:
    """Return the conditions this offer has, in the order a member needs them."""
    rows = []
    if terms.enroll_by:
        rows.append(Row("Enroll by", _rendered("enroll_by", words)))
    if terms.minimum_spend is not None:
        rows.append(Row("Minimum spend", _rendered("minimum_spend", words)))
    if terms.reward_cap_unit:
        rows.append(Row(_CAP_LABELS[terms.reward_cap_unit], _rendered("reward_cap", words)))
    if terms.offer_type == "points_multiplier" and terms.base_rate is not None:
        rows.append(Row("Without this offer", f"{_rendered('base_rate', words)} points"))
    if terms.fulfillment_weeks:
        rows.append(Row(_POSTING_LABELS[terms.offer_type], f"Within {_rendered('fulfillment', words)}"))
    if channel := _CHANNEL_LABELS[terms.channel]:
        rows.append(Row("Where", channel))
    return tuple(rows)


def places_of(terms: OfferTerms) -> tuple[Place, ...]:
    """Return each merchant with where the offer works there, within the offer's own channel."""
    return tuple(_place(merchant, terms.channel) for merchant in terms.merchants)


def _place(merchant: Merchant, channel: Channel) -> Place:
    return Place(merchant.merchant_name, _PLACES[channel][merchant.merchant_type])


def _rendered(slot: str, words: Words) -> str:
    text = words[slot]
    if not text:
        raise TemplateFault(f"{slot}: the offer has this term but its slot renders nothing; see tools/slots.py")
    return text
