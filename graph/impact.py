"""Issued offers judged again by an edited policy set: what their records hold, and not what has changed since.

Clauses of stage member are left alone: their facts were true on the day. What rests on a member's facts, a judge or a
person's word is not asked again either: the recorded result stands while the clause says the same, else it is unknown.
An offer is judged with its push, SMS and in-app messages: a hold stops all of it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from graph.assembly import fill_copy
from graph.impact_channels import Message, messages_of
from graph.impact_clauses import Recorded
from graph.nodes.render import sent_at
from graph.state import Delivery, Run
from tools.copy_blocks import CopyBlocks
from tools.delivery.texts import DeliveryTexts
from tools.drafts import Copy, Draft
from tools.email.message import Mailer, Person
from tools.email.message_checks import message_facts
from tools.errors import TemplateFault
from tools.ledger.holds import LiveOffer
from tools.policies import Gate
from tools.policies.clauses import ActiveClause
from tools.policies.schema import AttestClause, CodeClause, JudgeClause
from tools.report import SATISFIED, ClauseResult, ComplianceReport, Stage
from tools.subject import Scope, Subject
from tools.terms import Menu, OfferTerms
from tools.views import MemberView
from tools.vocabulary import CopyField

JUDGED: Final[tuple[Stage, ...]] = ("terms", "copy")
KEPT: Final = 4096
"""Distinct offers whose results are kept for the members that got the same one."""

ClauseKey = tuple[str, str]
KeptT = TypeVar("KeptT")


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an offer would not be issued today. `unknown`: nothing broken was seen, but it can't be shown to hold."""

    policy_id: str
    clause_id: str
    unknown: bool
    field: str = ""
    quote: str = ""
    why: str = ""

    @property
    def clause(self) -> str:
        """The clause as people write it."""
        return f"{self.policy_id}/{self.clause_id}"


@dataclass(frozen=True, slots=True)
class _Case:
    """One recorded offer, read again."""

    run: Run
    terms: OfferTerms
    copy: Copy
    subject: Subject
    recorded: Mapping[ClauseKey, ClauseResult]
    mail_sha: str
    messages: tuple[Message, ...] = ()

    @property
    def key(self) -> str:
        """What makes two offers the same for every clause that rests on the draft alone."""
        parts = (self.terms.model_dump_json(), *self.subject.text.values(), repr(self.subject.scope))
        approved = repr((sorted(self.subject.approved.items()), self.subject.delivery))
        return sha256("\0".join((*parts, approved, str(self.subject.send_date))).encode()).hexdigest()


