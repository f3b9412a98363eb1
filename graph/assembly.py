"""From a draft to what the gate judges: terms, filled copy, legal text. Code owns every number, date and merchant."""

from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import Final

from graph.case import case_of
from graph.deps import Deps
from graph.run_prompts import recited
from graph.state import OfferState
from tools.cardmembers import Cardmember
from tools.drafts import Copy, Draft
from tools.errors import InputInvalid
from tools.offer_terms import terms_from
from tools.policies import Judge
from tools.report import ComplianceReport, Evidence, Stage, Violation
from tools.slots import FALLBACK_NAME, SlotFaults, fill
from tools.subject import Scope, Subject
from tools.terms import MenuOption, OfferTerms
from tools.vocabulary import COPY_FIELDS, CopyField

BEFORE_MESSAGE: Final[tuple[Stage, ...]] = ("member", "terms", "copy")
MESSAGE: Final[tuple[Stage, ...]] = ("message",)
"""The stages of the gate, before and after the email is built."""

FORM_POLICY: Final = "draft_form"
"""Names, in place of a policy, what keeps a draft from being an offer at all."""

_PROFILE: Final = tuple(field.name for field in fields(Cardmember))


@dataclass(frozen=True, slots=True)
class Assembled:
    """One offer as it would be sent, greeting the fallback name."""

    terms: OfferTerms
    copy: Copy
    terms_text: str

    def sha(self, draft: Draft) -> str:
        """Return what names this offer and the draft it came from: whatever is rendered must be what was judged."""
        parts = (draft.model_dump_json(), self.terms.model_dump_json(), self.copy.model_dump_json(), self.terms_text)
        return sha256("\0".join(parts).encode()).hexdigest()


def assemble(state: OfferState, draft: Draft, option: MenuOption, deps: Deps) -> Assembled | tuple[Violation, ...]:
    """Compute the offer of a draft, or say what in the draft can't be one."""
    known = {merchant.merchant_id: merchant for merchant in state["candidates"]}
    unknown = [merchant_id for merchant_id in draft.merchant_ids if merchant_id not in known]
    if unknown:
        return (_fault("merchant_ids", unknown[0], "is not on the candidate list", "choose ids of the list"),)
    view = state["view"]
    try:
        terms = terms_from(
            option,
            [known[merchant_id] for merchant_id in draft.merchant_ids],
            domain=view.domain,
            card_type=view.card_type,
            send_date=state["run"].send_date,
        )
    except InputInvalid as error:
        return (_fault("merchant_ids", ", ".join(draft.merchant_ids), str(error), "choose two to four ids"),)
    filled = fill_copy(draft.text, terms)
    if isinstance(filled, tuple):
        return filled
    if said := _recited(state, draft, deps):
        return said
    if foreign := _unapproved(state, draft, option, deps):
        return foreign
    return Assembled(terms, filled, _legal_text(terms, deps))


def _legal_text(terms: OfferTerms, deps: Deps) -> str:
    settings = deps.settings
    return deps.rulebook.disclosures.terms_text(
        terms, issuer=settings.brand_issuer, time_zone=settings.brand_time_zone_name
    )


def fill_copy(text: Copy, terms: OfferTerms, *, first_name: str = FALLBACK_NAME) -> Copy | tuple[Violation, ...]:
    """Fill the slots of a draft's copy, or say which can't be."""
    filled = fill(text, terms, first_name=first_name)
    if isinstance(filled, SlotFaults):
        return tuple(_fault(f.field, f.quote, f.reason, "use only the option's slots") for f in filled.faults)
    return Copy.model_validate(filled.fields)


def is_as_judged(state: OfferState) -> bool:
    """Return whether draft, terms, copy and legal text are byte for byte what the last report judged."""
    draft, terms, copy = state.get("draft"), state.get("terms"), state.get("copy")
    if draft is None or terms is None or copy is None or not state["history"]:
        return False
    judged = state["history"][-1]
    return judged.report == state["report"] and judged.offer_sha == Assembled(terms, copy, state["terms_text"]).sha(
        draft
    )


def subject_of(state: OfferState, draft: Draft, offer: Assembled, *, member: Cardmember, deps: Deps) -> Subject:
    """Put together all that clauses judge of one draft."""
    return replace(
        subject_of_nobody(state, draft, offer, deps),
        member=case_of(state, member, state["screening"].usage, deps).facts(),
        personal=personal_of(member),
    )


def personal_of(member: Cardmember) -> dict[str, object]:
    """Return every value of the member's profile, to find leaks of it."""
    return {name: value for name in _PROFILE if (value := getattr(member, name)) is not None}


