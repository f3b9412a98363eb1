"""One member's offer out of the draft their cohort shares: screened, judged and rendered for this very member.

No model and no waiting: a chunk of members is decided in a thread. The invariant is that of a single run: there is no
offer without reports that pass for this member, cover every clause in scope and are of the very bytes that go out.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, cast

from pydantic_core import to_json

from graph.assembly import BEFORE_MESSAGE, MESSAGE, Assembled, assemble, personal_of, subject_of_nobody
from graph.case import case_of, signals_of
from graph.cohort import CohortDraft
from graph.deliveries import deliveries_of
from graph.deps import Deps
from graph.nodes.fall_back import fallback_of
from graph.nodes.record import issued_of
from graph.nodes.render import build_message, person_of
from graph.outcome import outcome_of, told
from graph.schemas import OfferInput, OfferOutput
from graph.sealed import Sealed
from graph.state import Analysis, Attempt, OfferState, Screening
from graph.stencils import Mail, Stencils
from tools.cardmembers import Cardmember
from tools.drafts import Copy
from tools.email.message import Message, Person
from tools.email.message_checks import message_facts
from tools.errors import InputInvalid, TemplateFault
from tools.ledger.member_record import output_patch, packed, personal
from tools.ledger.outcomes import OwnRecord
from tools.ledger.records import IssuedRow
from tools.report import ComplianceReport
from tools.screening import Hold, Usage, screen
from tools.signals import insights
from tools.subject import Subject
from tools.terms import OfferTerms


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer that may leave, with what its record and its row in the ledger hold."""

    output: OfferOutput
    state: OfferState
    message_report: ComplianceReport
    html_sha256: str
    person: Person
    issued: IssuedRow
    is_shared: bool


@dataclass(frozen=True, slots=True)
class HeldBack:
    """The member is held back: what the ledger counts, or the member's data, stands against an offer."""

    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """No offer may be made to the member, though nothing holds them back: `code` is an ErrorCode of the outcome."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The member's data changed since the plan: the draft was made for another view."""


@dataclass(frozen=True, slots=True)
class _Theirs:
    """One member as clauses see them: decision facts and profile, put together once for all stages.

    `alone`: no other member of the cohort is decided now.
    """

    member: Cardmember
    facts: dict[str, object]
    personal: dict[str, object]
    alone: bool


MemberOutcome = Offered | HeldBack | Refused | Moved


