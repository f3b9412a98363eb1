"""A process that asks a model without end, 16 prompts at a time, until it is told to stop (SIGTERM) or killed.

python -m tests.tools.chat.asker DATABASE_URL MODEL_URL NAME
"""

import asyncio
import signal
import sys
from itertools import count

from pydantic import SecretStr

from tests.tools.chat.test_traffic import ask
from tests.tools.ledger.conftest import process
from tools.chat.model import ChatModel, Endpoint
from tools.ledger.usage import Usage

AT_ONCE = 16


async def main(database_url: str, model_url: str, name: str) -> None:
    """Ask, and close everything when told to stop."""

    async def locate() -> Endpoint:
        return Endpoint(base_url=model_url, model="scripted", api_key=SecretStr("key"), loopback=True)

    numbers = count()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with process(database_url) as database:
        usage = Usage(database)
        chat = ChatModel(locate, store=None, name="scripted", timeout_s=30, max_concurrency=AT_ONCE, usage=usage)

        async def without_end() -> None:
            while not stop.is_set():
                await chat.fill(ask(f"{name} {next(numbers)}"))

        await asyncio.gather(*(without_end() for _ in range(AT_ONCE)))
        await chat.aclose()
        await usage.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
