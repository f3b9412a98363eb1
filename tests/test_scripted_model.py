import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import aiohttp
import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, ConfigDict, Field

from tests.scripted_model import (
    Call,
    Default,
    Drop,
    EmptyChoices,
    HalfBody,
    HalfJson,
    Hang,
    Latency,
    PlainText,
    Refusal,
    Reply,
    ScriptedModel,
    Status,
    Truncated,
    sample,
)


class Selection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    option_id: Literal["opt_a", "opt_b", "opt_c", "opt_d"]
    merchant_ids: Annotated[list[Literal["M1", "M2", "M3", "M4"]], Field(min_length=2, max_length=4)]
    headline: Annotated[str, Field(min_length=10, max_length=40)]
    reason: str | None
    points: Annotated[int, Field(ge=1, le=5)]


def asked(step: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": step, "strict": True, "schema": schema}}}


FORMAT = asked("draft_select", Selection.model_json_schema())


@pytest.fixture
def script() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    made = openai.DefaultAioHttpClient(timeout=httpx2.Timeout(10), trust_env=False)
    yield made
    await made.aclose()


def chat(script: ScriptedModel, client: httpx2.AsyncClient, *, timeout: float = 10) -> ChatOpenAI:
    return ChatOpenAI(
        model="any",
        base_url=script.base_url,
        api_key="key",  # type: ignore[arg-type]
        max_retries=0,
        timeout=timeout,
        http_async_client=client,
        http_socket_options=(),
    )


async def ask(script: ScriptedModel, client: httpx2.AsyncClient, prompt: str = "choose") -> AIMessage:
    return await chat(script, client).ainvoke([HumanMessage(prompt)], extra_body=FORMAT)


async def test_without_a_rule_the_reply_satisfies_the_schema_and_follows_the_messages(
    script: ScriptedModel, client: httpx2.AsyncClient
) -> None:
    replies = [await ask(script, client, f"prompt {n % 20}") for n in range(40)]
    chosen = [Selection.model_validate_json(str(reply.content)) for reply in replies]
    assert chosen[:20] == chosen[20:]
    assert {one.option_id for one in chosen} == {"opt_a", "opt_b", "opt_c", "opt_d"}
    assert all(len(set(one.merchant_ids)) == len(one.merchant_ids) == 2 for one in chosen)
    assert script.steps() == ["draft_select"] * 40


async def test_another_seed_chooses_otherwise(client: httpx2.AsyncClient) -> None:
    answers = []
    for seed in (1, 1, 2):
        with ScriptedModel(seed=seed) as script:
            answers.append([(await ask(script, client, f"prompt {n}")).content for n in range(8)])
    assert answers[0] == answers[1] != answers[2]


async def test_calls_are_recorded_with_body_headers_and_tokens(
    script: ScriptedModel, client: httpx2.AsyncClient
) -> None:
    reply = await ask(script, client, "a prompt of 24 characters")
    (call,) = script.calls
    assert call.text == "a prompt of 24 characters"
    assert call.headers["authorization"] == "Bearer key"
    assert call.body["model"] == "any"
    assert call.schema == Selection.model_json_schema()
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] == 7
    assert reply.usage_metadata["output_tokens"] == -(-len(str(reply.content)) // 4)


async def test_scripted_replies_go_by_step_in_order_and_the_last_repeats(
    script: ScriptedModel, client: httpx2.AsyncClient
) -> None:
    script.reply("draft_select", [{"n": 1}, "raw", lambda call: {"echo": call.text}])
    script.reply("judge", "never asked")
    assert [(await ask(script, client, "hi")).content for _ in range(4)] == [
        '{"n": 1}',
        "raw",
        '{"echo": "hi"}',
        '{"echo": "hi"}',
    ]


async def test_the_rule_set_last_wins_and_clear_forgets(script: ScriptedModel, client: httpx2.AsyncClient) -> None:
    script.reply("*", "any")
    script.reply(lambda call: "gold" in call.text, "for gold")
    assert (await ask(script, client, "a gold card")).content == "for gold"
    assert (await ask(script, client, "a basic card")).content == "any"
    script.clear()
    assert script.count == 0
    assert Selection.model_validate_json(str((await ask(script, client)).content))


async def test_errors_carry_status_and_retry_after(script: ScriptedModel, client: httpx2.AsyncClient) -> None:
    script.reply("draft_select", [Status(429, retry_after=0.2), Status(500), Default()])
    with pytest.raises(openai.RateLimitError) as limited:
        await ask(script, client)
    assert limited.value.response.headers["retry-after"] == "0.2"
    with pytest.raises(openai.InternalServerError) as failed:
        await ask(script, client)
    assert failed.value.status_code == 500
    assert Selection.model_validate_json(str((await ask(script, client)).content))


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Drop(), openai.APIConnectionError),
        (HalfBody(), ValueError),
        (PlainText(), ValueError),
        (EmptyChoices(), LookupError),
    ],
)
async def test_broken_replies_break_the_client(
    script: ScriptedModel, client: httpx2.AsyncClient, fault: Reply, raised: type[Exception]
) -> None:
    script.reply("draft_select", fault)
    with pytest.raises(raised):
        await ask(script, client)


