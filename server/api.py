"""The routes beside LangServe's: health, policies and the API existing callers use."""

from typing import Annotated, Any, Final

from fastapi import Body, FastAPI, HTTPException, Query
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from graph.context import Context
from graph.run import explain
from graph.schemas import OfferOutput
from server.bodies import BatchReply, GenerateRequest
from server.compliance import add_compliance_routes
from server.health import RETRY_AFTER, Health
from server.pipeline import MAX_ITEMS, Pipeline, too_many
from server.release import release
from server.submissions import Submission, keep_submission, read_submissions
from tools.errors import DatabaseUnavailable

PREVIEW_CHARACTERS: Final = 100
ISSUE: Final = Context(mode="issue")

_TOO_MANY: Final[dict[int | str, dict[str, Any]]] = {400: {"description": "More than 500 predictions in one call."}}
_UNREADY: Final[dict[int | str, dict[str, Any]]] = {503: {"description": "A part the server needs doesn't answer."}}
_SUBMITTING: Final[dict[int | str, dict[str, Any]]] = {
    409: {"description": "A policy in force has that id."},
    422: {"description": "A field is missing or invalid."},
    503: {"description": "The database is down; Retry-After says when to try again."},
}


def add_api_routes(app: FastAPI, pipeline: Pipeline) -> None:
    """Add the routes to the application."""
    health = Health(pipeline)

    @app.get("/", tags=["service"])
    async def root() -> dict[str, str]:
        """Say what this is and where to go on."""
        return {
            "message": "OfferGraph: from a prediction to a compliant, personalised card offer",
            "version": release(),
            "docs": "/docs",
            "health": "/health",
        }

    @app.get("/health", tags=["service"], responses=_UNREADY)
    async def read_health() -> JSONResponse:
        """Tell whether database, index and model answered, and name the part that doesn't."""
        return await health.answer()

    @app.get("/policies", tags=["policies"])
    async def policies() -> dict[str, Any]:
        """List the policies in force, and the submissions that wait for an officer."""
        listed = [
            {
                "id": policy.id,
                "type": policy.front.type,
                "domain": ", ".join(policy.front.scope.domains) or "all",
                "preview": policy.prose[:PREVIEW_CHARACTERS],
                "status": policy.front.status,
                "version": policy.front.version,
            }
            for policy in pipeline.deps.rulebook.policies.policies
        ]
        try:
            submitted = await read_submissions(pipeline.deps.database, characters=PREVIEW_CHARACTERS)
        except DatabaseUnavailable:
            submitted = []  # the policies in force are in memory; only submissions wait for the database
        return {"total_policies": len(listed) + len(submitted), "policies": listed + submitted}

    @app.post("/add-policy", tags=["policies"], responses=_SUBMITTING)
    async def add_policy(
        policy_id: Annotated[str | None, Query()] = None,
        content: Annotated[str | None, Query()] = None,
        policy_type: Annotated[str | None, Query()] = None,
        domain: Annotated[str | None, Query()] = None,
        body: Annotated[dict[str, Any] | None, Body()] = None,
    ) -> JSONResponse:
        """Submit policy text, as a JSON body or as query parameters.

        It stays inert until an officer turns it into a file with clauses and approves it.
        """
        query = {"policy_id": policy_id, "content": content, "policy_type": policy_type, "domain": domain}
        fields = {name: value for name, value in query.items() if value is not None} | (body or {})
        try:
            submission = Submission.model_validate(fields)
        except ValidationError as error:
            raise HTTPException(422, explain(error)) from error
        if pipeline.deps.rulebook.policies.get(submission.policy_id) is not None:
            raise HTTPException(
                409,
                f"policy_id is {submission.policy_id!r}: a policy in force has it; choose another, or edit its file",
            )
        try:
            await keep_submission(pipeline.deps.database, submission)
        except DatabaseUnavailable as error:
            raise HTTPException(503, str(error), headers=RETRY_AFTER) from error
        return JSONResponse(
            {
                "success": True,
                "message": "kept as a submission; it takes effect once an officer approves it as a file of policies/",
                "policy_id": submission.policy_id,
                "type": submission.policy_type,
                "domain": submission.domain,
            }
        )

    add_compliance_routes(app, pipeline)

    @app.post("/generate-offer", tags=["offers"], responses=_TOO_MANY)
    async def generate_offer(request: GenerateRequest) -> list[OfferOutput]:
        """Decide each prediction; the reply has one item per prediction, in their order."""
        items = request.items()
        if len(items) > MAX_ITEMS:
            raise HTTPException(400, too_many(len(items)))
        return await pipeline.decide_all(items, ISSUE)

    @app.post("/batch-generate-offers", tags=["offers"], responses=_TOO_MANY)
    async def batch_generate_offers(requests: list[GenerateRequest]) -> BatchReply:
        """Decide the predictions of several requests at once."""
        items = [item for request in requests for item in request.items()]
        if len(items) > MAX_ITEMS:
            raise HTTPException(400, too_many(len(items)))
        results = await pipeline.decide_all(items, ISSUE)
        successful = sum(result.success for result in results)
        return BatchReply(
            total_batches=len(requests),
            total_predictions=len(items),
            successful=successful,
            failed=len(items) - successful,
            results=results,
        )
