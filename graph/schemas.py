"""What goes into a run and what comes out: the same for the graph, LangServe and the existing callers' API."""

import json
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tools.delivery.messages import Channels
from tools.vocabulary import CopySource, Domain, MerchantType, Mode, OfferType, SuppressionReason

Recommendation = Literal[
    "offer_generated",
    "no_offer_needed",
    "user_not_found",
    "generation_failed",
    "error",
    "pending_review",
    "suppressed_marketing_opt_out",
    "suppressed_low_confidence",
    "suppressed_monthly_cap",
    "suppressed_category_cooldown",
    "suppressed_decline_cooldown",
    "suppressed_high_value_quarter_cap",
    "suppressed_multiplier_cap",
    "suppressed_annual_credit_cap",
    "suppressed_spend_floor",
    "suppressed_account_age",
    "suppressed_account_status_unknown",
    "suppressed_sleeping_dog",
    "suppressed_holdout",
    "suppressed_budget_exhausted",
    "suppressed_no_eligible_option",
    "suppressed_data_quality",
]

SUPPRESSED: Final[dict[SuppressionReason, Recommendation]] = {
    reason: f"suppressed_{reason}"  # type: ignore[misc]  # the two literals list the same reasons; a test holds them to it
    for reason in get_args(SuppressionReason)
}

ErrorCode = Literal[
    "compliance",
    "template_fault",
    "deadline",
    "invalid_input",
    "database_unavailable",
    "policies_unavailable",
    "no_outcome",
    "internal",
]
"""compliance, template_fault and deadline go with generation_failed, the others with error."""


UNSETTLED: Final[frozenset[ErrorCode]] = frozenset(
    {"database_unavailable", "policies_unavailable", "deadline", "internal", "no_outcome"}
)
"""Passing faults: the prediction stays open, and a repeat decides it anew."""


@lru_cache(maxsize=4096)
def _instant(timestamp: str) -> str:
    """Return one spelling for each instant; text that is no ISO 8601 timestamp stands for itself."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return timestamp
    return moment.isoformat() if moment.tzinfo is None else moment.astimezone(UTC).isoformat()


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


Storable = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text that PostgreSQL and a reply can hold: no NUL and, as the pattern makes pydantic look, no lone surrogate."""


class OfferInput(BaseModel):
    """One prediction of the issuer's model: that an offer in `domain` would help this cardmember."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Storable = Field(
        min_length=1, max_length=200, description="Key of the cardmember.", examples=["USER_000006"]
    )
    domain: Domain = Field(description="Category of the predicted offer.", examples=["Travel"])
    confidence_score: float = Field(
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="The model's confidence, 0 to 1; MIN_CONFIDENCE_SCORE holds back those below.",
        examples=[0.9],
    )
    offer_flag: Literal[0, 1] = Field(default=1, description="0: the model predicts that no offer is needed.")
    pred_version: Storable | None = Field(
        default=None, max_length=200, description="Version of the predicting model.", examples=["2026-11"]
    )
    prediction_timestamp: Annotated[Storable | None, BeforeValidator(_text)] = Field(
        default=None,
        max_length=64,
        description="When it was predicted (ISO 8601); names the prediction, with the rest.",
    )
    use_llm_insights: bool = Field(default=True, description="False skips the LLM analysis step.")
    idempotency_key: Storable | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Names the prediction; a repeat returns the recorded outcome.",
    )

    def prediction_key(self, today: date) -> str:
        """Return what makes two predictions the same: the caller's key, else a hash of what was predicted and when.

        `today` is the UTC date, which stands in for a missing timestamp. The caller's key counts per member, so that no
        key ever answers with another member's outcome.
        """
        if self.idempotency_key is not None:
            parts = ["key", self.user_id, self.idempotency_key]
        else:
            when = _instant(self.prediction_timestamp) if self.prediction_timestamp else today.isoformat()
            parts = ["prediction", self.user_id, self.domain, self.pred_version or "", when]
        return sha256(json.dumps(parts).encode()).hexdigest()


class Suppression(BaseModel):
    """Why a member was held back, and every rule that held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: SuppressionReason
    detail: tuple[str, ...] = Field(description="Each rule that held, with its number and limit.")


