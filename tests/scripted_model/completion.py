"""The body of a chat completion as OpenAI-compatible servers write it, whole or streamed."""

import hashlib
import json
import time
from typing import Any

from aiohttp import web

from tests.scripted_model.replies import Call

CHARS_PER_TOKEN = 4


def completion(call: Call, content: str | None, *, finish: str, refusal: str | None) -> dict[str, Any]:
    """Return the body of a reply. Token counts are characters by four, rounded up."""
    prompt, out = _tokens(call.text), _tokens(content or refusal or "")
    digest = hashlib.sha256(json.dumps(call.body, sort_keys=True).encode()).hexdigest()
    return {
        "id": f"chatcmpl-{digest[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": call.body.get("model", "scripted-model"),
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "logprobs": None,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
            }
        ],
        "usage": {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out},
    }


async def streamed(request: web.Request, whole: dict[str, Any], *, with_usage: bool) -> web.StreamResponse:
    """Send the reply as server-sent events: one delta per choice, its end, and the usage when asked for."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    head = {**whole, "object": "chat.completion.chunk"}
    usage = head.pop("usage")
    events: list[dict[str, Any]] = []
    for choice in whole["choices"]:
        delta = {name: value for name, value in choice["message"].items() if value is not None}
        events.append({**head, "choices": [{"index": choice["index"], "delta": delta, "finish_reason": None}]})
        end = {"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}
        events.append({**head, "choices": [end]})
    if with_usage:
        events.append({**head, "choices": [], "usage": usage})
    for event in events:
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _tokens(text: str) -> int:
    return -(-len(text) // CHARS_PER_TOKEN)
