"""The name a member is greeted by."""

import re
import unicodedata
from typing import Final

FALLBACK: Final = "Cardmember"
"""Greets whoever has no usable first name."""

LONGEST: Final = 40
"""Characters of the longest name that is greeted."""

_LETTERS = re.compile(r"[^\W\d_](?:['\u2019-]?[^\W\d_])*")
_MARKS_PILED = re.compile(r"\0{3,}")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NO_NAMES = frozenset(
    {
        *("null", "none", "nan", "undefined", "unknown"),
        *("mr", "mrs", "ms", "miss", "mx", "dr", "sir", "madam", "prof", "rev"),
    }
)
"""What exports write where a name is missing, and titles that stand before one."""


def greeting_name(name: str | None) -> str:
    """Return the first word of the name if it is letters, hyphens and apostrophes, at most 40; else Cardmember."""
    words = unicodedata.normalize("NFC", name or "").split()
    word = words[0] if words else ""
    return word if _is_name(word) else FALLBACK


def _is_name(word: str) -> bool:
    if not word or len(word) > LONGEST or word.casefold() in _NO_NAMES or _INVISIBLE.search(word):
        return False
    if "\0" in word or word != unicodedata.normalize("NFKC", word):  # \0 marks accents below
        return False
    # Accents and vowel signs that NFC keeps apart belong to the letter before them; a pile of them is a prank.
    marked = "".join("\0" if unicodedata.category(sign) in ("Mn", "Mc") else sign for sign in word)
    if marked.startswith("\0") or _MARKS_PILED.search(marked):
        return False
    return bool(_LETTERS.fullmatch(marked.replace("\0", "")))
