"""The partner merchants an offer may name, and which of them a draft may choose from."""

import hashlib
from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.errors import InputInvalid, PolicyInvalid
from tools.hygiene import DETECTORS
from tools.merchant_names import LONGEST, fault_of
from tools.subject import Subject
from tools.terms import Merchant
from tools.vocabulary import DOMAINS, Channel, Domain, MerchantType
from tools.yaml_lines import Lines, read_model

Region = Literal["US-NORTHEAST", "US-MIDWEST", "US-SOUTH", "US-WEST", "US-TERRITORIES"]

MAX_CANDIDATES: Final = 6
MIN_CANDIDATES: Final = 4
TYPES_OF: Final[dict[Channel, frozenset[MerchantType]]] = {
    "any": frozenset({"online", "in-store", "both"}),
    "online_only": frozenset({"online", "both"}),
    "in_store_only": frozenset({"in-store", "both"}),
}
"""Where a merchant must sell for an offer of that channel to be usable with it."""

_NO_PART_OF_A_NAME: Final = frozenset({"clean_characters", "plain_text", "no_placeholders", "no_reviewer_instructions"})
"""Detectors of hygiene that find what no name holds; links are judged by shape, since "Booking.com" is a name."""


class Partner(BaseModel):
    """One merchant of `policies/merchants.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^MERCH_[A-Z0-9_]+$")
    name: str = Field(min_length=1)
    domain: Domain
    category: str = Field(min_length=1)
    type: MerchantType
    regions: Literal["all"] | tuple[Region, ...] = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    source_note: str = Field(min_length=1)

    def sells_in(self, region: Region | None) -> bool:
        """Tell whether a member of `region` can buy there; None asks for every region."""
        return self.regions == "all" or (region is not None and region in self.regions)

    def as_named(self) -> Merchant:
        """Return the merchant as offer terms carry it."""
        return Merchant(
            merchant_id=self.id, merchant_name=self.name, merchant_category=self.category, merchant_type=self.type
        )


class _PartnerFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    merchants: tuple[Partner, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All partner merchants, by id. Built by `load_catalogue`."""

    path: Path
    version: str
    partners: MappingProxyType[str, Partner]

    def get(self, merchant_id: str) -> Merchant | None:
        """Return the merchant of that id as terms carry it, or None."""
        partner = self.partners.get(merchant_id)
        return partner.as_named() if partner else None

    def names(self) -> tuple[str, ...]:
        """Return every name and alias, longest first, so that a scan finds "Amazon Business" before "Amazon"."""
        known = {name for partner in self.partners.values() for name in (partner.name, *partner.aliases)}
        return tuple(sorted(known, key=lambda name: (-len(name), name)))

    def names_of(self, merchant_id: str) -> tuple[str, ...]:
        """Return the name and the aliases of one merchant. Raises KeyError for an unknown id."""
        partner = self.partners[merchant_id]
        return (partner.name, *partner.aliases)

    def candidates(
        self, domain: Domain, *, campaign: str, view_digest: str, channels: Set[Channel], region: Region | None = None
    ) -> tuple[Merchant, ...]:
        """Return the 4 to 6 merchants a draft for this view may choose from.

        They sell in every region (or in `region`, when a campaign fixes one for all) and by every channel of the menu.
        Categories alternate in the ring that a hash of campaign, domain and view turns, so that each partner of the
        domain gets the same share over many views. No fact of a member takes part. Raises InputInvalid when fewer than
        four merchants remain.
        """
        ring = _alternate(
            [
                partner
                for partner in self.partners.values()
                if partner.domain == domain
                and partner.sells_in(region)
                and all(partner.type in TYPES_OF[channel] for channel in channels)
            ]
        )
        if len(ring) < MIN_CANDIDATES:
            raise InputInvalid(
                f"candidates: {len(ring)} partners of {domain} sell {sorted(channels)} in {region or 'every region'}, "
                f"at least {MIN_CANDIDATES} are needed; add partners to {self.path.name} or change the menu's channels"
            )
        key = f"{campaign}\0{domain}\0{view_digest}".encode()
        start = int.from_bytes(hashlib.sha256(key).digest()[:8]) % len(ring)
        turned = ring[start:] + ring[:start]
        return tuple(partner.as_named() for partner in turned[:MAX_CANDIDATES])


def load_catalogue(path: Path) -> Catalogue:
    """Read `policies/merchants.yaml`. Raises PolicyInvalid with file, line and reason."""
    file, lines = read_model(path, _PartnerFile)
    _refuse_texts(path, file.merchants, lines)
    _refuse_doubles(path, file.merchants, lines)
    for domain in DOMAINS:
        if sum(partner.domain == domain for partner in file.merchants) < MIN_CANDIDATES:
            raise PolicyInvalid(path, 1, f"domain {domain}: fewer than {MIN_CANDIDATES} merchants; add some")
    partners = {partner.id: partner for partner in file.merchants}
    return Catalogue(path=path, version=file.version, partners=MappingProxyType(partners))


def _refuse_texts(path: Path, partners: tuple[Partner, ...], lines: Lines) -> None:
    """Refuse names and categories that are more than names: they are shown to models and passed over by rules."""
    for index, partner in enumerate(partners):
        texts: list[tuple[tuple[str | int, ...], str]] = [(("name",), partner.name), (("category",), partner.category)]
        texts += [(("aliases", place), alias) for place, alias in enumerate(partner.aliases)]
        for where, text in texts:
            if fault := fault_of(text) or _foreign_in(text):
                named = ".".join(map(str, where))
                reason = f"merchants.{index}.{named}: {text[:LONGEST]!r} {fault}"
                raise PolicyInvalid(path, lines.at("merchants", index, *where), reason)


def _foreign_in(text: str) -> str | None:
    subject = Subject(text={"body": text}, offer={}, send_date=date.min)
    found = any(detector.run(subject, {}) for detector in DETECTORS if detector.name in _NO_PART_OF_A_NAME)
    return "holds markup, look-alike letters or words to a reviewer or a model; write the name alone" if found else None


def _refuse_doubles(path: Path, partners: tuple[Partner, ...], lines: Lines) -> None:
    ids: set[str] = set()
    names: dict[str, str] = {}
    for index, partner in enumerate(partners):
        if partner.id in ids:
            raise PolicyInvalid(path, lines.at("merchants", index, "id"), f"id '{partner.id}' is used twice")
        ids.add(partner.id)
        for name in (partner.name, *partner.aliases):
            if (other := names.setdefault(name.casefold(), partner.id)) != partner.id:
                raise PolicyInvalid(
                    path, lines.at("merchants", index, "name"), f"'{name}' names {partner.id} and {other}; keep one"
                )


def _alternate(partners: list[Partner]) -> list[Partner]:
    groups: dict[str, list[Partner]] = {}
    for partner in partners:
        groups.setdefault(partner.category, []).append(partner)
    return [partner for row in zip_longest(*groups.values()) for partner in row if partner is not None]
