"""The HTTP server: one FastAPI application over one pipeline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline

from graph.brand import brand_of
from graph.settings import Settings, load_settings
from server.api import add_api_routes
from server.campaign.background import Background
from server.campaigns_api import add_campaign_routes
from server.examples import add_examples
from server.langserve import add_offer_routes
from server.links import add_link_routes
from server.pages import Pages
from server.pipeline import Pipeline
from server.refusals import refuse_invalid
from server.release import release

DESCRIPTION = """
From a prediction (member, domain, confidence) to one personalised card offer that provably obeys the issuer's policies.

* **`/offer/*`** is the LangServe surface: invoke, batch, stream, schemas and a playground (which only previews).
* **`/generate-offer`** and **`/batch-generate-offers`** keep the shapes existing callers use.
* Every prediction gets exactly one typed outcome; the same prediction again gets the recorded one, `replayed: true`.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application. Raises SettingInvalid for a bad setting; policies and prompts are read at start-up."""
    pipeline, background = Pipeline(settings or load_settings()), Background()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await pipeline.open()
        try:
            yield
        finally:
            await asyncio.shield(_close(background, pipeline))

    app = FastAPIOffline(title="OfferGraph", version=release(), description=DESCRIPTION, lifespan=lifespan)
    described = app.openapi
    app.openapi = lambda: add_examples(described())  # type: ignore[method-assign]  # FastAPI's way of extending it
    app.add_exception_handler(RequestValidationError, refuse_invalid)
    app.state.pipeline = pipeline
    add_api_routes(app, pipeline)
    add_campaign_routes(app, pipeline, background)
    add_offer_routes(app, pipeline)
    add_link_routes(app, pipeline, Pages(brand_of(pipeline.settings)))
    return app


async def _close(background: Background, pipeline: Pipeline) -> None:
    """Pause the campaigns that this process runs, then close what they work with."""
    await background.aclose()
    await pipeline.aclose()
