"""What a prompt may know of a cardmember: seven closed fields, at most 2,916 combinations."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.vocabulary import CardType, Domain, Strategy

SpendTrend = Literal["decreasing", "stable", "increasing"]
Engagement = Literal["low", "medium", "high"]
DomainInterest = Literal["preferred", "other"]
TenureBand = Literal["new", "established", "long_standing"]


class MemberView(BaseModel):
    """The only projection of a cardmember that reaches a model: bands and enums, no number, no protected field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: Domain = Field(description="The offer category of the prediction.")
    card_type: CardType = Field(description="Card tier.")
    strategy: Strategy = Field(description="Rule-based treatment archetype; a heuristic, not causal inference.")
    spend_trend: SpendTrend = Field(description="90-day spend change: below -10 %, between, above +10 %.")
    engagement: Engagement = Field(
        description="App opens and offer clicks per month: high >= 20 and 5, medium >= 10 and 2."
    )
    domain_interest: DomainInterest = Field(description="Whether the domain is one of the member's two preferred ones.")
    tenure_band: TenureBand = Field(description="Years on the books: below 2, 2 to 7, 8 or more.")

    def digest(self) -> str:
        """Return a stable 16-hex-digit name of this combination."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
