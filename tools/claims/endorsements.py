"""Whose names stand in copy: contracted partners only. Lanham Act, 15 USC 1125(a)."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from tools.grounding.checks import Checks
from tools.grounding.standing import AT, is_listed
from tools.grounding.tokens import low
from tools.report import Evidence
from tools.subject import Detector, Subject

_SOLD_AT: Final = AT | {"from", "with"}


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of names of merchants that aren't partners of the offer."""
    return (Detector("partners_only", ("terms", "copy"), partial(_partners_only, checks)),)


def _partners_only(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find merchants of the catalogue that the offer is not for, and unknown names where a partner would stand.

    Any other name nobody knows is grounding's to find: here it may as well be a dish or a holiday.
    """
    own = checks.own(subject)
    found: list[Evidence] = []
    for field, reading in checks.readings(subject):
        foreign = [name for name in reading.names if name.canonical and name.canonical not in own]
        known = {at for name in reading.names if name.canonical for at in range(name.first, name.last)}
        placed = [
            name
            for name in reading.suspects
            if low(reading.tokens, name.first - 1) in _SOLD_AT
            or is_listed(reading.tokens, name.first, name.last, known)
        ]
        found += [reading.evidence(field, name.start, name.end) for name in (*foreign, *placed)]
    return found
