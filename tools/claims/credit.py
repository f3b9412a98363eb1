"""Claims about rates, fees, interest and payments."""

from tools.claims import credit_terms, deferred, offer_facts, payments, promo_rates, transfers
from tools.grounding.checks import Checks
from tools.subject import Detector

_MODULES = (credit_terms, offer_facts, promo_rates, deferred, payments, transfers)


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of this kind of claim."""
    return tuple(detector for module in _MODULES for detector in module.detectors(checks))