class FeaturedMerchant(BaseModel):
    """A partner merchant as existing callers read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    merchant_name: str
    merchant_category: str
    merchant_id: str
    merchant_type: MerchantType


class IssuedOffer(BaseModel):
    """The offer as existing callers read it; every number, date and merchant comes from code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    success: bool = True
    offer_title: str
    offer_description: str
    terms_and_conditions: str
    call_to_action: str
    offer_type: OfferType
    offer_value: str
    expiration_days: int
    minimum_spend: float
    category_restrictions: tuple[str, ...]
    featured_merchants: tuple[FeaturedMerchant, ...]
    reasoning: str
    policy_compliance_notes: tuple[str, ...]
    ml_confidence: float
    domain: Domain
    generated_at: str


class BehavioralAnalysis(BaseModel):
    """What the rules (and the model, if asked) read from behaviour: words and bands, never raw amounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    insights: tuple[str, ...]
    spending_trends: dict[str, str]
    engagement_metrics: dict[str, str]
    offer_performance: dict[str, str]


class AppliedPolicy(BaseModel):
    """A policy that was enforced on the offer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    type: str
    domain: str
    version: str


class OfferOutput(BaseModel):
    """The one typed outcome of a prediction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    success: bool
    user_id: str
    timestamp: str = Field(description="ISO 8601, UTC.")
    recommendation: Recommendation
    ml_recommendation: dict[str, str | float | int | None] = Field(description="The prediction as it came.")
    behavioral_analysis: BehavioralAnalysis | None = None
    applied_policies: tuple[AppliedPolicy, ...] | None = None
    offer: IssuedOffer | None = None
    email_html: str | None = None
    error: str | None = None
    run_id: str
    error_code: ErrorCode | None = None
    suppression: Suppression | None = None
    copy_source: CopySource | None = None
    replayed: bool = False
    mode: Mode = "issue"
    channels: Channels | None = Field(
        default=None,
        description="The offer as push, SMS and in-app messages (DELIVERY_CHANNELS); none of them names anyone.",
    )
    prompts: dict[str, str] | None = Field(
        default=None,
        description="Digest of each prompt the run used, by file: draft, or draft@b for its variant b."
        " None when the run ended before any prompt.",
    )

    @classmethod
    def pending(cls, prediction: OfferInput, *, run_id: str, mode: Mode) -> Self:
        """Build the outcome of a run that waits for a person."""
        return cls(
            success=False,
            user_id=prediction.user_id,
            timestamp=datetime.now(UTC).isoformat(),
            recommendation="pending_review",
            ml_recommendation=as_recommendation(prediction),
            run_id=run_id,
            mode=mode,
        )

    @classmethod
    def failure(
        cls,
        code: ErrorCode,
        message: str,
        *,
        run_id: str,
        prediction: OfferInput | None = None,
        user_id: str = "",
        mode: Mode = "issue",
    ) -> Self:
        """Build the typed outcome of a prediction that could not be decided."""
        failed = code in ("compliance", "template_fault", "deadline")
        return cls(
            success=False,
            user_id=prediction.user_id if prediction else user_id,
            timestamp=datetime.now(UTC).isoformat(),
            recommendation="generation_failed" if failed else "error",
            ml_recommendation=as_recommendation(prediction) if prediction else {},
            error=message,
            error_code=code,
            run_id=run_id,
            mode=mode,
        )


def as_recommendation(prediction: OfferInput) -> dict[str, str | float | int | None]:
    """Return the prediction as the reply repeats it."""
    return {
        "offer_flag": prediction.offer_flag,
        "domain": prediction.domain,
        "confidence_score": prediction.confidence_score,
        "pred_version": prediction.pred_version,
        "prediction_timestamp": prediction.prediction_timestamp,
    }
