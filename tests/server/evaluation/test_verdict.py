"""The verdict keeps to its rules: equal versions rarely differ, a guard outweighs, few cases say nothing."""

import numpy as np
import pytest

from server.evaluation.guards import guarded
from server.evaluation.intervals import rate_interval
from server.evaluation.pairing import paired
from server.evaluation.verdict import Guard, Primary, Rules, Verdict, judge
from tests.server.evaluation.runs import PRICES, call, failing, passing, result
from tests.server.evaluation.simulated_verdicts import verdicts

ROUNDS = 200
NO_GUARD: dict[str, Guard] = {}


def _primary(differences: list[float], repeats: int = 1) -> Primary:
    return Primary(
        0.8, 0.8 + float(np.mean(differences)), rate_interval(np.array(differences), repeats=repeats), repeats
    )


def test_equal_versions_get_a_verdict_in_at_most_one_of_twenty() -> None:
    words = list(verdicts(ROUNDS, cases=25, repeats=2, seed=11))
    wrong = ROUNDS - words.count("can't tell")
    assert wrong <= ROUNDS * 0.05 + 2.6 * np.sqrt(ROUNDS * 0.05 * 0.95)
    assert wrong > 0  # the chain can say something at all


def test_better_and_worse_follow_the_primary_measure() -> None:
    better = judge(_primary([1.0] * 20 + [0.0] * 80), NO_GUARD)
    assert better == Verdict(
        "better",
        "First drafts pass in 100.0 % against 80.0 %: +20.0 points [95 % interval +11.3 to +27.9] over 100 cases. "
        "No guard was tripped.",
    )
    assert judge(_primary([-1.0] * 20 + [0.0] * 80), NO_GUARD).word == "worse"


def test_a_tripped_guard_outweighs_a_better_primary_and_is_named() -> None:
    guard = Guard("family REGZ", "first drafts that break REGZ: 12.0 % against 0.0 % (p < 0.001)", 0.0004)
    told = judge(_primary([1.0] * 20 + [0.0] * 80), {"family REGZ": guard})
    assert told.word == "worse"
    assert told.why.startswith("Guards say so: first drafts that break REGZ: 12.0 % against 0.0 % (p < 0.001). First")


def test_cant_tell_says_how_many_members_it_would_take() -> None:
    told = judge(_primary([1.0] * 8 + [-1.0] * 4 + [0.0] * 88), NO_GUARD)
    assert told.word == "can't tell"
    assert told.cases_needed == 721
    assert "takes about 721 members" in told.why
    assert "this many show one of 10.8 points or more" in told.why


def test_cant_tell_of_no_difference_names_what_would_have_shown() -> None:
    told = judge(_primary([0.0] * 50), NO_GUARD)
    assert (told.word, told.cases_needed) == ("can't tell", None)
    assert "no difference was seen; this many show one of" in told.why


def test_few_cases_get_no_verdict_however_clear_they_look() -> None:
    told = judge(_primary([1.0] * 9), NO_GUARD)
    assert told.word == "can't tell"
    assert told.why.startswith("9 cases to compare are too few")


@pytest.mark.parametrize("margin", [0.25, 3.0])
def test_the_cost_guard_asks_whether_the_rise_is_beyond_the_margin(margin: float) -> None:
    before = [result(f"c-{case}", calls=(call(input_tokens=1000 + case),)) for case in range(30)]
    after = [result(f"c-{case}", calls=(call(input_tokens=2500 + case),)) for case in range(30)]
    for prices in (PRICES, None):
        guard = guarded(paired(before, after), prices, Rules(cost_margin=margin))["cost"]
        assert guard.tripped is (margin == 0.25)


def test_guards_watch_fallbacks_answers_and_every_family_the_later_version_breaks() -> None:
    before = [result(f"c-{case}", 0, failing("ECOA-02/age"), passing()) for case in range(40)]
    after = [
        result(
            f"c-{case}",
            0,
            failing("REGZ-02/rate", "REGZ-03/cap", "travel_offer_policy/words"),
            copy_source="fallback",
            calls=(call(error_code="model_reply_invalid"),),
        )
        for case in range(40)
    ]
    guards = guarded(paired(before, after), PRICES, Rules())
    names = {"fallback", "no_answer", "unreadable", "cost", "family REGZ", "family travel_offer_policy"}
    assert guards.keys() == names
    assert {name for name, guard in guards.items() if guard.tripped} == names - {"no_answer", "cost"}
    assert guards["family REGZ"].said == "first drafts that break REGZ: 100.0 % against 0.0 % (p < 0.001)"
