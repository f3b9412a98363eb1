"""What a report shows, as texts and places on a scale: the same for Markdown, HTML and the console."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final, Literal

from server.evaluation.compare import Comparison, Row
from server.evaluation.intervals import Interval
from server.evaluation.measures import Measure
from server.evaluation.metrics import Summary
from server.evaluation.records import Manifest
from server.evaluation.verdict import PRIMARY
from server.evaluation.wording import MINUS, counted, number, points, share

Tone = Literal["better", "worse", "unclear", "plain"]
NONE: Final = "-"
ALIKE: Final = "every case alike"
EDGE: Final = 3
"""Per cent of the scale's width that stays free at either end."""
LEAST_REACH: Final = 0.05
SHA: Final = 12
SHARE: Final = "share"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a difference and its interval stand on a scale from 0 to 100."""

    at: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """One measure in words. `tone` says whether it is shown to be better or worse, at 95 % and by itself."""

    name: str
    title: str
    a: str
    b: str
    difference: str
    interval: str
    tone: Tone
    mark: Mark | None
    opinion: bool
    primary: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """Lines that share a scale from `ends` to `ends`, in `unit`; no difference is its middle. What is longer is cut."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    ends: tuple[str, str]


@dataclass(frozen=True, slots=True)
class ClauseLine:
    """First drafts that break a clause, by both versions, as counts and as shares of drafted results."""

    clause: str
    a: int
    b: int
    a_share: float
    b_share: float


def scales(comparison: Comparison) -> tuple[Scale, Scale]:
    """Return rates on a scale of percentage points, means on one of per cent of the earlier version."""
    rates = [row for row in comparison.rows if row.measure.kind == "rate"]
    means = [row for row in comparison.rows if row.measure.kind == "mean"]
    return _scale("Rates", "points", rates), _scale("Means", "%", means)


def clause_lines(comparison: Comparison) -> tuple[ClauseLine, ...]:
    """Return every clause that a first draft broke: those the later version breaks more often first."""
    before, after = comparison.before, comparison.after
    lines = [
        ClauseLine(
            clause, a := _first(before, clause), b := _first(after, clause), a / before.drafted, b / after.drafted
        )
        for clause in before.clauses.keys() | after.clauses.keys()
    ]
    shown = [line for line in lines if line.a or line.b]
    return tuple(sorted(shown, key=lambda line: (line.a_share - line.b_share, -line.b, line.clause)))


def other_lines(comparison: Comparison) -> tuple[tuple[str, str, str], ...]:
    """Return what has no interval, being a property of all cases together: what it is, before, after."""
    before, after = _whole(comparison.before), _whole(comparison.after)
    return tuple((title, before.get(title, NONE), after.get(title, NONE)) for title in before | after)


def outcome_lines(comparison: Comparison) -> tuple[tuple[str, int, int], ...]:
    """Return how many results ended in each recommendation, by both versions, the most usual first."""
    before, after = comparison.before.outcomes, comparison.after.outcomes
    names = sorted(before.keys() | after.keys(), key=lambda name: (-before.get(name, 0) - after.get(name, 0), name))
    return tuple((name, before.get(name, 0), after.get(name, 0)) for name in names)


def run_lines(comparison: Comparison) -> tuple[tuple[str, str, str], ...]:
    """Return what was run, by both versions."""
    a, b = comparison.a, comparison.b
    steps = sorted(a.digests.keys() | b.digests.keys())
    return (
        ("prompt", a.prompt, b.prompt),
        ("run", a.eval_id, b.eval_id),
        *((f"digest of {step}", a.digests.get(step, NONE)[:SHA], b.digests.get(step, NONE)[:SHA]) for step in steps),
        ("model", a.model, b.model),
        ("endpoint", a.endpoint, b.endpoint),
        ("copy mode", a.copy_mode, b.copy_mode),
        ("judge", a.judge_model or "none", b.judge_model or "none"),
        ("golden set", a.golden_sha[:SHA], b.golden_sha[:SHA]),
        ("policy set", a.policy_set_sha[:SHA], b.policy_set_sha[:SHA]),
        ("cases x repeats", f"{a.cases} x {a.repeat}", f"{b.cases} x {b.repeat}"),
        ("started", _moment(a), _moment(b)),
    )


