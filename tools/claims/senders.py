"""What the subject line promises, held against the offer. CAN-SPAM, 15 USC 7704(a)(2)."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject

_PROMISE: Final = re.compile(r"[$%]|\b\d[\d,.]*\s?x\b|\b(?:points?|percent|dollars?|bucks|miles)\b", re.IGNORECASE)
"""What makes a figure a promise; the other numbers of a subject are for grounding alone."""


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of subject lines that state a value or a day the offer doesn't have."""
    return (Detector("subject_grounded", ("member", "terms", "copy"), partial(_subject_grounded, checks)),)


def _subject_grounded(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    promised = [evidence for evidence in checks.numbers(subject, {}) if _PROMISE.search(evidence.quote)]
    return [evidence for evidence in (*promised, *checks.dates(subject, {})) if evidence.field == "subject"]
