"""The compliance gate: every active clause has a result, and nothing passes that was not shown to."""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from tools.policies.case import Case, Reads
from tools.policies.clauses import ActiveClause
from tools.policies.evaluation import Attestation, Helpers, Judge, Outcome, evaluate
from tools.policies.plan import Found, results_of
from tools.policies.policy_set import PolicySet
from tools.policies.renewal import Answers, Standing, answers_of, standing_of
from tools.policies.schema import CodeClause
from tools.report import ClauseResult, ComplianceReport, JudgeState, Stage, Violation, verdict_of
from tools.snapshot import Memory
from tools.subject import Detector, Scope, Subject

_log = logging.getLogger(__name__)

ClauseKey = tuple[str, str]


@dataclass(frozen=True)
class Gate:
    """Checks subjects against a policy set. Synchronous, CPU only: it opens, waits for and writes nothing.

    `blocks` maps an approved block's id to the clauses it covers ("policy/clause@version#question"). `merchant_names`
    are the catalogue's, masked before patterns run. `judge` answers from what it found before; without one, judge
    clauses are unknown unless approved copy covers them. `answered` puts them to a judge that has read the draft since.
    """

    policies: PolicySet
    detectors: Mapping[str, Detector]
    attestations: Mapping[str, Attestation] = field(default_factory=dict)
    merchant_names: tuple[str, ...] = ()
    blocks: Mapping[str, Collection[str]] = field(default_factory=dict)
    judge: Judge | None = None
    memory: Memory = field(init=False, repr=False, compare=False, default_factory=Memory)

    def __post_init__(self) -> None:
        """Compile the patterns into one pass now rather than at the first draft."""
        _ = self.policies.expressions

    def check(
        self,
        subject: Subject,
        *,
        stages: tuple[Stage, ...] = ("member", "terms", "copy"),
        judge: Judge | None = None,
    ) -> ComplianceReport:
        """Run every active clause of the subject's scope and of these stages, and say what they found."""
        started = time.perf_counter()
        case = self._case(subject)
        helpers = self._helpers if judge is None else replace(self._helpers, judge=judge)
        clauses = self.policies.clauses(subject.scope, stages)
        return self._report(results_of(case, clauses, stages, partial(_asked, helpers)), stages, started)

    def answered(self, report: ComplianceReport, subject: Subject, judge: Judge) -> ComplianceReport:
        """Return this gate's report of the same subject with its judge clauses put to a judge; other results stand."""
        return self._renewed(report, subject, replace(self._helpers, judge=judge), _is_judged)

    def for_member(self, shared: ComplianceReport, subject: Subject) -> ComplianceReport:
        """Return this gate's report of an offer for one member, given its report of the same offer for nobody.

        Clauses that read anything of the member run; of the others, which can't tell members apart, the results stand.
        `subject` must be the shared report's but for what it holds of the member.
        """
        return self._renewed(shared, subject, self._helpers, _is_personal)

    def shared_passes(
        self, report: ComplianceReport, scope: Scope, *, stages: tuple[Stage, ...] = ("member", "terms", "copy")
    ) -> bool:
        """Tell whether an offer may go on to members, given this gate's whole report of it for nobody.

        It may when every block and fix clause that reads nothing of a member is satisfied, and there is one, and no
        clause of terms or copy is violated: most that judge copy read the member too, for what only that one may be
        told. What nobody can satisfy is asked for each member by `for_member`.
        """
        whole = report.policy_set_sha == self.policies.sha and report.stages_run == stages
        if not whole or not covers(report, self.required(scope, stages)):
            return False
        shared = {clause.key for clause in self.policies.clauses(scope, stages) if not _is_personal(clause)}
        decided = tuple(r for r in report.results if (r.policy_id, r.clause_id) in shared or breaks_for_nobody(r))
        return verdict_of(decided) == "pass"

    def _renewed(
        self, report: ComplianceReport, subject: Subject, helpers: Helpers, anew: Callable[[ActiveClause], bool]
    ) -> ComplianceReport:
        started = time.perf_counter() - report.elapsed_ms / 1000
        standing = standing_of(report, self.policies, subject.scope, anew)
        case = self._case(subject)
        case.reads = standing.reads
        answers = self._answers(subject) if anew is _is_personal else None
        found = list(standing.found)
        for at, clause in standing.open:
            known = self._shared_answer(clause, subject, answers) if answers is not None else None
            found[at] = known or _asked(helpers, clause, case)[0]
        return self._report([one for one in found if one is not None], report.stages_run, started, standing)

    def _answers(self, subject: Subject) -> Answers | None:
        """Return what is kept of a draft; of an email nothing, since each is another."""
        return answers_of(self.memory.of_draft(subject)) if subject.message is None else None

    def _shared_answer(self, clause: ActiveClause, subject: Subject, answers: Answers) -> Found | None:
        """Return what a detector says of the draft for all members who are alike in what it reads of them."""
        if not isinstance(clause.clause, CodeClause):
            return None
        return answers.found(clause, subject, lambda seen: self._asked_alone(clause, seen))

    def _asked_alone(self, clause: ActiveClause, subject: Subject) -> tuple[Found, bool]:
        # A case of its own: notes that another clause made of the member would hide what this one reads.
        case = self._case(subject)
        case.reads = Reads.of(clause.when.reads if clause.when is not None else ())
        return _asked(self._helpers, clause, case)

    def _report(
        self,
        found: Sequence[Found],
        stages: tuple[Stage, ...],
        started: float,
        standing: Standing | None = None,
    ) -> ComplianceReport:
        ran = tuple(result for result, _ in found)
        decisive = ran if standing is None else (*standing.told, *(ran[at] for at, _ in standing.open))
        # Every part was validated when it was made, and hundreds of results take longer to validate than to find.
        return ComplianceReport.model_construct(
            verdict=verdict_of(decisive),
            results=ran,
            violations=tuple(violation for _, violation in found if violation is not None),
            policy_set_sha=self.policies.sha,
            stages_run=stages,
            judge=_judge_state(decisive),
            elapsed_ms=(time.perf_counter() - started) * 1000,
        )

    def required(self, scope: Scope, stages: Iterable[Stage]) -> frozenset[ClauseKey]:
        """Return every active clause of the scope and stages; `covers` holds a report to exactly these."""
        return self.policies.keys(scope, stages)

    def _case(self, subject: Subject) -> Case:
        return Case(subject, self.merchant_names, self.policies.expressions, self.memory)

    @cached_property
    def _helpers(self) -> Helpers:
        return Helpers(self.detectors, self.attestations, self.merchant_names, self.blocks, self.judge)


