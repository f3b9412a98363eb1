"""The state of drafting for a cohort: what `graph.state.OfferState` has of an offer, and nothing of a member."""

from typing import Annotated

from typing_extensions import TypedDict

from graph.channels import Added, Typed
from graph.context import Context
from graph.state import Attempt, Hypothesis, LoopEnd, PolicyExtract, Run
from tools.chat.calls import ModelCall
from tools.drafts import Copy, Draft
from tools.report import ComplianceReport, Violation
from tools.terms import Menu, Merchant, OfferTerms
from tools.views import MemberView


class CohortContext(Context):
    """A cohort's knobs. `campaign` is what takes turns: the campaign's name, or a name that is one member's own.

    `without_model` asks no model: the draft is the fallback's.
    """

    campaign: str  # type: ignore[assignment]  # callers of single requests have one campaign only
    without_model: bool = False


class CohortState(TypedDict, total=False):
    """All channels of one drafting. `passed` says of the last report whether the offer may go on to members."""

    run: Annotated[Run, Typed]
    view: Annotated[MemberView, Typed]
    menu: Annotated[Menu, Typed]
    candidates: Annotated[tuple[Merchant, ...], Typed]
    week: Annotated[int, Typed]
    hypotheses: Annotated[tuple[Hypothesis, ...], Typed]
    dropped: Annotated[tuple[str, ...], Typed]
    policies: Annotated[tuple[PolicyExtract, ...], Typed]
    draft: Annotated[Draft | None, Typed]
    attempts: Annotated[int, Typed]
    history: Annotated[list[Attempt], Added]
    feedback: Annotated[tuple[Violation, ...], Typed]
    criticised: Annotated[tuple[str, ...], Typed]
    loop_end: Annotated[LoopEnd | None, Typed]
    terms: Annotated[OfferTerms | None, Typed]
    copy: Annotated[Copy | None, Typed]
    terms_text: Annotated[str, Typed]
    report: Annotated[ComplianceReport, Typed]
    passed: Annotated[bool, Typed]
    use_llm: Annotated[bool, Typed]
    deadline_at: Annotated[float, Typed]
    variants: Annotated[dict[str, str], Typed]
    prompts: Annotated[dict[str, str], Typed]
    calls: Annotated[list[ModelCall], Added]
    degraded: Annotated[list[str], Added]
