"""Folding: the spelling tricks taken out of a text, so that one rule catches every way to write a word."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]

MASK: Final = "\x1f"
"""Stands for each character of a masked name. Folding drops control characters, so no text holds it by itself."""

_PLAIN: Final = re.compile(r"[\n\t\x20-\x7e]*")
_INVISIBLE: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by category that nevertheless show nothing."""
_DROPPED: Final = frozenset({"Cc", "Cf", "Mn", "Me"})
_LOOKALIKES: Final[tuple[tuple[str, str], ...]] = (
    ("АВСЕНІЈКМОРЅТХУҮԌԚԜ", "ABCEHIJKMOPSTXYYGQW"),  # Cyrillic capitals
    ("авсеһіјкмнӏорѕтухԁԛԝѵгү", "abcehijkmhlopstyxdqwvry"),  # Cyrillic small letters
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),  # Greek capitals
    ("αβγεηικνορςστυχω", "abyenikvopsotuxw"),  # Greek small letters
    ("ՕՏՍԼօսոհցզ", "OSULounhgq"),  # Armenian
    ("ᎠᎡᎢᎪᎫᎬᎳᎷᎻᏀᏃᏒᏕᏙᏞᏟᏢᏦᏴ", "DRTAJEWMHGZRSVLCPKB"),  # Cherokee
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),  # Latin small capitals
    ("ıɩɑɡøłđħŧØŁĐĦŦ", "iiagoldhtOLDHT"),  # Latin letters with strokes, without dots
    ("‘’‚‛ʼʹʻ´", "'" * 8),
    ("“”„‟«»", '"' * 6),
    ("‐‑‒–—―−", "-" * 7),
    ("⁄∕×ǃ∗", "//x!*"),
    ("\u2028\u2029\x85", "\n" * 3),
)
_LETTER: Final = {char: plain for odd, even in _LOOKALIKES for char, plain in zip(odd, even, strict=True)}


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as rules read it (`text`) beside the one that was written (`original`)."""

    original: str
    text: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in `original` of the characters that became `text[start:end]`."""
        if self.text is self.original:
            return start, end
        origins = _origins(self.original)
        if start >= end:
            at = origins[start] if start < len(origins) else len(self.original)
            return at, at
        return origins[start], origins[end - 1] + 1


@lru_cache(maxsize=512)
def fold(text: str) -> Folded:
    """Fold compatibility forms (NFKC), look-alike letters, accents and invisible characters. Case is preserved."""
    if _PLAIN.fullmatch(text):
        return Folded(text, text)
    return Folded(text, "".join(map(fold_character, text)))


@lru_cache(maxsize=8192)
def fold_character(char: str) -> str:
    """Return what one character folds to: nothing, one character or several."""
    if char in "\n\t":
        return char
    # A character's own decomposition is enough for whole texts: what composition would join, marks, is dropped.
    parts = []
    for part in unicodedata.normalize("NFKD", _LETTER.get(char, char)):
        category = unicodedata.category(part)
        if category == "Cs":
            parts.append("\ufffd")
        elif part in "\n" or (category not in _DROPPED and part not in _INVISIBLE):
            parts.append(_LETTER.get(part, part))
    return unicodedata.normalize("NFC", "".join(parts))


def mask(text: str, names: Iterable[str]) -> str:
    """Return the folded text with every whole occurrence of a name, in its own spelling and case, masked out.

    The length stays the same, so offsets hold. "Best Buy" is a name, "the best buy" is a claim.
    """
    # Most of a catalogue's names are not there, and what is not there can't match.
    pattern = _names_pattern(tuple([name for name in _folded(tuple(names)) if name in text]))
    if pattern is None:
        return text
    parts, last = [], 0
    for match in pattern.finditer(text):
        start, end = match.span()
        parts += [text[last:start], MASK * (end - start)]
        last = end
    return "".join((*parts, text[last:])) if parts else text


@lru_cache(maxsize=256)
def _origins(original: str) -> tuple[int, ...]:
    return tuple(index for index, char in enumerate(original) for _ in fold_character(char))


@lru_cache(maxsize=512)
def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names as a folded text spells them, the longest first."""
    folded = {plain for name in names if (plain := fold(name).text.strip())}
    return tuple(sorted(folded, key=lambda name: (-len(name), name)))


@lru_cache(maxsize=1024)
def _names_pattern(folded: tuple[str, ...]) -> Any:
    # RE2 rather than re: a hundred names cost one linear pass, not a hundred tries at every word.
    return re2.compile("|".join(_whole_word(name) for name in folded)) if folded else None


def _whole_word(name: str) -> str:
    before = r"\b" if name[0].isalnum() else ""
    after = r"\b" if name[-1].isalnum() else ""
    return f"{before}{re2.escape(name)}{after}"