def subject_of_nobody(state: OfferState, draft: Draft, offer: Assembled, deps: Deps) -> Subject:
    """Put together all that clauses judge of one draft beside the member."""
    terms = offer.terms
    option = state["menu"].option(terms.option_id)
    return Subject(
        text={str(name): text for name, text in offer.copy.fields().items()} | {"terms": offer.terms_text},
        offer=terms.facts(),
        send_date=state["run"].send_date,
        scope=scope_of(terms, state),
        approved=_approved(state, draft, option, deps),
    )


def scope_of(terms: OfferTerms, state: OfferState) -> Scope:
    """Return which policies apply to an offer."""
    return Scope(
        domain=terms.domain,
        card_type=state["view"].card_type,
        channel=terms.channel,
        offer_type=terms.offer_type,
    )


def refused(violations: tuple[Violation, ...], deps: Deps) -> ComplianceReport:
    """Return the report of a draft that can't be an offer: no clause ran, and it does not pass."""
    return ComplianceReport(
        verdict="violate" if violations else "unknown",
        results=(),
        violations=violations,
        policy_set_sha=deps.rulebook.policies.sha,
        stages_run=(),
        judge="skipped",
        elapsed_ms=0,
    )


def feedback_of(subject: Subject, deps: Deps, *, judge: Judge | None = None) -> tuple[Violation, ...]:
    """Return what a model may be told of a failed draft: what breaks a clause whoever the member is.

    A clause found in several copy fields is told once for each, since each must change. `judge` is the one that has
    read the draft; it knows no member, so what it found may be told.
    """
    nobody = replace(subject, member={}, personal={})
    report = deps.rulebook.gate.check(nobody, stages=("terms", "copy"), judge=judge)
    found = {
        (result.policy_id, result.clause_id): result.evidence for result in report.results if result.result == "violate"
    }
    return tuple(
        told
        for item in report.violations
        if (evidence := found.get((item.policy_id, item.clause_id))) is not None
        for told in _placed(item, evidence)
    )


def _placed(violation: Violation, evidence: tuple[Evidence, ...]) -> list[Violation]:
    """Return the violation at the first evidence of every copy field, or as it is when no copy field shows it."""
    firsts = {item.field: item.quote for item in reversed(evidence) if item.field in COPY_FIELDS}
    fields = [field for field in COPY_FIELDS if field in firsts]
    return [violation.model_copy(update={"field": field, "quote": firsts[field]}) for field in fields] or [violation]


def unknown_option(draft: Draft) -> tuple[Violation, ...]:
    """Say that the draft's option is not on the menu."""
    return (_fault("option_id", draft.option_id, "is not on the menu", "choose an id of the menu"),)


def _approved(state: OfferState, draft: Draft, option: MenuOption | None, deps: Deps) -> dict[CopyField, str]:
    """Return the fields whose text is an unchanged approved block that may speak for this very option."""
    view = state["view"]
    approved: dict[CopyField, str] = {}
    for field, block_id in (draft.block_ids or {}).items():
        block = deps.rulebook.blocks.get(block_id)
        if block is None or option is None or block.field != field or block.text != getattr(draft.text, field):
            continue
        if block.suits(option, domain=view.domain, strategy=view.strategy, card_type=view.card_type):
            approved[field] = block_id
    return approved


def _unapproved(state: OfferState, draft: Draft, option: MenuOption, deps: Deps) -> tuple[Violation, ...]:
    """Return a fault per field of a draft made of blocks that no block approved for this option stands behind."""
    if draft.source not in ("blocks", "fallback"):
        return ()
    approved = _approved(state, draft, option, deps)
    chosen = draft.block_ids or {}
    return tuple(
        _fault(field, chosen.get(field, ""), f"is no approved text for {option.option_id}", "choose ids of the lists")
        for field in COPY_FIELDS
        if field not in approved
    )


def _recited(state: OfferState, draft: Draft, deps: Deps) -> tuple[Violation, ...]:
    """Return a fault per field that repeats what models are told: neither prompts nor policies are for members."""
    fields = {str(name): text for name, text in draft.text.fields().items()}
    return tuple(
        _fault(field, words, "repeats an instruction", "write to the member, in words of your own")
        for field, words in recited(fields, state, deps)
    )


def _fault(field: str, quote: str, reason: str, hint: str) -> Violation:
    return Violation(
        policy_id=FORM_POLICY,
        clause_id=field,
        severity="block",
        message=reason,
        field=field,
        quote=quote,
        fix_hint=hint,
    )
