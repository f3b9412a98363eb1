"""Characters that hide, reorder or imitate: invisible ones, mixed scripts, compatibility forms of letters."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from tools.folding import fold
from tools.report import Evidence
from tools.subject import Subject

_PLAIN: Final = re.compile(r"[\n\t\r\x20-\x7e]*")
_WORD: Final = re.compile(r"[^\W_]+")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Me"})
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2028\u2029\u2800\u3164\uffa0")
_SYMBOLS: Final = frozenset("™℠№℃℉ªº")
"""Signs that NFKC spells out, yet that people print: ™ stays."""


def clean_characters(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find invisible and control characters, variation selectors, loose marks, imitated letters and mixed scripts."""
    return [
        Evidence(field=field, quote=text[start:end], start=start, end=end)
        for field, text in subject.text.items()
        if not _PLAIN.fullmatch(text)
        for start, end in _spans(text)
    ]


@lru_cache(maxsize=256)
def _spans(text: str) -> tuple[tuple[int, int], ...]:
    found = [(at, at + 1) for at, char in enumerate(text) if not _PLAIN.fullmatch(char) and _is_bad(text, at)]
    bad = {start for start, _ in found}
    for match in _WORD.finditer(text):
        word = match.group()
        if not word.isascii() and bad.isdisjoint(range(*match.span())) and _is_imitation(word):
            found.append(match.span())
    return tuple(sorted(found))


def _is_bad(text: str, at: int) -> bool:
    char = text[at]
    category = unicodedata.category(char)
    if category in _HIDDEN or char in _BLANK or "\ufe00" <= char <= "\ufe0f":
        return char not in "\n\t\r"
    if category in ("Mn", "Mc"):
        # A decomposed accent is the accent; marks that compose with nothing, or pile up, are noise.
        return at == 0 or len(unicodedata.normalize("NFC", text[at - 1 : at + 1])) > 1
    if char in _SYMBOLS:
        return False
    plain = unicodedata.normalize("NFKC", char)
    return plain != char and category[0] not in "PZ" and any(part.isalnum() for part in plain)


def _is_imitation(word: str) -> bool:
    scripts = {_script(char) for char in word if char.isalpha()}
    if len(scripts) > 1:
        return True
    # A whole word of another script that reads as English ("сору"), or Latin letters that only look like others.
    own = "".join(unicodedata.normalize("NFD", char)[0] for char in word)
    folded = fold(word).text
    return (folded != own and folded.isascii() and "LATIN" not in scripts) or any(
        fold(char).text != char and fold(char).text.isascii() and _script(char) == "LATIN" and _is_lookalike(char)
        for char in own
    )


def _is_lookalike(char: str) -> bool:
    """Tell ɑ and ı, which imitate, from ø and ł, which spell names."""
    name = unicodedata.name(char, "")
    return not char.isascii() and "STROKE" not in name and char not in "ðÐþÞßæœÆŒ"


@lru_cache(maxsize=2048)
def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").split()[0]
