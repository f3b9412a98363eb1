"""Where a sentence of folded, masked text ends: what excuses a claim reaches no further."""

import re
from typing import Final

SENTENCE_END: Final = re.compile(r"[.!?]+[\"')\]]*[^\S\x1c-\x1f]+|\n+")
"""Behind the space the next sentence begins: with a masked name, too, whose signs Python counts as space."""
_OPENING: Final = re.compile(r"(?:[.!?;:,\"')\]]|[^\S\x1c-\x1f])*")
_CLOSING: Final = frozenset(".!?\"')] \t\r\n")


def words_within(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a match without the marks and space around its words.

    An expression may begin with the end of the sentence before, to say that a clause begins; that one is not meant.
    """
    opening = _OPENING.match(text, start, end)
    first = opening.end() if opening is not None else start
    if first == end:
        return start, end
    while text[end - 1] in _CLOSING:
        end -= 1
    return first, end


def before(text: str, at: int, reach: int) -> str:
    """Return at most so many characters before an offset, of the same sentence."""
    near = text[max(0, at - reach) : at]
    ends = [stop.end() for stop in SENTENCE_END.finditer(near)]
    return near[ends[-1] :] if ends else near


def behind(text: str, at: int, reach: int) -> str:
    """Return at most so many characters behind an offset, of the same sentence."""
    near = text[at : at + reach + 1]
    stop = SENTENCE_END.search(near)
    return near[:reach] if stop is None else near[: stop.start()]
