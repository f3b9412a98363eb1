"""The one typed outcome of a run, read off its state."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, assert_never

from graph.assembly import BEFORE_MESSAGE, MESSAGE, is_as_judged, scope_of
from graph.deliveries import channels_of
from graph.deps import Deps
from graph.reasoning import Grounds, reasoning
from graph.run_prompts import prompts_used
from graph.schemas import (
    SUPPRESSED,
    AppliedPolicy,
    BehavioralAnalysis,
    FeaturedMerchant,
    IssuedOffer,
    OfferOutput,
    Recommendation,
    Suppression,
    as_recommendation,
)
from graph.state import Failure, OfferState
from tools.policies.gate import covers
from tools.policies.policy_set import Policy
from tools.report import SATISFIED, ComplianceReport
from tools.slots import offer_value

MOVED: Final = "the policies changed while the run waited; send the prediction again"


def outcome_of(state: OfferState, deps: Deps) -> OfferOutput:
    """Decide the outcome. An offer needs passing reports that cover every active clause in its scope; else it fails."""
    return told(state, deps, *_verdict(state, deps))


def told(
    state: OfferState,
    deps: Deps,
    failure: Failure | None,
    recommendation: Recommendation,
    suppression: Suppression | None,
) -> OfferOutput:
    """Return the outcome of a verdict as callers read it."""
    generated = recommendation == "offer_generated"
    run, prediction = state["run"], state["prediction"]
    analysis = state.get("analysis")
    draft = state.get("draft")
    return OfferOutput(
        success=generated,
        user_id=prediction.user_id,
        timestamp=datetime.fromtimestamp(run.started_at, UTC).isoformat(),
        recommendation=recommendation,
        ml_recommendation=as_recommendation(prediction),
        behavioral_analysis=None
        if analysis is None
        else BehavioralAnalysis(
            insights=(*analysis.insights, *(h.text for h in state.get("hypotheses", ()))),
            spending_trends=analysis.spending_trends,
            engagement_metrics=analysis.engagement_metrics,
            offer_performance=analysis.offer_performance,
        ),
        applied_policies=applied_policies(state["report"], deps) if generated else None,
        offer=issued_offer(state) if generated else None,
        email_html=html.open() if generated and (html := state.get("reply_html")) is not None else None,
        error=failure.message if failure else None,
        error_code=failure.code if failure else None,
        run_id=run.run_id,
        suppression=suppression,
        copy_source=draft.source if generated and draft is not None else None,
        mode=run.mode,
        channels=channels_of(state, deps) if generated else None,
        prompts=prompts_used(state, deps) if state.get("menu") is not None else None,
    )


def issuable(state: OfferState, deps: Deps) -> bool:
    """Return whether both reports pass, are of this very offer and policy set, and cover every clause in scope."""
    terms, report, message_report = state.get("terms"), state.get("report"), state.get("message_report")
    if terms is None or report is None or message_report is None or state.get("message") is None:
        return False
    scope, gate = scope_of(terms, state), deps.rulebook.gate
    return is_as_judged(state) and all(
        judged.verdict == "pass"
        and judged.policy_set_sha == gate.policies.sha
        and covers(judged, gate.required(scope, stages))
        for judged, stages in ((report, BEFORE_MESSAGE), (message_report, MESSAGE))
    )


def issued_offer(state: OfferState) -> IssuedOffer:
    """Return the offer as callers read it."""
    terms, copy, prediction = state["terms"], state["copy"], state["prediction"]
    assert terms is not None and copy is not None  # `issuable` saw both
    report = state["report"]
    return IssuedOffer(
        offer_title=copy.headline,
        offer_description=copy.body,
        terms_and_conditions=state["terms_text"],
        call_to_action=copy.cta,
        offer_type=terms.offer_type,
        offer_value=offer_value(terms, terms.domain),
        expiration_days=terms.expiration_days,
        minimum_spend=float(terms.minimum_spend or 0),
        category_restrictions=(terms.domain,),
        featured_merchants=tuple(FeaturedMerchant(**merchant.model_dump()) for merchant in terms.merchants),
        reasoning=reasoning(Grounds.model_validate(state)),
        policy_compliance_notes=notes_of(report),
        ml_confidence=prediction.confidence_score,
        domain=terms.domain,
        generated_at=datetime.fromtimestamp(state["run"].started_at, UTC).isoformat(),
    )


def notes_of(report: ComplianceReport) -> tuple[str, ...]:
    """Say what was checked, and which facts a person answers for."""
    attested = sorted({f"{r.policy_id}/{r.clause_id}" for r in report.results if r.result == "attested"})
    warned = [f"Warning: {r.policy_id}/{r.clause_id}" for r in report.results if r.result not in SATISFIED]
    return (
        f"{len(report.results)} clauses checked, none broken (policy set {report.policy_set_sha[:12]}).",
        *([f"Attested by a person: {', '.join(attested)}."] if attested else []),
        *warned,
    )


def applied_policies(report: ComplianceReport, deps: Deps) -> tuple[AppliedPolicy, ...]:
    """Return the policies whose clauses were put to the offer."""
    ids = dict.fromkeys(result.policy_id for result in report.results)
    return tuple(_applied(policy) for policy_id in ids if (policy := deps.rulebook.policies.get(policy_id)))


@lru_cache(maxsize=1024)
def _applied(policy: Policy) -> AppliedPolicy:
    return AppliedPolicy(
        id=policy.id,
        type=policy.front.type,
        domain=", ".join(policy.front.scope.domains) or "all",
        version=policy.front.version,
    )


def _verdict(state: OfferState, deps: Deps) -> tuple[Failure | None, Recommendation, Suppression | None]:
    failure = state.get("failure")
    if failure is not None:
        return failure, _failed(failure), None
    if not state["found"]:
        return None, "user_not_found", None
    if state["prediction"].offer_flag == 0:
        return None, "no_offer_needed", None
    if holds := state["screening"].holds:
        suppression = Suppression(reason=holds[0][0], detail=tuple(f"{name}: {detail}" for name, detail in holds))
        return None, SUPPRESSED[suppression.reason], suppression
    if issuable(state, deps):
        return None, "offer_generated", None
    report = state.get("report")
    if report is not None and report.verdict == "pass" and report.policy_set_sha != deps.rulebook.policies.sha:
        moved = Failure(code="policies_unavailable", message=MOVED)  # a pause outlived the set that judged the draft
        return moved, _failed(moved), None
    broken = _broken(state)
    return Failure(code="compliance", message=broken), "generation_failed", None


def _broken(state: OfferState) -> str:
    report = state.get("report")
    if state.get("review") == "reject":
        return "a person rejected the offer"
    if report is None or not report.violations:
        return "no draft was shown to obey every clause"
    return "; ".join(f"{v.policy_id}/{v.clause_id}: {v.message}" for v in report.violations[:5])


def _failed(failure: Failure) -> Recommendation:
    match failure.code:
        case "compliance" | "template_fault" | "deadline":
            return "generation_failed"
        case "invalid_input" | "database_unavailable" | "policies_unavailable" | "no_outcome" | "internal":
            return "error"
        case _:
            assert_never(failure.code)