def covers(report: ComplianceReport, required: frozenset[ClauseKey]) -> bool:
    """Tell whether the report has exactly one result for each required clause, and none beside."""
    keys = [(result.policy_id, result.clause_id) for result in report.results]
    return len(keys) == len(required) and frozenset(keys) == required


def breaks_for_nobody(result: ClauseResult) -> bool:
    """Tell whether a result of an offer for nobody holds against the offer: it is violated, and by terms or copy.

    A clause of the stage member may well be violated for want of a member.
    """
    return result.result == "violate" and (result.stage != "member" or "member" not in result.depends_on)


def _is_judged(clause: ActiveClause) -> bool:
    return clause.clause.kind == "judge"


def _is_personal(clause: ActiveClause) -> bool:
    return "member" in clause.depends_on


def _asked(helpers: Helpers, clause: ActiveClause, case: Case, applies: bool = False) -> tuple[Found, bool]:
    outcome = evaluate(clause, case, helpers, applies=applies)
    if outcome.error is not None:
        _log.error("%s/%s could not be evaluated", *clause.key, exc_info=outcome.error)
    result = clause.result(outcome.result, evidence=outcome.evidence, error_code=outcome.error_code)
    holds = outcome.result in ("violate", "unknown") and clause.clause.severity != "warn"
    return (result, _violation(clause, outcome) if holds else None), outcome.error is None


def _violation(active: ActiveClause, outcome: Outcome) -> Violation:
    clause = active.clause
    message = clause.message
    if outcome.result == "unknown":
        message = f"Could not be evaluated: {outcome.why}. What the clause guards against: {clause.message}"
    first = outcome.evidence[0] if outcome.evidence else None
    return Violation(
        policy_id=active.policy_id,
        clause_id=clause.id,
        severity=clause.severity,
        message=message,
        field=first.field if first else "",
        quote=first.quote if first else "",
        fix_hint=clause.fix_hint,
    )


def _judge_state(results: tuple[ClauseResult, ...]) -> JudgeState:
    """Say what a judge did: it ran if it answered anything, and was skipped if no clause needed it or could matter."""
    judged = [result for result in results if result.kind == "judge" and result.result != "not_applicable"]
    found = {result.result for result in judged}
    if found & {"pass", "violate"}:
        return "ran"
    if found == {"approved"}:
        return "approved_copy"
    if all(result.error_code == "judge_not_asked" for result in judged if result.result == "unknown"):
        return "skipped"
    return "unavailable"
