"""What is left to ask of a draft once its terms are known: clauses settled by offer, terms and day are settled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.policies.case import Case, Reads
from tools.policies.clauses import ActiveClause
from tools.policies.schema import AttestClause
from tools.report import ClauseResult, Result, Stage, Violation

Found = tuple[ClauseResult, Violation | None]
"""A clause's line of a report, and what it holds the offer for."""
Ask = Callable[[ActiveClause, Case, bool], tuple[Found, bool]]
"""Evaluates a clause, told whether it is known to apply; says also whether the evaluation went without an error."""

_ASKED: frozenset[Result] = frozenset({"pass", "violate", "approved", "attested"})
"""Results of clauses that applied, whatever they were asked next."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The results that every draft with these terms has, and the clauses to ask: (position, clause, known to apply).

    `passing` holds the clauses that pass unless an expression occurs in the copy: (position, clause, expression).
    In `results` a clause to ask stands as unknown: one that was forgotten would hold the offer.
    """

    results: tuple[Found, ...]
    open: tuple[tuple[int, ActiveClause, bool], ...]
    passing: tuple[tuple[int, ActiveClause, str], ...]
    reads: Reads


def results_of(case: Case, clauses: Sequence[ActiveClause], stages: tuple[Stage, ...], ask: Ask) -> list[Found]:
    """Return each clause's result on a case, in order; what its terms settle is taken from the last case with them."""
    subject = case.subject
    key = "plan", subject.scope, stages, case.is_written, subject.message is None
    plan: Plan | None = subject.terms_notes.get(key)
    if plan is None:
        asked = [ask(clause, case, False) for clause in clauses]
        subject.terms_notes[key] = _plan(case, clauses, asked)
        return [found for found, _ in asked]
    case.reads = plan.reads
    results = list(plan.results)
    if plan.passing:
        occurring = case.text.occurring
        for at, clause, expression in plan.passing:
            if expression in occurring:
                results[at] = ask(clause, case, True)[0]
    for at, clause, applies in plan.open:
        results[at] = ask(clause, case, applies)[0]
    return results


def _plan(case: Case, clauses: Sequence[ActiveClause], asked: Sequence[tuple[Found, bool]]) -> Plan:
    results: list[Found] = []
    left: list[tuple[int, ActiveClause, bool]] = []
    passing: list[tuple[int, ActiveClause, str]] = []
    for at, (clause, (found, went_well)) in enumerate(zip(clauses, asked, strict=True)):
        applies = clause.is_asked_of_terms and found[0].result in _ASKED
        if went_well and _is_settled(clause, found[0].result):
            results.append(found)
        elif applies and clause.pattern is not None and (needed := case.text.needed(clause.pattern)) is not None:
            results.append((clause.result("pass"), None))
            passing.append((at, clause, needed))
        else:
            results.append((clause.result("unknown", error_code="policy_error"), None))
            left.append((at, clause, applies))
    tests = [
        test
        for _, clause, applies in left
        for test in (None if applies else clause.when, clause.check)
        if test is not None
    ]
    reads = Reads.of(read for test in tests for read in test.reads)
    return Plan(tuple(results), tuple(left), tuple(passing), reads)


def _is_settled(clause: ActiveClause, result: Result) -> bool:
    if not clause.is_asked_of_terms:
        return False
    if result == "not_applicable":
        return True
    # Who attests is the gate's, and until when is held against the day of sending.
    return clause.rests_on_terms or isinstance(clause.clause, AttestClause)
