"""The offer in other channels than the email: composed of the same terms, put to the same gate, each by itself.

A channel that isn't shown to obey every clause in its scope is left out of the reply with its reason. Nothing here
decides about the email.
"""

from dataclasses import replace

from graph.assembly import BEFORE_MESSAGE, Assembled, subject_of
from graph.deps import Deps
from graph.state import Delivery, OfferState
from tools.cardmembers import Cardmember
from tools.delivery.composer import Composed, compose
from tools.delivery.messages import Channels, DeliveryMessage, LeftOut
from tools.errors import PolicyInvalid
from tools.policies.gate import covers
from tools.policies.schema import AttestClause
from tools.report import ComplianceReport
from tools.subject import Scope, Subject
from tools.terms import OfferTerms
from tools.vocabulary import DeliveryChannel


def deliveries_of(state: OfferState, member: Cardmember, deps: Deps) -> tuple[Delivery, ...]:
    """Compose and judge the offer for each channel the settings name. What can't be made is told, never raised."""
    channels = deps.settings.effective_delivery_channels
    terms, copy, draft = state["terms"], state["copy"], state["draft"]
    if not channels or terms is None or copy is None or draft is None:
        return ()
    email = subject_of(state, draft, Assembled(terms, copy, state["terms_text"]), member=member, deps=deps)
    return tuple(_delivery(channel, terms, email, deps) for channel in channels)


def channels_of(state: OfferState, deps: Deps) -> Channels | None:
    """Return what the reply carries: the messages that pass, as the texts and the terms make them now.

    None when no channel is wanted.
    """
    deliveries = state.get("deliveries", ())
    if not deliveries:
        return None
    passed: dict[str, DeliveryMessage] = {}
    left_out = []
    for delivery in deliveries:
        if delivery.message is not None and _passes(delivery, state, deps):
            passed[delivery.channel] = delivery.message
        else:
            reason = delivery.reason or "it is not what was judged"
            left_out.append(LeftOut(channel=delivery.channel, reason=reason))
    return Channels.model_validate({**passed, "left_out": left_out})


def _delivery(channel: DeliveryChannel, terms: OfferTerms, email: Subject, deps: Deps) -> Delivery:
    scope = replace(email.scope, delivery=channel)
    if missing := _unattested(scope, email, deps):
        said = f"nobody attests {', '.join(missing)}: name who and until when in ATTESTATIONS"
        return Delivery(channel=channel, reason=said)
    try:
        composed = _composed(channel, terms, email.text["terms"], deps)
    except PolicyInvalid as error:
        return Delivery(channel=channel, reason=error.reason)
    subject = replace(
        email, text=composed.copy, scope=scope, approved=composed.approved, delivery=composed.facts, message=None
    )
    report = deps.rulebook.gate.check(subject, stages=BEFORE_MESSAGE)
    return Delivery(channel=channel, message=composed.message, report=report, reason=_reason(report))


def _reason(report: ComplianceReport) -> str | None:
    """Say which clauses leave the message out; no quote, since a clause may have to do with the member."""
    if report.verdict == "pass":
        return None
    told = [f"{item.policy_id}/{item.clause_id}: {item.message}" for item in report.violations]
    return "; ".join(told) or f"no clause let it pass ({report.verdict})"


def _passes(delivery: Delivery, state: OfferState, deps: Deps) -> bool:
    """Tell whether the report passes, covers every clause in scope, and the message is what these terms make."""
    terms, report, gate = state["terms"], delivery.report, deps.rulebook.gate
    if terms is None or report is None or report.verdict != "pass" or report.policy_set_sha != gate.policies.sha:
        return False
    scope = Scope(terms.domain, state["view"].card_type, terms.channel, terms.offer_type, delivery.channel)
    if not covers(report, gate.required(scope, BEFORE_MESSAGE)):
        return False
    try:
        return delivery.message == _composed(delivery.channel, terms, state["terms_text"], deps).message
    except PolicyInvalid:
        return False


def _composed(channel: DeliveryChannel, terms: OfferTerms, terms_text: str, deps: Deps) -> Composed:
    settings = deps.settings
    return compose(
        channel,
        terms,
        terms_text,
        texts=deps.rulebook.deliveries,
        issuer=settings.brand_issuer,
        site=settings.brand_site,
        allowed_hosts=frozenset(settings.brand_allowed_hosts),
    )


def _unattested(scope: Scope, email: Subject, deps: Deps) -> list[str]:
    """Return the facts that clauses of this scope ask a person for and nobody answers for on the day of sending."""
    clauses = (active.clause for active in deps.rulebook.policies.clauses(scope, BEFORE_MESSAGE))
    names = {clause.attested_by for clause in clauses if isinstance(clause, AttestClause)}
    return sorted(name for name in names if not deps.attested(name, email.send_date))
