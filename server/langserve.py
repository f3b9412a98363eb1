"""The `/offer/*` routes. The only file that imports LangServe, which is under its own licence."""

from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import Depends, FastAPI, Request, Response
from langchain_core.runnables import ConfigurableFieldSpec, Runnable, RunnableConfig
from langserve import add_routes
from langserve.playground import serve_playground
from pydantic import BaseModel

from graph.context import Context
from graph.schemas import OfferOutput
from server.bodies import LenientPrediction, playground_form
from server.pipeline import Pipeline
from server.refusals import require_readable
from tools.vocabulary import Mode

_VIEWERS: Final = ("/stream", "/stream_log")
"""Routes that people watch runs through: their replies greet nobody by name."""
_PLAYGROUND: Final = "/stream_log"
"""What LangServe's playground calls: a preview, never an issued offer."""


class OfferRunnable(Runnable[Any, dict[str, Any]]):
    """Runs one prediction per input; never raises, so that one item can't fail the others."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """Return what a caller may set in `config.configurable`; LangServe drops or refuses all else."""
        return [
            ConfigurableFieldSpec(
                id="mode",
                annotation=Mode,
                name="Mode of other routes: the playground always previews",
                description="issue records and may issue an offer; preview writes nothing. The playground previews.",
                default="issue",
            )
        ]

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Refuse: every part underneath is asynchronous."""
        raise TypeError("use ainvoke, abatch or astream")

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the outcome of one prediction."""
        return await self._acall_with_config(self._decide, input, config)  # type: ignore[arg-type]  # it passes config

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the nodes' names as they finish, then the outcome."""

        async def one() -> AsyncIterator[Any]:
            yield input

        async for chunk in self.atransform(one(), config, **kwargs):
            yield chunk

    async def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the steps of the last input given."""
        async for chunk in self._atransform_stream_with_config(input, self._steps, config):  # type: ignore[arg-type]
            yield chunk

    async def _decide(self, raw: Any, config: RunnableConfig) -> dict[str, Any]:
        outcome = await self._pipeline.decide(raw, context_from(config))
        return outcome.model_dump(mode="json")

    async def _steps(self, inputs: AsyncIterator[Any], config: RunnableConfig) -> AsyncIterator[dict[str, Any]]:
        raw = [item async for item in inputs][-1]
        async for step in self._pipeline.steps(raw, context_from(config)):
            output = step.get("output")
            yield step if output is None else {"output": output.model_dump(mode="json")}


def context_from(config: RunnableConfig) -> Context:
    """Return the run's context: what the route decides, and `configurable.mode` if the caller asks for a preview."""
    metadata, asked = config.get("metadata") or {}, config.get("configurable") or {}
    route = str(metadata.get("offer_route", ""))
    preview = route.endswith(_PLAYGROUND) or asked.get("mode") == "preview"
    return Context(mode="preview" if preview else "issue", neutral_greeting=route.endswith(_VIEWERS))


def add_offer_routes(app: FastAPI, pipeline: Pipeline) -> None:
    """Serve the graph at `/offer`: invoke, batch, stream, stream_log, schemas and playground."""
    offers = OfferRunnable(pipeline)
    _add_playground(app, offers)
    add_routes(
        app,
        offers,
        path="/offer",
        input_type=LenientPrediction,
        output_type=OfferOutput,
        disabled_endpoints=["stream_events", "config_hashes", "token_feedback"],  # type: ignore[list-item]  # its own list lacks one
        config_keys=["configurable"],
        per_req_config_modifier=_note_route,
        dependencies=[Depends(require_readable)],
    )


def _add_playground(app: FastAPI, offers: OfferRunnable) -> None:
    """Serve LangServe's page with a form that is filled in; the page asks the routes of `add_routes`."""

    async def page(request: Request, file_path: str) -> Response:
        root = request.scope.get("root_path", "").rstrip("/")
        return await serve_playground(
            offers, _Form, OfferOutput, ["configurable"], f"{root}/offer/playground", file_path, False, False, "default"
        )

    app.add_api_route("/offer/playground/{file_path:path}", page, include_in_schema=False)


class _Form(BaseModel):
    """Stands for the input where LangServe asks for its schema."""

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the form's schema."""
        return playground_form()


def _note_route(config: dict[str, Any], request: Request) -> dict[str, Any]:
    return {**config, "metadata": {**config.get("metadata", {}), "offer_route": request.url.path}}
