"""What a step gives its prompt: variables with the fields a template may read, and the output schemas it sends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

REPLY_SCHEMA: Final = "reply_schema"
"""The one variable a prompt may leave out: the JSON schema of the answer, for `{{ reply_schema | schema }}`."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a template may do with a variable: read its `fields`, loop over it when it has an `item`, print it."""

    fields: frozenset[str] = frozenset()
    item: "Value | None" = None


TEXT: Final = Value()


def record(*names: str) -> Value:
    """Return the shape of a value with these fields."""
    return Value(frozenset(names))


def listed(item: Value = TEXT) -> Value:
    """Return the shape of a list."""
    return Value(item=item)


@dataclass(frozen=True, slots=True)
class Step:
    """One step that asks a model. `schemas` are names on the wire (`Ask.name`), `member` the variables made of a view.

    Each prompt of the step uses every variable of `variables`; `REPLY_SCHEMA` is given beside them.
    """

    variables: Mapping[str, Value]
    schemas: tuple[str, ...]
    member: frozenset[str] = field(default_factory=frozenset)
