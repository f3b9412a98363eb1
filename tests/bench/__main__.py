"""Run benchmarks: `python -m tests.bench [name ...] [--quick]`."""

import argparse
import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tests.bench import (
    adversary,
    campaign,
    campaign_cpu,
    chaos,
    economics,
    endpoint,
    evaluation,
    fetch,
    gate,
    pipeline,
    render,
    start,
    variety,
)
from tests.bench.figures import Figure, table
from tests.bench.parts import Parts, open_parts

Benchmark = Callable[..., Awaitable[Sequence[Figure]]]

BENCHMARKS: Final[dict[str, Benchmark]] = {
    "start": start.run,
    "fetch": fetch.run,
    "endpoint": endpoint.run,
    "gate": gate.run,
    "render": render.run,
    "pipeline": pipeline.run,
    "economics": economics.run,
    "adversary": adversary.run,
    "campaign_cpu": campaign_cpu.run,
    "variety": variety.run,
    "evaluation": evaluation.run,
    "campaign": campaign.run,
    "chaos": chaos.run,
}
LONG: Final = ("campaign", "chaos")
"""What takes so long that it is run only when it is named; `--members` says how many for."""
LEAST: Final = 5000


def main() -> None:
    """Run the named benchmarks, or all, and print a table of each."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=_NAMES)
    parser.add_argument("--quick", action="store_true", help="fewer members and rounds: a look, not a measurement")
    parser.add_argument("--members", type=int, metavar="N", help=_MEMBERS)
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {min(unknown)!r}; known: {', '.join(BENCHMARKS)}")
    if chosen.members is not None and chosen.members < LEAST:
        parser.error(f"--members: at least {LEAST}; a hundredth of them is the smallest campaign")
    os.environ |= {"ANONYMIZED_TELEMETRY": "False", "HF_HUB_OFFLINE": "1"}
    logging.basicConfig(level=logging.ERROR)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `timeout` too leaves no server behind
    with open_parts() as parts:
        for name in chosen.names or (name for name in BENCHMARKS if name not in LONG):
            more = {"members": chosen.members} if name in LONG else {}
            print(asyncio.run(_measured(name, parts, quick=chosen.quick, **more)), flush=True)


async def _measured(name: str, parts: Parts, *, quick: bool, **more: int | None) -> str:
    return table(name, await BENCHMARKS[name](parts, quick=quick, **more))


_MEMBERS: Final = "campaign: members of the largest one, 1000000 unset; chaos: members, 20000 unset"
_NAMES: Final = f"which to run: {', '.join(BENCHMARKS)}; none: all but {', '.join(LONG)}"


if __name__ == "__main__":
    main()
