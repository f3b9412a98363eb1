"""Campaigns, in ratios: drafting, CPU, one by one, and how time, calls, memory and bytes grow with the members.

`python -m tests.bench campaign [--members N] [--quick]`. The largest campaign has a million members, or N; the others a
tenth and a hundredth of it. What fails is told in the table with its reason, and the rest goes on.
"""

from collections.abc import Awaitable, Sequence
from typing import Final

from tests.bench import campaign_against, campaign_drafting
from tests.bench.campaign_growth import growth_figures, size_figures
from tests.bench.campaign_input import Input
from tests.bench.campaign_runs import CampaignRun, run_campaign, say
from tests.bench.figures import Figure, table
from tests.bench.parts import Parts

MEMBERS: Final = 1_000_000
QUICK: Final = (1_000, 2_000, 5_000)
LATENCY_S: Final = 0.2
IN_FLIGHT: Final = 100
LEAST: Final = 3_000
"""Members that drafting and one-by-one want to choose from."""


async def run(parts: Parts, *, quick: bool, members: int | None = None) -> Sequence[Figure]:
    """Measure campaigns of three sizes, the smallest first, then each of the other figures."""
    most = members or (QUICK[-1] if quick else MEMBERS)
    sizes = QUICK if quick and members is None else (most // 100, most // 10, most)
    drawn = Input(parts.folder / "sample", max(most, LEAST))
    say(f"draw {max(most, LEAST):,} members")
    await drawn.draw()
    figures = [
        *await _told("drafting", campaign_drafting.run(parts, drawn, quick=quick)),
        *await _told("against a bare pipeline", campaign_against.bare(parts, quick=quick)),
    ]
    runs: list[CampaignRun] = []
    for size in sizes:
        figures += await _told(f"{size:,} members", _sized(parts, drawn, size, runs))
    if runs:
        figures += await _told("one by one", campaign_against.one_by_one(parts, drawn, runs[-1]))
    return [*figures, *growth_figures(runs)]


async def _sized(parts: Parts, drawn: Input, members: int, runs: list[CampaignRun]) -> Sequence[Figure]:
    run = await run_campaign(parts, drawn, members, latency_s=LATENCY_S, in_flight=IN_FLIGHT)
    runs.append(run)
    return size_figures(run)


async def _told(what: str, measuring: Awaitable[Sequence[Figure]]) -> Sequence[Figure]:
    """Return figures, or why there are none; they are shown on the way too: what comes later may be stopped."""
    try:
        figures = await measuring
    # An hour of figures isn't thrown away for the one that fails, whatever it fails of.
    except Exception as error:
        figures = [Figure(f"{what}: NOT MEASURED", f"{type(error).__name__}: {error}", float("nan"))]
    say(table(what, figures))
    return figures
