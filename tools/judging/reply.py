"""The form of a judge's answer. What has another form is no answer."""

import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

MOST_ANSWERS = 500
MOST_QUOTED = 20_000


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Answer(_Form):
    """The answer to one question. `quote` stands word for word in `field`; both are empty where nothing is quoted."""

    question: str = Field(max_length=100)
    result: Literal["ok", "violation"]
    field: str = Field(max_length=100)
    quote: str = Field(max_length=MOST_QUOTED)


class JudgeReply(_Form):
    """One answer per question."""

    answers: list[Answer] = Field(max_length=MOST_ANSWERS)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **given: Any) -> Self:
        """Read a reply. A key written twice is a fault: which of its values would be meant?

        Raises ValidationError.
        """
        try:
            json.loads(json_data, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            fault = PydanticCustomError("judge_form", "one JSON object, each key once")
            raise ValidationError.from_exception_data(
                cls.__name__, [{"type": fault, "loc": (), "input": None}]
            ) from error
        return super().model_validate_json(json_data, **given)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is written twice")
    return found
