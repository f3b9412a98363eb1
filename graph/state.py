"""The state of one run, and what each guarded node may see of it."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict

from graph.channels import Added, Given, Typed, Untracked
from graph.schemas import ErrorCode, OfferInput, OfferOutput
from graph.sealed import Sealed
from tools.cardmembers import Cardmember
from tools.chat.calls import ModelCall
from tools.delivery.messages import InAppMessage, PushMessage, SmsMessage
from tools.drafts import Copy, Draft
from tools.email.message import Message
from tools.ledger.money import BudgetLeft
from tools.report import ComplianceReport, Violation
from tools.screening import Usage
from tools.terms import Menu, Merchant, OfferTerms
from tools.views import MemberView
from tools.vocabulary import DeliveryChannel, Domain, Mode, SuppressionReason


class Record(BaseModel):
    """Base of the small records in the state."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Run(Record):
    """What identifies the run. `started_at` is seconds since the epoch."""

    run_id: str
    prediction_key: str
    campaign_id: int
    mode: Mode
    send_date: date
    started_at: float
    deadline_s: float
    max_revisions: int
    campaign: str
    draft_token_budget: int | None = None
    """Tokens drafting and judging may take; None in records from before there was a budget."""
    earlier_calls: int = 0
    """Calls the state held when the run started: Studio runs again on the state of the last run."""


class Screening(Record):
    """The ledger's counts at the claim, every reason to hold the member back, and the bands they rest on."""

    usage: Usage
    bands: dict[str, str] = {}
    quality: tuple[str, ...] = ()
    holds: tuple[tuple[SuppressionReason, str], ...] = ()

    @field_validator("usage", mode="before")
    @classmethod
    def _of_an_earlier_build(cls, value: Any) -> Any:
        return {name: item for name, item in value.items() if name != "budgeted"} if isinstance(value, dict) else value


class Reserved(Record):
    """What a check of a draft reserved for it, and of which budgets, with what each had left then; amounts in USD.

    The option is the draft's own, or the next cheaper one of its type that could be paid: then `in_place_of` names the
    draft's. It is given back when the run ends without an offer.
    """

    option_id: str
    amount_usd: Decimal
    budgets: tuple[BudgetLeft, ...]
    in_place_of: str | None = None


class Analysis(Record):
    """What is said of the member's behaviour, in words and bands."""

    insights: tuple[str, ...]
    spending_trends: dict[str, str]
    engagement_metrics: dict[str, str]
    offer_performance: dict[str, str]
    quality: tuple[str, ...]


class Hypothesis(Record):
    """Why an offer may help, and the fields of the view it rests on."""

    text: str
    cites: tuple[str, ...]


class PolicyExtract(Record):
    """A policy as a prompt sees it: its brief, and its prose where retrieval found it near."""

    policy_id: str
    brief: str
    prose: str = ""


class Attempt(Record):
    """One draft with what the gate said of it; `offer_sha` names the whole offer that was judged.

    `told` is what a next draft would be told of it: nothing that has to do with the member. None in earlier records.
    """

    draft: Draft | None
    report: ComplianceReport
    offer_sha: str | None = None
    told: tuple[Violation, ...] | None = None


LoopReason = Literal["no_draft", "nothing_to_tell", "attempts", "no_change", "oscillation", "tokens", "seconds"]


class LoopEnd(Record):
    """Why a draft that did not pass is not sent back again; `detail` names clauses and figures, nothing of a member."""

    reason: LoopReason
    detail: str


class Delivery(Record):
    """The offer in one channel beside the email: its message and what the gate said of it, or why there is none."""

    channel: DeliveryChannel
    message: Annotated[PushMessage | SmsMessage | InAppMessage, Field(discriminator="channel")] | None = None
    report: ComplianceReport | None = None
    reason: str | None = None


class Failure(Record):
    """Why the run ends without an offer."""

    code: ErrorCode
    message: str


ReviewDecision = Literal["approve", "reject"]


class OfferState(TypedDict, total=False):
    """All channels of a run. The member and the built message are in no checkpoint, and only nodes read them."""

    user_id: Annotated[str, Given]
    domain: Annotated[Domain, Given]
    confidence_score: Annotated[float, Given]
    offer_flag: Annotated[Literal[0, 1], Given]
    pred_version: Annotated[str | None, Given]
    prediction_timestamp: Annotated[str | None, Given]
    use_llm_insights: Annotated[bool, Given]
    idempotency_key: Annotated[str | None, Given]

    prediction: Annotated[OfferInput, Typed]
    run: Annotated[Run, Typed]
    member: Annotated[Sealed[Cardmember] | None, Untracked]
    found: Annotated[bool, Typed]
    recorded: Annotated[dict[str, Any] | None, Untracked]
    screening: Annotated[Screening, Typed]
    analysis: Annotated[Analysis, Typed]
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
    money: Annotated[Reserved | None, Typed]
    terms: Annotated[OfferTerms | None, Typed]
    copy: Annotated[Copy | None, Typed]
    terms_text: Annotated[str, Typed]
    report: Annotated[ComplianceReport, Typed]
    use_llm: Annotated[bool, Typed]
    deadline_at: Annotated[float, Typed]
    variants: Annotated[dict[str, str], Typed]
    prompts: Annotated[dict[str, str], Typed]
    needs_person: Annotated[bool, Typed]
    review: Annotated[ReviewDecision | None, Typed]
    message: Annotated[Sealed[Message] | None, Untracked]
    reply_html: Annotated[Sealed[str] | None, Untracked]
    message_report: Annotated[ComplianceReport | None, Typed]
    deliveries: Annotated[tuple[Delivery, ...], Typed]
    calls: Annotated[list[ModelCall], Added]
    degraded: Annotated[list[str], Added]
    failure: Annotated[Failure | None, Typed]
    output: Annotated[OfferOutput, Typed]


class OfferResult(TypedDict):
    """What a run returns."""

    output: Annotated[OfferOutput, Typed]


class AnalyzeInput(TypedDict):
    """All that the analysis step sees: no member, no run, no identifier."""

    view: Annotated[MemberView, Typed]
    use_llm: Annotated[bool, Typed]
    variants: Annotated[dict[str, str], Typed]
    prompts: Annotated[dict[str, str], Typed]
    deadline_at: Annotated[float, Typed]


class RetrieveInput(TypedDict):
    """All that retrieval sees."""

    view: Annotated[MemberView, Typed]


class DraftInput(TypedDict):
    """All that drafting sees: view, menu, week of sending, what policy and analysis made of them, the last draft.

    `variants` and `prompts` name the prompt version, never who it is for.
    """

    view: Annotated[MemberView, Typed]
    menu: Annotated[Menu, Typed]
    candidates: Annotated[tuple[Merchant, ...], Typed]
    week: Annotated[int, Typed]
    hypotheses: Annotated[tuple[Hypothesis, ...], Typed]
    policies: Annotated[tuple[PolicyExtract, ...], Typed]
    feedback: Annotated[tuple[Violation, ...], Typed]
    criticised: Annotated[tuple[str, ...], Typed]
    draft: Annotated[Draft | None, Typed]
    attempts: Annotated[int, Typed]
    variants: Annotated[dict[str, str], Typed]
    prompts: Annotated[dict[str, str], Typed]
    deadline_at: Annotated[float, Typed]