class MemberOffers:
    """Decides the offers of one cohort's members. Not to be shared between threads.

    `option_id` is that of the cheaper offer members get where money is short; None for the draft's own.
    """

    def __init__(self, cohort: CohortDraft, deps: Deps, stencils: Stencils, *, option_id: str | None = None) -> None:
        self._deps, self._cohort, self._stencils = deps, cohort, stencils
        self._shared = shared_state(cohort, option_id)
        self._nobody = _subject_of_nobody(self._shared, deps)

    def decide(
        self,
        prediction: OfferInput,
        member: Cardmember,
        usage: Usage,
        *,
        run_id: str,
        key: str,
        alone: bool = False,
    ) -> MemberOutcome:
        """Return what becomes of one prediction of the cohort. Raises TemplateFault.

        `alone` says that no other member of the cohort is decided now, which changes the work and not the outcome.
        """
        run = self._shared["run"].model_copy(update={"run_id": run_id, "prediction_key": key})
        state: OfferState = {
            **self._shared,
            "user_id": prediction.user_id,
            "prediction": prediction,
            "run": run,
            "member": Sealed(member),
            "found": True,
            "screening": Screening(usage=usage),
        }
        signals = signals_of(state, member)
        view = signals.view(prediction.domain)
        case = case_of(state, member, usage, self._deps)
        if holds := screen(case):
            return HeldBack(holds)
        if view != state["view"]:
            return Moved()
        state["screening"] = Screening(usage=usage, bands=signals.bands(), quality=signals.quality)
        state["analysis"] = Analysis(
            insights=insights(signals, prediction.domain),
            spending_trends={"spend_trend_90d": signals.spend_trend, "category": view.domain_interest},
            engagement_metrics={"engagement": signals.engagement, "tenure": signals.tenure_band},
            offer_performance={"acceptance": signals.acceptance, "strategy": view.strategy},
            quality=signals.quality,
        )
        theirs = _Theirs(member, case.facts(), personal_of(member), alone)
        return self._offered(self._judged(state, theirs), theirs)

    def _judged(self, state: OfferState, theirs: "_Theirs") -> OfferState:
        """Put the member's clauses to the shared draft; approved copy takes its place where they refuse it."""
        report = self._report(state, theirs)
        if report.verdict == "pass":
            return _with_report(state, report)
        draft = state["draft"]
        if draft is not None and draft.source == "fallback":
            return _with_report(state, report)
        return self._fallen_back(_with_report(state, report), theirs)

    def _report(self, state: OfferState, theirs: "_Theirs") -> ComplianceReport:
        return self._deps.rulebook.gate.for_member(self._shared["report"], self._subject(state, theirs))

    def _subject(self, state: OfferState, theirs: "_Theirs") -> Subject:
        is_shared = state["draft"] is self._shared["draft"] and state["terms"] is self._shared["terms"]
        nobody = self._nobody if is_shared else _subject_of_nobody(state, self._deps)
        return replace(nobody, member=theirs.facts, personal=theirs.personal)

    def _fallen_back(self, state: OfferState, theirs: "_Theirs") -> OfferState:
        deps = self._deps
        draft = fallback_of(state, deps, seed=self._cohort.seed)
        option = state["menu"].option(draft.option_id)
        assert option is not None  # the fallback chooses from the menu
        offer = assemble(state, draft, option, deps)
        if not isinstance(offer, Assembled):
            return state
        subject = replace(subject_of_nobody(state, draft, offer, deps), member=theirs.facts, personal=theirs.personal)
        report = deps.rulebook.gate.check(subject, stages=BEFORE_MESSAGE)
        attempt = Attempt(draft=draft, report=report, offer_sha=offer.sha(draft), told=())
        return {
            **state,
            "draft": draft,
            "terms": offer.terms,
            "copy": offer.copy,
            "terms_text": offer.terms_text,
            "report": report,
            "history": [*state["history"], attempt],
        }

    def _offered(self, state: OfferState, theirs: "_Theirs") -> MemberOutcome:
        deps, member = self._deps, theirs.member
        if state["report"].verdict != "pass":
            output = outcome_of(state, deps)
            return Refused(output.error_code or "compliance", output.error or "no draft was shown to obey every clause")
        person = person_of(member)
        subject = self._subject(state, theirs)
        mail = Mail(
            state["history"][-1].offer_sha or "",
            state["run"].run_id,
            subject,
            lambda person: build_message(state, person, deps),
        )
        gate = deps.rulebook.gate
        cut = self._stencils.cut(mail, person, gate, alone=theirs.alone)
        filled, facts = cut.filled(state["run"].run_id, person.first_name)
        report = gate.for_member(cut.report, replace(subject, message=facts))
        if report.verdict != "pass":
            broken = ", ".join(f"{v.policy_id}/{v.clause_id}" for v in report.violations) or "no message clause ran"
            return Refused("template_fault", f"the email breaks: {broken}")
        state = {
            **state,
            "message": cast("Sealed[Message]", Sealed(filled)),
            "message_report": report,
        }
        state["deliveries"] = deliveries_of(state, member, deps)
        output = outcome_of(state, deps)
        if not output.success:
            return Refused(output.error_code or "compliance", output.error or "the offer is not what was judged")
        is_shared = state["terms"] == self._cohort.terms and state["draft"] == self._cohort.draft
        return Offered(output, state, report, filled.html_sha256, person, issued_of(state, deps), is_shared)


def shared_state(cohort: CohortDraft, option_id: str | None = None) -> OfferState:
    """Return what all members of a cohort have in their states. Raises InputInvalid for a cohort without an offer."""
    offer, draft = _offer_of(cohort, option_id), cohort.draft
    if offer is None or draft is None:
        raise InputInvalid(f"cohort {cohort.key[:12]} has no offer{f' of option {option_id}' if option_id else ''}")
    terms, filled, terms_text, report = offer
    last = Attempt(draft=draft, report=report, offer_sha=Assembled(terms, filled, terms_text).sha(draft), told=())
    return {
        "domain": cohort.view.domain,
        "run": cohort.run,
        "view": cohort.view,
        "menu": cohort.menu,
        "candidates": cohort.candidates,
        "week": cohort.week,
        "hypotheses": cohort.hypotheses,
        "dropped": cohort.dropped,
        "policies": cohort.policies,
        "variants": cohort.variants,
        "prompts": cohort.prompts,
        "draft": draft,
        "attempts": cohort.attempts,
        "loop_end": cohort.loop_end,
        "history": [*cohort.history[:-1], last],
        "terms": terms,
        "copy": filled,
        "terms_text": terms_text,
        "report": report,
        "degraded": list(cohort.degraded),
        "review": None,
        "needs_person": False,
        "failure": None,
        "recorded": None,
    }


