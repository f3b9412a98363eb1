"""Whether an offer supports what a text says: its terms, the card's own fee, and the few numbers that are no term."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from tools.grounding.lexicon import COMMON, TERMS
from tools.grounding.measures import Quantity
from tools.grounding.reading import Reading, statements_of
from tools.grounding.roles import Role
from tools.grounding.support import Support, amount, support_of
from tools.grounding.tokens import listed
from tools.snapshot import once_for_terms
from tools.subject import Subject

_FREE_TEXT: Final = ("reward_note", "exclusions", "eligibility_excludes", "addon_name")
_TABLE: Final = 12
"""The most people one dines or travels with."""
_PARTIES: Final = {
    "of": frozenset({"family", "party", "group", "table", "crew", "team", "squad"}),
    "for": frozenset(
        {"dinner", "lunch", "brunch", "breakfast", "supper", "table", "seats", "reservation", "booth", "room"}
    ),
}
_EFFORT: Final = 15
"""Minutes that a tap or a break takes."""
_AT_MOST: Final = frozenset({"at", "max", "maximum", "tops", "total", "in"})
_LIMITS: Final = frozenset({"to", "limit", "cap", "capped", "maximum", "most", "than", "reach", "stop", "stops"})
_LETTERS: Final = 2
_FEW: Final = 10
_PAIR: Final = 2
_COUNTING: Final = frozenset(
    listed("percent times points dollars bucks days weeks months years hours more for of off and per each every free")
)
_CLAIMING: Final = frozenset(
    listed(
        """
        earn get gets save to worth minimum spend least most than for per only first last up extra every all over cap
        limit total of in within x
        """
    )
)
_SUMS: Final = frozenset({"add", "combine", "combined", "split", "together"})
_DENIALS: Final = frozenset({"not", "don't", "cannot", "can't", "never", "no", "may"})
_ANY_FEE: Final = frozenset({"fee", "fees"})
_CREDIT: Final = frozenset({"apr", "aprs", "interest", "rate", "payments", "payment", "plan", "pay", "financing"})
_MORE: Final = frozenset({"more", "extra", "additional"})
_FEES: Final = frozenset({"fee", "fees", "transfer", "transfers", "transferred", "advance", "advances"})


def support_for(subject: Subject) -> Support:
    """Return what the subject's offer supports on its day of sending."""
    return once_for_terms(subject, "support", lambda: _support(subject.offer, subject.send_date))


def _support(offer: Mapping[str, object], sent: date) -> Support:
    notes: list[Quantity] = []
    for name in _FREE_TEXT:
        value = offer.get(name)
        for text in value if isinstance(value, list | tuple) else (value,):
            notes += statements_of(text)[2] if isinstance(text, str) else ()
    later = offer.get("go_to_apr")
    return support_of(offer, sent, notes=notes, later=statements_of(later)[2] if isinstance(later, str) else ())


def is_supported(
    quantity: Quantity, roles: frozenset[Role], support: Support, subject: Subject, reading: Reading
) -> bool:
    """Tell whether the offer, the card's own fee or a fixed phrase supports a quantity in its role."""
    if support.has(quantity, roles):
        return True
    if quantity.unit == "money" and (
        roles & {"fee", "yearly"} or (not roles and _speaks_of(reading, quantity, _ANY_FEE))
    ):
        return quantity.value == amount(subject.member.get("annual_fee"))
    if quantity.unit == "percent" and quantity.edge and quantity.value in support.of("percent", "apr"):
        return True  # an end of a range of rates, too far from "APR" for a role of its own
    if quantity.unit == "months" and quantity.value in support.of("months", "period"):
        return _speaks_of(reading, quantity, _CREDIT)
    if quantity.unit == "count":
        return (
            _is_sum(reading, quantity)
            # Copy of our own offers is a model's: there, no number but the offer's.
            or (
                "merchant_ids" not in subject.offer
                and (_is_label(reading, quantity) or _is_of_things(reading, quantity))
            )
            or _is_card_ending(reading, quantity)
            or _is_party(reading, quantity)
            or _is_points_at_most(reading, quantity, support)
        )
    if quantity.unit == "hours":
        return _is_effort(reading, quantity)
    wider = roles_in_sentence(reading, quantity, support)
    return bool(wider) and support.has(quantity, wider)


