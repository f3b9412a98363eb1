"""What /health says: at once, whatever a part that hangs does, and without becoming load itself."""

import asyncio
import time
from typing import Final

from fastapi.responses import JSONResponse

from server.pipeline import PARTS, Pipeline
from server.release import release
from tools.vocabulary import DOMAINS

KEPT_S: Final = 1.0
"""How long an answer of the parts is reused, so that probes by the second don't become load."""
PATIENCE_S: Final = 1.0
"""How long a probe waits for the parts; one that takes longer is named, and asked on."""
RETRY_AFTER: Final = {"Retry-After": "5"}


class Health:
    """Answers health probes for one pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[bool] | None = None

    async def answer(self) -> JSONResponse:
        """Return 200 when ready (naming degraded parts), 503 with Retry-After while not."""
        pipeline = self._pipeline
        if self._asking is None and time.monotonic() - self._asked_at > KEPT_S:
            self._asking = asyncio.create_task(pipeline.check())
            self._asking.add_done_callback(self._heard)
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=PATIENCE_S)
        parts: dict[str, str | int] = {part: pipeline.condition(part) for part in PARTS}
        ready = parts["database"] == "ok" and pipeline.answered.issuperset(PARTS)
        if (policies := pipeline.live.condition) != "ok":
            parts["policies"] = policies
        if (prompts := pipeline.live.prompts_condition) is not None:
            parts["prompts"] = prompts
        healthy = all(said == "ok" for said in parts.values())
        settings, rulebook = pipeline.settings, pipeline.deps.rulebook
        edited = {} if prompts is None else {"prompts": rulebook.prompts.digests}
        body = {
            "status": "unavailable" if not ready else "healthy" if healthy else "degraded",
            "version": release(),
            "config": {
                "model": settings.model_name,
                "judge_model": settings.effective_judge_model or "none",
                "embedding_model": settings.embedding_model,
                "max_offers_per_month": settings.max_offers_per_month,
                "min_confidence_score": settings.min_confidence_score,
                "domains": list(DOMAINS),
                "copy_mode": settings.effective_copy_mode,
                "policy_set": rulebook.policies.sha[:12],
                **edited,
            },
            "parts": parts | {"exports_failed": pipeline.deps.exporter.failed},
        }
        return JSONResponse(body, 200 if ready else 503, headers=None if ready else RETRY_AFTER)

    def _heard(self, asking: asyncio.Task[bool]) -> None:
        self._asking, self._asked_at = None, time.monotonic()
        if not asking.cancelled():
            asking.exception()  # a check raises nothing; asyncio would complain that nobody looked
