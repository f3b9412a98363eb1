"""The member's own profile in copy: figures, days and labels that only the issuer knows. Regulation P, 12 CFR 1016."""

from collections.abc import Iterator, Mapping

from tools.folding import fold
from tools.grounding.checks import Checks
from tools.hygiene.personal import LABELS, figures_of, labels_in, profile_of
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
    labels = [str(value) for name in sorted(LABELS) if (value := subject.personal.get(name))]
    return [evidence for field, text in subject.text.items() if text for evidence in _labelled(field, text, labels)]


def _labelled(field: str, text: str, labels: list[str]) -> Iterator[Evidence]:
    whole = fold(text)
    spans = {
        span
        for label in labels
        for part in (label, *label.split("/"))
        for span in labels_in(whole.text.lower(), fold(part).text.strip().lower())
    }
    for start, end in sorted(spans):
        first, last = whole.span(start, end)
        yield Evidence(field=field, quote=whole.original[first:last], start=first, end=last)
