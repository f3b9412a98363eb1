"""What a model may answer to the drafting step: JSON schemas whose enums are the ids on offer, and their readers."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from tools.copy_blocks import Block
from tools.draft_parts import PARTS, Part
from tools.terms import MenuOption, Merchant
from tools.vocabulary import COPY_FIELDS, CopyField

MERCHANTS: Final = (2, 4)
"""How many merchants an offer names, least and most."""

LENGTHS: Final[Mapping[CopyField, int]] = {"subject": 90, "preheader": 140, "headline": 80, "body": 900, "cta": 40}
"""Characters a model may write per field."""

CHOSEN: Final[tuple[Part, ...]] = ("option_id", "merchant_ids", "headline", "cta")
"""What a model chooses in `select` mode; the cohort's hash decides the rest."""


class ComposeReply(BaseModel):
    """A draft in the model's own words."""

    model_config = ConfigDict(extra="forbid")

    option_id: str
    merchant_ids: list[str] = Field(max_length=8)
    subject: str = Field(max_length=200)
    preheader: str = Field(max_length=300)
    headline: str = Field(max_length=200)
    body: str = Field(max_length=3000)
    cta: str = Field(max_length=100)


class Choice(BaseModel):
    """Ids a model chose from the lists."""

    model_config = ConfigDict(extra="forbid")

    option_id: str
    merchant_ids: list[str] = Field(max_length=8)
    headline: str
    cta: str


class SelectReply(BaseModel):
    """A draft made of approved blocks."""

    model_config = ConfigDict(extra="forbid")

    choice: Choice


@lru_cache(maxsize=256)
def revision_reply(asked: frozenset[Part], *, select: bool) -> type[BaseModel]:
    """Return the reader of a re-draft: the parts asked for, all of them; whatever else is answered is not read."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in (Choice if select else ComposeReply).model_fields.items()
        if name in asked
    }
    ignore = ConfigDict(extra="ignore")
    answer: type[BaseModel] = create_model("Revision", __config__=ignore, **fields)
    return create_model("Reselection", __config__=ignore, choice=(answer, ...)) if select else answer


def answered(reply: BaseModel) -> dict[Part, Any]:
    """Return what a reply holds, by part."""
    held = getattr(reply, "choice", reply)
    return {part: getattr(held, part) for part in PARTS if hasattr(held, part)}


def compose_schema(
    options: Sequence[MenuOption], merchants: Sequence[Merchant], asked: AbstractSet[Part]
) -> dict[str, Any]:
    """Return the schema of a written draft, or of the parts of it that are asked for."""
    properties: dict[Part, Any] = {
        "option_id": {"enum": [option.option_id for option in options]},
        "merchant_ids": _merchant_ids(merchants),
    }
    properties |= {field: {"type": "string", "maxLength": LENGTHS[field]} for field in COPY_FIELDS}
    return _object({part: schema for part, schema in properties.items() if part in asked})


def select_schema(
    shown: Mapping[str, Mapping[str, Sequence[Block]]], merchants: Sequence[Merchant], asked: AbstractSet[Part]
) -> dict[str, Any]:
    """Return the schema of a draft made of blocks: per option on offer, the ids that go with it."""
    choices = []
    for option_id, groups in shown.items():
        properties: dict[Part, Any] = {
            "option_id": {"enum": [option_id]},
            "merchant_ids": _merchant_ids(merchants),
            "headline": {"enum": [block.id for block in groups["headline"]]},
            "cta": {"enum": [block.id for block in groups["cta"]]},
        }
        choices.append(_object({part: schema for part, schema in properties.items() if part in asked}))
    return _object({"choice": {"anyOf": choices}})


def _merchant_ids(merchants: Sequence[Merchant]) -> dict[str, Any]:
    least, most = MERCHANTS
    ids = [merchant.merchant_id for merchant in merchants]
    return {"type": "array", "items": {"enum": ids}, "minItems": least, "maxItems": most, "uniqueItems": True}


def _object(properties: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
