"""`POST /compliance/check`: copy that anyone wrote, judged by the policies in force, whatever else is down."""

import asyncio
import json
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Annotated, Any, Final

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from server.pipeline import MAX_ITEMS, Pipeline
from tools.errors import InputInvalid
from tools.standalone import (
    Checker,
    CheckReply,
    CheckRequest,
    JudgedChecker,
    Unreadable,
    has_judge_clause,
    in_order,
    parse_json,
    read_request,
)

INLINE_BYTES: Final = 16_384
"""A body up to this size is checked where it arrives, in milliseconds; a larger one or a list in a thread."""
_KEPT: Final = 32
"""Checkers kept for the families callers ask for."""
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": f"More than {MAX_ITEMS} objects in one call."},
    422: {"description": "The object can't be read; the reply names each field."},
}


def add_compliance_routes(app: FastAPI, pipeline: Pipeline) -> None:
    """Add the route to the application."""

    @lru_cache(maxsize=_KEPT)
    def checker_of(policy_set_sha: str, judged: bool, families: tuple[str, ...]) -> Checker:
        # The hash takes part in the key: other policies, another checker.
        return Checker.of(pipeline.deps.rulebook.gate, judged=judged, families=families)

    @app.post(
        "/compliance/check",
        tags=["policies"],
        response_model=CheckReply | list[CheckReply],
        responses=_REFUSALS,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": body_schema()}}}},
    )
    async def check(
        request: Request,
        judge: Annotated[bool, Query(description="false: the deterministic part alone.")] = True,
        families: Annotated[
            str, Query(description="Comma-separated: beginnings of policy ids up to a hyphen, or whole ids.")
        ] = "",
    ) -> Response:
        """Check one piece of copy, or a list of up to 500, against the policies in force.

        A list has one reply per object, in order; an object of it that can't be read has a reply with `error`.
        Nothing is stored, and no database or index is needed. Judge clauses need a judge (`JUDGE_MODEL`); where none
        answers they are unknown.
        """
        raw = await request.body()
        try:
            checker = checker_of(pipeline.deps.rulebook.gate.policies.sha, judge, names_of(families))
        except InputInvalid as error:
            raise RequestValidationError([_described(("query", "families"), str(error))]) from error
        try:
            await pipeline.live.follow_prompts()  # the judge's, if edits count
            return _json(await _answer(checker, raw, _judged(checker, pipeline)))
        except Unreadable as error:
            raise RequestValidationError(
                [_described(("body", *place), reason) for place, reason in error.faults]
            ) from error


def names_of(families: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list, each once, in one order."""
    return tuple(sorted({name.strip() for name in families.split(",")} - {""}))


def body_schema() -> dict[str, Any]:
    """Return the schema of a body: one object or a list of them, definitions written out in place."""
    schema = CheckRequest.model_json_schema()
    one = _inlined(schema, schema.pop("$defs", {}))
    return {"anyOf": [one, {"type": "array", "items": one, "maxItems": MAX_ITEMS}]}


def _judged(checker: Checker, pipeline: Pipeline) -> JudgedChecker | None:
    """Return the checker with the configured judge, or None when there is none or no clause for it."""
    deps = pipeline.deps
    if deps.judge is None or not checker.judged or not has_judge_clause(checker):
        return None
    return JudgedChecker(checker, deps.judge, deps.rulebook.prompts.pick("judge", {}))


async def _answer(checker: Checker, raw: bytes, judged: JudgedChecker | None) -> object:
    if len(raw) <= INLINE_BYTES:
        given = parse_json(raw)
        if not isinstance(given, list) and judged is None:
            return checker.check(read_request(given)).as_dict()
    else:
        given = await asyncio.to_thread(parse_json, raw)
    if not isinstance(given, list):
        if judged is not None:
            return (await judged.check(await asyncio.to_thread(read_request, given))).as_dict()
        return await asyncio.to_thread(lambda: checker.check(read_request(given)).as_dict())
    if len(given) > MAX_ITEMS:
        raise HTTPException(400, f"{len(given)} objects in one call; at most {MAX_ITEMS} are allowed: use more calls")
    if judged is not None:
        at_once = judged.judge.model.max_concurrency
        return [reply async for reply in in_order(iter(given), partial(_judged_reply, judged), at_once=at_once)]
    return await asyncio.to_thread(lambda: [_reply(checker, item) for item in given])


def _reply(checker: Checker, given: object) -> dict[str, Any]:
    try:
        return checker.check(read_request(given)).as_dict()
    except Unreadable as error:
        return checker.refusal(error).as_dict()


async def _judged_reply(judged: JudgedChecker, given: object) -> dict[str, Any]:
    try:
        return (await judged.check(await asyncio.to_thread(read_request, given))).as_dict()
    except Unreadable as error:
        return judged.checker.refusal(error).as_dict()


def _json(value: object) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), media_type="application/json")


def _described(place: tuple[str | int, ...], reason: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": place, "msg": reason}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(name := schema.get("$ref"), str):
        return _inlined(definitions[name.rpartition("/")[2]], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
