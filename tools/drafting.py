"""What the drafting step asks of a model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from tools.chat.calls import Ask
from tools.copy_blocks import Block, CopyBlocks
from tools.draft_brief import Brief, Extract, shown_blocks
from tools.draft_examples import shown_examples
from tools.draft_parts import PARTS
from tools.draft_reading import draft_of
from tools.draft_replies import (
    LENGTHS,
    MERCHANTS,
    ComposeReply,
    SelectReply,
    compose_schema,
    revision_reply,
    select_schema,
)
from tools.prompt_budget import BUDGET, cut, tokens
from tools.prompt_files import Prompt
from tools.prompt_steps import REPLY_SCHEMA, TEXT, Step, listed, record
from tools.report import Violation
from tools.slots import SLOTS, dollars, legal_slots, offer_value
from tools.terms import MenuOption
from tools.views import MemberView
from tools.vocabulary import Channel

__all__ = ["DRAFT_STEP", "MERCHANTS", "Brief", "draft_ask", "draft_of"]

DRAFT_STEP: Final = Step(
    variables={
        "mode": TEXT,
        "view": record(*MemberView.model_fields),
        "options": listed(record("id", "label", "without")),
        "merchants": listed(record("id", "name", "category")),
        "policies": listed(record("brief", "prose")),
        "hypotheses": listed(),
        "slots": TEXT,
        "headlines": listed(record("id", "text")),
        "ctas": listed(record("id", "text")),
        "asked": listed(),
        "last": listed(record("field", "text")),
        "violations": listed(record("clause", "field", "quote", "message", "fix_hint")),
        "examples": listed(record("type", "good", "bad", "why")),
    },
    schemas=("draft_select", "draft_compose"),
    member=frozenset({"view", "hypotheses"}),
)
"""What drafting gives its prompt and answers to."""
ONLY: Final[Mapping[Channel, str]] = {
    "online_only": "Only online purchases count.",
    "in_store_only": "Only in-store purchases count.",
}
"""What a body says of where to buy, in the words of the approved copy."""
PROSE_STEP: Final = 16
"""Tokens of prose are given in steps of so many: cut at each member's own length, no two prompts would begin alike."""
TOLD: Final = 6
"""Violations a prompt repeats; what is left over is found again in the next draft."""


def draft_ask(prompt: Prompt, brief: Brief, blocks: CopyBlocks) -> Ask[Any]:
    """Build the prompt and the schema whose enums are the ids on offer, in the cohort's order of this week.

    A re-draft is asked for its open parts alone, and shown their last text with what was wrong about it.
    """
    options, merchants = brief.options_in_turn(), brief.merchants_in_turn()
    select = brief.mode == "select"
    shown = {option.option_id: shown_blocks(option, brief, blocks) for option in options} if select else {}
    schema = select_schema(shown, merchants, brief.asked) if select else compose_schema(options, merchants, brief.asked)
    first: type[BaseModel] = SelectReply if select else ComposeReply
    variables = {
        "mode": brief.mode,
        "view": brief.view,
        "options": [_option_line(option, brief) for option in options],
        "merchants": [
            {"id": m.merchant_id, "name": m.merchant_name, "category": m.merchant_category}
            for m in merchants
            if "merchant_ids" in brief.open or m.merchant_id in _last_merchants(brief)
        ],
        "policies": [],
        "hypotheses": list(brief.hypotheses),
        "slots": " ".join(sorted(SLOTS)),
        "headlines": _union(shown, "headline") if "headline" in brief.asked else [],
        "ctas": _union(shown, "cta") if "cta" in brief.asked else [],
        "asked": [] if brief.last is None else [part for part in PARTS if part in brief.asked],
        "last": [] if select else _last_texts(brief),
        "violations": [_told(violation) for violation in _most_telling(brief.violations)],
        REPLY_SCHEMA: schema,
        "examples": [] if select or "body" not in brief.asked else shown_examples(prompt.header.examples, options),
    }
    return Ask(
        name=f"draft_{brief.mode}",
        messages=prompt.render(variables) if select else _with_policies(prompt, variables, brief.policies),
        schema=schema,
        reply=first if brief.last is None else revision_reply(brief.asked, select=select),
        temperature=prompt.header.temperature,
        max_tokens=prompt.header.max_tokens,
    )


def _last_merchants(brief: Brief) -> tuple[str, ...]:
    return () if brief.last is None else brief.last.merchant_ids


def _last_texts(brief: Brief) -> list[dict[str, str]]:
    if brief.last is None:
        return []
    return [
        {"field": field, "text": text[: LENGTHS[field]]}
        for field, text in brief.last.text.fields().items()
        if field in brief.open
    ]


def _with_policies(prompt: Prompt, variables: dict[str, Any], policies: Sequence[Extract]) -> list[tuple[str, str]]:
    """Render with every brief once, and with as much of the prose as the budget leaves room for.

    Where the prompt is too long without a word of prose, the bad halves of the examples yield, then all of them.
    """
    prose: dict[str, list[str]] = {}
    for policy in policies:
        if policy.brief:
            prose.setdefault(policy.brief, []).extend([policy.prose] if policy.prose else [])

    def rendered(room: int, examples: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
        lines = [
            {"brief": brief, "prose": " ".join(filter(None, (cut(part, room) for part in parts)))}
            for brief, parts in prose.items()
        ]
        return [*prompt.render({**variables, "policies": lines, "examples": examples})]

    whole = variables["examples"]
    messages = rendered(0, whole)
    pieces = sum(map(len, prose.values()))
    left = BUDGET["compose"] - _length(messages) - pieces  # each piece rounds up by one
    if pieces and left > 0:
        room = left // pieces
        return rendered(room - room % PROSE_STEP or room, whole)
    for examples in ([{**shown, "bad": ""} for shown in whole], []):
        if _length(messages) > BUDGET["compose"]:
            messages = rendered(0, examples)
    return messages


def _length(messages: Sequence[tuple[str, str]]) -> int:
    return tokens("\n".join(text for _, text in messages))


def _option_line(option: MenuOption, brief: Brief) -> dict[str, str]:
    parts = [offer_value(option, brief.view.domain)]
    if option.minimum_spend is not None:
        parts.append(f"minimum {dollars(option.minimum_spend)}")
    if option.channel != "any" and brief.mode == "compose":
        parts.append(ONLY[option.channel])
    missing = sorted(SLOTS - legal_slots(option) - {"base_rate"})  # the prompt says whose that one is
    return {"id": option.option_id, "label": ", ".join(parts), "without": " ".join(missing)}


def _union(shown: Mapping[str, Mapping[str, Sequence[Block]]], field: str) -> list[dict[str, str]]:
    unique = {block.id: block for groups in shown.values() for block in groups[field]}
    return [{"id": block.id, "text": block.text} for block in unique.values()]


def _most_telling(violations: Sequence[Violation]) -> list[Violation]:
    """Return what a prompt has room for: one of each field first, so that nothing is asked for without a reason."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, Violation]] = []
    for violation in violations:
        ranked.append((seen[violation.field], violation))
        seen[violation.field] += 1
    return [violation for _, violation in sorted(ranked, key=lambda pair: pair[0])][:TOLD]


def _told(violation: Violation) -> dict[str, str]:
    return {
        "clause": f"{violation.policy_id}/{violation.clause_id}",
        "field": violation.field,
        "quote": violation.quote[:120],
        "message": violation.message,
        "fix_hint": violation.fix_hint,
    }
