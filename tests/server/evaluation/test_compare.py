"""Two runs are compared where they can be, refused where they can't, and told apart from what else differs."""

from typing import Any

import numpy as np
import pytest

from server.evaluation.compare import compare, row_of
from server.evaluation.pairing import paired, sharing_a_prompt
from tests.server.evaluation.runs import PRICES, Run, call, of_outcomes, passing, result, run
from tools.errors import InputInvalid

HALF = np.tile([[1], [0]], (20, 1))


def _later(**changes: Any) -> Run:
    return of_outcomes(
        np.ones((40, 1)), eval_id="e-2", prompt="draft@b", digests={"draft": "b" * 64, "analyze": "c" * 64}, **changes
    )


def test_rates_are_the_runs_own_and_the_difference_is_later_less_earlier() -> None:
    told = compare(of_outcomes(HALF), _later(), prices=PRICES)
    first, attempts = row_of(told.rows, "first_pass"), row_of(told.rows, "attempts")
    assert first is not None and attempts is not None
    assert (first.a, first.b, first.interval.difference, first.interval.cases) == (0.5, 1.0, 0.5, 40)
    assert (attempts.a, attempts.b) == (1.5, 1.0)
    assert told.before.values["first_pass"] == first.a
    assert (told.verdict.word, told.pairing.pairs) == ("better", 40)
    assert row_of(told.rows, "quality") is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"finished_at": None}, "run e-2 isn't finished; resume it, then compare"),
        ({"golden_sha": "9" * 64}, "golden_sha differs: e-1 has 111111111111, e-2 has 999999999999; run both over"),
        ({"policy_set_sha": "9" * 64}, "policy_set_sha differs: e-1 has 222222222222, e-2 has 999999999999; run both"),
    ],
)
def test_runs_that_dont_compare_are_refused_with_the_remedy(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputInvalid, match=said):
        compare(of_outcomes(HALF), _later(**changes))


def test_runs_without_a_case_in_common_are_refused() -> None:
    other = run([result("elsewhere")], eval_id="e-2")
    with pytest.raises(InputInvalid, match="runs e-1 and e-2 have no case that both drafted; run both over the same"):
        compare(of_outcomes(HALF), other)


def test_another_model_is_compared_and_the_verdict_names_it() -> None:
    told = compare(of_outcomes(HALF), _later(model="vendor/model-2", copy_mode="select", endpoint="embedded"))
    assert told.verdict.word == "better"
    assert told.verdict.why.endswith(
        "Not of the prompt alone: model vendor/model-1 before, vendor/model-2 now; endpoint configured before, "
        "embedded now; copy mode compose before, select now."
    )
    assert any(note.startswith("The embedded model has 135 million") for note in told.notes)


def test_what_else_decides_is_named_where_both_runs_tell_it() -> None:
    before = of_outcomes(HALF, setup={"MAX_REVISIONS": "2", "files of policies": "aa"})
    told = compare(before, _later(setup={"MAX_REVISIONS": "2", "files of policies": "bb"}))
    assert told.verdict.why.endswith("Not of the prompt alone: files of policies aa before, bb now.")
    assert "Not of the prompt alone" not in compare(of_outcomes(HALF), _later(setup={"MAX_REVISIONS": "1"})).verdict.why


def test_a_run_is_not_compared_with_itself() -> None:
    with pytest.raises(InputInvalid, match="run e-1 can't be compared with itself"):
        compare(of_outcomes(HALF), of_outcomes(HALF))


def test_a_few_dear_cases_are_too_few_for_the_cost_guard() -> None:
    def with_few_asked(tokens: int, eval_id: str) -> Run:
        calls = [(call(input_tokens=tokens),) if number < 2 else (call(cached=True),) for number in range(40)]
        return run([result(f"c-{number:03d}", 0, calls=calls[number]) for number in range(40)], eval_id=eval_id)

    told = compare(with_few_asked(1_000, "e-1"), with_few_asked(2_000, "e-2"))
    assert "cost" not in told.guards
    assert told.verdict.word == "can't tell"


def test_only_pairs_with_a_draft_due_on_both_sides_count() -> None:
    held = {"recommendation": "suppressed_holdout", "copy_source": None}
    before = [result("a"), result("a", 1), result("b"), result("c", **held), result("d")]
    after = [result("a"), result("b", **held), result("c"), result("d", error_code="policies_unavailable")]
    told = paired(before, after)
    assert (list(told.cases), told.pairs, told.alone, told.held, told.broken) == (["a"], 1, 1, 2, 1)
    assert len(told.matched) == 4


def test_a_case_counts_once_however_often_it_is_repeated() -> None:
    before = [result("a", repeat) for repeat in range(9)] + [result("b", 0)]
    after = [one.model_copy(update={"elapsed_ms": 3000.0 if one.case_id == "a" else 1000.0}) for one in before]
    told = compare(run(before, repeat=9), run(after, repeat=9, eval_id="e-2"))
    seconds = row_of(told.rows, "seconds")
    assert seconds is not None
    assert (seconds.a, seconds.b, seconds.interval.cases) == (1.0, 2.0, 2)


def test_cases_of_one_prompt_are_told_of() -> None:
    results = [
        result("a", prompt_sha="s"),
        result("b", prompt_sha="s"),
        result("c", prompt_sha="t"),
        result("d", prompt_sha=""),
    ]
    assert sharing_a_prompt(paired(results, results)) == 2
    told = compare(run(results), run(results, eval_id="e-2"))
    assert any(note.startswith("2 cases of 4 put the same first prompt as another") for note in told.notes)


def test_notes_say_what_a_reader_must_know() -> None:
    repeats = of_outcomes(np.ones((12, 2)), digests={"draft": "z" * 64, "analyze": "y" * 64}, eval_id="e-2")
    told = compare(of_outcomes(np.ones((12, 1))), repeats)
    notes = "\n".join(told.notes)
    assert "More than one prompt differs (analyze, draft)" in notes
    assert "Without a judge (JUDGE_MODEL) no copy that a model composed can pass" in notes
    assert "No prices are set" in notes
    assert "The runs repeat each case 1 and 2 times" in notes
    assert "Fewer than 20 cases" in notes
    assert "12 results that only one run has are left out." in notes


def test_the_same_prompt_on_both_sides_is_said_to_be_chance() -> None:
    told = compare(of_outcomes(HALF), of_outcomes(HALF, eval_id="e-2"))
    assert told.verdict.word == "can't tell"
    assert any(note.startswith("Both runs used the very same prompts") for note in told.notes)


def test_opinions_of_quality_move_no_verdict() -> None:
    def rated(quality: float, **changes: Any) -> Run:
        return run([result(f"c-{case}", 0, passing(), quality=quality) for case in range(40)], **changes)

    told = compare(rated(0.1), rated(0.9, eval_id="e-2"))
    quality = row_of(told.rows, "quality")
    assert quality is not None and quality.interval.difference == pytest.approx(0.8)
    assert told.verdict.word == "can't tell"


def test_answers_kept_from_before_count_for_no_cost_and_trip_no_guard() -> None:
    before = [result(f"c-{case}", calls=(call(cached=True, input_tokens=0, output_tokens=0),)) for case in range(20)]
    after = [result(f"c-{case}") for case in range(20)]
    told = compare(run(before), run(after, eval_id="e-2"), prices=PRICES)
    assert "cost" not in told.guards
    assert not {"cost", "tokens_in", "seconds"} & {row.measure.name for row in told.rows}
    assert any(note.startswith("20 pairs hold answers kept from before") for note in told.notes)
