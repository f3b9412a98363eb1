"""A driver of a campaign in a process of its own: `python -m tests.server.campaign.driving NAME [WORKERS]`.

Its settings are the first line of its standard input.
"""

import asyncio
import sys

from graph.deps import open_deps
from graph.settings import taken_over
from server.campaign.run import Driver
from tools.ledger.campaigns import Campaigns


async def main(name: str, settings: str, *, workers: int = 2) -> None:
    """Run the campaign."""
    deps = await open_deps(taken_over(settings))
    await deps.sync_index()
    await Driver(deps, await Campaigns(deps.database).named(name), workers=workers).run()
    await deps.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.stdin.readline(), workers=int((*sys.argv[2:], 2)[0])))
