"""Claims: what copy may only say under conditions that patterns can't express, such as a rate beside its end."""

from types import MappingProxyType

from tools.claims import (
    credit,
    eligibility,
    endorsements,
    fairness,
    fine_print,
    fulfillment,
    layout,
    people,
    plain_words,
    profile,
    promises,
    rewards,
    senders,
    urgency,
    value,
    watching,
)
from tools.claims.eligibility import Regions
from tools.grounding.checks import Checks
from tools.subject import Detector

__all__ = ["claim_detectors"]

_MODULES = (
    credit,
    endorsements,
    fairness,
    fine_print,
    fulfillment,
    layout,
    people,
    plain_words,
    profile,
    promises,
    rewards,
    senders,
    urgency,
    value,
    watching,
)


def claim_detectors(checks: Checks, *, regions: Regions = MappingProxyType({})) -> tuple[Detector, ...]:
    """Return the detectors of claims; they share one reading of each text with those of grounding.

    `regions` names the regions of each merchant of the catalogue that doesn't serve all of them. Without it
    no merchant is known to be regional.
    """
    found = (detector for module in _MODULES for detector in module.detectors(checks))
    return (*found, *eligibility.detectors(checks, regions))