async def test_half_truncated_and_refused_answers_arrive_as_messages(
    script: ScriptedModel, client: httpx2.AsyncClient
) -> None:
    script.reply("draft_select", [HalfJson(), Truncated(), Refusal("no")])
    half, truncated, refused = [await ask(script, client) for _ in range(3)]
    assert half.response_metadata["finish_reason"] == "stop"
    assert half.content == truncated.content
    with pytest.raises(ValueError, match="EOF"):
        Selection.model_validate_json(str(half.content))
    assert truncated.response_metadata["finish_reason"] == "length"
    assert (refused.content, refused.additional_kwargs["refusal"]) == ("", "no")


async def test_a_hanging_reply_lasts_until_the_client_gives_up(
    script: ScriptedModel, client: httpx2.AsyncClient
) -> None:
    script.reply("draft_select", [Hang(), Default()])
    with pytest.raises(openai.APITimeoutError):
        await chat(script, client, timeout=0.1).ainvoke("choose", extra_body=FORMAT)
    assert (await ask(script, client)).content
    assert script.count == 2


async def test_leaving_the_context_cuts_a_hanging_call_off(client: httpx2.AsyncClient) -> None:
    with ScriptedModel() as script:
        script.reply("*", Hang())
        call = asyncio.create_task(ask(script, client))
        while not script.count:
            await asyncio.sleep(0.001)
    with pytest.raises(openai.APIConnectionError):
        await call


async def test_requests_in_flight_are_counted(client: httpx2.AsyncClient) -> None:
    with ScriptedModel() as script:

        def when_all_are_here(_: Call) -> Reply:
            return Default() if script.max_in_flight == 5 else Latency(0.01, when_all_are_here)

        script.reply("*", when_all_are_here)
        await asyncio.gather(*(ask(script, client) for _ in range(5)))
        assert (script.count, script.max_in_flight, script.in_flight) == (5, 5, 0)


async def test_a_streaming_client_gets_the_same_reply(script: ScriptedModel, client: httpx2.AsyncClient) -> None:
    whole = await ask(script, client)
    llm = chat(script, client)
    text, usage = "", None
    async for chunk in llm.astream([HumanMessage("choose")], extra_body=FORMAT, stream_usage=True):
        text, usage = text + str(chunk.content), chunk.usage_metadata or usage
    assert text == whole.content
    assert usage is not None
    assert whole.usage_metadata is not None
    assert usage["total_tokens"] == whole.usage_metadata["total_tokens"]


async def test_plain_http_models_health_and_bad_requests(script: ScriptedModel) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{script.base_url}/models") as reply:
            assert (await reply.json())["data"][0]["id"] == "scripted-model"
        async with session.get(script.base_url.replace("/v1", "/health")) as reply:
            assert await reply.json() == {"status": "ok"}
        for body in (b"{", b"[]", b"{}", b'{"messages": []}'):
            async with session.post(f"{script.base_url}/chat/completions", data=body) as reply:
                assert reply.status == 400
                assert "messages" in (await reply.json())["error"]["message"]
        async with session.post(
            f"{script.base_url}/chat/completions", json={"messages": [{"role": "user", "content": "hello"}]}
        ) as reply:
            answer = await reply.json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "text", "refusal": None}
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}
    assert script.count == 1


async def test_strings_come_from_the_texts_given(client: httpx2.AsyncClient) -> None:
    with ScriptedModel(texts={"headline": "Dine out and earn {offer_value}"}) as script:
        chosen = Selection.model_validate_json(str((await ask(script, client)).content))
    assert chosen.headline == "Dine out and earn {offer_value}"


def test_a_taken_port_is_an_error(script: ScriptedModel) -> None:
    port = int(script.base_url.split(":")[2].removesuffix("/v1"))
    with pytest.raises(OSError, match="address already in use"), ScriptedModel(port=port):
        pass


def test_an_empty_list_of_replies_is_refused(script: ScriptedModel) -> None:
    with pytest.raises(ValueError, match="at least one"):
        script.reply("judge", [])


class Leaf(BaseModel):
    kind: Literal["leaf"]
    at: Annotated[float, Field(gt=0, lt=1)]


class Tree(BaseModel):
    kind: Literal["tree"]
    left: Leaf
    flag: bool
    below: Annotated[int, Field(le=-3)]
    pair: tuple[int, str]
    either: Leaf | None
    leaves: Annotated[list[Leaf], Field(min_length=1, max_length=3)]
    none: Annotated[list[str], Field(max_length=0)]


@given(key=st.text(max_size=8))
def test_a_sample_is_valid_and_the_same_for_the_same_key(key: str) -> None:
    made = sample(Tree.model_json_schema(), key=key)
    Tree.model_validate(made)
    assert made == sample(Tree.model_json_schema(), key=key)


def test_a_pattern_no_text_fits_is_named() -> None:
    schema = {"type": "object", "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}}}
    with pytest.raises(ValueError, match=r"\$\.zip: no text for pattern"):
        sample(schema, key="")
    assert sample(schema, key="", texts={"zip": "19801"}) == {"zip": "19801"}


async def test_the_command_line_serves_until_it_is_told_to_stop() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scripted_model", "--latency", "0.01", "--seed", "1"],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    async with aiohttp.ClientSession() as session:
        asking = {"messages": [{"role": "user", "content": "hello"}]}
        async with session.post(f"{url}/chat/completions", json=asking) as reply:
            assert reply.status == 200
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == "1 requests, at most 1 at once\n"
    assert process.returncode == 0
