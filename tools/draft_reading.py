"""How a model's answer becomes a draft: what is closed comes from the last draft, whatever the answer holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from tools.copy_blocks import CopyBlocks
from tools.draft_brief import Brief, available, kept_block
from tools.draft_parts import Part
from tools.draft_replies import MERCHANTS, answered
from tools.drafts import Copy, Draft
from tools.vocabulary import COPY_FIELDS, CopyField


def draft_of(reply: BaseModel | None, brief: Brief, blocks: CopyBlocks) -> Draft:
    """Turn a model's reply into a draft; ids it made up stay in it for the gate to refuse.

    Whatever the reply holds, a part that is not open is the last draft's. None stands for a re-draft in which only
    blocks that code chooses are open.
    """
    said = {part: value for part, value in ({} if reply is None else answered(reply)).items() if part in brief.asked}
    return _selected(said, brief, blocks) if brief.mode == "select" else _written(said, brief)


def _written(said: Mapping[Part, Any], brief: Brief) -> Draft:
    parts = {**_parts_of(brief.last), **said}
    return Draft(
        source="model",
        option_id=parts["option_id"],
        merchant_ids=tuple(parts["merchant_ids"]),
        text=Copy(**{field: parts[field] for field in COPY_FIELDS}),
    )


def _selected(said: Mapping[Part, Any], brief: Brief, blocks: CopyBlocks) -> Draft:
    parts = _parts_of(brief.last)
    option_id = said.get("option_id", parts.get("option_id", ""))
    option = brief.menu.option(option_id)
    blocks_of = {} if option is None else available(option, brief, blocks)
    chosen: dict[CopyField, str] = {}
    for field in COPY_FIELDS:
        kept = kept_block(field, option, brief, blocks)
        if kept is not None:
            chosen[field] = kept.id
        elif field in said:
            chosen[field] = said[field]
        elif option is not None:
            chosen[field] = brief.blocks_in_turn(blocks_of[field])[0].id
    texts = {field: block.text if (block := blocks.get(chosen.get(field, ""))) else "" for field in COPY_FIELDS}
    merchants = _enough(said["merchant_ids"], brief) if "merchant_ids" in said else tuple(parts["merchant_ids"])
    return Draft(source="blocks", option_id=option_id, merchant_ids=merchants, text=Copy(**texts), block_ids=chosen)


def _parts_of(draft: Draft | None) -> dict[Part, Any]:
    if draft is None:
        return {}
    parts: dict[Part, Any] = {"option_id": draft.option_id, "merchant_ids": draft.merchant_ids}
    return parts | {field: getattr(draft.text, field) for field in COPY_FIELDS}


def _enough(chosen: Sequence[str], brief: Brief) -> tuple[str, ...]:
    """Return the chosen merchants once each, filled up to two in this week's order.

    Grammars of small servers know no `uniqueItems`, and a model that can only choose repeats itself.
    """
    once = dict.fromkeys(chosen)
    fill = [merchant.merchant_id for merchant in brief.merchants_in_turn() if merchant.merchant_id not in once]
    return tuple([*once, *fill[: max(0, MERCHANTS[0] - len(once))]])
