"""What the drafting step asks of a model, and how its answer becomes a draft."""

import hashlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from tools.chat.calls import Ask
from tools.copy_blocks import Block, CopyBlocks
from tools.drafts import Copy, Draft
from tools.prompt_files import Prompt
from tools.report import Violation
from tools.slots import SLOTS, dollars, legal_slots, offer_value
from tools.terms import Menu, MenuOption, Merchant
from tools.views import MemberView
from tools.vocabulary import COPY_FIELDS, CopyField, CopyMode

DRAFT_VARIABLES: Final = frozenset(
    {
        "mode",
        "view",
        "options",
        "merchants",
        "policies",
        "hypotheses",
        "slots",
        "headlines",
        "ctas",
        "violations",
        "example",
    }
)
MERCHANTS: Final = (2, 4)
SHOWN_BLOCKS: Final = 2
"""Blocks of one kind a `select` prompt lists: its budget is 500 tokens."""

_EXAMPLE: Final = {
    "good": '"Enroll by {enroll_by}, then spend {minimum_spend} or more at {merchants} through {expiry_date} and get a '
    '{offer_value} on your {card_type} Card."',
    "bad": '"Hurry, get $50 back at Delta this month, you travel a lot!"',
}
_LENGTHS: Final[Mapping[CopyField, int]] = {"subject": 90, "preheader": 140, "headline": 80, "body": 900, "cta": 40}

TOLD: Final = 6
"""Violations a prompt repeats; what is left over is found again in the next draft."""

ItemT = TypeVar("ItemT")


class Extract(Protocol):
    """A policy as a prompt shows it."""

    @property
    def brief(self) -> str:
        """One line."""

    @property
    def prose(self) -> str:
        """The part retrieval found near, or nothing."""


@dataclass(frozen=True, slots=True)
class Brief:
    """All that a draft prompt is a function of, beside the prompt file. Only the view comes from a member."""

    mode: CopyMode
    view: MemberView
    menu: Menu
    candidates: Sequence[Merchant]
    policies: Sequence[Extract]
    hypotheses: Sequence[str]
    violations: Sequence[Violation]
    excluded: AbstractSet[str]
    cohort: str


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

    def draft(self) -> Draft:
        """Return the draft."""
        text = Copy(**{name: getattr(self, name) for name in COPY_FIELDS})
        return Draft(source="model", option_id=self.option_id, merchant_ids=tuple(self.merchant_ids), text=text)


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


def draft_ask(prompt: Prompt, brief: Brief, blocks: CopyBlocks) -> Ask[Any]:
    """Build the prompt and the schema whose enums are the ids on offer, in an order the cohort's hash decides."""
    options = permuted(brief.menu.options, brief.cohort, key=lambda option: option.option_id)
    merchants = permuted(brief.candidates, brief.cohort, key=lambda merchant: merchant.merchant_id)
    select = brief.mode == "select"
    shown = {option.option_id: _shown(option, brief, blocks) for option in options} if select else {}
    schema = _select_schema(shown, merchants) if select else _compose_schema(options, merchants)
    messages = prompt.render(
        {
            "mode": brief.mode,
            "view": brief.view,
            "options": [_option_line(option, brief) for option in options],
            "merchants": [
                {"id": m.merchant_id, "name": m.merchant_name, "category": m.merchant_category} for m in merchants
            ],
            "policies": [] if select else [{"brief": p.brief, "prose": p.prose} for p in brief.policies],
            "hypotheses": list(brief.hypotheses),
            "slots": " ".join(f"{{{name}}}" for name in sorted(SLOTS)),
            "headlines": _union(shown, "headline"),
            "ctas": _union(shown, "cta"),
            "violations": [_told(violation) for violation in brief.violations[:TOLD]],
            "example": _EXAMPLE,
        }
    )
    return Ask(
        name=f"draft_{brief.mode}",
        messages=messages,
        schema=schema,
        reply=SelectReply if select else ComposeReply,
        temperature=prompt.header.temperature,
        max_tokens=prompt.header.max_tokens,
    )


