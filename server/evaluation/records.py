"""What an evaluation keeps: one `Manifest` per run of the golden set, one `CaseResult` per case and repeat.

Both are JSON, one result a line, so that an interrupted run goes on and any two runs compare.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.chat.calls import ModelCall
from tools.drafts import Draft
from tools.vocabulary import CopyMode, CopySource

FORMAT: Literal[1] = 1


class Kept(BaseModel):
    """Base of the records."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Manifest(Kept):
    """What was run. Two runs compare when `golden_sha` and `policy_set_sha` are the same and cases overlap."""

    format: Literal[1] = FORMAT
    eval_id: str
    prompt: str = Field(description="The version asked for, as on the command line: `draft`, `draft@b`.")
    digests: dict[str, str] = Field(description="Digest per prompt the run used: analyze, draft, judge.")
    model: str
    endpoint: Literal["embedded", "configured"]
    copy_mode: CopyMode
    judge_model: str | None = None
    golden_sha: str
    policy_set_sha: str
    setup: dict[str, str] = Field(
        default_factory=dict,
        description="What else decides about a draft, by name: files of policies/, bounds on revisions, tokens, time.",
    )
    cases: int = Field(ge=1, description="Cases of the golden set that were asked for.")
    repeat: int = Field(ge=1, description="Times each case is drafted anew.")
    started_at: datetime
    finished_at: datetime | None = Field(default=None, description="None while results are missing.")


class AttemptResult(Kept):
    """One draft and what the gate said of it. `violations` are `POLICY/clause`, block and fix clauses alone."""

    draft: Draft | None
    verdict: Literal["pass", "violate", "unknown"]
    violations: tuple[str, ...] = ()
    quotes: dict[str, str] = Field(
        default_factory=dict, description="Of a violated clause, the words of the draft it objects to, if it names any."
    )


class CaseResult(Kept):
    """One case, drafted once. Nothing of the member but the case's id; copy is shown with the fallback greeting.

    `copy_text` is the copy of the last draft with its slots filled, per field, whatever became of it.
    """

    case_id: str
    repeat: int = Field(ge=0)
    prompt_sha: str = Field(description="The first drafting prompt's completion key: equal for equal prompts.")
    recommendation: str
    error_code: str | None = None
    copy_source: CopySource | None = None
    attempts: tuple[AttemptResult, ...] = ()
    loop_end: str | None = None
    hypotheses_kept: int = Field(default=0, ge=0)
    hypotheses_dropped: int = Field(default=0, ge=0)
    copy_text: dict[str, str] = Field(default_factory=dict)
    option_id: str | None = None
    merchant_ids: tuple[str, ...] = ()
    calls: tuple[ModelCall, ...] = ()
    elapsed_ms: float = Field(ge=0, description="Wall time of the run, in milliseconds.")
    quality: float | None = Field(
        default=None, ge=0, le=1, description="A model's opinion of the copy; never a verdict."
    )
