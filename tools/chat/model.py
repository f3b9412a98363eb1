"""Asks the chat model for one structured reply: cache, single flight, retries, one repair."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import openai
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from tools.chat.calls import Ask, ModelCall, Reply
from tools.chat.completions import CompletionStore
from tools.chat.quota import Quota
from tools.chat.traffic import Traffic
from tools.chat.tries import Try
from tools.chat.waiting import asked_wait, is_passing, is_throttled, retry_wait
from tools.errors import ModelReplyInvalid, ModelUnavailable, OfferGraphError, RetryableError
from tools.ledger.usage import Tokens, Usage
from tools.prompt_budget import tokens

MAX_ATTEMPTS: Final = 5
"""Tries of one prompt that fail. Being told to wait (429) is no failure: only the call's time bounds that."""
HUNG: Final = 0.5
"""Share of a call's time after which an attempt without an answer is a failure; shorter ones were sent too late."""
CONNECT_TIMEOUT_S: Final = 5.0
SHOWN_REPLY: Final = 2_000
COUNTED: Final = ("input_tokens", "output_tokens", "cached_tokens")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server. `slots` bounds calls in flight; None means the client's own limit."""

    base_url: str
    model: str
    api_key: SecretStr
    loopback: bool = False
    slots: int | None = None


@dataclass(slots=True)
class Tally:
    """Counts one step's attempts and tokens while they happen. `begun` is when the attempt under way was sent."""

    step: str
    model: str
    prompt_sha: str
    attempts: int = 0
    failures: int = 0
    begun: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Count the attempt that the block makes; one that is cut off stays `begun`."""
        self.attempts, self.begun = self.attempts + 1, time.monotonic()
        try:
            yield
        except Exception as error:
            self.failures, self.begun = self.failures + (not is_throttled(error)), None
            raise
        self.begun = None

    def failures_after(self, waited_s: float) -> int:
        """Return the failures with the attempt that the end of the wait cut off, where it had `HUNG` of the time."""
        return self.failures + (self.begun is not None and time.monotonic() - self.begun >= waited_s * HUNG)

    def add(self, tokens: Tokens) -> None:
        """Count an answer's tokens."""
        self.input_tokens += tokens.input_tokens
        self.output_tokens += tokens.output_tokens
        self.cached_tokens += tokens.cached_tokens

    def account(self, error: OfferGraphError | None = None, *, repaired: bool = False) -> ModelCall:
        """Return the account so far."""
        return ModelCall(
            step=self.step,
            model=self.model,
            prompt_sha=self.prompt_sha,
            attempts=self.attempts,
            failures=self.failures,
            repaired=repaired,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
            elapsed_ms=(time.monotonic() - self.started) * 1000,
            error_code=error.code if error else None,
            error=str(error) if error else None,
        )


class _Flight(NamedTuple):
    """A prompt under way, and what is known of it so far."""

    task: asyncio.Task[tuple[str, ModelCall]]
    tally: Tally


