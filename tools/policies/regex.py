"""Regular expressions of policies: RE2, so that time is linear in the text whatever the pattern."""

from functools import lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]


class RegexInvalid(ValueError):
    """A regular expression can't be enforced as written. `offset` is where in it, in characters, when that is known."""

    def __init__(self, reason: str, offset: int | None = None) -> None:
        super().__init__(reason)
        self.offset = offset


_REMEDIES: Final = {
    "invalid perl operator": "there is no look-around; write the cases out, or excuse them with unless",
    "invalid escape sequence": "write the character itself, or \\ and a character that RE2 knows",
    "missing )": "close the parenthesis, or write \\(",
    "missing ]": "close the bracket, or write \\[",
    "unexpected )": "open the parenthesis, or write \\)",
}
"""What to do about what RE2 says; for anything else, its own words must do."""


@lru_cache(maxsize=4096)
def compile_regex(pattern: str, *, case_sensitive: bool = False, groups: bool = False) -> Any:
    """Compile one expression. Its groups can be read only where they are asked for: thousands cost seconds a text.

    Raises:
        RegexInvalid: RE2 refuses it (it has neither look-around nor back-references), or it matches the empty text.
    """
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False
    options.never_capture = not groups
    options.max_mem = 64 << 20  # room for the states of long lists; with less RE2 falls back to a path 200 times slower
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise _invalid(pattern, reason) from error
    if compiled.search("") is not None:
        raise RegexInvalid(f"regular expression {pattern!r} matches empty text, so it says nothing; ask for more")
    return compiled


def _invalid(pattern: str, said: str) -> RegexInvalid:
    what, _, fragment = said.partition(": ")
    offset = pattern.find(fragment) if fragment else -1
    if what.startswith("missing") and offset == 0:
        offset = len(pattern)  # RE2 quotes the whole expression: what is missing is missing at its end
    remedy = next((text for start, text in _REMEDIES.items() if what.startswith(start)), "correct it there")
    return RegexInvalid(f"regular expression {pattern!r}: {said}; {remedy}", offset if offset >= 0 else None)
