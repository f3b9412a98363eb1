"""What campaigns of several sizes take per member, and how that grows."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from tests.bench.campaign_runs import STEPS, CampaignRun
from tests.bench.figures import Figure, per

CALLS_AIM: Final = 0.02
"""Model calls per offer of a million members."""
FLAT: Final = 1.1
"""Memory that doesn't grow: within a tenth."""
MILLION: Final = 1_000_000


def size_figures(run: CampaignRun) -> list[Figure]:
    """Return the figures of one campaign."""
    who = f"{run.members:,}"
    now, step = run.progress, run.steps
    calls, rate = run.asked.count / run.offers, run.offers / run.fan_out_s
    figures = [Figure(f"{who}: {verb}", f"{step[verb].seconds:,.1f} s", step[verb].seconds) for verb in STEPS]
    figures += [
        Figure(
            f"{who}: drafts, {now.cohorts:,} cohorts with {run.asked.count:,} calls",
            f"{run.asked.seconds:,.1f} s", run.asked.seconds,
        ),
        Figure(f"{who}: fan-out", f"{run.fan_out_s:,.1f} s", run.fan_out_s),
        Figure(f"{who}: offers, {now.dead:,} dead", f"{run.offers:,}", run.offers),
        Figure(f"{who}: offers per second in fan-out", f"{rate:,.0f}/s", rate),
        Figure(
            f"{who}: calls per offer", f"{calls:.4f}", calls, aim=CALLS_AIM if run.members >= MILLION else None
        ),
        Figure(
            f"{who}: CPU per offer, all steps and processes",
            f"{per(run.cpu_s, run.offers):,.1f} ms", per(run.cpu_s, run.offers),
        ),
        *(Figure(f"{who}: memory peak, {verb}", f"{step[verb].peak_mb:,.0f} MB", step[verb].peak_mb) for verb in STEPS),
        Figure(f"{who}: memory peak, a worker", f"{run.worker_peak_mb:,.0f} MB", run.worker_peak_mb),
        Figure(
            f"{who}: bytes in the database per member", f"{run.bytes / run.members:,.0f}", run.bytes / run.members
        ),
        Figure(f"{who}: bytes in the database per offer", f"{run.bytes / run.offers:,.0f}", run.bytes / run.offers),
        Figure(f"{who}: bytes per offer, of these", _by_table(run), run.bytes / run.offers),
        Figure(f"{who}: one look of a progress bar", f"{run.look_s * 1000:,.0f} ms", run.look_s * 1000),
    ]  # fmt: skip
    return figures


def _by_table(run: CampaignRun) -> str:
    shares = sorted(run.sizes.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {size / run.offers:,.0f}" for name, size in shares if size / run.offers >= 1)


def growth_figures(runs: Sequence[CampaignRun]) -> list[Figure]:
    """Return what must not rise with the members, as ratios to the smallest campaign."""
    if len(runs) < 2:
        return []
    first, last = runs[0], runs[-1]
    figures = []
    for run in runs[1:]:
        figures += [
            _grown("time per member, all steps", run, first, lambda r: r.seconds / r.members * 1e6, aim=1.0),
            _grown("calls per member", run, first, lambda r: r.asked.count / r.members, aim=1.0, unit=""),
            *(_grown(f"time per member, {verb}", run, first, partial(_time_of, verb)) for verb in STEPS),
            _grown("time per offer, fan-out", run, first, lambda r: r.fan_out_s / r.offers * 1e6),
            _grown("bytes per member", run, first, lambda r: r.bytes / r.members, unit=""),
        ]
    before = runs[-2]
    peaks: list[tuple[str, Callable[[CampaignRun], float]]] = [
        *((f"memory peak, {verb}", partial(_peak_of, verb)) for verb in STEPS),
        ("memory peak, a worker", lambda r: r.worker_peak_mb),
    ]
    return figures + [_grown(what, last, before, of, aim=FLAT, unit="MB") for what, of in peaks]


def _time_of(verb: str, run: CampaignRun) -> float:
    return run.steps[verb].seconds / run.members * 1e6


def _peak_of(verb: str, run: CampaignRun) -> float:
    return run.steps[verb].peak_mb


def _grown(
    what: str,
    run: CampaignRun,
    base: CampaignRun,
    of: Callable[[CampaignRun], float],
    *,
    aim: float | None = None,
    unit: str = "us",
) -> Figure:
    value, before = of(run), of(base)
    shown, was = (f"{number:,.4g} {unit}".rstrip() for number in (value, before))
    ratio = value / before if before else float("nan")
    return Figure(f"{what}, {run.members:,} members", shown, value, ratio, f"{base.members:,} ({was})", aim)
