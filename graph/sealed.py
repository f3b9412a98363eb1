"""A box for what only nodes may look into."""

from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


class Sealed(Generic[T]):
    """Carries personal data from node to node past everything that shows or keeps a state.

    No checkpoint holds an untracked channel, but LangGraph's debug events do, and its server keeps those as the
    thread's values, which `langgraph dev` pickles to disk. There and in Studio a sealed value is null.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def open(self) -> T:
        """Return the value."""
        return self._value

    def __repr__(self) -> str:
        """Tell nothing of the value."""
        return "Sealed()"

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Be None wherever a pickle is read, and in a copy."""
        return type(None), ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let schemas of the state be drawn; they say nothing of what is inside."""
        return core_schema.any_schema()
