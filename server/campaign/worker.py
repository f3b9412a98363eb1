"""A worker process of a campaign: `python -m server.campaign.worker NAME`, started by the local engine.

The first line of its standard input are its settings. It ends by itself when nothing is left, on SIGTERM, and when that
input is closed: whoever started it is gone.
"""

import asyncio
import logging
import os
import signal
import sys
from typing import Final

from graph.settings import taken_over
from server.campaign.engines.local import PROGRESS, REFUSED, STOPPED
from server.campaign.working import Worker
from server.commands.session import open_session
from tools.errors import OfferGraphError, PoliciesUnavailable
from tools.ledger.campaigns import Campaigns

LONGEST_LINE: Final = 1 << 20
"""Bytes the settings may have."""


async def main(name: str) -> int:
    """Work on a campaign and return the process's exit code."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    settings = taken_over((await reader.readline()).decode())
    async with open_session(settings) as session:
        await session.connect()
        await session.sync_index()
        campaign = await Campaigns(session.deps.database).named(name)
        worker = Worker(session.deps, campaign, progressed=lambda: _tell(worker))
        loop.add_signal_handler(signal.SIGTERM, worker.stop)
        loop.add_signal_handler(signal.SIGINT, worker.stop)
        watching = asyncio.create_task(_until_closed(reader))
        watching.add_done_callback(lambda _: worker.stop())
        try:
            ended = await worker.work()
        except PoliciesUnavailable as error:
            print(error, flush=True)
            return REFUSED
        finally:
            watching.cancel()
    return 0 if ended == "finished" else STOPPED


def _tell(worker: Worker) -> None:
    """Say that a piece of work is done; whoever doesn't read it any more is gone."""
    try:
        print(PROGRESS, flush=True)
    except BrokenPipeError:
        worker.stop()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the exit doesn't fail on it


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(1024):
        continue


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(name)s: %(message)s")
    try:
        sys.exit(asyncio.run(main(sys.argv[1])))
    except OfferGraphError as error:
        print(error, flush=True)
        sys.exit(1)
