"""The policy routes: what is in force, what waits, who may change it, and every version there ever was."""

from collections.abc import Awaitable
from contextlib import suppress
from typing import Annotated, Any, Final, TypeVar

from fastapi import Body, FastAPI, Header, HTTPException, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.change_control import ANONYMOUS, CopyToReview, PolicyDesk
from graph.run import explain
from server import policy_replies as reply
from server.health import RETRY_AFTER
from server.pipeline import Pipeline
from server.principals import COMPLIANCE, caller_of
from tools.errors import DatabaseUnavailable, InputInvalid, PoliciesUnavailable, PolicyInvalid
from tools.ledger.policy_changes import ChangeRefused, Refusal
from tools.ledger.versions import Versions

STATUS: Final[dict[Refusal, int]] = {
    "unknown": 404,
    "nothing_to_approve": 409,
    "taken": 409,
    "own_proposal": 403,
    "not_allowed": 403,
}
CLI_ACT: Final = (
    "no principals are configured (API_PRINCIPALS), so approving is a CLI act: `offers policies approve {} --by NAME`"
)

_DOWN: Final[dict[int | str, dict[str, Any]]] = {
    503: {"description": "The database is down; Retry-After says when to try again."}
}
_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {404: {"description": "There is no such policy or version."}}
_ADDING: Final[dict[int | str, dict[str, Any]]] = _DOWN | {
    401: {"description": "Principals are configured, and no token of theirs came."},
    409: {"description": "A file has that id, or another text was in force under that version."},
    422: {"description": "A field or a line of the policy can't be enforced as written."},
}
_APPROVING: Final[dict[int | str, dict[str, Any]]] = (
    _ADDING
    | _UNKNOWN
    | {
        403: {"description": "Not a principal with the role compliance, or the one who proposed it."},
        409: {"description": "Nothing waits for approval, or copy has to be reviewed first; the body lists it."},
    }
)

PolicyId = Annotated[str, Path(pattern=r"^[A-Za-z][A-Za-z0-9_-]{1,63}$", description="The policy's id.")]
Sha = Annotated[str, Path(pattern=r"^[0-9a-fA-F]{8,64}$", description="A version's hash, or its beginning.")]

_Answer = TypeVar("_Answer")


class Approving(BaseModel):
    """An act of approval. `sha` and `listing` name the draft and the copy that were read, so that no other passes."""

    model_config = ConfigDict(extra="forbid")

    copy_reviewed: bool = Field(default=False, description="The listed copy was read and is approved with it.")
    listing: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", description="Names the list that was read.")
    sha: str | None = Field(default=None, pattern=r"^[0-9a-f]{8,64}$", description="Hash of the draft that was read.")


