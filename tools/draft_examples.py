"""What a prompt shows as good and bad copy: one contrast per offer type on the menu, authored in the prompt file."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.terms import MenuOption
from tools.vocabulary import OFFER_TYPES, OfferType


class Contrast(BaseModel):
    """A good body of one offer type, and a bad one beside it.

    `why` says in a few words what is wrong with the bad one, `shows` names the clause that refuses it
    (`POLICY/clause`); tests hold both to it. Texts have slots, like any draft.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    good: str = Field(min_length=1, max_length=400)
    bad: str = Field(min_length=1, max_length=200)
    why: str = Field(min_length=1, max_length=60)
    shows: str = Field(pattern=r"^[A-Za-z][\w-]*/\w+$")


TITLES: Final[Mapping[OfferType, str]] = {
    "points_multiplier": "Points",
    "statement_credit": "Statement credit",
    "cashback": "Cash back",
    "discount": "Discount",
    "exclusive_access": "Early access",
}
"""What a prompt calls an offer type: words of the reward's own rendering, as the menu lists it."""


def shown_examples(examples: Mapping[OfferType, Contrast], options: Sequence[MenuOption]) -> list[dict[str, str]]:
    """Return the contrasts of the types on offer, in the vocabulary's order, as the template shows them."""
    offered = {option.offer_type for option in options}
    return [
        {"type": TITLES[name], "good": held.good, "bad": held.bad, "why": held.why}
        for name in OFFER_TYPES
        if name in offered and (held := examples.get(name)) is not None
    ]
