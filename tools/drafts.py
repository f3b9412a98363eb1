"""What a model, approved blocks or a person propose: an option, merchants and copy with slots."""

from pydantic import BaseModel, ConfigDict, Field

from tools.vocabulary import COPY_FIELDS, CopyField, CopySource


class Copy(BaseModel):
    """The five copy fields, with slots such as `{offer_value}` in a draft and without any once filled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str = Field(max_length=200)
    preheader: str = Field(max_length=300)
    headline: str = Field(max_length=200)
    body: str = Field(max_length=3000)
    cta: str = Field(max_length=100)

    def fields(self) -> dict[CopyField, str]:
        """Return the text by field name, in reading order."""
        return {name: getattr(self, name) for name in COPY_FIELDS}


class Draft(BaseModel):
    """One proposal for an offer. Nothing in it is trusted before the gate has passed it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: CopySource
    option_id: str
    merchant_ids: tuple[str, ...] = Field(max_length=8)
    text: Copy = Field(description="Copy with slots.")
    block_ids: dict[CopyField, str] | None = Field(
        default=None, description="Approved block per field, when copy is made of blocks."
    )
