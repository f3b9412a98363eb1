"""Where a capitalised span stands: at the start of a sentence, in a title, in a list of names, after "at"."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from tools.grounding.tokens import Tokens, low

AT: Final = frozenset({"at", "@"})
LINKS: Final = frozenset({"at", "from", "with", "by", "via", "and", "or", "&", ",", "on", "to", "visit", "shop", "try"})
LISTING: Final = frozenset({",", "and", "or", "&", "."})
JOINERS: Final = frozenset({"&", "of", "the", "and", "de", "la", "'s", "-", "."})
_SHOUT = 0.6


@dataclass(frozen=True, slots=True)
class Name:
    """A span that reads as a merchant: `canonical` is its catalogue name, or empty when it has none."""

    canonical: str
    start: int
    end: int
    first: int
    last: int


def is_listed(tokens: Tokens, first: int, last: int, taken: Container[int]) -> bool:
    """Tell whether a span stands in one list with a known name: "Macy's, Gap and Nobu"."""
    before = first - 1
    while low(tokens, before) in LISTING:
        before -= 1
    after = last
    while low(tokens, after) in LISTING:
        after += 1
    sentence = tokens[first].sentence
    return any(
        at in taken and tokens[at].sentence == sentence
        for at, is_listed in ((before, before < first - 1), (after, after > last))
        if is_listed
    )


def starts_sentence(tokens: Tokens, index: int) -> bool:
    """Tell whether a token opens its sentence, quotation marks and brackets aside."""
    at = index - 1
    while at >= 0 and tokens[at].sentence == tokens[index].sentence and tokens[at].low in "\"'(":
        at -= 1
    return at < 0 or tokens[at].sentence != tokens[index].sentence or tokens[at].low == ":"


def is_title(tokens: Tokens, index: int, after: int, taken: Container[int] = ()) -> bool:
    """Tell a line in title case or capitals, where a capital says nothing, from the words around a span."""
    sentence = tokens[index].sentence
    first = last = index
    while first > 0 and tokens[first - 1].sentence == sentence and index - first < 12:
        first -= 1
    while last + 1 < len(tokens) and tokens[last + 1].sentence == sentence and last - index < 12:
        last += 1
    first += first == 0 or tokens[first - 1].sentence != sentence  # any sentence starts with a capital
    around = (tokens[at] for at in (*range(first, index), *range(after, last + 1)) if at not in taken)
    words = [token for token in around if token.kind == "word" and len(token.low) > 3]
    capitals = sum(token.text[0].isupper() for token in words)
    return bool(words) and capitals >= _SHOUT * len(words)
