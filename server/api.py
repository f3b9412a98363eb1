"""The routes beside LangServe's: health, policies and the API existing callers use."""

import time
from typing import Annotated, Any, Final

from fastapi import Body, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from graph.context import Context
from graph.run import explain
from graph.schemas import OfferInput, OfferOutput
from server.pipeline import MAX_ITEMS, Pipeline, too_many
from server.release import release
from server.submissions import Submission, keep_submission, read_submissions
from tools.errors import DatabaseUnavailable
from tools.vocabulary import DOMAINS

PREVIEW_CHARACTERS: Final = 100
HEALTH_KEPT_S: Final = 1.0
"""How long a health answer is reused, so that probes by the second don't become load."""
RETRY_AFTER: Final = {"Retry-After": "5"}
ISSUE: Final = Context(mode="issue")

LenientPrediction = Annotated[Any, WithJsonSchema(OfferInput.model_json_schema())]


class MlOutput(BaseModel):
    """A scoring job's output."""

    model_config = ConfigDict(extra="ignore")

    total_users: int | None = None
    predictions: list[LenientPrediction]
    processing_time_seconds: float | None = None


class GenerateRequest(BaseModel):
    """Predictions to turn into offers."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "ml_output": {
                        "predictions": [
                            {"user_id": "USER_000004", "offer_flag": 1, "domain": "Travel", "confidence_score": 0.92}
                        ]
                    },
                    "use_llm_insights": True,
                }
            ]
        },
    )

    ml_output: MlOutput
    use_llm_insights: bool = True

    def items(self) -> list[Any]:
        """Return the predictions as runs take them; fields a run doesn't know are ignored here."""
        return [self._item(raw) for raw in self.ml_output.predictions]

    def _item(self, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        known = {name: value for name, value in raw.items() if name in OfferInput.model_fields}
        return {"use_llm_insights": self.use_llm_insights} | known


class BatchReply(BaseModel):
    """Outcomes of many requests, one after the other, each in the order of its predictions."""

    total_batches: int
    total_predictions: int
    successful: int
    failed: int = Field(description="Predictions without an offer, whatever the reason.")
    results: list[OfferOutput]


def add_api_routes(app: FastAPI, pipeline: Pipeline) -> None:
    """Add the routes to the application."""
    health = _Health(pipeline)

    @app.get("/", tags=["service"])
    async def root() -> dict[str, str]:
        """Say what this is and where to go on."""
        return {
            "message": "OfferGraph: from a prediction to a compliant, personalised card offer",
            "version": release(),
            "docs": "/docs",
            "health": "/health",
        }

    @app.get("/health", tags=["service"], responses={503: {"description": "A part the server needs does not answer."}})
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
            listed += await read_submissions(pipeline.deps.database, characters=PREVIEW_CHARACTERS)
        except DatabaseUnavailable:
            listed += []  # the policies in force are in memory; only submissions wait for the database
        return {"total_policies": len(listed), "policies": listed}

    @app.post("/add-policy", tags=["policies"], responses={422: {"description": "A field is missing or invalid."}})
    async def add_policy(
        request: Request,
        policy_id: Annotated[str | None, Query()] = None,
        content: Annotated[str | None, Query()] = None,
        policy_type: Annotated[str | None, Query()] = None,
        domain: Annotated[str | None, Query()] = None,
        body: Annotated[dict[str, Any] | None, Body()] = None,
    ) -> JSONResponse:
        """Submit policy text. It stays inert until an officer turns it into a file with clauses and approves it."""
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

    @app.post("/generate-offer", tags=["offers"])
    async def generate_offer(request: GenerateRequest) -> list[OfferOutput]:
        """Decide each prediction; the reply has one item per prediction, in their order."""
        items = request.items()
        if len(items) > MAX_ITEMS:
            raise HTTPException(400, too_many(len(items)))
        return await pipeline.decide_all(items, ISSUE)

    @app.post("/batch-generate-offers", tags=["offers"])
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


class _Health:
    """Answers health probes, asking the parts at most once a second."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._asked_at = float("-inf")
        self._ready = False

    async def answer(self) -> JSONResponse:
        """Return 200 when ready (naming degraded parts), 503 while not."""
        pipeline = self._pipeline
        if time.monotonic() - self._asked_at > HEALTH_KEPT_S:
            self._ready = await pipeline.check()
            self._asked_at = time.monotonic()
        settings, faults = pipeline.settings, pipeline.faults
        status = "unavailable" if not self._ready else "degraded" if faults else "healthy"
        body = {
            "status": status,
            "version": release(),
            "config": {
                "model": settings.model_name,
                "embedding_model": settings.embedding_model,
                "max_offers_per_month": settings.max_offers_per_month,
                "min_confidence_score": settings.min_confidence_score,
                "domains": list(DOMAINS),
                "copy_mode": settings.effective_copy_mode,
                "policy_set": pipeline.deps.rulebook.policies.sha[:12],
            },
            "parts": {
                "database": faults.get("database", "ok"),
                "index": faults.get("index", "ok"),
                "model": faults.get("model", "ok"),
                "exports_failed": pipeline.deps.exporter.failed,
            },
        }
        return JSONResponse(body, 200 if self._ready else 503, headers=None if self._ready else RETRY_AFTER)
