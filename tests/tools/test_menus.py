from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.tools.offer_content import POLICIES, cases, limit, menus
from tools.errors import PolicyInvalid
from tools.menus import load_menus
from tools.subject import Scope
from tools.vocabulary import CARD_TYPES, DOMAINS, OFFER_TYPES, STRATEGIES

ACCESS_EXCLUSIONS = ("gift cards", "prior purchases", "returns")
EXCLUSIONS = ("cash advances", "fees", "balance transfers", *ACCESS_EXCLUSIONS)


def test_every_menu_has_three_to_six_options_with_ids_of_their_own() -> None:
    ids = [case.option.option_id for case in cases()]
    assert len(ids) == len(set(ids))
    for domain in DOMAINS:
        for card_type in CARD_TYPES:
            types = set()
            for strategy in STRATEGIES:
                menu = menus().menu_for(domain, card_type, strategy)
                assert (menu.domain, menu.card_type) == (domain, card_type)
                assert 3 <= len(menu.options) <= 6
                types |= {option.offer_type for option in menu.options}
            assert types == set(OFFER_TYPES)


def test_no_option_id_shows_how_a_member_is_treated() -> None:
    assert not [c.option.option_id for c in cases() if any(name in c.option.option_id for name in STRATEGIES)]


def test_every_option_keeps_the_limits() -> None:
    for case in cases():
        option = case.option
        scope = Scope(
            domain=case.domain, card_type=case.card_type, channel=option.channel, offer_type=option.offer_type
        )

        def most(name: str, scope: Scope = scope) -> float:
            return limit(name, scope) or float("inf")

        value = float(option.reward_value or 0)
        assert 30 <= option.expiration_days <= 60
        assert option.exclusions == (ACCESS_EXCLUSIONS if option.offer_type == "exclusive_access" else EXCLUSIONS)
        assert option.fulfillment_weeks is not None
        assert option.expected_cost_usd < 50
        if option.offer_type != "exclusive_access":
            assert option.minimum_spend is not None
            assert (limit("min_minimum_spend", scope) or 0) <= option.minimum_spend <= most("max_minimum_spend")
        if option.offer_type == "points_multiplier":
            assert value <= most("max_multiplier") <= 5
            assert option.reward_cap is not None
            points = (
                option.reward_cap
                if option.reward_cap_unit == "points"
                else option.reward_cap * (option.reward_value - 1)
            )
            assert points <= most("max_bonus_points")
        if option.reward_unit == "percent":
            assert value <= most("max_percent_back") <= 20
            assert option.reward_cap_unit == "usd"
        if option.reward_unit == "usd":
            assert value <= most("max_statement_credit_usd")
            assert option.reward_value < option.minimum_spend
        if option.reward_cap_unit == "usd_spend":
            assert option.minimum_spend < option.reward_cap <= most("max_reward_cap_usd_spend")
        assert option.requires_enrollment == (option.enroll_within_days is not None)


def test_business_multipliers_suit_software_shipping_and_office() -> None:
    values = {
        c.option.reward_value for c in cases() if c.domain == "Business Services" and c.option.reward_unit == "X_points"
    }
    assert values == {Decimal(3)}


def test_generosity_follows_the_strategy() -> None:
    for domain in DOMAINS:
        for card_type in CARD_TYPES:
            cost = {
                s: max(o.expected_cost_usd for o in menus().menu_for(domain, card_type, s).options) for s in STRATEGIES
            }
            assert cost["persuadable"] > cost["sure_thing"] > cost["lost_cause"]


def test_a_dearer_card_never_gets_less() -> None:
    by_rung: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for case in cases():
        by_rung[case.option.option_id.removesuffix(f"_{case.card_type}")][case.card_type] = (
            case.option.expected_cost_usd
        )
    for costs in by_rung.values():
        ladder = [costs[card] for card in CARD_TYPES if card in costs]
        assert all(lower <= higher for lower, higher in pairwise(ladder))


def test_persuadable_menus_have_a_cheaper_step_of_one_type() -> None:
    for domain in DOMAINS:
        types = [option.offer_type for option in menus().menu_for(domain, "gold", "persuadable").options]
        assert len(types) > len(set(types))


def test_a_menu_is_a_pure_function_of_the_files() -> None:
    again = load_menus(POLICIES / "ladders.yaml", limit)
    assert again.menus == menus().menus


def test_a_rung_written_as_a_limit_follows_it() -> None:
    def raised(name: str, scope: Scope) -> float | None:
        return 120.0 if name == "min_minimum_spend" and scope.domain == "Electronics" else limit(name, scope)

    text = (POLICIES / "ladders.yaml").read_text(encoding="utf-8")
    assert "minimum_spend: min_minimum_spend" in text
    with pytest.raises(PolicyInvalid, match=r"under min_minimum_spend 120") as caught:
        load_menus(POLICIES / "ladders.yaml", raised)  # rungs with a number of their own have to be decided by people
    assert "100" in text.splitlines()[caught.value.line - 1]
    option = menus().menu_for("Electronics", "basic", "lost_cause").options[0]
    assert option.minimum_spend == Decimal(100)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("value: {basic: 3, gold: 4, platinum: 4}", "value: {basic: 3, gold: 4, platinum: 5}", "over max_multiplier 4"),
        (
            "value: {basic: 10, gold: 15, platinum: 20}",
            "value: {basic: 10, gold: 15, platinum: 600}",
            "over max_statement",
        ),
        ("days: 60", "days: 61", "expiration_days"),
        ("reward_cap: {basic: 3000, gold: 6000, platinum: 10000}", "reward_cap: 50001", "over max_bonus_points 50000"),
        ("minimum_spend: 50,\n", "", "min_minimum_spend is 50"),
        ("minimum_spend: 50,\n", "minimum_spend: max_bonus_points,\n", "no policy sets max_bonus_points here"),
        ("enroll_within_days: 21", "enroll_within_days: 46", "past the 45 days"),
        ("id: travel_credit_trip", "id: travel_points_far", "is used twice"),
        ("reward_cap_unit: usd_spend, ", "", "go together"),
        ("    lost_cause:\n", "    lost_causes:\n", "lost_causes"),
        ("value: {persuadable: 0.22", "value: {persuadable: 1.22", "persuadable"),
        (", sleeping_dog: 0.10}", "}", "take_up_without.*no value for sleeping_dog; add it"),
        ("value: {persuadable: 0.05, ", "value: {", "tipping_share.*no value for persuadable"),
        ("Retail: {basic: 160, gold: 240, ", "Retail: {basic: 160, ", "no value for gold of Retail"),
        ("    source: planning estimate of merchant", "    origin: planning estimate of merchant", "margin"),
        ("channel: online_only", "chanel: online_only", "chanel"),
    ],
)
def test_a_bad_ladder_is_refused_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = (POLICIES / "ladders.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "ladders.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=words) as caught:
        load_menus(path, limit)
    assert caught.value.path == path
    assert caught.value.line > 10


def test_a_domain_without_one_of_the_five_types_is_refused(tmp_path: Path) -> None:
    text = (POLICIES / "ladders.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "id: dining_access" not in line]
    path = tmp_path / "ladders.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(PolicyInvalid, match="Dining: no ladder for exclusive_access"):
        load_menus(path, limit)
