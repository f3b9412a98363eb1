"""The parts of a draft, and which of them a violation opens for the next one. Everything else stays as it is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from tools.report import Violation
from tools.vocabulary import COPY_FIELDS

Part = Literal["option_id", "merchant_ids", "subject", "preheader", "headline", "body", "cta"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)

OPENS: Final[Mapping[str, tuple[Part, ...]]] = {
    **{field: (field,) for field in COPY_FIELDS},
    # The body states an option's conditions, so another option needs another body.
    "option_id": ("option_id", "body"),
    "offer": ("option_id", "body"),
    "terms": ("option_id", "body"),
    "merchant_ids": ("merchant_ids",),
    "offer.merchants": ("merchant_ids",),
    "offer.merchant_ids": ("merchant_ids",),
}
"""What a violation opens, by its field: `offer` stands for every fact `offer.x` that has no row of its own. The legal
text (`terms`) is written by code from the option, so only another option changes it."""

UNPLACED: Final[tuple[Part, ...]] = ("body",)
"""What a violation opens that names no field: something is missing, and conditions are stated in the body."""


def opened(violations: Iterable[Violation]) -> frozenset[Part]:
    """Return the parts the next draft may change.

    A clause found in the copy opens the fields it was found in; what it read of the offer beside them stays.
    """
    fields: dict[tuple[str, str], set[str]] = defaultdict(set)
    for violation in violations:
        fields[violation.policy_id, violation.clause_id].add(violation.field)
    return frozenset(part for found in fields.values() for part in _opened_by(found))


def _opened_by(fields: set[str]) -> Iterable[Part]:
    return [
        part
        for field in fields & set(COPY_FIELDS) or fields
        for part in OPENS.get(field) or OPENS.get(_root(field), UNPLACED)
    ]


def _root(field: str) -> str:
    return field.partition(".")[0]
