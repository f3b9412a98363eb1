"""What a stand-alone check answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.report import Verdict, Violation


class CheckReply(BaseModel):
    """The reply to one line: the verdict, and each clause that is broken with its quote and its remedy.

    A broken clause of severity warn is listed and doesn't count. `unknown` is there only when some clause could not be
    evaluated, `error` only when the line could not be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | int | None
    verdict: Verdict
    violations: tuple[Violation, ...]
    clauses_run: int = Field(ge=0)
    judge: Literal["ran", "skipped", "unavailable"]
    policy_set_sha: str
    unknown: tuple[Violation, ...] = ()
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the reply as plain values, without `unknown` and `error` where there is nothing to say."""
        shown = self.model_dump(mode="json")
        return {name: value for name, value in shown.items() if value or name not in ("unknown", "error")}
