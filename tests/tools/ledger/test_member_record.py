"""What a campaign's record leaves out comes back whole: reports, outcomes and predictions, for any of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from graph.schemas import OfferInput, as_recommendation
from tools.ledger.member_record import (
    PREDICTION_DEFAULTS,
    REPEATED,
    expanded,
    output_patch,
    packed,
    patched,
    personal,
    unpacked,
)
from tools.report import ClauseKind, ClauseResult, ComplianceReport, JudgeState, Result, Severity, Stage, verdict_of

few = property_settings(max_examples=40)

TEXT = st.text(max_size=6)
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 0.5]) | st.floats(-2, 2).map(lambda number: number + 0.0)
"""PostgreSQL's numbers have no -0.0."""
PLAIN = st.none() | st.booleans() | NUMBERS | TEXT
NAMES = st.sampled_from(["a", "b", "is", "in", "gone", ""])
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))
OBJECTS = st.dictionaries(NAMES, JSON, max_size=5)
SAME = ("policy_id", "policy_version", "clause_id", "stage", "kind", "severity", "depends_on")


@dataclass(frozen=True)
class Both:
    """A report for nobody, and one of the same clauses for a member."""

    shared: ComplianceReport
    own: ComplianceReport


def report(results: Sequence[dict[str, Any]], **more: Any) -> ComplianceReport:
    made = tuple(ClauseResult.model_validate(result) for result in results)
    plain = {"verdict": verdict_of(made), "results": made, "policy_set_sha": "f00d", "stages_run": ("terms", "copy")}
    return ComplianceReport.model_validate({**plain, "violations": (), "judge": "skipped", "elapsed_ms": 0, **more})


FOUND = st.fixed_dictionaries(
    {"result": st.sampled_from(get_args(Result))},
    optional={
        "evidence": st.lists(
            st.fixed_dictionaries({"field": TEXT}, optional={"quote": TEXT, "start": st.none() | st.integers(0, 9)}),
            max_size=2,
        ),
        "error_code": st.none() | TEXT,
    },
)
CLAUSES = st.fixed_dictionaries(
    {
        "policy_id": TEXT,
        "policy_version": TEXT,
        "clause_id": TEXT,
        "kind": st.sampled_from(get_args(ClauseKind)),
        "stage": st.sampled_from(get_args(Stage)),
        "depends_on": st.lists(st.sampled_from(get_args(Stage)), max_size=2),
        "severity": st.sampled_from(get_args(Severity)),
    }
)
WHOLE = st.fixed_dictionaries(
    {
        "judge": st.sampled_from(get_args(JudgeState)),
        "elapsed_ms": st.floats(0, 1e6),
        "violations": st.lists(
            st.fixed_dictionaries(
                {"policy_id": TEXT, "clause_id": TEXT, "severity": st.just("fix"), "message": TEXT},
                optional={"field": TEXT, "quote": TEXT, "fix_hint": TEXT},
            ),
            max_size=2,
        ),
    }
)


@st.composite
def pairs(draw: st.DrawFn) -> Both:
    """Draw two reports of the same clauses; about half of the results differ."""
    clauses = draw(st.lists(CLAUSES, max_size=5))
    shared = [clause | draw(FOUND) for clause in clauses]
    own = [
        clause | draw(FOUND) if draw(st.booleans()) else other for clause, other in zip(clauses, shared, strict=True)
    ]
    return Both(report(shared, **draw(WHOLE)), report(own, **draw(WHOLE)))


def as_json(value: Any) -> str:
    """Return a value's one spelling: 1, 1.0 and true are equal in Python and other values in JSON."""
    return json.dumps(value, sort_keys=True)


def stored(value: Any) -> Any:
    return json.loads(json.dumps(value))


@few
@given(pairs())
def test_a_members_report_comes_back_but_for_its_duration(both: Both) -> None:
    again = unpacked(both.shared, stored(packed(both.own, both.shared)))
    assert again == both.own.model_copy(update={"elapsed_ms": both.shared.elapsed_ms})


@few
@given(pairs())
def test_only_what_differs_is_kept(both: Both) -> None:
    kept = packed(both.own, both.shared)["results"]
    results = list(zip(both.own.results, both.shared.results, strict=True))
    assert [place for place, _ in kept] == [at for at, (own, other) in enumerate(results) if own != other]
    assert not any(set(result) & set(SAME) for _, result in kept)


