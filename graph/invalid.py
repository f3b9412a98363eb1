"""What is wrong with a value, in words that any reply can hold."""

import reprlib
from typing import Any, Final

from pydantic import ValidationError

SHOWN_ID: Final = 200
"""Characters of a caller's text that an error repeats."""


def explain(error: ValidationError, *, within: str = "") -> str:
    """Say which fields are wrong, with what value, and what is allowed.

    `within` names what was validated, where that is not a prediction.
    """
    lines = []
    for item in error.errors(include_url=False, include_context=False):
        path = (within, *item["loc"]) if within else item["loc"]
        field = ".".join(str(part) for part in path) or "the prediction"
        shown = "" if item["type"] == "missing" else f" is {_Short().repr(item['input'])}:"
        lines.append(f"{_sendable(field)[:SHOWN_ID]}{shown} {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(lines)


def shown_id(user_id: Any) -> str:
    """Return what a reply repeats of a user_id that was never checked."""
    return _sendable(user_id)[:SHOWN_ID] if isinstance(user_id, str) else ""


class _Short(reprlib.Repr):
    """Shows a value in brief: a plain repr of a deeply nested one exceeds the recursion limit."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80


def _sendable(text: str) -> str:
    """Return the text as a reply can hold it: a lone surrogate has no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
