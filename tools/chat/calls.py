"""What one step asks of a model, and what is known of the call afterwards."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Reply = TypeVar("Reply", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Ask(Generic[Reply]):
    """One prompt with the form its answer must have. `name` is the schema's name on the wire."""

    name: str
    messages: Sequence[tuple[str, str]]
    schema: dict[str, Any]
    reply: type[Reply]
    temperature: float
    max_tokens: int

    def key(self, model: str) -> str:
        """Return the completion's cache key: all that decides the answer."""
        parts = [model, self.name, self.temperature, self.max_tokens, self.schema, list(self.messages)]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class ModelCall(BaseModel):
    """The account of one step's model use. Tokens count every attempt; `cached` cost nothing.

    `failures` are attempts that failed, one cut off by the call's end included; being told to wait is none.

    `cached_tokens` are those of `input_tokens` that the provider says it had in its prefix cache.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    model: str = ""
    prompt_sha: str = ""
    attempts: int = 0
    failures: int = 0
    repaired: bool = False
    cached: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    elapsed_ms: float = 0
    error_code: str | None = None
    error: str | None = None
