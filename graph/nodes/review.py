"""review: wait for a person. The run stops here until somebody answers approve or reject."""

from typing import Any

from langgraph.types import interrupt
from pydantic import BaseModel, ConfigDict, ValidationError

from graph.invalid import explain
from graph.state import OfferState, ReviewDecision
from tools.drafts import Copy


class Answer(BaseModel):
    """What the person says; with edited copy the draft counts as human and is checked again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: ReviewDecision
    text: Copy | None = None


async def review(state: OfferState) -> dict[str, Any]:
    """Show terms and copy, and take the answer; one that can't be read is asked for again."""
    terms, copy, draft = state["terms"], state["copy"], state["draft"]
    asked = {
        "question": "Send this offer?",
        "terms": terms.model_dump(mode="json") if terms else None,
        "copy": copy.model_dump() if copy else None,
        "answer_with": Answer.model_json_schema(),
    }
    answer = _read(interrupt(asked))
    while isinstance(answer, ValidationError):
        answer = _read(interrupt({**asked, "refused": explain(answer, within="answer")}))
    update: dict[str, Any] = {"review": answer.decision}
    if answer.text is not None and draft is not None:
        update["draft"] = draft.model_copy(update={"text": answer.text, "source": "human", "block_ids": None})
    return update


def _read(given: Any) -> Answer | ValidationError:
    try:
        return Answer.model_validate(given)
    except ValidationError as error:
        return error
