"""The linter: which of the gate's message clauses a file alone can be put to, what they find, and where."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from tools.email_lint.files import Given
from tools.email_lint.places import Place, place_of
from tools.policies.clauses import ActiveClause
from tools.policies.facts import MESSAGE_FIELDS
from tools.policies.gate import Gate
from tools.policies.policy_set import PolicySet
from tools.policies.schema import CodeClause, PatternClause
from tools.report import ClauseResult, Severity, Verdict
from tools.subject import MessagePart, Scope, Subject

NO_PART: Final[dict[MessagePart, str]] = {"headers": "no headers", "html": "no HTML part", "text": "no text part"}
NO_OFFER, NO_MEMBER, NO_COPY = "the offer isn't known", "the member isn't known", "the checked copy isn't known"
ANYWHERE: Final = Scope()
"""A file alone belongs to no domain, card or kind of offer: only policies open to all of them apply."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the clause that says so, where, what stands there, and what to do.

    `result` is unknown where the clause itself could not be evaluated.
    """

    id: str
    severity: Severity
    result: Literal["violate", "unknown"]
    place: Place
    quote: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class LintReport:
    """What was found in one file.

    `not_checked` has the ids of clauses left out by reason; `partly` says per id what a clause that ran left out.
    """

    name: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    not_checked: dict[str, tuple[str, ...]]
    partly: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Plan:
    gate: Gate
    clauses: dict[tuple[str, str], ActiveClause]
    not_checked: dict[str, tuple[str, ...]]
    partly: dict[str, str]


@dataclass(frozen=True)
class Linter:
    """Puts files to the message-stage clauses of a gate: the very ones that `render` puts our own messages to.

    Synchronous, CPU only. What `render` would refuse is found; what a file alone can't show is named, never passed.
    """

    gate: Gate
    _plans: dict[frozenset[MessagePart], _Plan] = field(default_factory=dict, repr=False)

    def lint(self, given: Given) -> LintReport:
        """Return what is wrong with a file, in the order of its parts and lines."""
        lacks = given.facts.lacks
        plan = self._plans.get(lacks) or self._plans.setdefault(lacks, self._plan(lacks))
        subject = Subject(text={}, offer={}, send_date=_day(given), message=given.facts)
        report = plan.gate.check(subject, stages=("message",))
        told = {(item.policy_id, item.clause_id): item.message for item in report.violations}
        found: list[Finding] = []
        for result in report.results:
            if result.result in ("violate", "unknown"):
                key = (result.policy_id, result.clause_id)
                found += _findings(result, plan.clauses[key], told.get(key, ""), given)
        found.sort(key=lambda each: (each.place, each.id))
        return LintReport(given.name, report.verdict, tuple(found), plan.not_checked, plan.partly)

    def clauses(self) -> Iterator[ActiveClause]:
        """Yield every active clause of stage message, in order of policy id and file."""
        for policy in self.gate.policies.active:
            yield from (active for active in policy.clauses if active.clause.stage == "message")

    def needs_of(self, active: ActiveClause) -> tuple[str, ...]:
        """Return why a clause can't be put to any file alone, or to a file without some part; most need nothing."""
        parts = self._parts_needed(active)
        return (*self._never(active), *(NO_PART[part] for part in sorted(parts)))

    def unseen_of(self, active: ActiveClause) -> str:
        """Return what the clause leaves out of a file checked alone, or nothing."""
        clause = active.clause
        return self.gate.detectors[clause.detector].unseen if isinstance(clause, CodeClause) else ""

    def _plan(self, lacks: frozenset[MessagePart]) -> _Plan:
        left_out: dict[str, list[str]] = {}
        kept: dict[tuple[str, str], ActiveClause] = {}
        for active in self.clauses():
            missing = self._parts_needed(active) & lacks
            reasons = [*(NO_PART[part] for part in sorted(missing)), *self._never(active)]
            if reasons:
                left_out.setdefault(reasons[0], []).append("/".join(active.key))
            else:
                kept[active.key] = active
        narrowed = tuple(
            replace(policy, clauses=tuple(each for each in policy.clauses if each.key in kept))
            for policy in self.gate.policies.policies
        )
        gate = replace(self.gate, policies=PolicySet(narrowed, self.gate.policies.sha))
        partly = {"/".join(key): unseen for key, active in kept.items() if (unseen := self.unseen_of(active))}
        return _Plan(gate, kept, {why: tuple(ids) for why, ids in left_out.items()}, partly)

    def _never(self, active: ActiveClause) -> tuple[str, ...]:
        policy = self.gate.policies.get(active.policy_id)
        if "terms" in active.depends_on or policy is None or not policy.applies(ANYWHERE):
            return (NO_OFFER,)
        if "member" in active.depends_on:
            return (NO_MEMBER,)
        reads_copy = isinstance(active.clause, PatternClause) and set(active.clause.fields) - set(MESSAGE_FIELDS)
        reads_text = any(root == "text" for test in (active.when, active.check) if test for root, _ in test.reads)
        return (NO_COPY,) if reads_copy or reads_text else ()

    def _parts_needed(self, active: ActiveClause) -> frozenset[MessagePart]:
        clause = active.clause
        if isinstance(clause, CodeClause):
            return self.gate.detectors[clause.detector].needs
        fields = clause.fields if isinstance(clause, PatternClause) else ()
        names: tuple[MessagePart, ...] = ("text", "html")
        return frozenset(part for part, field in zip(names, MESSAGE_FIELDS, strict=True) if field in fields)


def _findings(result: ClauseResult, active: ActiveClause, told: str, given: Given) -> Iterator[Finding]:
    clause = active.clause
    for item in result.evidence or (None,):
        yield Finding(
            id="/".join(active.key),
            severity=result.severity,
            result="unknown" if result.result == "unknown" else "violate",
            place=place_of(item, given.facts),
            quote=item.quote if item else "",
            message=told or clause.message,
            remedy=clause.fix_hint,
        )


def _day(given: Given) -> date:
    headers = {name.lower(): value for name, value in given.facts.headers.items()}
    try:
        return parsedate_to_datetime(headers.get("date", "")).date()
    except (TypeError, ValueError, OverflowError):
        return datetime.now(UTC).date()
