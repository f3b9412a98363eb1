"""Grounding: what copy says about numbers, dates and merchants, held against the offer it speaks of."""

from collections.abc import Mapping
from functools import partial

from tools.grounding.checks import Checks
from tools.grounding.conditions import PARAMS, conditions_stated
from tools.grounding.licensed import licensed_conditions
from tools.grounding.merchants import Gazetteer
from tools.grounding.reading import Reader
from tools.grounding.units import reward_unit_agrees
from tools.report import Stage
from tools.subject import Detector

__all__ = ["grounding_checks", "grounding_detectors"]


def grounding_checks(*, merchant_names: Mapping[str, tuple[str, ...]], issuer: str) -> Checks:
    """Return the checks of a catalogue: canonical merchant names with their aliases. They remember what they read."""
    gazetteer = Gazetteer(merchant_names, issuer)
    return Checks(Reader(gazetteer), gazetteer)


def grounding_detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the seven grounding detectors.

    They share one reading per text, remembered across detectors and drafts. They read the offer and the copy.
    """
    reads: tuple[Stage, ...] = ("terms", "copy")
    return (
        Detector("grounded_numbers", ("member", *reads), checks.numbers),
        Detector("grounded_dates", ("member", *reads), checks.dates),
        Detector("grounded_merchants", reads, checks.merchants),
        Detector("reward_unit_agrees", reads, partial(reward_unit_agrees, checks)),
        Detector("conditions_stated", reads, partial(conditions_stated, checks), PARAMS),
        Detector("parts_agree", reads, checks.parts),
        Detector("licensed_conditions", ("member", *reads), partial(licensed_conditions, checks)),
    )
