"""Merchants of the catalogue and of the offer, found in a text by name, alias and one-letter misspelling."""

import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

from tools.folding import fold
from tools.grounding.lexicon import COMMON, ORDINARY_NAMES
from tools.grounding.standing import AT, JOINERS, LINKS, LISTING, Name, is_listed, is_title, starts_sentence
from tools.grounding.tokens import Token, Tokens, listed, low, tokens_of

_AFTER_NAME: Final = frozenset(listed("and or too also with for on to now today when through by as but while"))
_SUCH_AS: Final = frozenset({"like", "as", "including", "especially"})
_SELLERS: Final = frozenset(
    listed(
        "airline airlines store stores shop shops hotel hotels brand brands retailer retailers restaurant restaurants "
        "merchant merchants partner partners carrier carriers chain chains name names place places company companies "
        "such"
    )
)
"""Nouns whose examples are names: "airlines like united"."""
_TOLD: Final = AT | {"from", "with", "via"}
"""Words that only a place to buy follows: behind them an offer's own merchant needs no capitals."""
_SKIPPED: Final = frozenset({".", "-", "+", "'", "!"})
_SHORTEST_NEAR_MISS, _LONGEST_NEAR_MISS = 5, 40
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
        sure: list[Name] = []
        unsure: list[Name] = []
        first, behind = self._by_first, 0
        for index in [
            at
            for at, word in enumerate([token[1] for token in tokens])
            if word in first or word in own or "'" in word or word == "&"
        ]:
            if index < behind:
                continue
            word = tokens[index].low
            if "'" in word or word == "&":
                word = _word(tokens[index])
            name: Name | None = None
            if word in own and (not tokens[index].text[0].islower() or low(tokens, index - 1) in _TOLD):
                name = _longest(tokens, index, own[word])
            elsewhere = _longest(tokens, index, self._by_first[word]) if word in self._by_first else None
            if elsewhere is not None and (name is None or elsewhere.last > name.last):
                ordinary = _is_ordinary(tokens, elsewhere)
                (unsure if ordinary else sure).append(elsewhere)
                behind = behind if ordinary else elsewhere.last
            elif name:
                sure.append(name)
                behind = name.last
        taken = {at for name in sure for at in range(name.first, name.last)}
        for name in unsure:
            if name.first not in taken and _is_name(tokens, name.first, name.last, taken):
                sure.append(name)
                taken.update(range(name.first, name.last))
        return sorted((name for name in sure if _is_spelt_as_name(tokens, name)), key=lambda name: name.start)

    def canonical(self, name: str) -> str:
        """Return the catalogue's name for a name or alias, or the name itself when the catalogue lacks it."""
        key = key_of(name)
        return next((found for words, found in self._by_first.get(key[0], ()) if words == key), name) if key else name

    def near_miss(self, words: str) -> str | None:
        """Return the catalogue name that joined lower-case words miss by one letter, if any."""
        if not _SHORTEST_NEAR_MISS <= len(words) <= _LONGEST_NEAR_MISS or words in self._keys:
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


def _longest(tokens: Tokens, index: int, rows: Sequence[tuple[tuple[str, ...], str]]) -> Name | None:
    last, canonical = max(((_match(tokens, index, key), canonical) for key, canonical in rows), default=(0, ""))
    return Name(canonical, tokens[index].start, tokens[last - 1].end, index, last) if last else None


def _is_ordinary(tokens: Tokens, name: Name) -> bool:
    """Tell a name made of words of English ("Target", "Best Buy"), which may be no name where it stands."""
    words = [token for token in tokens[name.first : name.last] if token.kind == "word"]
    return all(token.low in COMMON or token.low in ORDINARY_NAMES or len(token.low) < 3 for token in words)


def _is_spelt_as_name(tokens: Tokens, name: Name) -> bool:
    """Tell a name by its capitals; one that is no English word at all needs none."""
    words = [token for token in tokens[name.first : name.last] if token.kind == "word" and token.low not in JOINERS]
    capital = all(token.text[0].isupper() for token in words)
    return capital or len(words) == 1 or low(tokens, name.first - 1) in LINKS


def _is_name(tokens: Tokens, first: int, last: int, taken: Container[int]) -> bool:
    """Tell "at Target" from "target", "the best buy" and a headline's "Budget Smart"."""
    words = [token for token in tokens[first:last] if token.kind == "word"]
    before = low(tokens, first - 1)
    if not all(token.text[0].isupper() for token in words if token.low not in JOINERS):
        return _is_lower_case_name(tokens, first, last, taken)
    if is_listed(tokens, first, last, taken):
        return True
    title = is_title(tokens, first, last, taken)
    if len(words) > 1 and not title:
        return True
    if title or starts_sentence(tokens, first):
        before = low(tokens, first - 2) if before == "the" else before
        named = before in LINKS - {"to", "and", ",", "by"} or low(tokens, last) == "'s"
        return named or (len(words) > 1 and low(tokens, first - 1) != "the")
    return True


def _is_lower_case_name(tokens: Tokens, first: int, last: int, taken: Container[int]) -> bool:
    """Tell "at target", "airlines like united and delta" and "at home depot" from "at target prices"."""
    before = low(tokens, first - 1)
    if last - first > 1 and before in AT:
        return True
    if (
        last < len(tokens)
        and low(tokens, last) not in _AFTER_NAME
        and (tokens[last].kind == "word" or tokens[last].text == "-")
    ):
        return False
    follows = is_listed(tokens, first, last, taken) and before in LISTING and first - 2 in taken
    like = before in _SUCH_AS and any(low(tokens, first - step) in _SELLERS for step in (2, 3))
    return before in AT or follows or like


def is_disguised(quote: str, canonical: str) -> bool:
    """Tell whether the original spelling of a matched name uses letters that only look like the name's own."""
    own = {char for char in unicodedata.normalize("NFC", canonical).casefold() if char.isalnum()}
    spelt = unicodedata.normalize("NFC", quote).casefold()
    return any(not char.isascii() and char.isalnum() and char not in own for char in spelt) or any(
        unicodedata.category(char) == "Cf" for char in quote
    )
