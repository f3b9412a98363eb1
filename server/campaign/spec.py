"""What a campaign is created with: everything that decides its outcomes beside the file and the rules in force."""

import re
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tools.variants import split_fault

EngineName = Literal["local", "ray"]
Personalisation = Literal["cohort", "individual"]

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{1,62}$"
"""Names of campaigns: they stand in file names, URLs and prompts' seeds."""
NAMEABLE = "use 2 to 63 small letters, digits, - and _, the first one a letter or digit, as in spring_travel"


class Spec(BaseModel):
    """One campaign's terms. `holdout` and `variants` are percent; `budget_usd` is all it may cost: offers and model.

    `send_date` is the first day of its offers. `variants` are shares by prompt, as PROMPT_SPLIT has them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME_PATTERN, max_length=63)
    budget_usd: Decimal = Field(ge=0, le=Decimal("9999999999.99"), decimal_places=2)
    send_date: date
    engine: EngineName = "local"
    personalisation: Personalisation = "cohort"
    holdout: float = Field(default=0, ge=0, le=50)
    variants: dict[str, dict[str, float]] = Field(default_factory=dict)

    @field_validator("name", mode="before")
    @classmethod
    def _nameable(cls, value: Any) -> Any:
        """Say in words what a name may be; the pattern stays in the schema."""
        if isinstance(value, str) and not re.fullmatch(NAME_PATTERN, value):
            raise ValueError(NAMEABLE)
        return value

    @field_validator("budget_usd")
    @classmethod
    def _in_cents(cls, value: Decimal) -> Decimal:
        """Return the amount with both its decimals: 5000 and 5000.00 are the same terms."""
        return value.quantize(Decimal("0.01"))

    @field_validator("variants")
    @classmethod
    def _splits(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        if fault := split_fault(value):
            raise ValueError(fault)
        return value

    def differs(self, recorded: dict[str, Any]) -> list[str]:
        """Return the names of what another spec, as recorded, has differently."""
        mine = self.model_dump(mode="json")
        return sorted(name for name in mine.keys() | recorded.keys() if mine.get(name) != recorded.get(name))