def add_policy_routes(app: FastAPI, pipeline: Pipeline) -> None:
    """Add the routes to the application."""

    def desk() -> PolicyDesk:
        return PolicyDesk(pipeline.deps.database, pipeline.live.files)

    def versions() -> Versions:
        return Versions(pipeline.deps.database)

    @app.get("/policies", tags=["policies"])
    async def policies() -> dict[str, Any]:
        """List the policies this process holds, and the drafts that wait for approval."""
        held = [reply.listed(policy) for policy in pipeline.deps.rulebook.policies.policies]
        try:
            drafts = [reply.listed_row(row) for row in await versions().drafts()]
        except DatabaseUnavailable:
            drafts = []  # what is in force is in memory; only drafts wait for the database
        return {"total_policies": len(held) + len(drafts), "policies": held + drafts}

    @app.post("/add-policy", tags=["policies"], responses=_ADDING)
    async def add_policy(
        policy_id: Annotated[str | None, Query()] = None,
        content: Annotated[str | None, Query()] = None,
        policy_type: Annotated[str | None, Query()] = None,
        domain: Annotated[str | None, Query()] = None,
        body: Annotated[dict[str, Any] | None, Body()] = None,
        authorization: Annotated[str | None, Header()] = None,
    ) -> JSONResponse:
        """Propose a policy, as a JSON body or as query parameters: it is a draft until a second person approves it.

        `content` is a whole policy file (front matter and prose), or free text: then `policy_id` and `policy_type` are
        needed, and its one clause asks a judge, or approved copy.
        """
        principals = pipeline.settings.api_principals
        by = caller_of(authorization, principals).name if principals else ANONYMOUS
        query = {"policy_id": policy_id, "content": content, "policy_type": policy_type, "domain": domain}
        fields = {name: value for name, value in query.items() if value is not None} | (body or {})
        return JSONResponse(reply.proposed(await _answered(desk().propose(fields, by=by))))

    @app.post("/policies/{policy_id}/approve", tags=["policies"], responses=_APPROVING)
    async def approve(
        policy_id: PolicyId,
        body: Annotated[Approving | None, Body()] = None,
        authorization: Annotated[str | None, Header()] = None,
    ) -> JSONResponse:
        """Put a policy's draft in force, as a principal with the role compliance who did not propose it.

        When it has a judge clause, the approved copy it would leave without approval is listed first (409).
        """
        principals = pipeline.settings.api_principals
        if not principals:
            raise HTTPException(403, CLI_ACT.format(policy_id))
        caller = caller_of(authorization, principals)
        if COMPLIANCE not in caller.roles:
            raise HTTPException(403, f"{caller.name} has not the role {COMPLIANCE}, which approves policies")
        act = body or Approving()
        read = act.listing if act.copy_reviewed else None
        done = await _answered(desk().approve(policy_id, by=caller.name, sha=act.sha, copy_reviewed=read))
        if isinstance(done, CopyToReview):
            return JSONResponse(reply.to_review(done), 409)
        with suppress(
            DatabaseUnavailable, PoliciesUnavailable
        ):  # it is in force: the next claim loads it, or is refused
            await pipeline.live.refresh(at_least=done.epoch)
        return JSONResponse(reply.approved(done))

    @app.get("/policies/{policy_id}", tags=["policies"], responses=_DOWN | _UNKNOWN)
    async def policy(policy_id: PolicyId) -> dict[str, Any]:
        """Return a policy whole: the one in force, else its draft, else its last version."""
        held = pipeline.deps.rulebook.policies.get(policy_id)
        if held is not None:
            return reply.whole(held)
        rows = await _answered(versions().of(policy_id))
        if not rows:
            raise HTTPException(404, f"policy_id is {policy_id!r}: there is no such policy; see /policies")
        row = next((row for row in rows if row.state == "draft"), rows[-1])
        events = await _answered(versions().events(policy_id))
        return reply.whole_row(row, events.get((row.version, row.sha), []))

    @app.get("/policies/{policy_id}/versions", tags=["policies"], responses=_DOWN | _UNKNOWN)
    async def policy_versions(policy_id: PolicyId) -> dict[str, Any]:
        """List every version a policy ever had, who did what to it, and when."""
        rows = await _answered(versions().of(policy_id))
        if not rows:
            raise HTTPException(404, f"policy_id is {policy_id!r}: there is no such policy; see /policies")
        events = await _answered(versions().events(policy_id))
        told = [reply.version(row, events.get((row.version, row.sha), [])) for row in rows]
        return {"policy_id": rows[0].policy_id, "versions": told}

    @app.get("/policies/{policy_id}/versions/{sha}", tags=["policies"], responses=_DOWN | _UNKNOWN)
    async def policy_version(policy_id: PolicyId, sha: Sha) -> dict[str, Any]:
        """Return the version a hash names, whatever became of it; its first eight digits are enough."""
        row = await _answered(versions().by_sha(policy_id, sha))
        if row is None:
            raise HTTPException(404, f"sha is {sha!r}: {policy_id!r} has no such version; see its /versions")
        events = await _answered(versions().events(policy_id))
        return reply.whole_row(row, events.get((row.version, row.sha), []))


async def _answered(asked: Awaitable[_Answer]) -> _Answer:
    """Wait for an answer, and turn what is refused into the reply it stands for. Raises HTTPException."""
    try:
        return await asked
    except ValidationError as error:
        raise HTTPException(422, explain(error)) from error
    except ChangeRefused as error:
        raise HTTPException(STATUS[error.kind], str(error)) from error
    except (PolicyInvalid, InputInvalid) as error:
        raise HTTPException(422, str(error)) from error
    except (DatabaseUnavailable, PoliciesUnavailable) as error:
        raise HTTPException(503, str(error), headers=RETRY_AFTER) from error
