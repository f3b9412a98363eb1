"""What a script may answer with, and the record of what was asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, Union


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived. `at` is `time.monotonic()`; header names are lower case."""

    step: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    at: float

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON schema the reply is asked to satisfy."""
        schema = _named_schema(self.body).get("schema")
        return schema if isinstance(schema, dict) else None

    @property
    def text(self) -> str:
        """All message contents, one after the other: the bytes a model would read."""
        return "\n".join(str(message.get("content")) for message in self.body["messages"])


@dataclass(frozen=True, slots=True)
class Default:
    """The valid instance of the schema that an unscripted request gets; plain text when none is asked for."""


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error with OpenAI's error body. `retry_after` is the header's value in seconds."""

    code: int
    retry_after: float | None = None
    message: str = "scripted"


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer until the client gives up."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection closes without an answer."""


@dataclass(frozen=True, slots=True)
class HalfJson:
    """A whole HTTP reply whose content is the first half of a valid answer."""


@dataclass(frozen=True, slots=True)
class HalfBody:
    """Status 200 with the first half of the HTTP body's JSON."""


@dataclass(frozen=True, slots=True)
class PlainText:
    """Status 200 with a body that is no JSON, as a proxy's error page."""

    text: str = "upstream is asleep"


@dataclass(frozen=True, slots=True)
class Truncated:
    """Half an answer with `finish_reason` length."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal instead of content."""

    text: str = "I can't help with that."


@dataclass(frozen=True, slots=True)
class EmptyChoices:
    """A reply without choices."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Another reply, `seconds` later."""

    seconds: float
    reply: "Reply" = field(default_factory=Default)


Fault = Status | Hang | Drop | HalfJson | HalfBody | PlainText | Truncated | Refusal | EmptyChoices
Reply: TypeAlias = Union[  # noqa: UP007  (it names itself, and a quoted name has no `|`)
    Mapping[str, Any], str, Default, Fault, Latency, Callable[[Call], "Reply"], Sequence["Reply"]
]
"""A mapping is sent as JSON content, a string as it is; a sequence is used up in order and its last one repeats."""


def step_of(body: Mapping[str, Any]) -> str:
    """Return the step that asks: the name of its JSON schema, or an empty string."""
    return str(_named_schema(body).get("name", ""))


def _named_schema(body: Mapping[str, Any]) -> Mapping[str, Any]:
    asked = body.get("response_format")
    named = asked.get("json_schema") if isinstance(asked, dict) else None
    return named if isinstance(named, dict) else {}
