"""Claims of price, cost, trials and what is free."""

from tools.claims import addons, costs, free, maximums, trials
from tools.grounding.checks import Checks
from tools.subject import Detector

_MODULES = (free, costs, addons, trials, maximums)


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of this kind of claim."""
    return tuple(detector for module in _MODULES for detector in module.detectors(checks))
