"""Write a JSON value as the text a CSV cell would hold."""

from typing import NamedTuple


class Cell(NamedTuple):
    """A value as text, and why it is none if it isn't one."""

    text: str | None
    fault: str | None = None


def as_cell(value: object) -> Cell:
    """Return the text of a JSON value; lists and objects are no cell, nor is text that UTF-8 can't hold."""
    match value:
        case None:
            return Cell(None)
        case str():
            if any("\ud800" <= char <= "\udfff" for char in value):
                return Cell(value.encode("utf-8", "replace").decode(), "holds half of a surrogate pair")
            return Cell(value)
        case bool():
            return Cell("true" if value else "false")
        case int() | float():
            return Cell(repr(value))
        case _:
            return Cell(type(value).__name__, "expected a single value, not a list or an object")
