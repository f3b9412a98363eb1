"""The options each member may be offered, computed from ladders within the limits of the policies."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from tools.economics import Basis, outlook
from tools.errors import PolicyInvalid
from tools.ladders import Amount, Assumptions, LadderFile, LimitName, PerCard, Rung
from tools.subject import Scope
from tools.terms import Menu, MenuOption
from tools.vocabulary import CARD_TYPES, DOMAINS, OFFER_TYPES, REWARD_UNIT_OF, STRATEGIES, CardType, Domain, Strategy
from tools.yaml_lines import Lines, read_model

LimitSource = Callable[[str, Scope], float | None]
"""Gives the limit of that name in that scope, the strictest where policies disagree; None when no policy sets it."""

MIN_OPTIONS: Final = 3
MAX_OPTIONS: Final = 6

MenuKey = tuple[Domain, CardType, Strategy]


@dataclass(frozen=True, slots=True)
class Menus:
    """Every menu of the policy set. Built by `load_menus`."""

    version: str
    assumptions: Assumptions
    menus: MappingProxyType[MenuKey, Menu]

    def menu_for(self, domain: Domain, card_type: CardType, strategy: Strategy) -> Menu:
        """Return the menu of that domain, card and strategy: the same one at every call."""
        return self.menus[domain, card_type, strategy]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the ladder file a rung stands, to say so when it is refused."""

    path: Path
    lines: Lines
    domain: Domain
    strategy: Strategy
    index: int

    def refuse(self, field: str, reason: str) -> PolicyInvalid:
        line = self.lines.at("ladders", self.domain, self.strategy, self.index, field)
        return PolicyInvalid(self.path, line, f"{self.domain}, {self.strategy}: {field}: {reason}")


@dataclass(frozen=True, slots=True, eq=False)
class Ladders:
    """The ladder file as read: menus can be computed from it for any policy set."""

    path: Path
    file: LadderFile
    lines: Lines

    def menus(self, limit: LimitSource) -> Menus:
        """Compute every menu within the limits. Raises PolicyInvalid as `load_menus` does."""
        return _menus(self.path, self.file, self.lines, limit)


def read_ladders(path: Path) -> Ladders:
    """Read `policies/ladders.yaml`. Raises PolicyInvalid, with file and line, for what is no ladder file."""
    file, lines = read_model(path, LadderFile)
    _refuse_gaps(path, file, lines)
    return Ladders(path, file, lines)


def load_menus(path: Path, limit: LimitSource) -> Menus:
    """Read `policies/ladders.yaml` and compute every menu.

    Raises PolicyInvalid, with file and line, for an option outside a limit, a menu without 3 to 6 options, and a domain
    or strategy without ladder or without one of the five offer types.
    """
    return read_ladders(path).menus(limit)


def _menus(path: Path, file: LadderFile, lines: Lines, limit: LimitSource) -> Menus:
    menus: dict[MenuKey, Menu] = {}
    for domain in DOMAINS:
        for strategy in STRATEGIES:
            rungs = file.ladders[domain][strategy]
            for card_type in CARD_TYPES:
                basis = file.assumptions.basis(domain, card_type, strategy, version=file.version)
                options = tuple(
                    _priced(_option(_Place(path, lines, domain, strategy, index), rung, file, card_type, limit), basis)
                    for index, rung in enumerate(rungs)
                    if rung.is_for(card_type)
                )
                if not MIN_OPTIONS <= len(options) <= MAX_OPTIONS:
                    reason = f"{card_type} gets {len(options)} options, {MIN_OPTIONS} to {MAX_OPTIONS} are needed"
                    line = lines.at("ladders", domain, strategy)
                    raise PolicyInvalid(path, line, f"{domain}, {strategy}: {reason}; add or remove rungs")
                menus[domain, card_type, strategy] = Menu(
                    domain=domain, card_type=card_type, options=options, basis=basis
                )
    return Menus(version=file.version, assumptions=file.assumptions, menus=MappingProxyType(menus))


def _refuse_gaps(path: Path, file: LadderFile, lines: Lines) -> None:
    seen: set[str] = set()
    for domain in DOMAINS:
        ladder = file.ladders.get(domain, {})
        types = {rung.offer_type for rungs in ladder.values() for rung in rungs}
        missing = [*(name for name in STRATEGIES if name not in ladder), *(t for t in OFFER_TYPES if t not in types)]
        if missing:
            raise PolicyInvalid(path, lines.at("ladders", domain), f"{domain}: no ladder for {', '.join(missing)}")
        for strategy, rungs in ladder.items():
            for index, rung in enumerate(rungs):
                if rung.id in seen:
                    raise PolicyInvalid(
                        path, lines.at("ladders", domain, strategy, index, "id"), f"id '{rung.id}' is used twice"
                    )
                seen.add(rung.id)


