"""A state channel that holds only values of its declared type."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from langgraph.channels import LastValue
from pydantic import TypeAdapter


class Typed(LastValue[Any]):
    """Keeps the last value, validated: a JSON object from Studio or a checkpoint becomes the model it stands for.

    A value that doesn't fit raises pydantic's ValidationError at the write, before any node sees it.
    """

    def update(self, values: Sequence[Any]) -> bool:
        """Take the step's value."""
        return super().update([_adapter(self.typ).validate_python(value) for value in values])

    def checkpoint(self) -> Any:
        """Return the value as plain JSON, so that checkpoints hold no class of ours."""
        value = super().checkpoint()
        return value if not self.is_available() else _adapter(self.typ).dump_python(value, mode="json")

    def from_checkpoint(self, checkpoint: Any) -> "Typed":
        """Return the channel as it was when the checkpoint was taken."""
        restored = super().from_checkpoint(checkpoint)
        if restored.is_available():
            restored.value = _adapter(self.typ).validate_python(restored.value)
        return restored


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