def draft_of(reply: ComposeReply | SelectReply, brief: Brief, blocks: CopyBlocks) -> Draft:
    """Turn a model's reply into a draft; ids it made up stay in it for the gate to refuse."""
    if isinstance(reply, ComposeReply):
        return reply.draft()
    choice = reply.choice
    option = brief.menu.option(choice.option_id)
    chosen: dict[CopyField, str] = {"headline": choice.headline, "cta": choice.cta}
    if option is not None:
        available = _available(option, brief, blocks)
        for field in ("subject", "preheader", "body"):
            chosen[field] = permuted(available[field], brief.cohort, key=lambda block: block.id)[0].id
    texts = {field: block.text if (block := blocks.get(chosen.get(field, ""))) else "" for field in COPY_FIELDS}
    return Draft(
        source="blocks",
        option_id=choice.option_id,
        merchant_ids=_enough(choice.merchant_ids, brief),
        text=Copy(**texts),
        block_ids=chosen,
    )


def _enough(chosen: Sequence[str], brief: Brief) -> tuple[str, ...]:
    """Return the chosen merchants once each, filled up to two in the cohort's order.

    Grammars of small servers know no `uniqueItems`, and a model that can only choose repeats itself.
    """
    once = dict.fromkeys(chosen)
    spare = permuted(brief.candidates, brief.cohort, key=lambda merchant: merchant.merchant_id)
    fill = [merchant.merchant_id for merchant in spare if merchant.merchant_id not in once]
    return tuple([*once, *fill[: max(0, MERCHANTS[0] - len(once))]])


def permuted(items: Sequence[ItemT], seed: str, *, key: Any) -> list[ItemT]:
    """Return the items in an order that only `seed` and their keys decide, even over many seeds."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}\0{key(item)}".encode()).digest())


def _available(option: MenuOption, brief: Brief, blocks: CopyBlocks) -> Mapping[CopyField, Sequence[Block]]:
    """Leave out criticised blocks, unless nothing else of the field is left: then the gate decides again."""
    found = blocks.blocks_for(
        option, domain=brief.view.domain, strategy=brief.view.strategy, card_type=brief.view.card_type
    )
    return {
        field: tuple(block for block in group if block.id not in brief.excluded) or group
        for field, group in found.items()
    }


def _shown(option: MenuOption, brief: Brief, blocks: CopyBlocks) -> dict[str, list[Block]]:
    available = _available(option, brief, blocks)
    return {
        field: permuted(available[field], brief.cohort, key=lambda block: block.id)[:SHOWN_BLOCKS]
        for field in ("headline", "cta")
    }


def _option_line(option: MenuOption, brief: Brief) -> dict[str, str]:
    parts = [offer_value(option, brief.view.domain)]
    if option.minimum_spend is not None:
        parts.append(f"minimum {dollars(option.minimum_spend)}")
    missing = sorted(SLOTS - legal_slots(option))
    return {"id": option.option_id, "label": ", ".join(parts), "without": " ".join(f"{{{name}}}" for name in missing)}


def _union(shown: Mapping[str, Mapping[str, Sequence[Block]]], field: str) -> list[dict[str, str]]:
    unique = {block.id: block for groups in shown.values() for block in groups[field]}
    return [{"id": block.id, "text": block.text} for block in unique.values()]


def _told(violation: Violation) -> dict[str, str]:
    return {
        "clause": f"{violation.policy_id}/{violation.clause_id}",
        "field": violation.field,
        "quote": violation.quote[:120],
        "message": violation.message,
        "fix_hint": violation.fix_hint,
    }


def _merchant_ids(merchants: Sequence[Merchant]) -> dict[str, Any]:
    least, most = MERCHANTS
    ids = [merchant.merchant_id for merchant in merchants]
    return {"type": "array", "items": {"enum": ids}, "minItems": least, "maxItems": most, "uniqueItems": True}


def _compose_schema(options: Sequence[MenuOption], merchants: Sequence[Merchant]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "option_id": {"enum": [option.option_id for option in options]},
        "merchant_ids": _merchant_ids(merchants),
    }
    properties |= {field: {"type": "string", "maxLength": _LENGTHS[field]} for field in COPY_FIELDS}
    return _object(properties)


def _select_schema(shown: Mapping[str, Mapping[str, Sequence[Block]]], merchants: Sequence[Merchant]) -> dict[str, Any]:
    choices = [
        _object(
            {
                "option_id": {"enum": [option_id]},
                "merchant_ids": _merchant_ids(merchants),
                "headline": {"enum": [block.id for block in groups["headline"]]},
                "cta": {"enum": [block.id for block in groups["cta"]]},
            }
        )
        for option_id, groups in shown.items()
    ]
    return _object({"choice": {"anyOf": choices}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
