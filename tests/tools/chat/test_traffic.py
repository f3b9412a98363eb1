"""Concurrency found by trying, waits the endpoint asks for, and the breaker: alone, and of a model over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from tests.scripted_model import Call, Default, Hang, ScriptedModel, Status
from tools.chat.calls import Ask
from tools.chat.model import MAX_ATTEMPTS, ChatModel, Endpoint
from tools.chat.traffic import FAILURES, FIRST_BREAK_S, GROWTH, LONGEST_BREAK_S, SHRINK, Breaker, Traffic
from tools.chat.waiting import SPENT, is_passing, is_throttled
from tools.errors import ModelUnavailable


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def answer(code: int, **headers: str) -> openai.APIStatusError:
    """The client's error for an answer of the endpoint."""
    response = httpx2.Response(code, headers=headers, request=httpx2.Request("POST", "http://127.0.0.1/v1"))
    kind = openai.RateLimitError if code == 429 else openai.InternalServerError
    return kind("scripted", response=response, body=None)


async def end(traffic: Traffic, error: BaseException | None = None) -> None:
    """Make one call that ends so."""
    with suppress(openai.APIError):
        async with traffic.call():
            if error is not None:
                raise error


@given(
    most=st.integers(1, 4),
    ends=st.lists(st.sampled_from(["answer", "throttle", "fail", "cancel"]), max_size=18),
    turns=st.lists(st.integers(0, 3), max_size=40),
)
def test_calls_never_exceed_the_limit_and_every_place_comes_back(most: int, ends: list[str], turns: list[int]) -> None:
    seen: list[int] = []

    async def one(traffic: Traffic, kind: str, go: asyncio.Event) -> None:
        with suppress(openai.APIError, ModelUnavailable):
            async with traffic.call():
                seen.append(traffic.in_flight)
                await go.wait()
                if kind != "answer":
                    raise answer(429 if kind == "throttle" else 500)

    async def run() -> None:
        traffic, gates = Traffic(most, patience_s=1), [asyncio.Event() for _ in ends]
        tasks = [asyncio.create_task(one(traffic, *each)) for each in zip(ends, gates, strict=True)]
        for turn, (task, kind, gate) in enumerate(zip(tasks, ends, gates, strict=True)):
            for _ in range(turns[turn % len(turns)] if turns else 0):
                await asyncio.sleep(0)
            task.cancel() if kind == "cancel" else gate.set()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)
        assert traffic.in_flight == 0
        assert 1 <= traffic.limit <= most
        await asyncio.wait_for(end(traffic), 30)

    asyncio.run(run())
    assert max(seen, default=0) <= most


async def test_refusals_of_one_round_trip_teach_once_and_answers_win_it_back(clock: Clock) -> None:
    traffic, barrier = Traffic(10, patience_s=1, clock=clock), asyncio.Barrier(4)

    async def throttled() -> None:
        async with traffic.call():
            await barrier.wait()
            clock.now += 0.01
            raise answer(429)

    await asyncio.gather(*(throttled() for _ in range(4)), return_exceptions=True)
    assert traffic.limit == 5
    clock.now += 1
    await end(traffic, answer(429))
    assert traffic.limit == 2.5
    await end(traffic)
    assert traffic.limit == 2.5 + GROWTH / 2.5
    for _ in range(400):
        await end(traffic)
    assert traffic.limit == 10
    clock.now += 1
    await end(traffic, answer(429))
    assert traffic.limit == 10 * SHRINK
    for _ in range(40):
        clock.now += 1
        await end(traffic, answer(429))
    assert traffic.limit == 1


async def test_a_wait_beyond_patience_is_refused_at_once(clock: Clock) -> None:
    traffic = Traffic(2, patience_s=60, clock=clock)
    await end(traffic, answer(429, **{"retry-after": "86400"}))
    with pytest.raises(ModelUnavailable, match="no calls in the next 86400 s"):
        await end(traffic)
    clock.now += 86_400
    await end(traffic)
    assert traffic.in_flight == 0


async def test_the_breaker_opens_after_failures_in_a_row_only(clock: Clock) -> None:
    traffic = Traffic(2, patience_s=60, clock=clock)
    for error in [*[answer(500)] * (FAILURES - 1), None, *[answer(503)] * (FAILURES - 1), answer(429)]:
        await end(traffic, error)
        clock.now += 1
    assert not traffic.breaker.is_open
    for _ in range(FAILURES):
        await end(traffic, answer(502))
    assert traffic.breaker.is_open
    with pytest.raises(ModelUnavailable, match=f"failed {FAILURES} times in a row; the next try is in 1.0 s"):
        await end(traffic)


