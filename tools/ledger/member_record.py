"""What of a decision's record is the member's own, where a cohort's record holds the rest; and the two put together.

A campaign writes a record per offer; most of it is the same for all members of a cohort. So a report is kept as its
difference from the cohort's, and the outcome as a patch of the cohort's.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from tools.report import ClauseResult, ComplianceReport, verdict_of

_GONE: Final = {"gone": True}
"""Marks a field that the patched object hasn't got."""


def packed(report: ComplianceReport, shared: ComplianceReport) -> dict[str, Any]:
    """Return a member's report as its difference from the shared one; `unpacked` gives it back but for its duration.

    Both must be of the same clauses, stages and policy set, in the same order, as `Gate.for_member` makes them. Raises
    ValueError otherwise.
    """
    # Hundreds of results, nearly all alike: their fields are compared without going through the models.
    differing = [
        (place, own, other)
        for place, (own, other) in enumerate(zip(report.results, shared.results, strict=False))
        if own is not other and own.__dict__ != other.__dict__
    ]
    is_same_set = _set_of(report) == _set_of(shared)
    if not is_same_set or any(_clause_of(own) != _clause_of(other) for _, own, other in differing):
        raise ValueError("the two reports are not of the same clauses")
    results = [
        [place, own.model_dump(mode="json", exclude_defaults=True, exclude=_SAME)] for place, own, _ in differing
    ]
    whole: dict[str, Any] = {"results": results}
    if report.violations:
        whole["violations"] = [violation.model_dump(mode="json") for violation in report.violations]
    if report.judge != shared.judge:
        whole["judge"] = report.judge
    return whole


def unpacked(shared: ComplianceReport, difference: Mapping[str, Any]) -> ComplianceReport:
    """Return the member's report of its difference from the shared one. Raises ValueError for one that doesn't fit."""
    results = list(shared.results)
    for place, own in difference["results"]:
        same = results[place].model_dump(mode="json", include=_SAME)
        results[place] = ClauseResult.model_validate(same | own)
    return ComplianceReport.model_validate(
        {
            **shared.model_dump(mode="json", exclude={"results", "violations", "verdict"}),
            "verdict": verdict_of(tuple(results)),
            "results": results,
            "violations": difference.get("violations", ()),
            "judge": difference.get("judge", shared.judge),
        }
    )


def output_patch(output: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `patched` has to be given beside `base` to make `output`; both are plain JSON objects."""
    patch: dict[str, Any] = {name: _GONE for name in base if name not in output}
    for name, value in output.items():
        if name not in base:
            patch[name] = {"is": value}
        elif isinstance(value, Mapping) and isinstance(base[name], Mapping):
            if inner := output_patch(value, base[name]):
                patch[name] = {"in": inner}
        elif not _is_same(value, base[name]):
            patch[name] = {"is": value}
    return patch


def patched(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object a patch was made of."""
    whole = {name: value for name, value in base.items() if patch.get(name) != _GONE}
    for name, change in patch.items():
        if "is" in change:
            whole[name] = change["is"]
        elif "in" in change:
            whole[name] = patched(base[name], change["in"])
    return whole


def expanded(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision's record in the one layout all readers know; one that was written whole stays as it is.

    `record` is what the ledger's `whole_record` gives: the member's own laid over what others share with it.
    """
    whole = {name: value for name, value in record.items() if name not in _PACKED}
    if "ids" in record:
        prediction = whole["prediction"] = PREDICTION_DEFAULTS | record["prediction"]
        whole["run"] = {**record["run"], **record["ids"]}
        base = personal(record["output"], prediction, record["ids"]["run_id"])
        whole["output"] = patched(base, record["output_patch"])
    if "results" in record:
        whole["report"] = _report(record["report"], record["results"])
        whole["history"] = [*whole["history"][:-1], {**whole["history"][-1], "report": whole["report"]}]
    if "message_results" in record:
        whole["message_report"] = _report(record["message_report"], record["message_results"])
    return whole


def personal(base: Mapping[str, Any], prediction: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    """Return a cohort's outcome with what each member's prediction, as plain JSON, alone decides of theirs."""
    return {
        **base,
        "user_id": prediction["user_id"],
        "run_id": run_id,
        "ml_recommendation": {name: prediction[name] for name in REPEATED},
        "offer": {**base["offer"], "ml_confidence": prediction["confidence_score"]},
    }


def _report(shared: Mapping[str, Any], difference: Mapping[str, Any]) -> dict[str, Any]:
    return unpacked(ComplianceReport.model_validate(shared), difference).model_dump(mode="json")


def _set_of(report: ComplianceReport) -> tuple[object, ...]:
    return report.policy_set_sha, report.stages_run, len(report.results)


def _clause_of(result: ClauseResult) -> dict[str, Any]:
    return result.model_dump(include=_SAME)


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same in JSON, where 1, 1.0 and true are three values and equal in Python."""
    # Equal and written alike, in the same order: what Python compares at once, nearly always enough.
    return bool(one == other) and (repr(one) == repr(other) or _is_alike(one, other))


def _is_alike(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(_is_alike(value, other[name]) for name, value in one.items())
    if isinstance(one, Sequence) and not isinstance(one, str):
        return len(one) == len(other) and all(_is_alike(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


PREDICTION_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "offer_flag": 1,
        "pred_version": None,
        "prediction_timestamp": None,
        "use_llm_insights": True,
        "idempotency_key": None,
    }
)
"""What a prediction has where its record is silent: `graph.schemas.OfferInput`'s own, as a test holds it to."""

REPEATED: Final = ("offer_flag", "domain", "confidence_score", "pred_version", "prediction_timestamp")
"""What an outcome repeats of its prediction (`graph.schemas.as_recommendation`)."""

_SAME: Final = {"policy_id", "policy_version", "clause_id", "stage", "kind", "severity", "depends_on"}
"""What a clause's result says of the clause and not of the member."""

_PACKED: Final = frozenset({"ids", "results", "message_results", "output_patch"})
