"""What the analysis step asks of a model, and which hypotheses of its answer are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from tools.chat.calls import Ask
from tools.hypotheses import Hypothesis, check_worded
from tools.prompt_files import Prompt
from tools.prompt_steps import REPLY_SCHEMA, TEXT, Step, listed, record
from tools.turns import permuted
from tools.views import MemberView
from tools.vocabulary import CopyMode

ANALYZE_STEP: Final = Step(
    variables={
        "mode": TEXT,
        "view": record(*MemberView.model_fields),
        "catalogue": listed(record("id", "text")),
    },
    schemas=("analyze_select", "analyze_compose"),
    member=frozenset({"view"}),
)
"""What analysis gives its prompt and answers to."""
MOST: Final = 3


class ChosenIds(BaseModel):
    """Ids of the reviewed catalogue."""

    model_config = ConfigDict(extra="forbid")

    hypothesis_ids: list[str] = Field(max_length=12)


class Worded(BaseModel):
    """One hypothesis in the model's words."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=600)
    cites: list[str] = Field(max_length=12)


class WordedList(BaseModel):
    """Hypotheses in the model's words."""

    model_config = ConfigDict(extra="forbid")

    hypotheses: list[Worded] = Field(max_length=12)


@dataclass(frozen=True, slots=True)
class Kept:
    """Hypotheses that may be used as (text, cited fields), and why the others were dropped."""

    hypotheses: tuple[tuple[str, tuple[str, ...]], ...]
    dropped: tuple[str, ...]


def analyze_ask(
    prompt: Prompt, view: MemberView, *, mode: CopyMode, applicable: Sequence[Hypothesis], cohort: str
) -> Ask[Any]:
    """Build the prompt: a function of the view, the reviewed catalogue and the prompt file."""
    catalogue = permuted(applicable, cohort, key=lambda hypothesis: hypothesis.id) if mode == "select" else []
    schema = _select_schema([h.id for h in catalogue]) if mode == "select" else _compose_schema()
    messages = prompt.render(
        {
            "mode": mode,
            "view": view,
            "catalogue": [{"id": h.id, "text": h.text} for h in catalogue],
            REPLY_SCHEMA: schema,
        }
    )
    return Ask(
        name=f"analyze_{mode}",
        messages=messages,
        schema=schema,
        reply=ChosenIds if mode == "select" else WordedList,
        temperature=prompt.header.temperature,
        max_tokens=prompt.header.max_tokens,
    )


def kept_of(
    reply: ChosenIds | WordedList,
    view: MemberView,
    applicable: Sequence[Hypothesis],
    *,
    merchant_names: Sequence[str] = (),
) -> Kept:
    """Keep what cites the view and names nothing sensitive; say of every other one why it was dropped."""
    if isinstance(reply, ChosenIds):
        known = {hypothesis.id: hypothesis for hypothesis in applicable}
        ids = list(dict.fromkeys(reply.hypothesis_ids))
        chosen = [known[i] for i in ids if i in known][:MOST]
        return Kept(
            tuple((h.text, tuple(h.cites)) for h in chosen),
            tuple(f"{i}: not in the catalogue for this view" for i in ids if i not in known),
        )
    kept: list[tuple[str, tuple[str, ...]]] = []
    dropped: list[str] = []
    for item in reply.hypotheses:
        reason = check_worded(item.text, item.cites, view, merchant_names=merchant_names)
        if reason is not None:
            dropped.append(f"{item.text[:200]}: {reason}")
        elif len(kept) < MOST:
            kept.append((item.text, tuple(item.cites)))
    return Kept(tuple(kept), tuple(dropped))


def _select_schema(ids: list[str]) -> dict[str, Any]:
    items = {"type": "array", "items": {"enum": ids}, "minItems": 1, "maxItems": MOST, "uniqueItems": True}
    return _object({"hypothesis_ids": items})


def _compose_schema() -> dict[str, Any]:
    cites = {"type": "array", "items": {"enum": list(MemberView.model_fields)}, "minItems": 1, "maxItems": 4}
    item = _object({"text": {"type": "string", "maxLength": 240}, "cites": cites})
    return _object({"hypotheses": {"type": "array", "items": item, "minItems": 1, "maxItems": MOST}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
