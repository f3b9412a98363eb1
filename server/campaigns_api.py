"""The campaign routes: create from a file, plan, run, pause, cancel, watch. Steering needs a role; looking is free."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import FastAPI, Header, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from sse_starlette import EventSourceResponse

from graph.settings import Settings
from server import campaign_replies as reply
from server.campaign.background import Background
from server.campaign.figures import Plan
from server.campaign.first_day import first_day
from server.campaign.intake import take_in
from server.campaign.progress import Progress, look, named
from server.campaign.splits import check_variants
from server.campaign.steering import CampaignRefused, cancel, pause
from server.campaign.watching import looks
from server.campaign_uploads import BODIES, uploaded
from server.health import RETRY_AFTER
from server.pipeline import Pipeline
from server.principals import CAMPAIGNS, caller_of
from tools.errors import DatabaseUnavailable, InputInvalid, OfferGraphError, PoliciesUnavailable, RetryableError
from tools.ledger.campaigns import Campaign, Campaigns

HEARTBEAT_S: Final = 15
"""Seconds between two comments of a stream in which nothing happens: proxies cut silent connections."""

CLI_ACT: Final = "no principals are configured (API_PRINCIPALS), so this is a CLI act: `offers campaign {verb} {name}`"

_DOWN: Final[dict[int | str, dict[str, Any]]] = {
    503: {"description": "The database is down; Retry-After says when to try again."}
}
_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = _DOWN | {404: {"description": "There is no such campaign."}}
_CREATING: Final[dict[int | str, dict[str, Any]]] = _DOWN | {
    401: {"description": "No token of a principal came."},
    403: {"description": "No principals are configured, or the principal has not the role campaigns."},
    409: {"description": "A campaign of that name was created with another file or other terms; they are named."},
    413: {"description": "The body is too large."},
    415: {"description": "The body is none of JSON, CSV and JSON Lines."},
    422: {"description": "A field can't be, or the file can't be read as predictions."},
}
_STEERING: Final[dict[int | str, dict[str, Any]]] = _UNKNOWN | {
    401: _CREATING[401],
    403: _CREATING[403],
    409: {"description": "The campaign's state doesn't allow it; the reply says what does."},
}

Verb = Literal["create", "plan", "run", "pause", "resume", "cancel"]
Ref = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="The campaign's name, or its number.")]
Token = Annotated[str | None, Header()]
Yes = Annotated[bool, Query(description="Run it though the plan expects more than is left of the budget.")]

_Answer = TypeVar("_Answer")
_logger = logging.getLogger(__name__)


def add_campaign_routes(app: FastAPI, pipeline: Pipeline, background: Background) -> None:
    """Add the routes to the application. `background` does the work that outlives a request."""
    settings = pipeline.settings

    async def steered(verb: Verb, ref: str, authorization: str | None) -> Campaign:
        """Return the campaign that the caller may steer."""
        require_role(settings, verb, ref, authorization)
        return await found(ref)

    async def found(ref: str) -> Campaign:
        try:
            return await _answered(named(pipeline.deps.database, ref))
        except InputInvalid as error:
            raise HTTPException(404, str(error)) from error

    async def seen(campaign: Campaign) -> Progress:
        return await _answered(look(pipeline.deps.database, campaign.name, prices=settings.prices))

    @app.post("/campaigns", tags=["campaigns"], responses=_CREATING, openapi_extra=BODIES)
    async def create_campaign(request: Request, authorization: Token = None) -> JSONResponse:
        """Take in a file of predictions as a campaign. Nothing is decided yet, and the same again changes nothing.

        JSON: the terms' fields with `predictions` beside them. CSV or JSON Lines: the predictions as the body, the
        terms as query parameters (`variants` as JSON). Rows that are no prediction are kept as rejects, with reasons.
        """
        require_role(settings, "create", "NAME", authorization)
        database = pipeline.deps.database
        async with uploaded(request) as (spec, path):
            try:
                await asyncio.to_thread(check_variants, spec.variants, settings.prompts_dir)
                await _answered(first_day(database, spec.name, spec.send_date, today=pipeline.deps.today()))
                taken = await _answered(take_in(database, spec, path))
            except InputInvalid as error:
                there = await _answered(Campaigns(database).listed())
                status = 409 if any(row.name == spec.name for row in there) else 422
                raise HTTPException(status, str(error)) from error
        return JSONResponse(reply.created(taken), 201 if taken.new else 200)

    @app.get("/campaigns", tags=["campaigns"], responses=_DOWN)
    async def campaigns() -> dict[str, Any]:
        """List the campaigns, newest first."""
        rows = await _answered(Campaigns(pipeline.deps.database).listed())
        return {"campaigns": [reply.listed(row) for row in rows]}

    @app.get("/campaigns/{ref}", tags=["campaigns"], responses=_UNKNOWN)
    async def campaign(ref: Ref) -> dict[str, Any]:
        """Return how far a campaign is, what it was created with, and its plan."""
        row = await found(ref)
        return reply.whole(await seen(row), row, fault=background.faults.get(row.campaign_id))

    @app.get("/campaigns/{ref}/events", tags=["campaigns"], responses=_UNKNOWN)
    async def campaign_events(ref: Ref) -> EventSourceResponse:
        """Stream how far a campaign is: an event for each change, until it is done or cancelled."""
        first = await found(ref)

        def lost(error: DatabaseUnavailable) -> None:
            _logger.warning("watching campaign %s: %s", first.name, error)

        async def events() -> AsyncIterator[dict[str, str]]:
            watched = looks(pipeline.deps.database, first.name, prices=settings.prices, lost=lost)
            before = None
            async with aclosing(watched):
                async for now in watched:
                    if now.seen != before:
                        yield {"event": "progress", "data": now.model_dump_json()}
                    before = now.seen
            yield {"event": "end", "data": ""}

        return EventSourceResponse(events(), ping=HEARTBEAT_S)

    @app.post("/campaigns/{ref}/plan", tags=["campaigns"], responses=_STEERING)
    async def plan_campaign(ref: Ref, authorization: Token = None) -> JSONResponse:
        """Plan a campaign: who is held back, which drafts are needed, what it will cost. Spends nothing."""
        row = await steered("plan", ref, authorization)
        from server.campaign.plan import plan

        _, deps = await pipeline.live.current()
        work = plan(row, deps)
        ended = await _answered(background.start(row.campaign_id, work, name=row.name, what="planned"))
        now = await found(row.name)
        return JSONResponse(reply.whole(await seen(now), now, fault=None), 200 if ended else 202)

    @app.post("/campaigns/{ref}/run", tags=["campaigns"], responses=_STEERING)
    async def run_campaign(ref: Ref, yes: Yes = False, authorization: Token = None) -> JSONResponse:
        """Run a planned or paused campaign in this server's process; the reply doesn't wait for its end.

        If the server stops, the campaign pauses; run it again, here or elsewhere.
        """
        return await _run("run", ref, authorization, yes=yes)

    @app.post("/campaigns/{ref}/resume", tags=["campaigns"], responses=_STEERING)
    async def resume_campaign(ref: Ref, yes: Yes = False, authorization: Token = None) -> JSONResponse:
        """Go on with a paused campaign: the same as `run`."""
        return await _run("resume", ref, authorization, yes=yes)

    async def _run(verb: Verb, ref: str, authorization: str | None, *, yes: bool) -> JSONResponse:
        row = await steered(verb, ref, authorization)
        from server.campaign.run import Driver

        if not yes:
            _require_budget(row)
        _, deps = await pipeline.live.current()
        work = Driver(deps, row).run()
        ended = await _answered(background.start(row.campaign_id, work, name=row.name, what="run"))
        return JSONResponse(reply.state(await seen(row)), 200 if ended else 202)

    @app.post("/campaigns/{ref}/pause", tags=["campaigns"], responses=_STEERING)
    async def pause_campaign(ref: Ref, authorization: Token = None) -> JSONResponse:
        """Pause a campaign, wherever it runs: its workers stop after the chunk they are at."""
        row = await steered("pause", ref, authorization)
        await _answered(pause(pipeline.deps.database, row))
        return JSONResponse(reply.state(await seen(row)))

    @app.post("/campaigns/{ref}/cancel", tags=["campaigns"], responses=_STEERING)
    async def cancel_campaign(ref: Ref, authorization: Token = None) -> JSONResponse:
        """End a campaign for good: what is open is skipped, what is issued stays issued. Pause it first."""
        row = await steered("cancel", ref, authorization)
        await _answered(cancel(pipeline.deps.database, row))
        return JSONResponse(reply.state(await seen(row)))


def require_role(settings: Settings, verb: Verb, name: str, authorization: str | None) -> None:
    """Let only a principal with the role campaigns pass. Raises HTTPException 401 or 403."""
    if not settings.api_principals:
        raise HTTPException(403, CLI_ACT.format(verb=verb, name=name))
    caller = caller_of(authorization, settings.api_principals)
    if CAMPAIGNS not in caller.roles:
        raise HTTPException(403, f"{caller.name} has not the role {CAMPAIGNS}, which steers campaigns")


def _require_budget(campaign: Campaign) -> None:
    """Let a campaign pass whose plan fits its budget, or that has no plan. Raises HTTPException 409."""
    if campaign.state not in ("planned", "paused") or not campaign.plan:
        return
    missing = Plan.model_validate(campaign.plan).missing_usd
    if missing > 0:
        raise HTTPException(
            409,
            f"campaign {campaign.name} is expected to cost {missing:,.2f} USD more than is left of its budget. Nothing"
            " is spent beyond it: members whose offers can't be paid get a cheaper one or none. `?yes=true` runs it so",
        )


async def _answered(asked: Awaitable[_Answer]) -> _Answer:
    """Wait for an answer, and turn what is refused into the reply it stands for. Raises HTTPException, InputInvalid."""
    try:
        return await asked
    except (CampaignRefused, PoliciesUnavailable) as error:
        raise HTTPException(409, str(error)) from error
    except RetryableError as error:
        raise HTTPException(503, str(error), headers=RETRY_AFTER) from error
    except InputInvalid:
        raise  # what it means depends on what was asked
    except OfferGraphError as error:
        raise HTTPException(422, str(error)) from error