def compared_line(comparison: Comparison) -> str:
    """Return what was compared, in one line."""
    pairing = comparison.pairing
    return f"{counted(len(pairing.cases), 'case')}, {counted(pairing.pairs, 'pair')} of offers"


def _scale(title: str, unit: str, rows: Sequence[Row]) -> Scale:
    wholes = [1.0 if row.measure.kind == "rate" else abs(row.a) for row in rows]
    reach = max((_reach(row.interval, whole) for row, whole in zip(rows, wholes, strict=True) if whole), default=0.0)
    reach = min(max(reach, LEAST_REACH), 1.0)
    end = number(100 * reach, places=0)
    return Scale(
        title=title,
        unit=unit,
        lines=tuple(_line(row, _mark(row.interval, whole, reach)) for row, whole in zip(rows, wholes, strict=True)),
        ends=(f"{MINUS}{end}", f"+{end}"),
    )


def _reach(interval: Interval, whole: float) -> float:
    return max(abs(bound) for bound in (interval.difference, interval.low or 0.0, interval.high or 0.0)) / whole


def _mark(interval: Interval, whole: float, reach: float) -> Mark | None:
    if not whole:
        return None

    def place(value: float) -> float:
        return round(50 + (50 - EDGE) * max(-1.0, min(1.0, value / whole / reach)), 2)

    ends = (interval.difference if bound is None else bound for bound in (interval.low, interval.high))
    return Mark(place(interval.difference), *map(place, ends))


def _line(row: Row, mark: Mark | None) -> Line:
    measure, interval = row.measure, row.interval
    return Line(
        name=measure.name,
        title=measure.title + (f", {measure.unit}" if measure.unit and measure.unit != SHARE else ""),
        a=_value(measure, row.a),
        b=_value(measure, row.b),
        difference=_difference(measure, interval.difference),
        interval=_interval(measure, interval),
        tone=_tone(measure, interval),
        mark=mark,
        opinion=measure.opinion,
        primary=measure.name == PRIMARY,
    )


def _value(measure: Measure, value: float) -> str:
    return share(value) if _is_share(measure) else number(value, places=measure.places)


def _difference(measure: Measure, value: float) -> str:
    return points(value) if _is_share(measure) else number(value, places=measure.places, signed=True)


def _interval(measure: Measure, interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return ALIKE
    low, high = (
        points(bound, unit=False) if _is_share(measure) else number(bound, places=measure.places, signed=True)
        for bound in (interval.low, interval.high)
    )
    return f"{low} to {high}"


def _tone(measure: Measure, interval: Interval) -> Tone:
    if interval.low is None or interval.high is None:
        sure = interval.difference
    else:
        sure = interval.low if interval.low > 0 else interval.high if interval.high < 0 else 0.0
    if sure == 0:
        return "unclear"
    if measure.better == "neither":
        return "plain"
    return "better" if (sure > 0) is (measure.better == "higher") else "worse"


def _is_share(measure: Measure) -> bool:
    return measure.kind == "rate" or measure.unit == SHARE


def _first(summary: Summary, clause: str) -> int:
    broken = summary.clauses.get(clause)
    return broken.first if broken else 0


def _whole(summary: Summary) -> dict[str, str]:
    told: dict[str, str] = {}
    if summary.p50_s is not None and summary.p95_s is not None:
        told["Seconds per offer, median"] = number(summary.p50_s, places=2)
        told["Seconds per offer, 95th percentile"] = number(summary.p95_s, places=2)
    if (diverse := summary.diversity) is not None:
        told["Different bodies"] = share(diverse.distinct_bodies)
        told["distinct-1 of bodies"] = share(diverse.distinct_1)
        told["distinct-2 of bodies"] = share(diverse.distinct_2)
        if diverse.similarity is not None:
            told["Likeness of two bodies (Jaccard)"] = share(diverse.similarity)
    return told


def _moment(manifest: Manifest) -> str:
    return f"{manifest.started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