class Impact:
    """Judges recorded offers by a gate. Synchronous, CPU only; what several members got is judged once."""

    def __init__(
        self, gate: Gate, *, blocks: CopyBlocks, texts: DeliveryTexts, mailer: Mailer, recorded: Recorded
    ) -> None:
        self._gate, self._blocks, self._texts = gate, blocks, texts
        self._mailer, self._recorded = mailer, recorded
        self._drafts: OrderedDict[str, ComplianceReport] = OrderedDict()
        self._messages: OrderedDict[str, ComplianceReport | None] = OrderedDict()
        self._same: dict[tuple[ClauseKey, str], bool] = {}

    def findings(self, offer: LiveOffer) -> tuple[Finding, ...]:
        """Return why the offer would not be issued under this gate's policies; none means that it would be."""
        try:
            case = self._case(offer.record)
        except (ValidationError, KeyError, TypeError, TemplateFault) as error:
            # A record that can't be read shows nothing, and what isn't shown to hold doesn't.
            return (Finding("decision_record", "readable", unknown=True, why=type(error).__name__),)
        found = [*self._found(case, (*JUDGED, "message"))]
        for message in case.messages:
            results = {(one.policy_id, one.clause_id): one for one in message.results}
            its_own = replace(case, subject=message.subject, recorded=results)
            told = f"in the {message.subject.scope.delivery} message: "
            found += (replace(one, why=told + one.why) for one in self._found(its_own, JUDGED))
        return tuple(found)

    def _found(self, case: _Case, stages: tuple[Stage, ...]) -> Iterator[Finding]:
        draft = _kept(self._drafts, case.key, lambda: self._gate.check(case.subject, stages=JUDGED))
        results = {(one.policy_id, one.clause_id): one for one in draft.results}
        for active in self._gate.policies.clauses(case.subject.scope, stages):
            if active.clause.severity == "warn":
                continue
            fresh = results.get(active.key)
            told = self._of_message(active, case) if fresh is None else self._of_draft(active, case, fresh)
            if told is not None:
                yield told

    def _of_draft(self, active: ActiveClause, case: _Case, fresh: ClauseResult) -> Finding | None:
        asked_of_people = isinstance(active.clause, JudgeClause | AttestClause)
        if asked_of_people and fresh.result in SATISFIED:
            return None
        if not asked_of_people and "member" not in active.depends_on:
            return _told(active, fresh)
        if isinstance(active.clause, CodeClause) and fresh.result == "violate" and not self._stands(active, case):
            return _told(active, fresh)  # what breaks it whoever the member is
        return self._of_record(active, case)

    def _of_message(self, active: ActiveClause, case: _Case) -> Finding | None:
        """A clause on the email that says what it said keeps its result; another is put to the email built again."""
        if self._stands(active, case):
            return self._of_record(active, case)
        report = None
        if case.mail_sha == self._mailer.sha:
            report = _kept(self._messages, case.key, lambda: self._built(case))
        if report is None:
            why = "the email can't be built as it was: template, brand or link key changed"
            return Finding(*active.key, unknown=True, why=why)
        result = next(one for one in report.results if (one.policy_id, one.clause_id) == active.key)
        return _told(active, result)

    def _of_record(self, active: ActiveClause, case: _Case) -> Finding | None:
        recorded = case.recorded.get(active.key)
        if recorded is not None and self._stands(active, case):
            return _told(active, recorded)
        why = "rests on facts of the member" if "member" in active.depends_on else f"asks a {active.clause.kind}"
        return Finding(*active.key, unknown=True, why=f"{why}, and is new or was changed since")

    def _stands(self, active: ActiveClause, case: _Case) -> bool:
        """Tell whether a recorded result still answers this clause."""
        recorded = case.recorded.get(active.key)
        policy = self._gate.policies.get(active.policy_id)
        if recorded is None or policy is None:
            return False
        key = active.key, recorded.policy_version
        if key not in self._same:
            self._same[key] = self._recorded.says_the_same(active, policy.front, recorded.policy_version)
        return self._same[key]

    def _built(self, case: _Case) -> ComplianceReport | None:
        sent = sent_at(case.run)
        try:
            message = self._mailer.render(
                run_id=case.run.run_id,
                copy=case.copy,
                terms=case.terms,
                terms_text=case.subject.text["terms"],
                person=Person(),
                sent_at=sent,
            )
            facts = message_facts(message, self._mailer.brand, case.run.run_id)
        except TemplateFault:
            return None
        return self._gate.check(replace(case.subject, message=facts), stages=("message",))

    def _case(self, record: Mapping[str, Any]) -> _Case:
        """Read a record again. Raises ValidationError, KeyError, TypeError or TemplateFault."""
        terms, draft = OfferTerms.model_validate(record["terms"]), Draft.model_validate(record["draft"])
        run, view = Run.model_validate(record["run"]), MemberView.model_validate(record["view"])
        copy = fill_copy(draft.text, terms)
        if isinstance(copy, tuple):
            raise TemplateFault(f"{copy[0].field}: {copy[0].message}")
        results = [ClauseResult.model_validate(one) for one in record["results"]]
        deliveries = [Delivery.model_validate(one) for one in record["deliveries"]]
        subject = Subject(
            text={str(name): text for name, text in copy.fields().items()} | {"terms": str(record["terms_text"])},
            offer=terms.facts(),
            send_date=run.send_date,
            scope=Scope(terms.domain, view.card_type, terms.channel, terms.offer_type),
            approved=self._approved(draft, Menu.model_validate(record["menu"]), view),
        )
        return _Case(
            run=run,
            terms=terms,
            copy=copy,
            subject=subject,
            recorded={(one.policy_id, one.clause_id): one for one in results},
            mail_sha=str(record["versions"]["mail_sha"]),
            messages=tuple(messages_of(deliveries, subject, terms, texts=self._texts, brand=self._mailer.brand)),
        )

    def _approved(self, draft: Draft, menu: Menu, view: MemberView) -> dict[CopyField, str]:
        """Return the fields that still are unchanged approved blocks which may speak for the option."""
        option = menu.option(draft.option_id)
        found: dict[CopyField, str] = {}
        for field, block_id in (draft.block_ids or {}).items():
            block = self._blocks.get(block_id)
            if block is None or option is None or block.field != field or block.text != getattr(draft.text, field):
                continue
            if block.suits(option, domain=view.domain, strategy=view.strategy, card_type=view.card_type):
                found[field] = block_id
        return found


def _kept(cache: OrderedDict[str, KeptT], key: str, make: Callable[[], KeptT]) -> KeptT:
    """Return what was made for the key, making it when it is not among the last ones asked for."""
    if key in cache:
        cache.move_to_end(key)
        return cache[key]
    made = cache[key] = make()
    if len(cache) > KEPT:
        cache.popitem(last=False)
    return made


def _told(active: ActiveClause, result: ClauseResult) -> Finding | None:
    if result.result in SATISFIED:
        return None
    first = next(iter(result.evidence), None)
    unknown = result.result == "unknown"
    why = result.error_code or "could not be evaluated" if unknown else active.clause.message
    return Finding(
        *active.key, unknown=unknown, field=first.field if first else "", quote=first.quote if first else "", why=why
    )
