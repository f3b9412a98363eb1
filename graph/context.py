"""What a caller may set per run; every field has a safe default."""

from datetime import date
from typing import Literal, Self

from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from tools.vocabulary import Mode


def _of(*nodes: str) -> JsonDict:
    """Name the nodes a field is for: Studio offers it at each of them."""
    return {"langgraph_nodes": list(nodes)}


class Context(BaseModel):
    """Per-run knobs. The defaults issue nothing: a run that is not told otherwise is a preview."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(
        default="preview",
        description="preview reads the ledger and writes nothing; issue records and may issue an offer.",
    )
    run_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$",
        description="Name of the run, 8 to 64 letters, digits, _ or -; unset: a new one.",
        examples=["tuesday-morning"],
        json_schema_extra=_of("fetch"),
    )
    campaign: Literal["online"] = Field(default="online", description="Campaign the prediction belongs to.")
    prompt_variants: dict[str, str] = Field(
        default_factory=dict,
        description="Variant per prompt, for example {'draft': 'b'} for prompts/draft@b.md, or {'draft': 'base'} for"
        " draft.md; wins over PROMPT_SPLIT, which decides for prompts not named here.",
        examples=[{"draft": "b"}],
        json_schema_extra=_of("analyze_llm", "draft", "check_compliance"),
    )
    max_revisions: int | None = Field(
        default=None,
        ge=0,
        le=10,
        description="Times a non-conforming draft is sent back; unset: MAX_REVISIONS.",
        examples=[0],
        json_schema_extra=_of("check_compliance"),
    )
    draft_token_budget: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        description="Tokens drafting and judging may take before approved copy is used; unset: DRAFT_TOKEN_BUDGET.",
        examples=[5_000],
        json_schema_extra=_of("check_compliance"),
    )
    send_date: date | None = Field(
        default=None,
        description="First day of the offer; unset: today in the brand's zone.",
        examples=["2026-12-01"],
        json_schema_extra=_of("fetch"),
    )
    run_deadline_s: float | None = Field(
        default=None,
        gt=0,
        description="Seconds the run may take; unset: RUN_DEADLINE_S. In a preview, which people stop at any node,"
        " each model call may take as long.",
        examples=[60],
        json_schema_extra=_of("fetch"),
    )
    require_review: bool = Field(
        default=False,
        description="Stop before rendering until a person approves; needs a checkpointer (Studio has one).",
        json_schema_extra=_of("review"),
    )
    neutral_greeting: bool = Field(
        default=False,
        description="Greet with 'Cardmember' in the reply, so that it names nobody (streams and previews do).",
        json_schema_extra=_of("render"),
    )

    @model_validator(mode="after")
    def _review_needs_a_checkpointer(self) -> Self:
        if self.require_review and self.mode == "issue":
            raise ValueError("require_review works in previews only; issuing runs have no checkpointer to wait in")
        return self

    @property
    def neutral(self) -> bool:
        """Whether the reply names nobody: asked for, or a preview, which people look at and checkpoints keep."""
        return self.neutral_greeting or self.mode == "preview"


class PreviewContext(Context):
    """What may be set per run in LangGraph Studio: nothing is issued there."""

    mode: Literal["preview"] = Field(
        default="preview", description="Always preview here: reads the ledger and writes nothing."
    )


DEFAULT = Context()


def context_of(runtime: Runtime[Context]) -> Context:
    """Return the run's context; LangGraph passes None when the caller gave none."""
    return runtime.context or DEFAULT
