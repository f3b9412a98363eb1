"""Names that nobody knows: capitalised spans that read as a merchant's."""

from collections.abc import Sequence
from typing import Final

from tools.grounding.lexicon import COMMON, NAME_WORDS, PLACES, SUFFIXES, TERMS
from tools.grounding.merchants import Gazetteer
from tools.grounding.standing import AT, JOINERS, LINKS, Name, is_listed, is_title, starts_sentence
from tools.grounding.tokens import Token, Tokens, low

_NAMING: Final = frozenset({"with", "from", "via", "by", "on", "visit", "shop", "try"})
_SHOPS: Final = frozenset({"store", "shop", "restaurant", "hotel", "location", "outlet", "cafe", "branch", "site"})
_ROUTE: Final = frozenset({"to", "-", "via"})
_KNOWN: Final = TERMS | COMMON | PLACES


def suspects_in(tokens: Tokens, known: Sequence[Name], gazetteer: Gazetteer) -> list[Name]:
    """Return capitalised spans that read as a merchant nobody knows, outside the known names."""
    taken = {at for name in known for at in range(name.first, name.last)}
    lower = {token[1] for token in tokens if token[0][0].islower()}
    found: list[Name] = []
    behind = 0
    for index in [at for at, token in enumerate(tokens) if token[0][0].isupper()]:
        if index < behind or index in taken:
            continue
        last = index + 1
        while last < len(tokens) and last not in taken and tokens[last].sentence == tokens[index].sentence:
            if _is_capital(tokens[last]):
                last += 1
            elif low(tokens, last) in JOINERS and last + 1 < len(tokens) and _is_capital(tokens[last + 1]):
                if last + 1 in taken or tokens[last + 1].sentence != tokens[last].sentence:
                    break
                if tokens[last].low in ("and", ".") and not tokens[last].glued:
                    break
                last += 2
            else:
                break
        behind = last
        words = [token for token in tokens[index:last] if token[4] == "word"]
        if all(token[1] in _KNOWN or _is_known(token, lower) for token in words) and not any(map(_is_camel, words)):
            continue
        span = _suspect(tokens, index, last, lower, gazetteer, taken)
        if span is not None:
            found.append(span)
        if span is not None or not (_is_all(tokens, index, last) or is_title(tokens, index, last, taken)):
            taken.update(range(index, last))  # a stranger vouches for the names listed with it
    return found


def _is_capital(token: Token) -> bool:
    return token.kind == "word" and token.text[0].isupper()


def _is_known(token: Token, lower: set[str]) -> bool:
    word = token.low.removesuffix("'s")
    return (
        word in _KNOWN or token.low in _KNOWN or word in lower or len(word) == 1
        or (len(word) > 5 and word.endswith(SUFFIXES))
        or (word.endswith("s") and (word[:-1] in _KNOWN or word[:-1] in lower))
    )  # fmt: skip


def _suspect(
    tokens: Tokens, first: int, last: int, lower: set[str], gazetteer: Gazetteer, taken: set[int]
) -> Name | None:
    if all(_is_known(token, lower) and not _is_camel(token) for token in tokens[first:last] if token.kind == "word"):
        return None
    starts = starts_sentence(tokens, first)
    title = is_title(tokens, first, last, taken) or (last - first > 1 and _is_all(tokens, first, last))
    before = low(tokens, first - 1)
    if title and before not in LINKS:
        for at in range(first, last):
            if low(tokens, at) in AT and at + 1 < last:
                return _suspect(tokens, at + 1, last, lower, gazetteer, taken)
    words = [token for token in tokens[first:last] if token.kind == "word"]
    while starts and not title and words and words[0].low in COMMON | TERMS and len(words) > 1:
        first = first + 1
        words = [token for token in tokens[first:last] if token.kind == "word"]
        starts = False
    before = low(tokens, first - 1)
    unknown = [token for token in words if not _is_known(token, lower)]
    near = any(gazetteer.near_miss(_joined(part)) for part in (words, unknown))
    named = any(token.low in NAME_WORDS for token in words[1:]) and not _is_known(words[0], lower)
    camel = any(_is_camel(token) for token in words)
    suspect = near or camel or (named and bool(unknown))
    if not suspect and unknown:
        linked = before in AT or first - 1 in taken or is_listed(tokens, first, last, taken)
        if title:
            suspect = linked and (first - 1 not in taken) and words[0] in unknown
        elif starts:
            suspect = words[0] in unknown and any(token.low not in TERMS for token in words[1:])
            suspect = suspect or any(token in unknown for token in words[1:])
        else:
            route = before == "from" and low(tokens, last) == "to"  # "from Napa to New York"
            suspect = linked or len(words) > 1 or (before in _NAMING and not route)
    a_thing = before in ("a", "an") and low(tokens, last) not in _SHOPS
    if not suspect or a_thing or _is_route(tokens, first, last):
        return None
    return Name("", tokens[first].start, tokens[last - 1].end, first, last)


def _is_route(tokens: Tokens, first: int, last: int) -> bool:
    """Tell "JFK to SFO": two codes of airports, which name no seller."""
    if last - first != 1 or not _is_code(tokens, first):
        return False
    onward = low(tokens, last) in _ROUTE and _is_code(tokens, last + 1)
    return onward or (low(tokens, first - 1) in _ROUTE and _is_code(tokens, first - 2))


def _is_code(tokens: Tokens, index: int) -> bool:
    return 0 <= index < len(tokens) and len(tokens[index].text) == 3 and tokens[index].text.isupper()


def _is_all(tokens: Tokens, first: int, last: int) -> bool:
    """Tell whether a span is its sentence, marks aside: all of a line in capitals is a headline, not one name."""
    if not starts_sentence(tokens, first):
        return False
    sentence = tokens[first].sentence
    while last < len(tokens) and tokens[last].kind == "sign" and tokens[last].sentence == sentence:
        last += 1
    return last == len(tokens) or tokens[last].sentence != sentence


def _joined(words: Sequence[Token]) -> str:
    return "".join(token.low.replace("'", "") for token in words)


def _is_camel(token: Token) -> bool:
    text = token.text
    return not text.removesuffix("s").isupper() and any(char.isupper() for char in text[2:]) and "'" not in text
