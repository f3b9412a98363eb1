"""A worker process of a campaign: `python -m server.campaign.worker NAME`, started by the local engine.

It ends by itself when nothing is left, on SIGTERM, and when its standard input is closed: whoever started it is gone.
"""

import asyncio
import logging
import signal
import sys

from graph.settings import load_settings
from server.campaign.engines.local import PROGRESS, REFUSED, STOPPED
from server.campaign.working import Worker
from server.commands.session import open_session
from tools.errors import OfferGraphError, PoliciesUnavailable
from tools.ledger.campaigns import Campaigns


async def main(name: str) -> int:
    """Work on a campaign and return the process's exit code."""
    loop = asyncio.get_running_loop()
    async with open_session(load_settings()) as session:
        await session.connect()
        await session.sync_index()
        campaign = await Campaigns(session.deps.database).named(name)
        worker = Worker(session.deps, campaign, progressed=lambda: print(PROGRESS, flush=True))
        loop.add_signal_handler(signal.SIGTERM, worker.stop)
        loop.add_signal_handler(signal.SIGINT, worker.stop)
        watching = asyncio.create_task(_until_closed())
        watching.add_done_callback(lambda _: worker.stop())
        try:
            ended = await worker.work()
        except PoliciesUnavailable as error:
            print(error, flush=True)
            return REFUSED
        finally:
            watching.cancel()
    return 0 if ended == "finished" else STOPPED


async def _until_closed() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        continue


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(name)s: %(message)s")
    try:
        sys.exit(asyncio.run(main(sys.argv[1])))
    except OfferGraphError as error:
        print(error, flush=True)
        sys.exit(1)
