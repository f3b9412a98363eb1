"""Compare two runs of the golden set, case by case: measures with intervals, guards, verdict and notes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from server.evaluation import notes
from server.evaluation.guards import guarded
from server.evaluation.intervals import Interval, mean_interval, rate_interval
from server.evaluation.measures import Measure, measures
from server.evaluation.metrics import Summary, summarise
from server.evaluation.pairing import Pairing, paired, sample
from server.evaluation.records import CaseResult, Manifest
from server.evaluation.verdict import PRIMARY, Guard, Primary, Rules, Verdict, judge
from tools.errors import InputInvalid
from tools.prices import Prices


class Evaluated(Protocol):
    """One run of the golden set, as the store reads it."""

    @property
    def manifest(self) -> Manifest:
        """What was run."""

    @property
    def results(self) -> Sequence[CaseResult]:
        """One per case and repeat."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measure on both sides, over the cases that show it on both; the interval is of later less earlier."""

    measure: Measure
    a: float
    b: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that reports and `--gate` read. `a` is the version before, `b` the one that is judged."""

    a: Manifest
    b: Manifest
    before: Summary
    after: Summary
    pairing: Pairing
    rows: tuple[Row, ...]
    guards: dict[str, Guard]
    verdict: Verdict
    notes: tuple[str, ...]


def compare(a: Evaluated, b: Evaluated, *, prices: Prices | None = None, rules: Rules | None = None) -> Comparison:
    """Compare `b` with the version before it, `a`.

    InputInvalid, with what to do, for a run that isn't finished, a run and itself, runs of different golden or policy
    sets, and runs without a case that both drafted. Takes CPU for some tenths of a second: not for an event loop.
    """
    _check(a.manifest, b.manifest)
    pairing = paired(a.results, b.results)
    if not pairing.cases:
        raise InputInvalid(
            f"runs {a.manifest.eval_id} and {b.manifest.eval_id} have no case that both drafted; run both over the "
            "same members of the golden set"
        )
    rows = tuple(_rows(pairing, prices))
    guards = guarded(pairing, prices, rules or Rules())
    first = next(row for row in rows if row.measure.name == PRIMARY)
    verdict = judge(Primary(first.a, first.b, first.interval, pairing.repeats), guards)
    return Comparison(
        a=a.manifest,
        b=b.manifest,
        before=summarise([pair.a for pair in pairing.matched], prices),
        after=summarise([pair.b for pair in pairing.matched], prices),
        pairing=pairing,
        rows=rows,
        guards=guards,
        verdict=notes.qualified(verdict, a.manifest, b.manifest),
        notes=notes.notes(a.manifest, b.manifest, pairing, prices),
    )


def _check(a: Manifest, b: Manifest) -> None:
    if a.eval_id == b.eval_id:
        raise InputInvalid(f"run {a.eval_id} can't be compared with itself; name the run of another version")
    for manifest in (a, b):
        if manifest.finished_at is None:
            raise InputInvalid(f"run {manifest.eval_id} isn't finished; resume it, then compare")
    for field, remedy in (
        ("golden_sha", "run both over the same golden set"),
        ("policy_set_sha", "run both under the same policies"),
    ):
        ours, theirs = getattr(a, field), getattr(b, field)
        if ours != theirs:
            raise InputInvalid(f"{field} differs: {a.eval_id} has {ours[:12]}, {b.eval_id} has {theirs[:12]}; {remedy}")


def _rows(pairing: Pairing, prices: Prices | None) -> Iterator[Row]:
    for measure in measures(prices):
        taken = sample(pairing, measure.value)
        if len(taken.a):
            of = partial(rate_interval, repeats=pairing.repeats) if measure.kind == "rate" else mean_interval
            yield Row(measure, float(taken.a.mean()), float(taken.b.mean()), of(taken.differences))


def row_of(rows: Sequence[Row], name: str) -> Row | None:
    """Return the row of a measure, or None if no case shows it."""
    return next((row for row in rows if row.measure.name == name), None)
