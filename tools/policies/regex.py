"""Regular expressions of policies: RE2, so that time is linear in the text whatever the pattern."""

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]


class RegexInvalid(ValueError):
    """A regular expression can't be enforced as written."""


@lru_cache(maxsize=4096)
def compile_regex(pattern: str, *, case_sensitive: bool = False) -> Any:
    """Compile one expression.

    Raises:
        RegexInvalid: RE2 refuses it (it has neither look-around nor back-references), or it matches the empty text.
    """
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False
    options.max_mem = 64 << 20  # room for the states of long lists; with less RE2 falls back to a path 200 times slower
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise RegexInvalid(f"regular expression {pattern!r}: {reason}") from error
    if compiled.search("") is not None:
        raise RegexInvalid(f"regular expression {pattern!r} matches empty text, so it says nothing; ask for more")
    return compiled