def test_one_probe_at_a_time_and_each_that_fails_doubles_the_break(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        breaker.failed()
    expected = FIRST_BREAK_S
    for _ in range(8):
        clock.now += expected - 0.01
        with pytest.raises(ModelUnavailable):
            breaker.refuse()
        clock.now += 0.01
        with breaker.watched():
            with pytest.raises(ModelUnavailable, match="when a call under way has ended"):
                breaker.refuse()
            breaker.failed()
        expected = min(LONGEST_BREAK_S, expected * 2)
    clock.now += expected
    with breaker.watched():
        breaker.answered()
    breaker.refuse()
    assert not breaker.is_open


def test_a_probe_that_was_dropped_leaves_the_next_one_free(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        breaker.failed()
    clock.now += FIRST_BREAK_S
    with suppress(LookupError), breaker.watched():
        raise LookupError
    with breaker.watched():
        assert breaker.is_open


class Word(BaseModel):
    """What the prompts here are answered with."""

    word: str


def ask(prompt: str) -> Ask[Word]:
    return Ask("word", [("user", prompt)], Word.model_json_schema(), Word, 0.0, 10)


@pytest.fixture
async def chat(script: ScriptedModel) -> AsyncIterator[ChatModel]:
    chat = chat_at(script)
    yield chat
    await chat.aclose()


def chat_at(script: ScriptedModel, *, timeout_s: float = 30) -> ChatModel:
    async def locate() -> Endpoint:
        return Endpoint(base_url=script.base_url, model="scripted", api_key=SecretStr("key"), loopback=True)

    return ChatModel(locate, store=None, name="scripted", timeout_s=timeout_s, max_concurrency=32)


async def test_being_told_to_wait_is_no_failed_try(script: ScriptedModel, chat: ChatModel) -> None:
    script.reply("word", [*[Status(429, retry_after=0)] * (MAX_ATTEMPTS + 1), Default()])
    _, call = await chat.fill(ask("a"))
    assert (call.attempts, call.error_code) == (MAX_ATTEMPTS + 2, None)
    assert chat.traffic.limit < 32
    assert not chat.traffic.breaker.is_open


def test_an_account_without_credit_is_not_asked_again() -> None:
    spent = openai.RateLimitError("spent", response=answer(429).response, body={"code": SPENT})
    assert not is_passing(spent)
    assert not is_throttled(spent)
    assert is_passing(answer(429))
    assert is_throttled(answer(429))


async def test_a_retry_after_holds_back_every_prompt(script: ScriptedModel, chat: ChatModel) -> None:
    script.reply("word", [Status(429, retry_after=0.5), Default()])
    first = asyncio.create_task(chat.fill(ask("a")))
    while chat.traffic.limit == 32:
        await asyncio.sleep(0.001)
    await asyncio.gather(first, *(chat.fill(ask(str(number))) for number in range(5)))
    refused, *others = [call.at for call in script.calls]
    assert len(others) == 6
    assert min(others) - refused >= 0.5


async def test_a_day_s_wait_is_an_error_now(script: ScriptedModel, chat: ChatModel) -> None:
    script.reply("word", Status(429, retry_after=86_400))
    with pytest.raises(ModelUnavailable, match="answered 429"):
        await chat.fill(ask("a"))
    with pytest.raises(ModelUnavailable, match="no calls in the next 86"):
        await chat.fill(ask("b"))
    assert script.count == 1


async def test_an_outage_costs_few_calls_and_ends_with_the_first_answer(
    script: ScriptedModel, chat: ChatModel, clock: Clock
) -> None:
    await chat.probe()
    chat.traffic = Traffic(32, patience_s=30, clock=clock)
    script.reply("word", Status(503))
    outcomes = await asyncio.gather(*(chat.fill(ask(str(number))) for number in range(200)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ModelUnavailable}
    assert FAILURES <= script.count <= FAILURES + 32
    called = script.count
    with pytest.raises(ModelUnavailable, match="times in a row"):
        await chat.fill(ask("while it is open"))
    assert script.count == called
    script.clear()
    clock.now += FIRST_BREAK_S
    await chat.fill(ask("again"))
    assert script.count == 1
    assert not chat.traffic.breaker.is_open


async def test_calls_that_hang_open_it_too(script: ScriptedModel) -> None:
    script.reply("word", Hang())
    chat = chat_at(script, timeout_s=0.5)
    async with asyncio.timeout(120):
        while not chat.traffic.breaker.is_open:
            await asyncio.gather(*(chat.fill(ask(str(number))) for number in range(32)), return_exceptions=True)
    assert script.count >= FAILURES
    await chat.aclose()


async def test_a_limit_of_the_endpoint_is_found(script: ScriptedModel, chat: ChatModel) -> None:
    """An endpoint that takes four calls at once and refuses the fifth gets about four, and answers all of them."""
    script.latency = 0.02

    def bounded(call: Call) -> Any:
        return Status(429) if script.in_flight > 4 else Default()

    script.reply("word", bounded)
    calls = [call for _, call in await asyncio.gather(*(chat.fill(ask(str(number))) for number in range(120)))]
    assert all(call.error_code is None for call in calls)
    assert chat.traffic.limit < 10
    refused = sum(call.attempts for call in calls) - len(calls)
    assert refused < len(calls)
