"""Every measure by hand, on results whose figures are known."""

import pytest

from server.evaluation.diversity import diversity
from server.evaluation.measures import Measure, broke, family, measures, standing
from server.evaluation.metrics import Broken, summarise
from server.evaluation.records import CaseResult
from tests.server.evaluation.runs import PRICES, call, draft, failing, passing, result
from tools.readability import ease, grade

NO_DRAFT = failing().model_copy(update={"draft": None, "verdict": "unknown", "violations": ()})


def _measure(name: str) -> Measure:
    return next(one for one in measures(PRICES) if one.name == name)


@pytest.mark.parametrize(
    ("changes", "stands"),
    [
        ({"recommendation": "offer_generated"}, "drafted"),
        ({"recommendation": "generation_failed", "error_code": "compliance"}, "drafted"),
        ({"recommendation": "error", "error_code": "internal"}, "drafted"),
        ({"recommendation": "suppressed_monthly_cap"}, "held"),
        ({"recommendation": "user_not_found"}, "held"),
        ({"recommendation": "error", "error_code": "database_unavailable"}, "broken"),
    ],
)
def test_a_result_stands_where_its_outcome_puts_it(changes: dict[str, str], stands: str) -> None:
    assert standing(result(**changes)) == stands


@pytest.mark.parametrize(
    ("name", "of", "value"),
    [
        ("first_pass", result("c", 0, passing()), 1),
        ("first_pass", result("c", 0, failing(), passing()), 0),
        ("first_pass", result("c", 0, NO_DRAFT), 0),
        ("first_pass", result("c", 0, passing(draft(source="fallback"))), 0),
        ("unbroken", result("c", 0, passing().model_copy(update={"verdict": "unknown"})), 1),
        ("unbroken", result("c", 0, failing()), 0),
        ("unbroken", result("c", 0, NO_DRAFT), 0),
        ("fallback", result(copy_source="fallback"), 1),
        ("fallback", result(copy_source=None, recommendation="generation_failed"), 1),
        ("fallback", result(copy_source="blocks"), 0),
        ("attempts", result("c", 0, failing(), NO_DRAFT, passing(draft(source="fallback"))), 2),
        ("attempts", result("c", 0, passing(draft(source="fallback"))), None),
        ("no_answer", result(calls=(call(), call(error_code="model_unavailable"))), 1),
        ("unreadable", result(calls=(call(error_code="model_reply_invalid"),)), 1),
        ("unreadable", result(), 0),
        ("grounded", result(hypotheses_kept=3, hypotheses_dropped=1), 0.75),
        ("grounded", result(), None),
        ("words", result(copy_text={"body": "Earn 3X points today.", "cta": "Enroll now"}), 6),
        ("words", result(copy_source="fallback"), None),
        ("length_cta", result(copy_text={"cta": "Enroll now"}), 10),
        ("length_body", result(copy_text={"cta": "Enroll now"}), None),
        ("ease", result(copy_text={"body": "..."}), None),
        ("tokens_in", result(calls=(call(), call(step="analyze", input_tokens=300))), 1300),
        ("tokens_out", result(calls=(call(), call())), 200),
        ("cost", result(calls=(call(input_tokens=1000, cached_tokens=400, output_tokens=100),)), 2.2),
        ("seconds", result(elapsed_ms=1500), 1.5),
        ("seconds", result(calls=(call(cached=True),)), None),
        ("tokens_in", result(calls=(call(), call(cached=True))), None),
        ("cost", result(calls=(call(cached=True),)), None),
        ("quality", result(quality=0.4), 0.4),
    ],
)
def test_a_measure_of_one_result(name: str, of: CaseResult, value: float | None) -> None:
    assert _measure(name).value(of) == (value if value is None else pytest.approx(value))


def test_cost_is_measured_only_with_prices_and_the_primary_comes_first() -> None:
    assert measures()[0].name == "first_pass"
    assert {one.name for one in measures(PRICES)} - {one.name for one in measures()} == {"cost"}


@pytest.mark.parametrize(
    ("clause", "name"), [("UDAAP-12/savings", "UDAAP"), ("travel_offer_policy/fee", "travel_offer_policy")]
)
def test_a_clause_belongs_to_a_family(clause: str, name: str) -> None:
    assert family(clause) == name
    assert broke(result("c", 0, failing(clause), passing()), name) == 1
    assert broke(result("c", 0, failing("SEC-01/prose"), failing(clause)), name) == 0


def test_a_summary_leaves_held_and_broken_results_out_of_every_share() -> None:
    results = [
        result("a", 0, failing("REGZ-01/x", "REGZ-01/x"), failing("REGZ-01/x", "SEC-01/y"), passing(), elapsed_ms=3000),
        result("a", 1, passing(), elapsed_ms=1000),
        result("b", 0, recommendation="suppressed_holdout", copy_source=None, attempts=(), calls=()),
        result("c", 0, recommendation="error", error_code="database_unavailable", copy_source=None, attempts=()),
    ]
    told = summarise(results, PRICES)
    assert (told.cases, told.results, told.drafted, told.held, told.broken, told.drafts) == (3, 4, 2, 1, 1, 4)
    assert told.values["first_pass"] == 0.5
    assert told.values["attempts"] == 2
    assert told.outcomes == {"offer_generated": 2, "suppressed_holdout": 1, "error": 1}
    assert told.clauses == {"REGZ-01/x": Broken(1, 2), "SEC-01/y": Broken(0, 1)}
    assert (told.p50_s, told.p95_s) == pytest.approx((2.0, 2.9))


def test_nothing_drafted_says_nothing() -> None:
    told = summarise([result(recommendation="suppressed_holdout")])
    assert (told.drafted, told.values, told.diversity, told.p50_s) == (0, {}, None, None)


def test_diversity_counts_different_words_pairs_and_bodies() -> None:
    told = diversity(["earn more today", "Earn more today", "earn more now"])
    assert told is not None
    assert told.distinct_bodies == 1
    assert told.distinct_1 == pytest.approx(4 / 9)
    assert told.distinct_2 == pytest.approx(3 / 6)
    assert told.similarity == pytest.approx((1 + 1 / 3 + 1 / 3) / 3)
    assert diversity([]) is None
    alone = diversity(["one"])
    assert alone is not None and alone.similarity is None


def test_many_bodies_are_compared_in_a_sample_that_is_the_same_each_time() -> None:
    bodies = [f"earn {number} points and {number % 7} more" for number in range(300)]
    assert diversity(bodies) == diversity(bodies)


def test_reading_ease_and_grade_are_fleschs_and_kincaids() -> None:
    text = "The cat sat on the mat. The dog ran."  # 9 words, 2 sentences, 9 syllables
    assert ease(text) == pytest.approx(206.835 - 1.015 * 4.5 - 84.6)
    assert grade(text) == pytest.approx(0.39 * 4.5 + 11.8 - 15.59)
    with pytest.raises(ValueError, match="no word"):
        grade("...")
