"""The HTTP side of the scripted model: an aiohttp server in a thread of its own."""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.scripted_model.completion import completion, streamed
from tests.scripted_model.judging import judged
from tests.scripted_model.replies import (
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
    Status,
    Truncated,
    step_of,
)
from tests.scripted_model.sampler import sample

Matcher = str | Callable[[Call], bool]


class ScriptedModel:
    """A chat model at `base_url` while the context lasts, or for as long as `serve` runs.

    `latency` is added to each reply, in seconds. `texts` gives default strings by property name, else `text`.
    `record=False` keeps counts but no requests, for long benchmarks.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        seed: int = 0,
        text: str = "text",
        texts: Mapping[str, str] | None = None,
        port: int = 0,
        record: bool = True,
    ) -> None:
        self.latency, self.seed, self.text, self.texts = latency, seed, text, dict(texts or {})
        self.calls: list[Call] = []
        self.count = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self._first_at = self._last_at = self._cpu_at_first = 0.0
        self._port, self._record = port, record
        self._rules: list[tuple[Matcher, list[Reply]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: OSError | None = None

    @property
    def base_url(self) -> str:
        """What to give an OpenAI client, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}/v1"

    def reply(self, step: Matcher, reply: Reply) -> None:
        """Answer a step (schema name, "*" for any, or a predicate) with the reply. The last rule set wins."""
        is_list = isinstance(reply, Sequence) and not isinstance(reply, str)
        replies: list[Reply] = list(reply) if is_list else [reply]  # type: ignore[arg-type]
        if not replies:
            raise ValueError("reply: an empty list answers nothing; give at least one reply")
        self._rules.append((step, replies))

    def clear(self) -> None:
        """Forget all rules, calls and counts."""
        self._rules, self.calls = [], []
        self.count = self.max_in_flight = 0

    def steps(self) -> list[str]:
        """Return the step of each recorded call, in order of arrival."""
        return [call.step for call in self.calls]

    def __enter__(self) -> Self:
        """Start serving in a thread and return when the port is open."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="scripted-model", daemon=True)
        self._thread.start()
        self.wait_ready()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving; hanging requests are cut off."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def wait_ready(self) -> None:
        """Block until the port is open or can't be opened."""
        self._ready.wait()

    def stop(self) -> None:
        """End `serve`, from any thread."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def serve(self) -> None:
        """Serve until `stop`. Raises OSError when the port is taken."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._complete),
                web.get("/v1/models", self._models),
                web.get("/health", self._health),
                web.get("/counts", self._counts),
            ]
        )
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._port, backlog=4096)
            await site.start()
            self._port = runner.addresses[0][1]
            self._ready.set()
            await self._stop.wait()
        except OSError as error:
            self._failure = error
            self._ready.set()
            if self._thread is None:
                raise
        finally:
            await runner.cleanup()

    async def _models(self, _: web.Request) -> web.Response:
        model = {"id": "scripted-model", "object": "model", "created": 0, "owned_by": "tests"}
        return web.json_response({"object": "list", "data": [model]})

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _counts(self, _: web.Request) -> web.Response:
        """Tell a benchmark what came when, by the clock all processes of a machine share, and what it cost here."""
        cpu_s = time.process_time() - self._cpu_at_first
        times = {"first_at": self._first_at, "last_at": self._last_at, "cpu_s": cpu_s}
        return web.json_response({"count": self.count, "max_in_flight": self.max_in_flight, **times})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        arrived = time.monotonic()
        if not self._first_at:
            self._first_at, self._cpu_at_first = arrived, time.process_time()
        try:
            body = await request.json()
            messages = body["messages"]
        except (ValueError, KeyError, TypeError):
            return _error(Status(400, message="the body must be a JSON object with messages"))
        if not isinstance(messages, list) or not messages:
            return _error(Status(400, message="messages must be a list that isn't empty"))
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(step=step_of(body), body=body, headers=headers, at=arrived)
        self.count += 1
        if self._record:
            self.calls.append(call)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._answer(request, call, self._scripted(call))
        finally:
            self.in_flight -= 1
            self._last_at = time.monotonic()

    def _scripted(self, call: Call) -> Reply:
        for matcher, replies in reversed(self._rules):
            if matcher(call) if callable(matcher) else matcher in ("*", call.step):
                return replies.pop(0) if len(replies) > 1 else replies[0]
        return Default()

    async def _answer(self, request: web.Request, call: Call, reply: Reply) -> web.StreamResponse:
        while True:
            if isinstance(reply, Latency):
                await asyncio.sleep(reply.seconds)
                reply = reply.reply
            elif callable(reply):
                reply = reply(call)
            else:
                break
        match reply:
            case Status():
                return _error(reply)
            case Hang():
                await asyncio.Event().wait()
            case Drop():
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            case PlainText(text):
                return web.Response(text=text)
        content, finish, refusal = self._content(call, reply)
        whole = completion(call, content, finish=finish, refusal=refusal)
        if isinstance(reply, EmptyChoices):
            whole["choices"] = []
        if call.body.get("stream"):
            return await streamed(
                request, whole, with_usage=bool((call.body.get("stream_options") or {}).get("include_usage"))
            )
        text = json.dumps(whole)
        return web.Response(text=_half(text) if isinstance(reply, HalfBody) else text, content_type="application/json")

    def _content(self, call: Call, reply: Reply) -> tuple[str | None, str, str | None]:
        """Return content, finish reason and refusal."""
        match reply:
            case Refusal(text):
                return None, "stop", text
            case HalfJson():
                return _half(self._default(call)), "stop", None
            case Truncated():
                return _half(self._default(call)), "length", None
            case str():
                return reply, "stop", None
            case Mapping():
                return json.dumps(reply, ensure_ascii=False), "stop", None
            case _:
                return self._default(call), "stop", None

    def _default(self, call: Call) -> str:
        if call.schema is None:
            return self.text
        if call.step == "judge":
            return json.dumps(judged(call), ensure_ascii=False)
        told = json.dumps([self.seed, call.body["messages"]], sort_keys=True)
        key = hashlib.sha256(told.encode()).hexdigest()
        return json.dumps(sample(call.schema, key=key, texts=self.texts, text=self.text), ensure_ascii=False)


def _half(text: str) -> str:
    return text[: max(1, len(text) // 2)]


def _error(status: Status) -> web.Response:
    headers = {} if status.retry_after is None else {"Retry-After": f"{status.retry_after:g}"}
    body: dict[str, Any] = {"error": {"message": status.message, "type": "scripted", "param": None, "code": None}}
    return web.json_response(body, status=status.code, headers=headers)