class ChatModel:
    """The process's one model client.

    `locate` returns the endpoint, starting the embedded server when that is what is configured; it is called at the
    first prompt that no cache answers. Without a `store` each prompt is asked anew, and equal ones share nothing: for
    measuring what a model answers, and not what it answered once. With a `quota` each try waits for its share of it;
    with a `usage` each is counted in the ledger before it is sent.
    """

    def __init__(
        self,
        locate: Callable[[], Awaitable[Endpoint]],
        *,
        store: CompletionStore | None,
        name: str,
        timeout_s: float,
        max_concurrency: int,
        quota: Quota | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.name, self.max_concurrency, self.usage = name, max_concurrency, usage
        self._locate, self._store, self._timeout_s, self._quota = locate, store, timeout_s, quota
        self._client: ChatOpenAI | None = None
        self._http: Any = None
        self.traffic = Traffic(max_concurrency, patience_s=timeout_s)
        self._opening = asyncio.Lock()
        self._flights: dict[str, _Flight] = {}

    async def fill(
        self, ask: Ask[Reply], *, deadline_s: float | None = None, keep: bool = True, counted: bool | None = None
    ) -> tuple[Reply, ModelCall]:
        """Return the parsed reply and the account of the call.

        Equal prompts at once share one flight; `deadline_s` bounds this caller's wait, not the flight. `keep` False
        reads the cache of completions and leaves it as it is. `counted` writes each try to the ledger (left out: as
        `keep` says): a preview writes nothing. Raises ModelUnavailable or ModelReplyInvalid; both carry the account as
        `call`.
        """
        started = time.monotonic()
        key = ask.key(self.name)
        kept = None if self._store is None else await self._store.get(key)
        if kept is not None and (reply := _parse(ask, kept)) is not None:
            elapsed = (time.monotonic() - started) * 1000
            return reply, ModelCall(step=ask.name, model=self.name, prompt_sha=key, cached=True, elapsed_ms=elapsed)
        wait = self._timeout_s if deadline_s is None else min(deadline_s, self._timeout_s)
        if wait <= 0:
            raise _late(Tally(ask.name, self.name, key), wait)
        name = key if self._store is not None else uuid.uuid4().hex
        flight = self._flights.get(name)
        shared = flight is not None
        if flight is None:
            tally = Tally(ask.name, self.name, key)
            flying = self._fly(ask, tally, keep=keep, counted=keep if counted is None else counted)
            flight = self._flights[name] = _Flight(asyncio.create_task(flying), tally)
            flight.task.add_done_callback(lambda done: self._land(name, done))
        try:
            async with asyncio.timeout(wait):
                body, call = await asyncio.shield(flight.task)
        except TimeoutError as error:
            failures = flight.tally.failures_after(wait)
            raise _late(Tally(ask.name, self.name, key, failures=failures, started=started), wait) from error
        if shared:
            call = call.model_copy(update={"cached": True, "attempts": 0} | dict.fromkeys(COUNTED, 0))
        return ask.reply.model_validate_json(body), call

    async def keep(self, ask: Ask[Reply], reply: Reply, call: ModelCall) -> None:
        """Keep a reply that `fill` left out of the cache, once its reader has found it worth keeping."""
        if self._store is None:
            return
        tokens = {"input_tokens": call.input_tokens, "output_tokens": call.output_tokens}
        await self._store.put(ask.key(self.name), reply.model_dump_json(), model=self.name, **tokens)

    async def probe(self) -> None:
        """Ask the endpoint for its models. Raises ModelUnavailable when it doesn't answer."""
        client = await self._open()
        try:
            await client.root_async_client.models.list(timeout=CONNECT_TIMEOUT_S)
        except openai.APIStatusError as error:
            if error.status_code in (401, 403) or error.status_code >= 500:
                raise ModelUnavailable(f"the endpoint answered {error.status_code} to /models") from error
        except (openai.APIError, ValueError, TypeError, LookupError) as error:
            raise ModelUnavailable(f"the endpoint doesn't answer: {_reason(error)}") from error

    async def aclose(self) -> None:
        """Wait for nothing, cancel what flies, close the connections."""
        flying = [flight.task for flight in self._flights.values()]
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
        self._client = self._http = None

    def _land(self, name: str, flight: asyncio.Task[tuple[str, ModelCall]]) -> None:
        self._flights.pop(name, None)
        if not flight.cancelled():
            flight.exception()  # waiters may all have been cancelled; asyncio would complain that nobody looked

    async def _open(self) -> ChatOpenAI:
        async with self._opening:
            if self._client is None:
                try:
                    endpoint = await self._locate()
                except RetryableError as error:
                    raise ModelUnavailable(str(error)) from error
                most = min(self.max_concurrency, endpoint.slots or self.max_concurrency)
                self.traffic = Traffic(most, patience_s=self._timeout_s)
                self._http = _http_client(endpoint, self._timeout_s, self.max_concurrency)
                self._client = ChatOpenAI(
                    model=endpoint.model,
                    base_url=endpoint.base_url,
                    api_key=endpoint.api_key,
                    max_retries=0,
                    timeout=self._timeout_s,
                    http_async_client=self._http,
                    http_socket_options=(),
                    disable_streaming=True,  # a watcher of the run (stream_log, Studio) must not change the request
                )
            return self._client

    async def _fly(self, ask: Ask[Any], tally: Tally, *, keep: bool, counted: bool) -> tuple[str, ModelCall]:
        try:
            async with asyncio.timeout(self._timeout_s):
                body, repaired = await self._answer(ask, tally, self.usage if counted else None)
        except TimeoutError as error:
            tally.failures = tally.failures_after(self._timeout_s)
            raise _late(tally, self._timeout_s) from error
        except (ModelUnavailable, ModelReplyInvalid) as error:
            error.call = tally.account(error)
            raise
        call = tally.account(repaired=repaired)
        if keep and self._store is not None:
            tokens = {"input_tokens": call.input_tokens, "output_tokens": call.output_tokens}
            await self._store.put(tally.prompt_sha, body, model=self.name, **tokens)
        return body, call

    async def _answer(self, ask: Ask[Any], tally: Tally, usage: Usage | None) -> tuple[str, bool]:
        messages = list(ask.messages)
        text = await self._send(ask, messages, tally, usage)
        if _parse(ask, text) is not None:
            return text, False
        problem = _problem(ask, text)
        messages += [
            ("assistant", text[:SHOWN_REPLY] or "(empty)"),
            ("user", f"That reply does not fit the schema: {problem}. Reply again with only the JSON object."),
        ]
        text = await self._send(ask, messages, tally, usage)
        if _parse(ask, text) is None:
            raise ModelReplyInvalid(
                f"{ask.name}: the reply does not fit its schema, repair included: {_problem(ask, text)}"
            )
        return text, True

    async def _send(self, ask: Ask[Any], messages: list[tuple[str, str]], tally: Tally, usage: Usage | None) -> str:
        try:
            client = await self._open()
        except ModelUnavailable:
            tally.failures += 1
            raise
        form = {"type": "json_schema", "json_schema": {"name": ask.name, "strict": True, "schema": ask.schema}}
        taken = 0

        async def allowed(this: Try) -> None:
            nonlocal taken
            if self._quota is not None:
                taken = await self._quota.use(lambda: sum(tokens(text) for _, text in messages) + ask.max_tokens)
            await this.count()

        tries = AsyncRetrying(
            retry=retry_if_exception(is_passing), wait=_wait, stop=_Failures(self._timeout_s), reraise=True
        )
        try:
            async for attempt in tries:
                with attempt, Try(usage, ask.name, self.name) as this:
                    async with self.traffic.call(partial(allowed, this)):
                        this.begun = True
                        with tally.attempt():
                            message = await client.ainvoke(
                                messages,
                                temperature=ask.temperature,
                                max_tokens=ask.max_tokens,
                                extra_body={"response_format": form},  # not langchain-openai's slower `parse` path
                            )
                        this.tokens = _tokens(message)
        except openai.APIStatusError as error:
            raise ModelUnavailable(f"the endpoint answered {error.status_code}") from error
        except openai.APIError as error:
            raise ModelUnavailable(f"the endpoint doesn't answer: {_reason(error)}") from error
        except (ValueError, LookupError, TypeError) as error:
            raise ModelReplyInvalid(
                f"{ask.name}: the endpoint's answer is no chat completion: {_reason(error)}"
            ) from error
        tally.add(this.tokens)
        if self._quota is not None:
            await self._quota.settle(taken, this.tokens.input_tokens + this.tokens.output_tokens)
        return message.content if isinstance(message.content, str) else ""


def _late(tally: Tally, waited_s: float) -> ModelUnavailable:
    failure = ModelUnavailable(f"no answer within {max(waited_s, 0):.3g} s")
    failure.call = tally.account(failure)
    return failure


class _Failures:
    """Stops the tries of one prompt after `MAX_ATTEMPTS` failures, or where the endpoint asks for a longer wait."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._seen = 0

    def __call__(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        self._seen += not is_throttled(error)
        return self._seen >= MAX_ATTEMPTS or (asked_wait(error) or 0.0) > self._patience_s


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return retry_wait(error, state.attempt_number)


def _tokens(message: Any) -> Tokens:
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    if not usage:
        return Tokens()
    cached = usage.get("input_token_details", {}).get("cache_read", 0)
    return Tokens(usage["input_tokens"], usage["output_tokens"], cached)


def _parse(ask: Ask[Reply], body: str) -> Reply | None:
    try:
        return ask.reply.model_validate_json(body)
    except ValidationError:
        return None


def _problem(ask: Ask[Any], body: str) -> str:
    try:
        ask.reply.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"
    return "nothing"


def _reason(error: BaseException) -> str:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{type(cause).__name__}: {cause}"[:300]


def _http_client(endpoint: Endpoint, timeout_s: float, max_concurrency: int) -> Any:
    """Return the aiohttp-based client: a third of the CPU per call of the default one at 100 calls in flight."""
    import httpx2

    return openai.DefaultAioHttpClient(
        timeout=httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
        limits=httpx2.Limits(max_connections=max_concurrency, max_keepalive_connections=max_concurrency),
        trust_env=not endpoint.loopback,
    )
