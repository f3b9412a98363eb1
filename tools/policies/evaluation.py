"""One clause against one subject: a result for every case, whatever goes wrong."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol, assert_never

from tools.policies.case import Case
from tools.policies.cel import CelTest
from tools.policies.clauses import ActiveClause
from tools.policies.facts import UNQUOTED
from tools.policies.schema import AttestClause, CelClause, CodeClause, JudgeClause, PatternClause
from tools.report import Evidence, Result
from tools.subject import Detector, Subject


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person's word for a fact no part of the system has. `until` is the last day it holds."""

    by: str
    until: date


@dataclass(frozen=True, slots=True)
class JudgeFinding:
    """What a judge answered to one question about one draft."""

    violated: bool
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class NoFinding:
    """Why a question has no answer that counts. `why` quotes nothing of the copy or of the judge."""

    error_code: str
    why: str


class Judge(Protocol):
    """A judge that has read the draft before the gate runs: the gate looks answers up and never waits."""

    def finding(self, subject: Subject, policy_id: str, clause_id: str) -> JudgeFinding | NoFinding | None:
        """Return the answer for one clause, why there is none, or None when this judge was never asked."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A judge that answers nothing, for one reason."""

    reason: NoFinding

    def finding(self, subject: Subject, policy_id: str, clause_id: str) -> NoFinding:
        """Return the reason."""
        return self.reason


NOT_ASKED: Final = Silent(
    NoFinding("judge_not_asked", "the judge was not asked, since the draft breaks another clause already")
)


@dataclass(frozen=True, slots=True)
class Helpers:
    """What clauses lean on beside the subject. `blocks` names the clauses each approved block covers."""

    detectors: Mapping[str, Detector] = field(default_factory=dict)
    attestations: Mapping[str, Attestation] = field(default_factory=dict)
    merchant_names: tuple[str, ...] = ()
    blocks: Mapping[str, Collection[str]] = field(default_factory=dict)
    judge: Judge | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A clause's result. `why` says in words why it is unknown; it quotes no fact, since it may reach a prompt."""

    result: Result
    evidence: tuple[Evidence, ...] = ()
    error_code: str | None = None
    why: str = ""
    error: Exception | None = None


PASS: Final = Outcome("pass")
NOT_APPLICABLE: Final = Outcome("not_applicable")
_QUOTED_FIRST: Final = ("offer", "text", "member", "send_date", "limits")


def evaluate(clause: ActiveClause, case: Case, helpers: Helpers, *, applies: bool = False) -> Outcome:
    """Return the clause's outcome. Never raises: what can't be evaluated is unknown, and unknown never passes.

    `applies` says that the clause's `when` is known to be true of the case.
    """
    try:
        return _evaluate(clause, case, helpers, applies)
    except KeyError as error:
        name = str(error.args[0]) if error.args else ""
        if any(test is not None and ("member", name) in test.reads for test in (clause.when, clause.check)):
            return Outcome("unknown", error_code="fact_unknown", why=f"the member fact {name} is not known")
        return _failed(error)
    # The one broad catch of the product: a detector or an expression may fail in any way there is, and whichever it is,
    # the clause has not been shown to hold. Letting it out would lose the results of every other clause with it.
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> Outcome:
    why = f"the check itself failed ({type(error).__name__})"
    return Outcome("unknown", error_code="policy_error", why=why, error=error)


def _evaluate(active: ActiveClause, case: Case, helpers: Helpers, applies: bool) -> Outcome:
    clause = active.clause
    if clause.stage == "message" and case.subject.message is None:
        return Outcome("unknown", error_code="fact_unknown", why="no message was built")
    if not case.subject.offer and (clause.stage in ("terms", "copy") or "terms" in active.depends_on):
        return Outcome("unknown", error_code="fact_unknown", why="there are no terms")
    if clause.stage == "copy" and not case.is_written:
        return Outcome("unknown", error_code="fact_unknown", why="there is no copy")
    if active.when is not None and not applies and not _run(active.when, case):
        return NOT_APPLICABLE
    match clause:
        case CelClause():
            assert active.check is not None
            return PASS if _run(active.check, case) else Outcome("violate", _facts_of(active.check, case))
        case PatternClause():
            assert active.pattern is not None
            evidence = active.pattern.run(case.text)
        case CodeClause():
            evidence = tuple(helpers.detectors[clause.detector].run(case.subject, clause.params))
            if evidence and not all(isinstance(item, Evidence) for item in evidence):
                raise TypeError(f"detector {clause.detector} returned something else than evidence")
        case JudgeClause():
            return _judged(active, case, helpers)
        case AttestClause():
            return _attested(clause, case.subject, helpers)
        case _:
            assert_never(clause)
    return Outcome("violate", evidence) if evidence else PASS


def _run(test: CelTest, case: Case) -> bool:
    if case.invalid and (wrong := test.reads & case.invalid):
        root, name = min(wrong)
        raise TypeError(f"{root}.{name} is not of its kind")
    return test.run(case.context)


def _facts_of(test: CelTest, case: Case) -> tuple[Evidence, ...]:
    """Quote what the expression read of the offer; of a member only the fact's name, never the value."""
    found = []
    for root, name in sorted(test.reads, key=lambda read: (_QUOTED_FIRST.index(read[0]), read[1])):
        if root == "offer":
            value = case.offer.get(name)
            found.append(Evidence(field=f"offer.{name}", quote="" if value is None or name in UNQUOTED else str(value)))
        elif root == "text":
            found.append(Evidence(field=name))
        elif root == "member":
            found.append(Evidence(field=f"member.{name}"))
    return tuple(found)


def _judged(active: ActiveClause, case: Case, helpers: Helpers) -> Outcome:
    finding = helpers.judge.finding(case.subject, *active.key) if helpers.judge is not None else None
    if isinstance(finding, JudgeFinding) and finding.violated:
        return Outcome("violate", finding.evidence)
    if active.approval in case.approvals(helpers.blocks):
        return Outcome("approved")
    if isinstance(finding, JudgeFinding):
        return PASS
    if finding is not None:
        return Outcome("unknown", error_code=finding.error_code, why=finding.why)
    why = "no judge answered, and the copy is not made of blocks approved for it"
    return Outcome("unknown", error_code="judge_unavailable", why=why)


def _attested(clause: AttestClause, subject: Subject, helpers: Helpers) -> Outcome:
    attestation = helpers.attestations.get(clause.attested_by)
    if attestation is None:
        why = f"nobody attests {clause.attested_by}; name who and until when in ATTESTATIONS"
        return Outcome("unknown", error_code="not_attested", why=why)
    if attestation.until < subject.send_date:
        why = f"the attestation of {clause.attested_by} ended on {attestation.until}; renew it in ATTESTATIONS"
        return Outcome("unknown", error_code="attestation_ended", why=why)
    return Outcome("attested")
