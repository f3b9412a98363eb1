"""What the subject line promises, held against the offer. CAN-SPAM, 15 USC 7704(a)(2)."""

from collections.abc import Mapping
from functools import partial

from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of subject lines that state figures, days or partners the offer doesn't have."""
    return (Detector("subject_grounded", ("member", "terms", "copy"), partial(_subject_grounded, checks)),)


def _subject_grounded(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    found = (*checks.numbers(subject, {}), *checks.dates(subject, {}), *checks.merchants(subject, {}))
    return [evidence for evidence in dict.fromkeys(found) if evidence.field == "subject"]
