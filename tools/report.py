"""What the compliance gate answers: a result per clause, and one verdict."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["pass", "violate", "unknown"]
ClauseKind = Literal["cel", "pattern", "code", "judge", "attest"]
Stage = Literal["member", "terms", "copy", "message"]
Severity = Literal["block", "fix", "warn"]
Result = Literal["pass", "violate", "unknown", "not_applicable", "attested", "approved"]
JudgeState = Literal["ran", "skipped", "unavailable", "approved_copy"]

SATISFIED: frozenset[Result] = frozenset({"pass", "not_applicable", "attested", "approved"})
"""Results that let an offer through; every other result of a block or fix clause holds it."""


class Evidence(BaseModel):
    """Where in the copy, the terms or the member's facts a result was found. `start`/`end` are character offsets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    quote: str = ""
    start: int | None = None
    end: int | None = None


class ClauseResult(BaseModel):
    """The outcome of one clause on one draft."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy_id: str
    policy_version: str
    clause_id: str
    kind: ClauseKind
    stage: Stage
    depends_on: tuple[Stage, ...]
    result: Result
    severity: Severity
    evidence: tuple[Evidence, ...] = ()
    error_code: str | None = None


class Violation(BaseModel):
    """A clause that does not hold (or could not be shown to), with what to do about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy_id: str
    clause_id: str
    severity: Severity
    message: str
    field: str = ""
    quote: str = ""
    fix_hint: str = ""


class ComplianceReport(BaseModel):
    """All clause results of one draft. `verdict` is pass only if every block and fix clause is satisfied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    results: tuple[ClauseResult, ...]
    violations: tuple[Violation, ...]
    policy_set_sha: str
    stages_run: tuple[Stage, ...]
    judge: JudgeState
    elapsed_ms: float = Field(ge=0)


def verdict_of(results: tuple[ClauseResult, ...]) -> Verdict:
    """Return violate if any block or fix clause is violated, else unknown if any is unknown or none ran, else pass."""
    binding = [result.result for result in results if result.severity != "warn"]
    if "violate" in binding:
        return "violate"
    return "pass" if binding and all(result in SATISFIED for result in binding) else "unknown"
