"""Drafting by two workers against what the endpoint could answer: calls per second over concurrency by latency."""

from collections.abc import Sequence
from typing import Final

from tests.bench.campaign_input import Input
from tests.bench.campaign_runs import run_campaign, say
from tests.bench.figures import Figure, per
from tests.bench.parts import Parts

IN_FLIGHT: Final = 100
LATENCIES_S: Final = (0.2, 5.0)
"""What the aim was set at, and what a large model takes for these answers."""
AIM: Final = 0.9
MEMBERS: Final = {0.2: 2_000, 5.0: 6_000}
"""Of these some three in ten pass screening and have a draft of their own; at 5 s there are more, so that the first and
the last calls count for little."""
QUICK: Final = 400


async def run(parts: Parts, drawn: Input, *, quick: bool) -> Sequence[Figure]:
    """Draft for each of some members anew, at each latency; from the first request to the last answer."""
    return [
        figure
        for latency_s in (LATENCIES_S[:1] if quick else LATENCIES_S)
        for figure in await _drafting(parts, drawn, QUICK if quick else MEMBERS[latency_s], latency_s)
    ]


async def _drafting(parts: Parts, drawn: Input, members: int, latency_s: float) -> Sequence[Figure]:
    say(f"drafting: {members:,} members one by one at {latency_s:g} s a call")
    run = await run_campaign(
        parts, drawn, members, latency_s=latency_s, in_flight=IN_FLIGHT, personalisation="individual"
    )
    asked, limit = run.asked, IN_FLIGHT / latency_s
    rate = asked.count / asked.seconds
    cpu_s = run.steps["run"].cpu_between(asked.first_at, asked.last_at)
    at = f"at {latency_s:g} s"
    return [
        Figure(
            f"calls per second {at}, {asked.max_in_flight} in flight at most",
            f"{rate:,.1f}/s", rate, rate / limit, f"the endpoint's limit ({limit:,.0f}/s)", least=AIM,
        ),
        Figure(f"CPU per call {at}, workers and driver", f"{per(cpu_s, asked.count):.3g} ms", per(cpu_s, asked.count)),
        Figure(
            f"CPU per call {at}, endpoint",
            f"{per(asked.cpu_s, asked.count):.3g} ms", per(asked.cpu_s, asked.count),
        ),
        Figure(
            f"cores busy {at}, workers, driver and endpoint; PostgreSQL not counted",
            f"{(cpu_s + asked.cpu_s) / asked.seconds:.2f}", (cpu_s + asked.cpu_s) / asked.seconds,
        ),
    ]  # fmt: skip
