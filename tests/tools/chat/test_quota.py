"""A model under a quota that the ledger keeps: what it may send, what it sends, what the ledger counts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from graph.deps import open_deps
from graph.settings import Settings
from tests.scripted_model import Default, ScriptedModel, Status
from tests.tools.chat.test_traffic import Word, ask
from tests.tools.ledger.conftest import process
from tests.tools.ledger.rows import rows
from tools.chat.model import ChatModel, Endpoint
from tools.chat.quota import Quota
from tools.database import Database
from tools.errors import ModelUnavailable
from tools.ledger.quotas import Bucket, Quotas
from tools.prompt_budget import tokens


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with process(database_url) as opened:
        yield opened


def chat_of(script: ScriptedModel, quota: Quota, *, timeout_s: float = 30) -> ChatModel:
    async def locate() -> Endpoint:
        return Endpoint(base_url=script.base_url, model="scripted", api_key=SecretStr("key"), loopback=True)

    return ChatModel(locate, store=None, name="scripted", timeout_s=timeout_s, max_concurrency=32, quota=quota)


async def held(database: Database, name: str) -> float:
    """Return what is left in a bucket."""
    ((value,),) = await rows(database, "select available from llm_quota where name = %s", name)
    return float(value)


async def test_every_try_counts_and_the_rest_waits(script: ScriptedModel, database: Database) -> None:
    """A quota of three holds one at once: the second try of the first prompt waits with the four others."""
    chat = chat_of(script, Quota(Quotas(database), "e", requests=3, tokens=None), timeout_s=1)
    script.reply("word", [Status(500), Default()])
    outcomes = await asyncio.gather(*(chat.fill(ask(str(number))) for number in range(5)), return_exceptions=True)
    assert script.count == 1
    assert [type(outcome) for outcome in outcomes] == [ModelUnavailable] * 5
    assert await held(database, "e requests") < 1
    await chat.aclose()


async def test_tokens_are_taken_as_estimated_and_settled_as_counted(script: ScriptedModel, database: Database) -> None:
    bucket = Bucket("e tokens", 60_000)
    chat = chat_of(script, Quota(Quotas(database), "e", requests=None, tokens=bucket.per_minute))
    asked = ask("How many words are in this sentence, and which is the last?")
    script.latency = 0.3
    flight = asyncio.create_task(chat.fill(asked))
    while not script.in_flight:
        await asyncio.sleep(0.001)
    assert await held(database, bucket.name) == bucket.burst - tokens(asked.messages[0][1]) - asked.max_tokens
    reply, call = await flight
    assert isinstance(reply, Word)
    assert call.input_tokens > 0
    assert await held(database, bucket.name) == bucket.burst - call.input_tokens - call.output_tokens
    await chat.aclose()


async def test_processes_share_what_the_settings_allow(settings: Settings, script: ScriptedModel) -> None:
    limited = settings.model_copy(update={"llm_requests_per_minute": 1, "llm_timeout_s": 0.5})
    one, two = await open_deps(limited), await open_deps(limited)
    try:
        await one.model.fill(ask("the first"))
        for deps in (one, two):
            with pytest.raises(ModelUnavailable, match="no answer within"):
                await deps.model.fill(ask(f"another, {id(deps)}"))
        assert script.count == 1
    finally:
        await one.aclose()
        await two.aclose()
