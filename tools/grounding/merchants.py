"""Merchants named in a text: those of the catalogue and the offer, near misses, and whatever else reads as a name."""

import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.folding import fold
from tools.grounding.lexicon import COMMON, NAME_WORDS, ORDINARY_NAMES, PLACES, SUFFIXES, TERMS
from tools.grounding.tokens import Token, Tokens, low, tokens_of

_AT: Final = frozenset({"at", "@"})
_LINKS: Final = frozenset(
    {"at", "from", "with", "by", "via", "and", "or", "&", ",", "on", "to", "visit", "shop", "try"}
)
_NAMING: Final = frozenset({"with", "from", "via", "by", "on", "visit", "shop", "try"})
_JOINERS: Final = frozenset({"&", "of", "the", "and", "de", "la", "'s", "-", "."})
_KNOWN: Final = TERMS | COMMON | PLACES
_SKIPPED: Final = frozenset({".", "-", "+", "'", "!"})
_SHORTEST_NEAR_MISS = 5
_SHOUT = 0.6


@dataclass(frozen=True, slots=True)
class Name:
    """A span that reads as a merchant: `canonical` is its catalogue name, or empty when it has none."""

    canonical: str
    start: int
    end: int
    first: int
    last: int


_Index = dict[str, list[tuple[tuple[str, ...], str]]]


def key_of(name: str) -> tuple[str, ...]:
    """Return the words that spell a name: lower case, no accents, apostrophes or full stops, "&" as "and"."""
    return tuple(word for token in tokens_of(fold(name).text) if (word := _word(token)))


def _word(token: Token) -> str:
    return "and" if token.low == "&" else "" if token.low in _SKIPPED else token.low.replace("'", "")


class Gazetteer:
    """Finds catalogue names in tokens in one pass: an index by first word, longest name first."""

    def __init__(self, names: Mapping[str, Sequence[str]], issuer: str) -> None:
        self._by_first: _Index = {}
        self._misspelt: dict[str, str] = {}
        self._keys: set[str] = set()
        self.issuer = key_of(issuer)
        for canonical, aliases in names.items():
            for name in (canonical, *aliases):
                self._add(key_of(name), canonical)
        self._add(self.issuer, "")
        for row in self._by_first.values():
            row.sort(key=lambda entry: -len(entry[0]))

    def _add(self, key: tuple[str, ...], canonical: str) -> None:
        if not key:
            return
        self._by_first.setdefault(key[0], []).append((key, canonical))
        if key[0] == "the" and len(key) > 1:
            self._by_first.setdefault(key[1], []).append((key[1:], canonical))
        joined = "".join(key)
        self._keys.add(joined)
        if len(joined) >= _SHORTEST_NEAR_MISS:
            for cut in _cuts(joined):
                self._misspelt.setdefault(cut, canonical)

    def own(self, names: Iterable[str]) -> _Index:
        """Return an index of an offer's own merchants, under their catalogue names where the catalogue has them."""
        index: _Index = {}
        for name in names:
            key = key_of(name)
            for words in (key, key[1:]) if key[:1] == ("the",) else (key,):
                if words:
                    index.setdefault(words[0], []).append((words, self.canonical(name)))
        return index

    def names_in(self, tokens: Tokens, own: _Index) -> list[Name]:
        """Return the names in reading order; `own` indexes the offer's merchants, known for this text only."""
        found: list[Name] = []
        index = 0
        while index < len(tokens):
            word = tokens[index].low
            if "'" in word or word == "&":
                word = _word(tokens[index])
            best: Name | None = None
            if word not in self._by_first and word not in own:
                index += 1
                continue
            for rows, is_own in ((own.get(word, ()), True), (self._by_first.get(word, ()), False)):
                for key, canonical in rows:
                    last = _match(tokens, index, key)
                    if not last or (best is not None and last <= best.last):
                        continue
                    if (is_own and tokens[index].text[0].isupper()) or _is_name(tokens, index, last):
                        best = Name(canonical, tokens[index].start, tokens[last - 1].end, index, last)
            if best is not None:
                found.append(best)
            index = best.last if best else index + 1
        return found

    def canonical(self, name: str) -> str:
        """Return the catalogue's name for a name or alias, or the name itself when the catalogue lacks it."""
        key = key_of(name)
        return next((found for words, found in self._by_first.get(key[0], ()) if words == key), name) if key else name

    def near_miss(self, words: str) -> str | None:
        """Return the catalogue name that joined lower-case words miss by one letter, if any."""
        if len(words) < _SHORTEST_NEAR_MISS or words in self._keys:
            return None
        return next((self._misspelt[cut] for cut in (words, *_cuts(words)) if cut in self._misspelt), None)


def _cuts(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))} | {word}


