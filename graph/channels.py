"""State channels that hold only values of their declared type, and keep them in checkpoints as plain JSON.

What a node wrote stands beside a checkpoint as it was written until the step ends. LangGraph's server reads such writes
back as plain JSON too (LANGGRAPH_STRICT_MSGPACK), and a channel validates whatever comes.
"""

import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any

from langgraph.channels import BinaryOperatorAggregate, LastValue, UntrackedValue
from langgraph.errors import InvalidUpdateError
from langgraph.types import Overwrite
from pydantic import Field, TypeAdapter, ValidationError

from graph.invalid import explain
from graph.meanings import MEANINGS


class Described:
    """Says in the schemas of the state what the channel holds."""

    typ: Any
    key: str

    @property
    def UpdateType(self) -> Any:  # LangGraph's name for what schemas are made of
        """The type of a write, with what it means."""
        title = self.key.replace("_", " ").capitalize()
        return Annotated[self.typ, Field(title=title, description=MEANINGS.get(self.key))]


class Given(Described, LastValue[Any]):
    """Keeps a field of the prediction as the caller gave it: `fetch` validates the whole, and answers what is wrong."""


class Typed(Described, LastValue[Any]):
    """Keeps the last value, validated: a JSON object from Studio or a checkpoint becomes the model it stands for.

    A value that doesn't fit raises InvalidUpdateError, naming channel and field, before any node sees it.
    """

    def update(self, values: Sequence[Any]) -> bool:
        """Take the step's value."""
        return super().update([_read(self, value) for value in values])

    def checkpoint(self) -> Any:
        """Return the value as plain JSON, so that checkpoints hold no class of ours."""
        value = super().checkpoint()
        return _plain(self, value) if self.is_available() else value

    def from_checkpoint(self, checkpoint: Any) -> "Typed":
        """Return the channel as it was when the checkpoint was taken."""
        restored = super().from_checkpoint(checkpoint)
        if restored.is_available():
            restored.value = _read(self, restored.value)
        return restored


class Added(Described, BinaryOperatorAggregate[Any]):
    """Keeps all that steps add to a list, validated as `Typed` does; LangGraph's Overwrite replaces the whole."""

    def __init__(self, typ: Any, operator: Callable[[Any, Any], Any] = operator.add) -> None:
        super().__init__(typ, operator)

    def update(self, values: Sequence[Any]) -> bool:
        """Add the step's items."""
        return super().update([_added(self, value) for value in values])

    def checkpoint(self) -> Any:
        """Return the list as plain JSON, so that checkpoints hold no class of ours."""
        return _plain(self, super().checkpoint())

    def from_checkpoint(self, checkpoint: Any) -> "Added":
        """Return the channel as it was when the checkpoint was taken."""
        restored = super().from_checkpoint(checkpoint)
        restored.value = _read(self, restored.value)
        return restored


class Untracked(Described, UntrackedValue[Any]):
    """Holds a value for the nodes of one run: it is in no checkpoint."""


def _added(channel: Added, value: Any) -> Any:
    """Read one addition; Overwrite comes as it is from code and as JSON from Studio."""
    match value:
        case Overwrite():
            return Overwrite(_read(channel, value.value))
        case {"__overwrite__": whole} | {"type": "__overwrite__", "value": whole}:
            return Overwrite(_read(channel, whole))
        case _:
            return _read(channel, value)


def _read(channel: Typed | Added, value: Any) -> Any:
    try:
        return _adapter(channel.typ).validate_python(value)
    except ValidationError as error:
        raise InvalidUpdateError(explain(error, within=channel.key)) from error


def _plain(channel: Typed | Added, value: Any) -> Any:
    return _adapter(channel.typ).dump_python(value, mode="json")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
