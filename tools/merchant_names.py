"""What a merchant's name can be: a name is masked and licensed in copy, so text that is more than a name is none."""

import re
import unicodedata
from typing import Final

from tools.folding import fold

LONGEST: Final = 40
MOST_WORDS: Final = 6
"""Both leave room above the catalogue's longest ("Ruth's Chris Steak House", 24 characters, 4 words)."""
MASKED_WORDS: Final = 3
"""Words of a name that nobody but the caller knows, up to which it is read as a name where a rule would read words."""

_SPLIT: Final = re.compile(r"[\s/_]+")
_NO_NAME: Final = frozenset("<>{}[]|\\=*_#^~;`@$%")
_SENTENCE: Final = re.compile(r"\w{4,}\.\s+\S|[?:]|,.*,")
_ADDRESS: Final = re.compile(r"(?i)//|\bwww\b|\bhttps?\b|\.[a-z]{2,}/|\.\.")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name; signs that stand alone, such as "&", are none."""
    return tuple(word for word in _SPLIT.split(name) if any(char.isalnum() for char in word))


def fault_of(name: str) -> str | None:
    """Say why a text can't be a merchant's name, with the remedy; None when it can."""
    if len(name) > LONGEST:
        return f"has {len(name):,} characters; write the name alone, in at most {LONGEST}"
    for char in name:
        if unicodedata.category(char)[0] == "C" or (char.isspace() and char != " ") or not fold(char).text:
            return f"holds U+{ord(char):04X}, which shows nothing; write the plain name"
        if char.isalpha() and "LATIN" not in unicodedata.name(char, ""):
            return f"holds {char!r}, a letter of another script; write the name as the copy prints it"
        if char in _NO_NAME:
            return f"holds {char!r}, which no merchant's name does; write the plain name"
    words = words_of(name)
    if not words:
        return "holds no word; write the merchant's name"
    if len(words) > MOST_WORDS:
        return f"has {len(words)} words; write the name alone, in at most {MOST_WORDS}"
    if _ADDRESS.search(name):
        return "holds a link; write the name alone"
    if _SENTENCE.search(name):
        return "reads as a sentence; write the name alone"
    if len(words) >= MASKED_WORDS and name == name.lower() and name != name.upper():
        return "reads as words, not as a name; write it with its capitals"
    return None


def is_masked(name: str) -> bool:
    """Tell whether a name only the caller knows is short enough to be passed over where rules read words."""
    return len(words_of(name)) <= MASKED_WORDS and fault_of(name) is None
