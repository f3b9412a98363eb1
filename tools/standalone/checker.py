"""One gate for copy from outside: a request becomes a subject, the gate's report becomes a reply.

Stages terms and copy run whole. A clause of stage member is about screening, whose facts (counts, ages of accounts,
attestations) a stand-alone check doesn't carry: it runs where every member fact it reads is given, such as
`email_opt_out`, and is left out otherwise. A clause of another stage that reaches a fact not given is unknown.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from tools.errors import InputInvalid
from tools.judging import is_broken, open_clauses
from tools.policies import NOT_ASKED, Judge
from tools.policies.clauses import ActiveClause
from tools.policies.facts import MEMBER_FACTS, typed
from tools.policies.gate import Gate
from tools.policies.policy_set import PolicySet
from tools.report import ClauseResult, ComplianceReport, Stage, Violation, verdict_of
from tools.standalone.reading import parse_json, read_request
from tools.standalone.reply import CheckReply
from tools.standalone.request import CheckRequest, Unreadable
from tools.subject import Scope, Subject
from tools.vocabulary import CARD_TYPES, DOMAINS

STAGES: Final[tuple[Stage, ...]] = ("member", "terms", "copy")


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that the deterministic part has seen. `questions` are what a judge should be asked before it ends."""

    request_id: str | int | None
    subject: Subject
    report: ComplianceReport
    broken: bool
    questions: tuple[ActiveClause, ...]


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks requests, one at a time; synchronous, CPU only, about as long as the gate takes for a draft.

    With a judge, a check is `begin`, the judge's reading, `end`; without one it is `check`.
    """

    gate: Gate
    judged: bool
    clauses: Mapping[tuple[str, str], ActiveClause]

    @classmethod
    def of(cls, gate: Gate, *, judged: bool = True, families: Collection[str] = ()) -> "Checker":
        """Return a checker of the gate's policies, or of those that `families` names.

        A family is the part of a policy's id before the first hyphen, or a whole id. Without `judged`, clauses of kind
        judge are left out: the verdict is the deterministic part's.

        Raises:
            InputInvalid: a family names no policy.
        """
        policies = gate.policies
        chosen = {policy.id for family in families for policy in policies.policies if _is_of(policy.id, family)}
        for family in families:
            if not any(_is_of(policy_id, family) for policy_id in chosen):
                known = sorted({policy.id.partition("-")[0] for policy in policies.policies})
                raise InputInvalid(f"families: {family!r} names no policy; known: {', '.join(known)}")
        narrowed = tuple(
            replace(policy, clauses=tuple(c for c in policy.clauses if judged or c.clause.kind != "judge"))
            for policy in policies.policies
            if not families or policy.id in chosen
        )
        clauses = {clause.key: clause for policy in narrowed for clause in policy.clauses}
        # The hash names the whole set: a narrowed check is of the same policies, just not of all of them.
        return cls(replace(gate, policies=PolicySet(narrowed, policies.sha)), judged, clauses)

    def answer(self, line: str | bytes) -> CheckReply:
        """Return the reply to one line of JSON; one that can't be read has a reply with `error`. Never raises."""
        try:
            return self.check(read_request(parse_json(line)))
        except Unreadable as error:
            return self.refusal(error)

    def check(self, request: CheckRequest) -> CheckReply:
        """Return the reply to a request, without a judge."""
        return self.end(self.begin(request), None)

    def begin(self, request: CheckRequest) -> Begun:
        """Run the deterministic part and say which clauses a judge should be asked about: none that can't matter."""
        subject = subject_of(request)
        report = self.gate.check(subject, stages=STAGES)
        broken = is_broken(self._counted(report, subject))
        questions = () if broken else open_clauses(self.gate, subject, report)
        return Begun(request.id, subject, report, broken, questions)

    def end(self, begun: Begun, judge: Judge | None) -> CheckReply:
        """Return the reply, with the answers of a judge that has read what was begun; None when there is no judge."""
        subject, report = begun.subject, begun.report
        if judge is not None and (begun.broken or begun.questions):
            report = self.gate.answered(report, subject, NOT_ASKED if begun.broken else judge)
        results = self._counted(report, subject)
        told = {(item.policy_id, item.clause_id): item for item in report.violations}
        return CheckReply(
            id=begun.request_id,
            verdict=verdict_of(results),
            violations=tuple(self._violation(result, told) for result in results if result.result == "violate"),
            clauses_run=len(results),
            judge=self._judge(report),
            policy_set_sha=report.policy_set_sha,
            unknown=tuple(
                item
                for result in results
                if result.result == "unknown" and (item := told.get((result.policy_id, result.clause_id)))
            ),
        )

    def refusal(self, error: Unreadable, *, where: str = "") -> CheckReply:
        """Return the reply to what can't be read; `where` says which line it was."""
        return CheckReply(
            id=error.given_id,
            verdict="unknown",
            violations=(),
            clauses_run=0,
            judge="skipped",
            policy_set_sha=self.gate.policies.sha,
            error=f"{where}{error}",
        )

    def _counted(self, report: ComplianceReport, subject: Subject) -> tuple[ClauseResult, ...]:
        return tuple(result for result in report.results if self._has_ground(result, subject))

    def _has_ground(self, result: ClauseResult, subject: Subject) -> bool:
        """Tell whether a clause is this check's business: not of stage member, or all it reads of a member is given."""
        if result.stage != "member":
            return True
        clause = self.clauses[result.policy_id, result.clause_id]
        reads = {
            name
            for test in (clause.when, clause.check)
            if test is not None
            for root, name in test.reads
            if root == "member"
        }
        return bool(reads) and reads <= subject.member.keys()

    def _judge(self, report: ComplianceReport) -> Literal["ran", "skipped", "unavailable"]:
        if not self.judged or report.judge == "skipped":
            return "skipped"
        return "unavailable" if report.judge == "unavailable" else "ran"

    def _violation(self, result: ClauseResult, told: Mapping[tuple[str, str], Violation]) -> Violation:
        key = (result.policy_id, result.clause_id)
        if key in told:
            return told[key]
        clause, first = self.clauses[key].clause, next(iter(result.evidence), None)
        return Violation(
            policy_id=result.policy_id,
            clause_id=result.clause_id,
            severity=result.severity,
            message=clause.message,
            field=first.field if first else "",
            quote=first.quote if first else "",
            fix_hint=clause.fix_hint,
        )


def subject_of(request: CheckRequest) -> Subject:
    """Return what the gate judges. A domain or card the issuer hasn't is met by the policies for all of them."""
    offer = request.offer.model_dump(exclude_none=True)
    cards = [name.lower() for name in offer.get("eligible_card_types", ())]
    if "eligible_card_types" in offer:
        offer["eligible_card_types"] = cards
    domain = next((known for known in DOMAINS if known.casefold() == str(offer.get("domain", "")).casefold()), None)
    if domain is not None:
        offer["domain"] = domain
    personal = request.member.model_dump(exclude_none=True)
    member = typed(personal, MEMBER_FACTS)[0]
    card = member.get("card_type", cards[0] if len(cards) == 1 else None)
    return Subject(
        text=request.text.model_dump(),
        offer=offer,
        send_date=date.fromisoformat(request.send_date),
        scope=Scope(
            domain=domain,
            card_type=next((known for known in CARD_TYPES if known == card), None),
            channel=request.offer.channel or "any",
            offer_type=request.offer.offer_type,
        ),
        member=member,
        personal=personal,
    )


def _is_of(policy_id: str, family: str) -> bool:
    mine, wanted = policy_id.casefold(), family.casefold()
    return mine == wanted or mine.startswith(f"{wanted}-")
