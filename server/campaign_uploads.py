"""Predictions that come with a request, written to a file of bounded size: memory stays flat however many there are."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request

from graph.invalid import explain
from server.campaign.spec import Spec

MOST_JSON_BYTES: Final = 16 * 1024 * 1024
"""A JSON body is read whole: some 100,000 predictions."""
MOST_FILE_BYTES: Final = 2 * 1024 * 1024 * 1024
"""A CSV or JSON Lines body: some 20 million predictions."""

SUFFIXES: Final = {"text/csv": ".csv", "application/x-ndjson": ".jsonl", "application/jsonl": ".jsonl"}
JSON: Final = "application/json"
IN_QUERY: Final = ("name", "budget_usd", "send_date", "engine", "personalisation", "holdout")

_FILE: Final = {"schema": {"type": "string"}}
BODIES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["name", "budget_usd", "send_date", "predictions"],
                    "properties": {
                        **{name: {} for name in (*IN_QUERY, "variants")},
                        "predictions": {"type": "array", "items": {"type": "object"}},
                    },
                }
            },
            "text/csv": _FILE,
            "application/x-ndjson": _FILE,
        },
    }
}
"""The bodies as the API's description has them: FastAPI sees none, since they are streamed."""


class WithPredictions(BaseModel):
    """A JSON body: the spec's fields with the predictions. Rows that are no prediction become rejects, not errors."""

    model_config = ConfigDict(extra="allow")

    predictions: list[Any] = Field(min_length=1)


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[tuple[Spec, Path]]:
    """Yield the campaign's terms and the file with its predictions, which is gone afterwards.

    Raises HTTPException: 415 for another content type, 413 for too much, 400 for what is no JSON or was cut off, 422
    for terms that can't be.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON and kind not in SUFFIXES:
        raise HTTPException(415, f"content-type is {kind[:80]!r}; allowed: {', '.join((JSON, *SUFFIXES))}")
    spec = None if kind == JSON else _spec_of(_query(request))
    with TemporaryDirectory(prefix="offergraph-campaign-") as folder:
        path = Path(folder) / f"body{SUFFIXES.get(kind, '.json')}"
        with path.open("wb") as file:
            await _save(request, file, MOST_JSON_BYTES if kind == JSON else MOST_FILE_BYTES)
        if spec is None:
            fields, predictions = await asyncio.to_thread(_read_json, path)
            spec = _spec_of(fields)
            path = Path(folder) / f"{spec.name}.jsonl"
            await asyncio.to_thread(_write_lines, path, predictions)
        else:
            path = path.rename(path.with_stem(spec.name))
        yield spec, path


def _query(request: Request) -> dict[str, Any]:
    """Return the spec's fields as query parameters have them; `variants` is JSON."""
    fields: dict[str, Any] = {name: request.query_params[name] for name in IN_QUERY if name in request.query_params}
    if unknown := [name for name in request.query_params if name not in (*IN_QUERY, "variants")]:
        raise HTTPException(422, f"{unknown[0][:80]} is no parameter; allowed: {', '.join(IN_QUERY)}, variants")
    if "variants" in request.query_params:
        try:
            fields["variants"] = json.loads(request.query_params["variants"])
        except (ValueError, RecursionError) as error:
            raise HTTPException(422, f'variants is no JSON, for example {{"draft": {{"b": 20}}}}: {error}') from error
    return fields


def _spec_of(fields: dict[str, Any]) -> Spec:
    try:
        return Spec.model_validate(fields)
    except ValidationError as error:
        raise HTTPException(422, explain(error)) from error


async def _save(request: Request, file: BinaryIO, most: int) -> None:
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise HTTPException(
                    413, f"the body has more than {most:,} bytes; `offers campaign create` takes any file"
                )
            await asyncio.to_thread(file.write, chunk)
    except ClientDisconnect as error:
        raise HTTPException(400, "the body was cut off") from error
    if not size:
        raise HTTPException(400, "the body is empty; it holds the predictions")


def _read_json(path: Path) -> tuple[dict[str, Any], list[Any]]:
    try:
        body = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body can't be read as JSON: {error}") from error
    try:
        read = WithPredictions.model_validate(body)
    except ValidationError as error:
        raise HTTPException(422, explain(error)) from error
    return dict(read.model_extra or {}), read.predictions


def _write_lines(path: Path, predictions: list[Any]) -> None:
    """Write a line for each prediction; the same predictions give the same bytes."""
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(f"{json.dumps(item, sort_keys=True)}\n" for item in predictions)
