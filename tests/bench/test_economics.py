"""The comparison itself: every prediction is counted once, and the treatment pays where the model says it does."""

import pytest

from graph.rulebook import load_rulebook
from graph.settings import load_settings
from tests.bench.economics import Arms, assumptions, compare
from tests.sampled import sampled


@pytest.fixture(scope="module")
def arms() -> Arms:
    settings = load_settings(_env_file=None)
    return compare(load_rulebook(settings), settings, sampled())


def test_every_prediction_is_treated_or_held_back(arms: Arms) -> None:
    everyone = arms.best_everyone
    assert arms.ours.offers + sum(arms.held.values()) == everyone.offers == arms.random_everyone.offers
    assert {arm.offers for arm in arms.all()} == {arms.ours.offers, everyone.offers}
    assert arms.ours.by_archetype.total() == arms.ours.offers > 250
    assert arms.ours.by_archetype["sleeping_dog"] == 0 < everyone.by_archetype["sleeping_dog"]


def test_menus_by_strategy_cost_less_than_the_best_offer_and_net_more_than_either(arms: Arms) -> None:
    assert arms.ours.cost < arms.best_same.cost
    assert arms.ours.net > arms.best_same.net > 0
    assert arms.ours.net > arms.random_same.net
    assert arms.ours_at_best.net > arms.ours.net


def test_every_assumption_is_printed_with_unit_and_source() -> None:
    rulebook = load_rulebook(load_settings(_env_file=None))
    told = "\n".join(assumptions(rulebook))
    for name, assumption in rulebook.menus.assumptions:
        assert f"  {name}: " in told
        assert " ".join(assumption.unit.split()) in " ".join(told.split())
        assert " ".join(assumption.source.split()) in " ".join(told.split())
