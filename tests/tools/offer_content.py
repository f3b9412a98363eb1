"""The real offer content of `policies/`, loaded once, with the issuer's limits as facts."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

from tools.copy_blocks import CopyBlocks, load_copy_blocks
from tools.disclosures import Disclosures, load_disclosures
from tools.hypotheses import Hypotheses, load_hypotheses
from tools.menus import Menus, load_menus
from tools.merchants import Catalogue, load_catalogue
from tools.offer_terms import terms_from
from tools.subject import Scope
from tools.terms import MenuOption, OfferTerms
from tools.vocabulary import CARD_TYPES, DOMAINS, STRATEGIES, CardType, Domain, Strategy

POLICIES = Path(__file__).parents[2] / "policies"
SEND_DATE = date(2026, 8, 15)

_EVERYWHERE = {
    "min_validity_days": 30,
    "max_validity_days": 60,
    "max_percent_back": 20,
    "max_statement_credit_usd": 500,
}
_BY_TYPE = {"points_multiplier": {"max_multiplier": 5, "min_minimum_spend": 50}}
_BY_DOMAIN = {
    "Travel": {"max_bonus_points": 50_000},
    "Dining": {"max_multiplier": 4, "max_reward_cap_usd_spend": 25_000},
    "Retail": {"max_percent_back": 20, "max_multiplier": 5, "min_minimum_spend": 25, "max_minimum_spend": 50},
    "Electronics": {
        "max_percent_back": 15,
        "max_multiplier": 4,
        "min_minimum_spend": 100,
        "max_minimum_spend": 200,
        "max_statement_credit_usd": 500,
    },
    "Business Services": {"max_multiplier": 5, "max_reward_cap_usd_spend": 50_000},
    "Entertainment": {"max_multiplier": 3, "max_statement_credit_usd": 20},
}


class Case(NamedTuple):
    domain: Domain
    card_type: CardType
    strategy: Strategy
    option: MenuOption


def limit(name: str, scope: Scope) -> float | None:
    tables = (_EVERYWHERE, _BY_TYPE.get(scope.offer_type or "", {}), _BY_DOMAIN.get(scope.domain or "", {}))
    values = [float(table[name]) for table in tables if name in table]
    if not values:
        return None
    return max(values) if name.startswith("min_") else min(values)


@cache
def catalogue() -> Catalogue:
    return load_catalogue(POLICIES / "merchants.yaml")


@cache
def menus() -> Menus:
    return load_menus(POLICIES / "ladders.yaml", limit)


@cache
def blocks() -> CopyBlocks:
    return load_copy_blocks(POLICIES / "copy")


@cache
def disclosures() -> Disclosures:
    return load_disclosures(POLICIES / "disclosures.yaml")


@cache
def hypotheses() -> Hypotheses:
    return load_hypotheses(POLICIES / "hypotheses.yaml")


def cases() -> Iterator[Case]:
    for domain, card_type, strategy in product(DOMAINS, CARD_TYPES, STRATEGIES):
        for option in menus().menu_for(domain, card_type, strategy).options:
            yield Case(domain, card_type, strategy, option)


@cache
def long_named_terms() -> tuple[tuple[Case, OfferTerms], ...]:
    """Every option of every menu with the four longest-named merchants that suit it."""
    found = []
    for case in cases():
        partners = [p for p in catalogue().partners.values() if p.domain == case.domain and p.sells_in(None)]
        fitting = [p for p in partners if p.type in ("both", _WANTED[case.option.channel])]
        longest = sorted(fitting, key=lambda partner: -len(partner.name))[:4]
        merchants = [partner.as_named() for partner in longest]
        terms = terms_from(case.option, merchants, domain=case.domain, card_type=case.card_type, send_date=SEND_DATE)
        found.append((case, terms))
    return tuple(found)


_WANTED = {"any": "online", "online_only": "online", "in_store_only": "in-store"}
