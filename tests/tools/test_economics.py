from decimal import Decimal
from itertools import product
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.offer_content import cases, menus
from tools.economics import Basis, outlook, use_cost_usd
from tools.terms import Menu, MenuOption
from tools.vocabulary import CARD_TYPES, DOMAINS, STRATEGIES, Archetype, CardType, Domain, Strategy

PLACES = list(product(DOMAINS, CARD_TYPES))


def basis(domain: Domain = "Travel", card_type: CardType = "gold", archetype: Archetype = "persuadable") -> Basis:
    return menus().assumptions.basis(domain, card_type, archetype, version="test")


def promise(offer_type: str, value: int | None = None, **limits: object) -> SimpleNamespace:
    plain = {"reward_value": None if value is None else Decimal(value), "base_rate": None}
    return SimpleNamespace(offer_type=offer_type, **plain | {"reward_cap": None, "reward_cap_unit": None} | limits)


POINTS = {"offer_type": "points_multiplier", "value": 4, "base_rate": Decimal(1)}


@pytest.mark.parametrize(
    ("offered", "use", "take_up", "cost", "value"),
    [
        # Spend $800, tipping point 5 % of it ($40), uplift 0.22 - 0.06; value $800 x 1.5 x 0.10 x uplift reached.
        (promise("cashback", 10), "80", "0.22", "17.60", "19.20"),
        (promise("cashback", 10, reward_cap=Decimal(50), reward_cap_unit="usd"), "50", "0.22", "11.00", "19.20"),
        (promise("discount", 10, reward_cap=Decimal(200), reward_cap_unit="usd_spend"), "20", "0.14", "2.80", "9.60"),
        (promise("statement_credit", 10), "10", "0.10", "1.00", "4.80"),
        (promise("exclusive_access"), "2", "0.124", "0.25", "7.68"),  # worth 2 % of the spend to the member, $2 to us
        (promise(**POINTS), "24", "0.156", "3.74", "11.52"),
        (promise(**POINTS, reward_cap=Decimal(500), reward_cap_unit="points"), "5", "0.08", "0.40", "2.40"),
        (promise(**POINTS, reward_cap=Decimal(100), reward_cap_unit="usd_spend"), "3", "0.072", "0.22", "1.44"),
    ],
)
def test_cost_and_value_of_one_sent_offer(
    offered: SimpleNamespace, use: str, take_up: str, cost: str, value: str
) -> None:
    assert use_cost_usd(offered, basis()) == Decimal(use)
    expected = outlook(offered, basis())
    assert (expected.take_up, expected.cost_usd, expected.value_usd) == (
        Decimal(take_up),
        Decimal(cost),
        Decimal(value),
    )
    assert expected.net_usd == Decimal(value) - Decimal(cost)


def test_every_option_carries_the_outlook_its_menu_s_basis_gives() -> None:
    for domain, card_type, strategy in menus().menus:
        menu = menus().menu_for(domain, card_type, strategy)
        assert menu.basis == menus().assumptions.basis(domain, card_type, strategy, version=menus().version)
        for option in menu.options:
            expected = outlook(option, menu.basis)
            assert (option.expected_cost_usd, option.incremental_value_usd) == (expected.cost_usd, expected.value_usd)


def test_an_offer_that_is_used_costs_no_more_than_what_is_spent_with_the_partners() -> None:
    for case in cases():
        assert case.option.minimum_spend is None or case.option.minimum_spend <= basis(*case[:2]).expected_spend_usd


@given(st.sampled_from(list(cases())), st.integers(1, 400), st.integers(1, 400))
def test_a_more_generous_credit_never_costs_less_and_adds_nothing_past_the_tipping_point(
    case: tuple[Domain, CardType, Strategy, MenuOption], one: int, other: int
) -> None:
    of = basis(*case[:3])
    less, more = (outlook(promise("statement_credit", value), of) for value in sorted((one, other)))
    assert less.cost_usd <= more.cost_usd
    assert less.value_usd <= more.value_usd
    assert of.tipping_share is not None
    if min(one, other) >= of.tipping_share * of.expected_spend_usd:
        assert less.value_usd == more.value_usd
        assert more.take_up == of.take_up


# What each strategy gets.


def menu_of(place: tuple[Domain, CardType], strategy: Strategy) -> Menu:
    return menus().menu_for(*place, strategy)


def reaches(option: MenuOption, of: Basis) -> bool:
    return outlook(option, of).take_up == of.take_up


@pytest.mark.parametrize("place", PLACES)
def test_every_option_adds_more_than_it_costs_for_whom_it_is_meant(place: tuple[Domain, CardType]) -> None:
    for strategy in STRATEGIES:
        for option in menu_of(place, strategy).options:
            assert option.incremental_value_usd is not None
            assert option.incremental_value_usd > option.expected_cost_usd, option.option_id


@pytest.mark.parametrize("place", PLACES)
def test_only_persuadables_get_what_tips_a_persuadable(place: tuple[Domain, CardType]) -> None:
    of = basis(*place, "persuadable")
    assert any(reaches(option, of) for option in menu_of(place, "persuadable").options)
    for strategy in ("sure_thing", "lost_cause"):
        paid = [option for option in menu_of(place, strategy).options if option.offer_type != "exclusive_access"]
        assert not any(reaches(option, of) for option in paid)
        best = max(outlook(option, of).net_usd for option in paid)
        tipping = [option for option in menu_of(place, "persuadable").options if reaches(option, of)]
        assert max(outlook(option, of).net_usd for option in tipping) > best


@pytest.mark.parametrize("place", PLACES)
def test_sure_things_are_thanked_cheaply_and_lost_causes_get_a_small_probe(place: tuple[Domain, CardType]) -> None:
    use = {
        strategy: max(
            use_cost_usd(option, menu_of(place, strategy).basis) for option in menu_of(place, strategy).options
        )  # type: ignore[arg-type]
        for strategy in STRATEGIES
    }
    cost = {s: max(option.expected_cost_usd for option in menu_of(place, s).options) for s in STRATEGIES}
    assert 2 * max(use["sure_thing"], use["lost_cause"]) <= use["persuadable"]
    assert max(cost["sure_thing"], cost["lost_cause"]) < cost["persuadable"]


@pytest.mark.parametrize("place", PLACES)
def test_what_a_persuadable_gets_at_most_is_wasted_on_everybody_else(place: tuple[Domain, CardType]) -> None:
    dearest = max(menu_of(place, "persuadable").options, key=lambda option: option.expected_cost_usd)
    for archetype in ("sure_thing", "sleeping_dog"):
        assert outlook(dearest, basis(*place, archetype)).net_usd < 0
    probes = [
        option.incremental_value_usd - option.expected_cost_usd for option in menu_of(place, "lost_cause").options
    ]  # type: ignore[operator]
    assert outlook(dearest, basis(*place, "lost_cause")).net_usd < max(probes)


def test_no_offer_to_a_sleeping_dog_adds_value() -> None:
    for case in cases():
        assert outlook(case.option, basis(*case[:2], "sleeping_dog")).value_usd < 0
