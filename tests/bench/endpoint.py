"""How much of an endpoint's capacity clients get that must find its limit by trying."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, SecretStr

from tests.bench.figures import Figure
from tests.bench.parts import Parts
from tests.scripted_model import Call, Default, Latency, ScriptedModel, Status
from tools.chat.calls import Ask, ModelCall
from tools.chat.model import ChatModel, Endpoint

AT_ONCE: Final = 16
LATENCY_S: Final = 0.2
CLIENTS: Final = 2


class _Word(BaseModel):
    word: str


async def run(_: Parts, *, quick: bool) -> Sequence[Figure]:
    """Two clients, each allowed twice what the endpoint takes from both, send what it has capacity for in some time."""
    calls = round((6 if quick else 30) * AT_ONCE / LATENCY_S)
    with ScriptedModel(record=False) as script:

        def bounded(_: Call) -> Any:
            return Status(429) if script.in_flight > AT_ONCE else Latency(LATENCY_S, Default())

        script.reply("word", bounded)
        clients = [_client(script) for _ in range(CLIENTS)]
        await asyncio.gather(*(client.fill(_ask("to connect")) for client in clients))
        begun, asked = time.monotonic(), script.count
        done = await asyncio.gather(*(_send(client, calls // CLIENTS, n) for n, client in enumerate(clients)))
        elapsed, asked = time.monotonic() - begun, script.count - asked
        await asyncio.gather(*(client.aclose() for client in clients))
    sent = sum(map(len, done))
    assert asked == sum(call.attempts for each in done for call in each), "every try is accounted for"
    return [
        _ratio("answers a second, of the most the endpoint gives", sent / elapsed / (AT_ONCE / LATENCY_S)),
        _ratio("refused tries per answer", (asked - sent) / sent),
    ]


def _ratio(what: str, value: float) -> Figure:
    return Figure(what, f"{value:.0%}", value)


async def _send(client: ChatModel, calls: int, number: int) -> list[ModelCall]:
    """Send calls as a campaign does: many wait at a time."""
    room = asyncio.Semaphore(4 * AT_ONCE)

    async def one(index: int) -> ModelCall:
        async with room:
            _, call = await client.fill(_ask(f"{number}/{index}"))
            return call

    return await asyncio.gather(*(one(index) for index in range(calls)))


def _ask(prompt: str) -> Ask[_Word]:
    return Ask("word", [("user", prompt)], _Word.model_json_schema(), _Word, 0.0, 10)


def _client(script: ScriptedModel) -> ChatModel:
    async def locate() -> Endpoint:
        return Endpoint(base_url=script.base_url, model="scripted", api_key=SecretStr("key"), loopback=True)

    return ChatModel(locate, store=None, name="scripted", timeout_s=120, max_concurrency=2 * AT_ONCE)