def _option(place: _Place, rung: Rung, file: LadderFile, card_type: CardType, limit: LimitSource) -> MenuOption:
    scope = Scope(domain=place.domain, card_type=card_type, channel=rung.channel, offer_type=rung.offer_type)

    def amount(field: str, of: PerCard | None) -> Decimal | None:
        value: Amount | None = of.get(card_type) if isinstance(of, dict) else of
        if not isinstance(value, str):
            return value
        bound = limit(value, scope)
        if bound is None:
            raise place.refuse(field, f"no policy sets {value} here; write a number or set the limit")
        return Decimal(str(bound))

    earns_points = rung.offer_type == "points_multiplier"
    enrolled = rung.enroll_within_days is not None
    value, cap = amount("value", rung.value), amount("reward_cap", rung.reward_cap)
    base_rate = file.common.base_rate if earns_points else None
    try:
        option = MenuOption(
            option_id=f"{rung.id}_{card_type}",
            offer_type=rung.offer_type,
            reward_value=value,
            reward_unit=REWARD_UNIT_OF[rung.offer_type],
            base_rate=base_rate,
            point_value_usd=file.assumptions.point_value_usd.value if earns_points else None,
            minimum_spend=amount("minimum_spend", rung.minimum_spend),
            reward_cap=cap,
            reward_cap_unit=rung.reward_cap_unit,
            expiration_days=rung.days,
            requires_enrollment=enrolled,
            enroll_within_days=rung.enroll_within_days,
            channel=rung.channel,
            exclusions=file.common.exclusions_of(rung.offer_type),
            max_redemptions=rung.max_redemptions,
            fulfillment_weeks=rung.fulfillment_weeks or file.common.fulfillment_weeks,
            expected_cost_usd=Decimal(0),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise place.refuse(str(first["loc"][0]) if first["loc"] else "offer_type", str(first["msg"])) from error
    _refuse_outside(place, option, scope, limit)
    return option


def _priced(option: MenuOption, basis: Basis) -> MenuOption:
    expected = outlook(option, basis)
    priced = {"expected_cost_usd": expected.cost_usd, "incremental_value_usd": expected.value_usd}
    return option.model_copy(update=priced)


def _refuse_outside(place: _Place, option: MenuOption, scope: Scope, limit: LimitSource) -> None:
    if option.enroll_within_days is not None and option.enroll_within_days > option.expiration_days:
        raise place.refuse(
            "enroll_within_days", f"{option.enroll_within_days} is past the {option.expiration_days} days"
        )
    for field, value, name in _bounded(option):
        bound = limit(name, scope)
        if bound is None:
            continue
        if value is None:
            raise place.refuse(field, f"is missing, but {name} is {bound:g} for {option.offer_type}; set it")
        too_low, too_high = name.startswith("min_") and value < bound, name.startswith("max_") and value > bound
        if too_low or too_high:
            side = "under" if too_low else "over"
            raise place.refuse(
                field, f"{value:g} of {option.option_id} is {side} {name} {bound:g}; change it or the limit"
            )


def _bounded(option: MenuOption) -> list[tuple[str, float | None, LimitName]]:
    """Pair what an option promises with the limits it must keep: field to blame, value, limit."""
    value, cap = _float(option.reward_value), _float(option.reward_cap)
    rows: list[tuple[str, float | None, LimitName]] = [
        ("days", option.expiration_days, "min_validity_days"),
        ("days", option.expiration_days, "max_validity_days"),
    ]
    if option.offer_type != "exclusive_access" or option.minimum_spend is not None:
        rows.append(("minimum_spend", _float(option.minimum_spend), "min_minimum_spend"))
    if option.minimum_spend is not None:
        rows.append(("minimum_spend", _float(option.minimum_spend), "max_minimum_spend"))
    if option.offer_type == "points_multiplier":
        extra = (value or 0) - (_float(option.base_rate) or 0)
        points = cap if option.reward_cap_unit == "points" or cap is None else cap * extra
        rows += [("value", value, "max_multiplier"), ("reward_cap", points, "max_bonus_points")]
    elif option.reward_unit == "percent":
        rows.append(("value", value, "max_percent_back"))
    elif option.reward_unit == "usd":
        rows.append(("value", value, "max_statement_credit_usd"))
    if option.reward_cap_unit == "usd_spend":
        rows.append(("reward_cap", cap, "max_reward_cap_usd_spend"))
    return rows


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