CLAUSE: dict[str, Any] = {
    "policy_id": "p", "policy_version": "1", "clause_id": "c", "kind": "cel", "stage": "terms",
    "depends_on": ("terms",), "severity": "block", "result": "pass",
}  # fmt: skip
OTHERS = {
    "policy_id": "q", "policy_version": "2", "clause_id": "d", "kind": "code", "stage": "copy", "depends_on": ("copy",),
    "severity": "warn",
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_reports_of_other_clauses_are_not_packed(name: str) -> None:
    with pytest.raises(ValueError, match="not of the same clauses"):
        packed(report([CLAUSE | {name: OTHERS[name]}]), report([CLAUSE]))


@pytest.mark.parametrize("results", [[], [CLAUSE, CLAUSE]])
def test_reports_of_more_or_fewer_clauses_are_not_packed(results: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="not of the same clauses"):
        packed(report(results), report([CLAUSE]))


@pytest.mark.parametrize("other", [{"policy_set_sha": "beef"}, {"stages_run": ("terms",)}], ids=["set", "stages"])
def test_reports_of_another_policy_set_or_other_stages_are_not_packed(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not of the same clauses"):
        packed(report([CLAUSE], **other), report([CLAUSE]))


@few
@given(OBJECTS, OBJECTS)
def test_an_outcome_is_what_its_patch_was_made_of(output: dict[str, Any], base: dict[str, Any]) -> None:
    assert as_json(patched(base, stored(output_patch(output, base)))) == as_json(output)


@few
@given(OBJECTS)
def test_an_outcome_without_a_difference_has_no_patch(output: dict[str, Any]) -> None:
    assert output_patch(output, stored(output)) == {}


@few
@given(OBJECTS, OBJECTS)
def test_patching_changes_neither_of_the_two(output: dict[str, Any], base: dict[str, Any]) -> None:
    patch = output_patch(output, base)
    before = as_json([base, patch])
    patched(base, patch)
    assert as_json([base, patch]) == before


def test_a_patch_names_the_one_field_that_differs() -> None:
    base = {"offer": {"title": "t", "notes": [1, 2]}, "error": None, "prompts": {"draft": "a"}}
    noted = base | {"offer": {"title": "t", "notes": [1, 3]}}
    assert output_patch(noted, base) == {"offer": {"in": {"notes": {"is": [1, 3]}}}}
    assert output_patch({"error": None, "prompts": 1}, base) == {"offer": {"gone": True}, "prompts": {"is": 1}}


def test_what_a_record_leaves_out_of_a_prediction_is_what_a_prediction_is_without_it() -> None:
    silent = OfferInput(user_id="U", domain="Travel", confidence_score=0.9)
    assert silent.model_dump(mode="json") == {
        **PREDICTION_DEFAULTS, "user_id": "U", "domain": "Travel", "confidence_score": 0.9,
    }  # fmt: skip


PREDICTIONS = st.builds(
    OfferInput,
    user_id=st.just("U"),
    domain=st.just("Dining"),
    confidence_score=st.floats(0, 1),
    offer_flag=st.sampled_from([0, 1]),
    pred_version=st.none() | st.just("v3"),
    prediction_timestamp=st.none() | st.just(datetime(2026, 11, 1, tzinfo=UTC)),
    use_llm_insights=st.booleans(),
    idempotency_key=st.none() | st.just("k"),
)


@few
@given(PREDICTIONS)
def test_an_outcome_repeats_of_its_prediction_what_records_leave_out(prediction: OfferInput) -> None:
    assert tuple(as_recommendation(prediction)) == REPEATED
    plain = prediction.model_dump(mode="json")
    mine = personal({"offer": {"ml_confidence": 1, "title": "t"}, "run_id": "cohort", "error": None}, plain, "run")
    assert mine == {
        "user_id": "U", "run_id": "run", "error": None, "ml_recommendation": as_recommendation(prediction),
        "offer": {"ml_confidence": prediction.confidence_score, "title": "t"},
    }  # fmt: skip
    assert PREDICTION_DEFAULTS | stored(prediction.model_dump(mode="json", exclude_defaults=True)) == plain


@few
@given(st.dictionaries(st.sampled_from(["run", "prediction", "output", "report", "history", "draft"]), JSON))
def test_a_record_that_was_written_whole_stays_as_it_is(record: dict[str, Any]) -> None:
    assert as_json(expanded(record)) == as_json(record)
