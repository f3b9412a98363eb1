"""The routes beside LangServe's: health, policies and the API existing callers use."""

from typing import Any, Final

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

from graph.context import Context
from graph.schemas import OfferOutput
from server.bodies import BatchReply, GenerateRequest
from server.compliance import add_compliance_routes
from server.health import Health
from server.pipeline import MAX_ITEMS, Pipeline, too_many
from server.policies_api import add_policy_routes
from server.release import release

ISSUE: Final = Context(mode="issue")

_TOO_MANY: Final[dict[int | str, dict[str, Any]]] = {400: {"description": "More than 500 predictions in one call."}}
_UNREADY: Final[dict[int | str, dict[str, Any]]] = {503: {"description": "A part the server needs doesn't answer."}}


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

    add_policy_routes(app, pipeline)
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
