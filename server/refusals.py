"""Requests that can't be read, refused in words: what LangServe would answer 500, and FastAPI with the input in it."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from server.pipeline import MAX_ITEMS, too_many

SHOWN: Final = 200
"""Characters of a caller's text that a refusal repeats."""


async def require_readable(request: Request) -> None:
    """Refuse a body that is no JSON (400), and a batch that is no list (422) or too long (400)."""
    if request.method != "POST":
        return
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body can't be read as JSON: {error}") from error
    if not request.url.path.endswith("/batch"):
        return
    inputs = body.get("inputs", []) if isinstance(body, dict) else []
    if not isinstance(inputs, list):
        raise HTTPException(422, "inputs must be a list of predictions")
    if len(inputs) > MAX_ITEMS:
        raise HTTPException(400, too_many(len(inputs)))


async def refuse_invalid(_: Request, error: Exception) -> JSONResponse:
    """Answer 422 naming each field. The input is left out: it may be huge, personal, or no JSON."""
    assert isinstance(error, RequestValidationError)  # the handler is registered for this class
    return JSONResponse({"detail": [_described(item) for item in error.errors()]}, 422)


def _described(item: Mapping[str, Any] | str) -> dict[str, Any]:
    if isinstance(item, str):  # LangServe's errors are plain words
        return {"type": "value_error", "loc": ["body"], "msg": item}
    place = [part if isinstance(part, int) else _sendable(part) for part in item["loc"]]
    reason = (item.get("ctx") or {}).get("error")
    return {"type": item["type"], "loc": place, "msg": f"{item['msg']}: {reason}" if reason else item["msg"]}


def _sendable(text: str) -> str:
    """Return the text as a reply can hold it: a lone surrogate has no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()[:SHOWN]
