"""What a draft is asked from, and what of it is open: all of a first draft, of a re-draft only what was criticised."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Protocol

from tools.braces import slots_in
from tools.copy_blocks import Block, CopyBlocks
from tools.draft_parts import PARTS, Part, opened
from tools.draft_replies import CHOSEN
from tools.drafts import Draft
from tools.report import Violation
from tools.slots import SLOTS, legal_slots
from tools.terms import Menu, MenuOption, Merchant
from tools.turns import in_turn
from tools.views import MemberView
from tools.vocabulary import CopyField, CopyMode

SHOWN_BLOCKS: Final = 2
"""Blocks of one kind a `select` prompt lists: its budget is 500 tokens."""


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
    week: int = 0
    """Of the send date (`turns.week_of`): with the cohort it decides the order of all lists."""
    last: Draft | None = None
    """The draft that was sent back, with its slots: never filled text."""

    @property
    def open(self) -> frozenset[Part]:
        """The parts this draft may decide: all of a first one, of a re-draft what was criticised."""
        return frozenset(PARTS) if self.last is None else opened(self.violations)

    @property
    def asked(self) -> frozenset[Part]:
        """The parts a model is asked for. A chosen option brings its blocks: those that don't suit it are asked for."""
        if self.mode == "compose":
            return self.open
        return frozenset(CHOSEN) & (self.open | {"headline", "cta"} if "option_id" in self.open else self.open)

    @property
    def options(self) -> tuple[MenuOption, ...]:
        """The options to choose from: the last draft's alone or, when it was criticised, the others of the menu."""
        if self.last is None:
            return self.menu.options
        if "option_id" not in self.open and (kept := self.menu.option(self.last.option_id)) is not None:
            return (kept,)
        others = [option for option in self.menu.options if option.option_id != self.last.option_id]
        return tuple(others) or self.menu.options

    def options_in_turn(self) -> list[MenuOption]:
        """Return the options that fit, in this week's order."""
        return in_turn(fitting(self), self.cohort, self.week, key=lambda option: option.option_id)

    def merchants_in_turn(self) -> list[Merchant]:
        """Return the candidates in this week's order."""
        return in_turn(self.candidates, self.cohort, self.week, key=lambda merchant: merchant.merchant_id)

    def blocks_in_turn(self, blocks: Sequence[Block]) -> list[Block]:
        """Return the blocks in this week's order."""
        return in_turn(blocks, self.cohort, self.week, key=lambda block: block.turn_key)


def available(option: MenuOption, brief: Brief, blocks: CopyBlocks) -> Mapping[CopyField, Sequence[Block]]:
    """Leave out criticised blocks, unless nothing else of the field is left: then the gate decides again."""
    found = blocks.blocks_for(
        option, domain=brief.view.domain, strategy=brief.view.strategy, card_type=brief.view.card_type
    )
    return {
        field: tuple(block for block in group if block.id not in brief.excluded) or group
        for field, group in found.items()
    }


def kept_block(field: CopyField, option: MenuOption | None, brief: Brief, blocks: CopyBlocks) -> Block | None:
    """Return the last draft's block of a field that is not open; none when it can't speak for a newly chosen option."""
    if brief.last is None or field in brief.open:
        return None
    block = blocks.get((brief.last.block_ids or {}).get(field, ""))
    if block is None or "option_id" not in brief.open:
        return block
    view = brief.view
    suits = option is not None and block.suits(
        option, domain=view.domain, strategy=view.strategy, card_type=view.card_type
    )
    return block if suits else None


def shown_blocks(option: MenuOption, brief: Brief, blocks: CopyBlocks) -> dict[str, list[Block]]:
    """Return the headlines and buttons of an option that a prompt lists: the kept one, or some of the cohort's.

    They are taken from all over the order, not from its beginning, so that weeks on end list no block again.
    """
    found = available(option, brief, blocks)
    fields: tuple[CopyField, ...] = ("headline", "cta")
    return {
        field: [kept]
        if (kept := kept_block(field, option, brief, blocks)) is not None
        else _spread(brief.blocks_in_turn(found[field]))
        for field in fields
    }


def _spread(blocks: Sequence[Block]) -> list[Block]:
    return list(blocks[:: max(1, len(blocks) // SHOWN_BLOCKS)][:SHOWN_BLOCKS])


def fitting(brief: Brief) -> Sequence[MenuOption]:
    """Leave out options that the texts which stay can't speak for, unless none is left."""
    if brief.last is None or brief.mode == "select":
        return brief.options
    kept = [text for field, text in brief.last.text.fields().items() if field not in brief.open]
    used = slots_in(" ".join(kept)) & SLOTS
    return [option for option in brief.options if used <= legal_slots(option)] or brief.options