def _offer_of(cohort: CohortDraft, option_id: str | None) -> tuple[OfferTerms, Copy, str, ComplianceReport] | None:
    if cohort.failure is not None:
        return None
    if option_id is None or option_id == cohort.option_id:
        if cohort.terms is None or cohort.filled is None:
            return None
        return cohort.terms, cohort.filled, cohort.terms_text, cohort.report
    cheaper = next((offer for offer in cohort.cheaper if offer.option_id == option_id), None)
    return None if cheaper is None else (cheaper.terms, cheaper.filled, cheaper.terms_text, cheaper.report)


def _subject_of_nobody(state: OfferState, deps: Deps) -> Subject:
    terms, copy, draft = state["terms"], state["copy"], state["draft"]
    assert terms is not None and copy is not None and draft is not None  # a cohort without them is a dead letter
    return subject_of_nobody(state, draft, Assembled(terms, copy, state["terms_text"]), deps)


def _with_report(state: OfferState, report: ComplianceReport) -> OfferState:
    """Return the state with the member's report as the last one of the draft's history."""
    last = state["history"][-1].model_copy(update={"report": report})
    return {**state, "report": report, "history": [*state["history"][:-1], last]}


@dataclass(frozen=True, slots=True)
class Base:
    """What the records of a cohort's members are told apart from: the cohort's own record holds it."""

    report: ComplianceReport
    message_report: ComplianceReport
    output: dict[str, Any]

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Base":
        """Read it off a cohort's record."""
        return cls(
            report=ComplianceReport.model_validate(record["report"]),
            message_report=ComplianceReport.model_validate(record["message_report"]),
            output=record["output"],
        )


def own_record(offered: Offered, base: Base) -> OwnRecord:
    """Return what of an offer's decision record its cohort's lacks; `whole_record` puts them together again."""
    state = offered.state
    run, prediction = state["run"], state["prediction"]
    output = offered.output.model_dump(mode="json", exclude={"email_html"})
    part: dict[str, Any] = {
        "screening": state["screening"],
        "analysis": state["analysis"],
        "message_results": packed(offered.message_report, base.message_report),
        "output_patch": output_patch(output, personal(base.output, prediction.model_dump(mode="json"), run.run_id)),
    }
    if state["deliveries"]:
        part["deliveries"] = state["deliveries"]
    if offered.is_shared:
        part["results"] = packed(state["report"], base.report)
    else:
        its = ("draft", "terms", "terms_text", "history", "report", "money")
        part |= {name: value for name in its if (value := state.get(name)) is not None}
    own = {
        "prediction": prediction.model_dump(mode="json", exclude_defaults=True),
        "html_sha256": offered.html_sha256,
    }
    body = to_json(part)
    return OwnRecord(to_json(own).decode(), body.decode(), sha256(body).hexdigest()[:32])


def base_of(cohort: CohortDraft, deps: Deps) -> dict[str, Any] | Refused:
    """Return what a cohort's record holds beside its draft, as plain JSON; a refusal when its email can't be sent.

    The email is rendered for nobody, and every message clause that can't tell members apart must hold of it.
    """
    state = shared_state(cohort)
    state["prediction"] = OfferInput(user_id="-", domain=cohort.view.domain, confidence_score=1)
    state["found"], state["screening"] = True, Screening(usage=Usage())
    state["analysis"] = Analysis(
        insights=(), spending_trends={}, engagement_metrics={}, offer_performance={}, quality=()
    )
    try:
        message = build_message(state, Person(), deps)
    except TemplateFault as error:
        return Refused("template_fault", str(error))
    facts = message_facts(message, deps.mailer.brand, state["run"].run_id)
    subject = replace(_subject_of_nobody(state, deps), message=facts)
    gate = deps.rulebook.gate
    report = gate.check(subject, stages=MESSAGE)
    if not gate.shared_passes(report, subject.scope, stages=MESSAGE):
        broken = ", ".join(f"{v.policy_id}/{v.clause_id}" for v in report.violations)
        return Refused("template_fault", f"the email breaks: {broken}")
    output = told(state, deps, None, "offer_generated", None)
    return {
        "message_report": report.model_dump(mode="json"),
        "output": output.model_dump(mode="json", exclude={"email_html"}),
    }
