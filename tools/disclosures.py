"""Terms and conditions, assembled from reviewed sentences and the terms of the offer. No model writes any of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.braces import fill_text, literal_text, slots_in
from tools.errors import PolicyInvalid
from tools.slots import SLOTS, join, renderings
from tools.terms import OfferTerms
from tools.vocabulary import CapUnit, CardType, Channel, Domain, OfferType
from tools.yaml_lines import read_model

TERMS_SLOTS: Final[frozenset[str]] = (SLOTS - {"first_name"}) | {
    "issuer",
    "time_zone",
    "exclusions",
    "max_redemptions",
}
"""Every name that may stand in braces in a sentence of the terms."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class When(_Closed):
    """The conditions under which a sentence is printed; None asks nothing."""

    offer_types: tuple[OfferType, ...] | None = None
    domains: tuple[Domain, ...] | None = None
    card_types: tuple[CardType, ...] | None = None
    channels: tuple[Channel, ...] | None = None
    cap_units: tuple[CapUnit, ...] | None = None
    requires_enrollment: bool | None = None
    has_minimum: bool | None = None
    has_cap: bool | None = None
    has_exclusions: bool | None = None
    has_fulfillment: bool | None = None
    one_per_member: bool | None = None
    has_max_redemptions: bool | None = None

    def holds(self, terms: OfferTerms) -> bool:
        """Tell whether every condition that is set holds for these terms."""
        return all((wanted := getattr(self, name)) is None or test(terms, wanted) for name, test in _TESTS.items())


class Sentence(_Closed):
    """One reviewed sentence, or a few that belong together."""

    id: str = Field(pattern=r"^[a-z]+(_[a-z]+)*$")
    when: When = When()
    text: str = Field(min_length=1)


class Group(_Closed):
    """Sentences that are printed as one paragraph, after its label."""

    label: str = Field(pattern=r"^[A-Z][A-Za-z ]{1,39}$")
    sentences: tuple[Sentence, ...] = Field(min_length=1)


class _DisclosureFile(_Closed):
    version: str
    approved_by: str
    approved_at: date
    groups: tuple[Group, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Disclosures:
    """All groups, in printing order. Built by `load_disclosures`."""

    path: Path
    version: str
    groups: tuple[Group, ...]

    def terms_text(self, terms: OfferTerms, *, issuer: str, time_zone: str) -> str:
        """Return the terms and conditions of one offer, a line per group: "Who: This offer is ...".

        `time_zone` is printed as given ("Eastern Time"), an IANA name such as "America/New_York" by its city.
        Raises PolicyInvalid for a sentence that holds for these terms but uses a slot they don't have.
        """
        times = terms.max_redemptions
        values = renderings(terms) | {
            "issuer": issuer,
            "time_zone": _zone_words(time_zone),
            "exclusions": join(list(terms.exclusions), "or") if terms.exclusions else None,
            "max_redemptions": None if times is None else f"{times} time{'' if times == 1 else 's'}",
        }
        lines = ((group.label, self._sentences(group, terms, values)) for group in self.groups)
        return "\n".join(f"{label}: {sentences}" for label, sentences in lines if sentences)

    def _sentences(self, group: Group, terms: OfferTerms, values: Mapping[str, str | None]) -> str:
        return " ".join(self._filled(sentence, values) for sentence in group.sentences if sentence.when.holds(terms))

    def _filled(self, sentence: Sentence, values: Mapping[str, str | None]) -> str:
        try:
            return fill_text(sentence.text, values)
        except KeyError as error:
            reason = (
                f"sentence '{sentence.id}' uses {{{error.args[0]}}}, which this offer doesn't have; narrow its `when`"
            )
            raise PolicyInvalid(self.path, 1, reason) from error


def load_disclosures(path: Path) -> Disclosures:
    """Read `policies/disclosures.yaml`.

    Raises PolicyInvalid, with file and line, for an id or a label used twice, an unknown slot and a digit outside
    slots.
    """
    file, lines = read_model(path, _DisclosureFile)
    seen: set[str] = set()
    for number, group in enumerate(file.groups):
        _check_new(f"label '{group.label}'", seen, path, lines.at("groups", number, "label"))
        for index, sentence in enumerate(group.sentences):
            place = ("groups", number, "sentences", index)
            _check_new(f"id '{sentence.id}'", seen, path, lines.at(*place, "id"))
            _check_text(sentence, path, lines.at(*place, "text"))
    return Disclosures(path=path, version=file.version, groups=file.groups)


def _check_new(what: str, seen: set[str], path: Path, line: int) -> None:
    if what in seen:
        raise PolicyInvalid(path, line, f"{what} is used twice")
    seen.add(what)


def _check_text(sentence: Sentence, path: Path, line: int) -> None:
    if unknown := slots_in(sentence.text) - TERMS_SLOTS:
        known = ", ".join(sorted(TERMS_SLOTS))
        raise PolicyInvalid(path, line, f"{sentence.id}: unknown slot {{{min(unknown)}}}; known are {known}")
    if any(char in "{}" or char.isdigit() for char in literal_text(sentence.text)):
        raise PolicyInvalid(path, line, f"{sentence.id}: a digit or a brace outside slots; use slots for amounts")


def _zone_words(name: str) -> str:
    _, place, city = name.rpartition("/")
    return f"{city.replace('_', ' ')} time" if place else name


def _among(value: Callable[[OfferTerms], object]) -> Callable[[OfferTerms, tuple[object, ...]], bool]:
    return lambda terms, allowed: value(terms) in allowed


def _equals(value: Callable[[OfferTerms], bool]) -> Callable[[OfferTerms, bool], bool]:
    return lambda terms, wanted: value(terms) == wanted


_TESTS: Final[Mapping[str, Callable[..., bool]]] = {
    "offer_types": _among(lambda terms: terms.offer_type),
    "domains": _among(lambda terms: terms.domain),
    "channels": _among(lambda terms: terms.channel),
    "cap_units": _among(lambda terms: terms.reward_cap_unit),
    "card_types": lambda terms, allowed: not set(allowed).isdisjoint(terms.eligible_card_types),
    "requires_enrollment": _equals(lambda terms: terms.requires_enrollment),
    "has_minimum": _equals(lambda terms: terms.minimum_spend is not None),
    "has_cap": _equals(lambda terms: terms.reward_cap is not None),
    "has_exclusions": _equals(lambda terms: bool(terms.exclusions)),
    "has_fulfillment": _equals(lambda terms: terms.fulfillment_weeks is not None),
    "one_per_member": _equals(lambda terms: terms.one_per_member),
    "has_max_redemptions": _equals(lambda terms: terms.max_redemptions is not None),
}
"""How each condition is judged: one row per field of When."""
