"""The front matter of a prompt file."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tools.draft_examples import Contrast
from tools.vocabulary import OfferType


class PromptHeader(BaseModel):
    """Front matter of a prompt file: what it is called and for, model parameters, and what it needs and answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z_]*$", description="The step's name, as the file is called without @variant.")
    version: str = Field(min_length=1, description="Raise it when the prompt says something else.")
    purpose: str = Field(min_length=1, description="One line.")
    temperature: float = Field(ge=0, le=2, description="0 to 2; 0 always takes the likeliest word.")
    max_tokens: int = Field(ge=1, le=8000, description="Tokens an answer may have.")
    variables: tuple[str, ...] = Field(description="Every variable the template uses, no others.")
    schemas: tuple[str, ...] = Field(
        alias="schema", min_length=1, description="Output schemas of the step, by the names they have on the wire."
    )
    examples: Mapping[OfferType, Contrast] = Field(
        default_factory=dict, description="Of a drafting prompt: good and bad copy per offer type."
    )

    @field_validator("schemas", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value