def roles_in_sentence(reading: Reading, quantity: Quantity, support: Support) -> frozenset[Role]:
    """Return the roles that its sentence gives a quantity beside its own: a fee's least, the total of several."""
    roles: set[Role] = {"fee"} if reading.words_beside(quantity) & _FEES else set()
    times = support.of("count", "redemptions") - {Decimal(1)}
    if times & reading.counted.get(reading.tokens[quantity.first].sentence, frozenset()):
        roles |= {"reward_total", "spend_total"}
    return frozenset(roles)


def _speaks_of(reading: Reading, quantity: Quantity, words: frozenset[str]) -> bool:
    return not words.isdisjoint(reading.words_beside(quantity))


def _is_points_at_most(reading: Reading, quantity: Quantity, support: Support) -> bool:
    """Tell "3X points, up to 1,200" and "usually 1, so that is 2 more": a bare number in a text that counts points."""
    if quantity.noun or reading.units.isdisjoint(("points", "multiplier")):
        return False
    behind = reading.beside(quantity, quantity.last)
    before = {reading.beside(quantity, quantity.first - step) for step in (1, 2, 3)}
    if behind in _MORE or before & _MORE:
        return quantity.value in support.of("multiplier", "extra")
    return bool(behind in _AT_MOST or before & _LIMITS) and quantity.value in support.of("points", "reward_cap")


def _is_label(reading: Reading, quantity: Quantity) -> bool:
    """Tell "Route 66", "501 jeans by Levi's 501" and "EOS R6": a number that is part of a name counts nothing."""
    if quantity.noun or quantity.first == 0 or not reading.tokens[quantity.first].text.isdecimal():
        return False
    before = reading.tokens[quantity.first - 1]
    word = before.low.removesuffix("'s")
    glued = reading.tokens[quantity.first].glued and before.text.isalpha()
    named = before.kind == "word" and before.text[0].isupper() and word not in COMMON | TERMS
    return (glued and before.text.isupper() and len(before.text) <= _LETTERS) or (named and len(word) > 1)


def _is_of_things(reading: Reading, quantity: Quantity) -> bool:
    """Tell "two wheels" and "a suit or two": a small number in words, of things no offer counts, claims nothing."""
    words = reading.folded.text[quantity.start : quantity.end]
    if quantity.noun or quantity.value > _FEW or not words.split()[0].isalpha():
        return False
    before = [reading.beside(quantity, quantity.first - step) for step in (1, 2)]
    if before[0] == "or" and quantity.value == _PAIR:
        return True
    behind = reading.beside(quantity, quantity.last)
    return (
        behind.isalpha() and len(behind) > _LETTERS and behind not in _COUNTING and not _CLAIMING.intersection(before)
    )


def _is_sum(reading: Reading, quantity: Quantity) -> bool:
    """Tell "two smaller orders do not add up", which says how a minimum is reached and not how often one is paid."""
    words = reading.words_beside(quantity)
    return quantity.value <= _TABLE and not _SUMS.isdisjoint(words) and not _DENIALS.isdisjoint(words)


def _is_party(reading: Reading, quantity: Quantity) -> bool:
    """Tell "a family of four" and "dinner for six", which count people at a table."""
    link, head = reading.beside(quantity, quantity.first - 1), reading.beside(quantity, quantity.first - 2)
    return quantity.value <= _TABLE and not quantity.noun and head in _PARTIES.get(link, ())


def _is_effort(reading: Reading, quantity: Quantity) -> bool:
    """Tell "it takes two minutes" and "a five-minute break", which are no term of an offer."""
    words = reading.folded.text[quantity.start : quantity.end].lower()
    before = [reading.beside(quantity, quantity.first - step) for step in (1, 2, 3)]
    return quantity.value * 60 <= _EFFORT and "min" in words and ("-" in words or "takes" in before or "took" in before)


def _is_card_ending(reading: Reading, quantity: Quantity) -> bool:
    """Tell "Card ending in 8431", which the renderer adds."""
    words = [reading.beside(quantity, quantity.first - step) for step in (3, 2, 1)]
    digits = quantity.end - quantity.start
    return words[1:] == ["ending", "in"] and words[0] in ("card", "account") and digits in (4, 5)