def _match(tokens: Tokens, index: int, key: tuple[str, ...]) -> int:
    """Return the index after the tokens that spell a key, or 0."""
    at = index
    for word in key:
        while at > index and low(tokens, at) in _SKIPPED and tokens[at].glued:
            at += 1
        if at >= len(tokens) or tokens[at].sentence != tokens[index].sentence:
            return 0
        found = _word(tokens[at])
        if found != word and found.removesuffix("s") != word:
            return 0
        if found != word and not tokens[at].low.endswith("'s"):
            return 0
        at += 1
    return at + (low(tokens, at) in ("+", "'") and tokens[at].glued and key[-1] not in ("plus",))


def _is_name(tokens: Tokens, first: int, last: int) -> bool:
    """Tell "at Target" from "target", "the best buy" and a headline's "Budget Smart"."""
    words = [token for token in tokens[first:last] if token.kind == "word"]
    before = low(tokens, first - 1)
    ordinary = all(token.low in COMMON or token.low in ORDINARY_NAMES or len(token.low) < 3 for token in words)
    capital = all(token.text[0].isupper() for token in words if token.low not in ("the", "and", "of"))
    if not ordinary:
        return capital or len(words) == 1 or before in _LINKS
    if not capital:
        return before in _AT and len(words) > 1
    title = _is_title(tokens, first, last)
    if len(words) > 1 and not title:
        return True
    if title or _starts(tokens, first):
        following = low(tokens, last)
        before = low(tokens, first - 2) if before == "the" else before
        return before in _LINKS - {"to", "and", ",", "by"} or (len(words) > 1 and before != "the") or following == "'s"
    return True


def _starts(tokens: Tokens, index: int) -> bool:
    at = index - 1
    while at >= 0 and tokens[at].sentence == tokens[index].sentence and tokens[at].low in "\"'(":
        at -= 1
    return at < 0 or tokens[at].sentence != tokens[index].sentence or tokens[at].low == ":"


def _is_title(tokens: Tokens, index: int, after: int, taken: Container[int] = ()) -> bool:
    """Tell a line in title case or capitals, where a capital says nothing, from the words around a span."""
    sentence = tokens[index].sentence
    first = last = index
    while first > 0 and tokens[first - 1].sentence == sentence and index - first < 12:
        first -= 1
    while last + 1 < len(tokens) and tokens[last + 1].sentence == sentence and last - index < 12:
        last += 1
    around = (tokens[at] for at in (*range(first, index), *range(after, last + 1)) if at not in taken)
    words = [token for token in around if token.kind == "word" and len(token.low) > 3]
    capitals = sum(token.text[0].isupper() for token in words)
    return bool(words) and capitals >= _SHOUT * len(words)


def suspects_in(tokens: Tokens, known: Sequence[Name], gazetteer: Gazetteer) -> list[Name]:
    """Return capitalised spans that read as a merchant nobody knows, outside the known names."""
    taken = {at for name in known for at in range(name.first, name.last)}
    lower = {token.low for token in tokens if token.kind == "word" and token.text[0].islower()}
    found: list[Name] = []
    index = 0
    while index < len(tokens):
        if index in taken or not _is_capital(tokens[index]):
            index += 1
            continue
        last = index + 1
        while last < len(tokens) and last not in taken and tokens[last].sentence == tokens[index].sentence:
            if _is_capital(tokens[last]):
                last += 1
            elif low(tokens, last) in _JOINERS and last + 1 < len(tokens) and _is_capital(tokens[last + 1]):
                if last + 1 in taken or tokens[last + 1].sentence != tokens[last].sentence:
                    break
                if tokens[last].low in ("and", ".") and not tokens[last].glued:
                    break
                last += 2
            else:
                break
        span = _suspect(tokens, index, last, lower, gazetteer, taken)
        if span is not None:
            found.append(span)
        index = last
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
    title, starts = _is_title(tokens, first, last, taken), _starts(tokens, first)
    before = low(tokens, first - 1)
    if title and before not in _LINKS:
        for at in range(first, last):
            if low(tokens, at) in _AT and at + 1 < last:
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
        linked = before in _AT or first - 1 in taken or (before in (",", "and", "or", "&") and first - 2 in taken)
        linked = linked or (last < len(tokens) and low(tokens, last) in ("and", "or", "&") and last + 1 in taken)
        if title:
            suspect = linked and (first - 1 not in taken) and words[0] in unknown
        elif starts:
            suspect = len(words) > 1 and words[1] in unknown
        else:
            suspect = linked or len(words) > 1 or before in _NAMING
    if not suspect:
        return None
    return Name("", tokens[first].start, tokens[last - 1].end, first, last)


def _joined(words: Sequence[Token]) -> str:
    return "".join(token.low.replace("'", "") for token in words)


def _is_camel(token: Token) -> bool:
    text = token.text
    return not text.isupper() and any(char.isupper() for char in text[2:]) and "'" not in text


def is_disguised(quote: str, canonical: str) -> bool:
    """Tell whether the original spelling of a matched name uses letters that only look like the name's own."""
    own = {char for char in unicodedata.normalize("NFC", canonical).casefold() if char.isalnum()}
    spelt = unicodedata.normalize("NFC", quote).casefold()
    return any(not char.isascii() and char.isalnum() and char not in own for char in spelt) or any(
        unicodedata.category(char) == "Cf" for char in quote
    )
