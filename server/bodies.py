"""Requests and replies of the API that existing callers use."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from graph.schemas import OfferInput, OfferOutput


def _for_forms(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with optional fields as plain ones: the playground's form draws nothing for a null type."""
    properties: dict[str, Any] = {}
    for name, given in schema["properties"].items():
        real = [option for option in given.get("anyOf", ()) if option.get("type") != "null"]
        rest = {key: value for key, value in given.items() if not real or key not in ("anyOf", "default")}
        properties[name] = rest | (real[0] if real else {})
    return schema | {"properties": properties}


LenientPrediction = Annotated[Any, WithJsonSchema(_for_forms(OfferInput.model_json_schema()))]
"""Shown as OfferInput and taken as it comes: one invalid item must not fail its batch."""


def playground_form() -> dict[str, Any]:
    """Return what the playground's form is drawn from: it begins with a prediction that works with sample members.

    Only the page gets these defaults. In the API's schema, code made from it would send them for members left out.
    """
    schema = _for_forms(OfferInput.model_json_schema())
    filled = {name: {"default": schema["properties"][name]["examples"][0]} for name in schema["required"]}
    return schema | {"properties": {name: given | filled.get(name, {}) for name, given in schema["properties"].items()}}


class MlOutput(BaseModel):
    """A scoring job's output."""

    model_config = ConfigDict(extra="ignore")

    total_users: int | None = None
    predictions: list[LenientPrediction] = Field(
        description="At most 500 in one call; fields that OfferGraph doesn't know are ignored."
    )
    processing_time_seconds: float | None = None


class GenerateRequest(BaseModel):
    """Predictions to turn into offers."""

    model_config = ConfigDict(extra="ignore")

    ml_output: MlOutput
    use_llm_insights: bool | None = Field(default=True, description="False skips the LLM analysis step.")

    def items(self) -> list[Any]:
        """Return the predictions as runs take them; fields a run doesn't know are ignored here."""
        return [self._item(raw) for raw in self.ml_output.predictions]

    def _item(self, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        known = {name: value for name, value in raw.items() if name in OfferInput.model_fields and value is not None}
        return {"use_llm_insights": self.use_llm_insights is not False} | known


class BatchReply(BaseModel):
    """Outcomes of many requests, one after the other, each in the order of its predictions."""

    total_batches: int
    total_predictions: int
    successful: int
    failed: int = Field(description="Predictions without an offer, whatever the reason.")
    results: list[OfferOutput]
