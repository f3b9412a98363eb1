"""One reading of a text, shared by all detectors: tokens, names, dates and role-bound quantities, with offsets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache

from tools.folding import Folded, fold
from tools.grounding.date_roles import DateMention
from tools.grounding.dates import dates_of
from tools.grounding.measures import Quantity
from tools.grounding.merchants import Gazetteer
from tools.grounding.quantities import quantities_of
from tools.grounding.roles import Role, roles_of
from tools.grounding.standing import Name
from tools.grounding.suspects import suspects_in
from tools.grounding.tokens import Tokens, beside, tokens_of
from tools.merchant_names import fault_of
from tools.report import Evidence

_DRAFTS = 80
_KEPT = 6 * _DRAFTS
"""Texts whose reading is remembered: the six fields of so many drafts."""


@dataclass(frozen=True)
class Reading:
    """What a text says, before anyone asks whether the offer supports it."""

    folded: Folded
    tokens: Tokens
    names: tuple[Name, ...]
    suspects: tuple[Name, ...]
    dates: tuple[DateMention, ...]
    quantities: tuple[Quantity, ...]
    roles: tuple[frozenset[Role], ...]

    @cached_property
    def words(self) -> Mapping[int, frozenset[str]]:
        """The words of each sentence; looking through the text for each number would cost its square."""
        found: dict[int, set[str]] = {}
        for token in self.tokens:
            found.setdefault(token.sentence, set()).add(token.low)
        return {sentence: frozenset(words) for sentence, words in found.items()}

    @cached_property
    def counted(self) -> Mapping[int, frozenset[Decimal]]:
        """The bare numbers of each sentence."""
        found: dict[int, set[Decimal]] = {}
        for quantity in self.quantities:
            if quantity.unit == "count":
                found.setdefault(self.tokens[quantity.first].sentence, set()).add(quantity.value)
        return {sentence: frozenset(values) for sentence, values in found.items()}

    @cached_property
    def units(self) -> frozenset[str]:
        """The units of all quantities."""
        return frozenset(quantity.unit for quantity in self.quantities)

    def words_beside(self, quantity: Quantity) -> frozenset[str]:
        """Return the words of a quantity's sentence."""
        return self.words[self.tokens[quantity.first].sentence]

    def beside(self, quantity: Quantity, index: int) -> str:
        """Return the lower-case token at an index; an empty string where the quantity's sentence has none."""
        return beside(self.tokens, index, quantity.first)

    def quote(self, start: int, end: int) -> str:
        """Return a span of the folded text as the original one has it."""
        first, last = self.folded.span(start, end)
        return self.folded.original[first:last]

    def evidence(self, field: str, start: int, end: int) -> Evidence:
        """Return a span of the folded text as evidence in the original one."""
        first, last = self.folded.span(start, end)
        return Evidence(field=field, quote=self.folded.original[first:last], start=first, end=last)


class Reader:
    """Reads texts with one catalogue, and remembers what it read: detectors of one draft read each field once."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer
        self.read = lru_cache(maxsize=_KEPT)(self._read)
        self._own = lru_cache(maxsize=_KEPT)(gazetteer.own)

    def own_merchants(self, names: tuple[str, ...]) -> frozenset[str]:
        """Return the catalogue names of an offer's merchants."""
        return frozenset(canonical for rows in self._own(names).values() for _, canonical in rows)

    def _read(self, text: str, own_names: tuple[str, ...]) -> Reading:
        folded = fold(text)
        tokens, dates, quantities = statements_of(folded.text)
        roles = roles_in(folded.text)
        names = self.gazetteer.names_in(tokens, self._own(own_names))
        named = {at for name in names for at in range(name.first, name.last)}
        if not named.isdisjoint(_indexes(dates) | _indexes(quantities)):
            dates = tuple(mention for mention in dates if mention.first not in named)
            quantities = tuple(quantities_of(tokens, named | _indexes(dates)))
            roles = _roles(tokens, quantities)
        suspects = tuple(suspects_in(tokens, names, self.gazetteer))
        return Reading(folded, tokens, tuple(names), suspects, dates, quantities, roles)


@lru_cache(maxsize=_KEPT)
def statements_of(text: str) -> tuple[Tokens, tuple[DateMention, ...], tuple[Quantity, ...]]:
    """Return the tokens, dates and quantities of a folded text, no names known."""
    tokens = tokens_of(text)
    dates = tuple(dates_of(tokens))
    return tokens, dates, tuple(quantities_of(tokens, _indexes(dates)))


@lru_cache(maxsize=_KEPT)
def roles_in(text: str) -> tuple[frozenset[Role], ...]:
    """Return the roles of the quantities of a folded text, no names known."""
    tokens, _, quantities = statements_of(text)
    return _roles(tokens, quantities)


def _roles(tokens: Tokens, quantities: Sequence[Quantity]) -> tuple[frozenset[Role], ...]:
    return tuple(roles_of(tokens, quantities, at) for at in range(len(quantities)))


def _indexes(found: Sequence[DateMention | Quantity]) -> set[int]:
    return {at for each in found for at in range(each.first, each.last)}


def merchant_names(offer: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the offer's merchants."""
    merchants = offer.get("merchants")
    listed = merchants if isinstance(merchants, list | tuple) else ()
    return tuple(name for name in listed if isinstance(name, str) and name)


def own_names(offer: Mapping[str, object]) -> tuple[str, ...]:
    """Return the offer's merchants and the name of its add-on as a key for reading."""
    addon = offer.get("addon_name")
    if isinstance(addon, str) and fault_of(addon) is None:  # more than a name would license what it says
        return (*merchant_names(offer), addon)
    return merchant_names(offer)
