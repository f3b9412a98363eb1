"""The member's own profile in copy: figures, days and labels that only the issuer knows. Regulation P, 12 CFR 1016."""

from collections.abc import Iterator, Mapping

from tools.folding import Folded, fold
from tools.grounding.checks import Checks
from tools.hygiene.personal import LABELS, figures_of, labels_in, may_name, profile_of
from tools.report import Evidence
from tools.subject import Detector, Subject


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of figures and labels of this member's profile."""
    return (
        Detector("no_profile_figures", ("member", "terms", "copy"), _no_profile_figures),
        Detector("no_profile_labels", ("member", "copy"), _no_profile_labels),
    )


def _no_profile_figures(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find numbers and days of the profile, however they are written, that the offer doesn't have itself."""
    if not profile_of(subject).has_figures:
        return []
    return [
        Evidence(field=field, quote=whole.original[first:last], start=first, end=last)
        for field, text in subject.text.items()
        for whole in (fold(text),)
        for start, end in sorted(set(figures_of(subject, field)))
        for first, last in (whole.span(start, end),)
    ]


def _no_profile_labels(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find the member's segment, persona and stage of life as a customer; ordinary uses of such words pass."""
    told = [str(value) for name in sorted(LABELS) if (value := subject.personal.get(name))]
    parts = {fold(part).text.strip().lower() for label in told for part in (label, *label.split("/"))}
    folded = {field: fold(text) for field, text in subject.text.items() if text}
    lower = "\n".join(whole.text for whole in folded.values()).lower()
    labels = [part for part in parts if may_name(lower, part)]
    return [evidence for field, whole in folded.items() if labels for evidence in _labelled(field, whole, labels)]


def _labelled(field: str, whole: Folded, labels: list[str]) -> Iterator[Evidence]:
    lower = whole.text.lower()
    for start, end in sorted({span for label in labels for span in labels_in(lower, label)}):
        first, last = whole.span(start, end)
        yield Evidence(field=field, quote=whole.original[first:last], start=first, end=last)
