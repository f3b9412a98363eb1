"""How long a prompt is in tokens, without asking a tokenizer: an estimate that errs on the long side."""

import re
from collections.abc import Mapping
from typing import Final

from tools.vocabulary import CopyMode

BUDGET: Final[Mapping[CopyMode, int]] = {"select": 500, "compose": 1500}
"""Tokens a drafting prompt may take."""

_PIECES: Final = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_|\n")
_LETTERS: Final = 7
"""Letters after which a word is counted as one token more: measured with the embedded model's tokenizer."""


def tokens(text: str) -> int:
    """Return about how many tokens a small model reads in the text, rather too many than too few."""
    return sum(1 + (len(piece) - 1) // _LETTERS for piece in _PIECES.findall(text))


def cut(text: str, room: int) -> str:
    """Return as many whole words of the text as fit into `room` tokens; nothing when that is no sentence's worth."""
    kept: list[str] = []
    for word in text.split():
        room -= tokens(word)
        if room < 0:
            break
        kept.append(word)
    return " ".join(kept) if len(kept) >= _LEAST_WORDS else ""


_LEAST_WORDS: Final = 8
