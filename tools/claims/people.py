"""What copy says of persons, senders and subscriptions."""

from tools.grounding.checks import Checks
from tools.subject import Detector


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of this kind of claim."""
    return ()
