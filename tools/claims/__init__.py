"""Claims: what copy may only say under conditions that patterns can't express, such as a rate beside its end."""

from tools.claims import credit, fairness, people, promises
from tools.grounding.checks import Checks
from tools.subject import Detector

__all__ = ["claim_detectors"]


def claim_detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of claims; they share one reading of each text with those of grounding."""
    return tuple(detector for module in (credit, fairness, people, promises) for detector in module.detectors(checks))
