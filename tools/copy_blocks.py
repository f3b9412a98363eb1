"""Approved copy: blocks of text with slots, which offers each may be used for, and the proof that none was changed."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from tools.braces import literal_text, slots_in
from tools.copy_approvals import FILE, Approval, covers_of, read_approvals
from tools.drafts import Copy
from tools.errors import PolicyInvalid
from tools.slots import NAME_FIELDS, SLOTS, legal_slots
from tools.subject import Scope
from tools.terms import MenuOption
from tools.turns import in_turn
from tools.vocabulary import COPY_FIELDS, CardType, Channel, CopyField, Domain, OfferType, Strategy
from tools.yaml_lines import Lines, read_model

Enrollment = Literal["required", "not_required"]

ALWAYS_SAID: Final = frozenset({"offer_value", "merchants", "card_type", "expiry_date"})
SAID_WHEN_SET: Final = frozenset({"minimum_spend", "reward_cap", "enroll_by"})
"""A body states these when the offer has them, and can't when it doesn't."""

_SENTENCE: Final = re.compile(r"(?<=[.?!])\s")


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BlockScope(_Closed):
    """Which offers a block may be used for. An empty list is open to all."""

    domains: tuple[Domain, ...] = ()
    offer_types: tuple[OfferType, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    card_types: tuple[CardType, ...] = ()
    channels: tuple[Channel, ...] = ()
    enrollment: tuple[Enrollment, ...] = ()


class Block(_Closed):
    """One text of one copy field, written to be approved."""

    id: str = Field(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$")
    field: CopyField
    scope: BlockScope = BlockScope()
    text: str = Field(min_length=1)

    @property
    def text_sha(self) -> str:
        """What an approval of this block signs."""
        return text_sha(self.field, self.text, self.scope)

    @property
    def turn_key(self) -> str:
        """What its place in a cohort's order is made of: a body's first sentence, else the id.

        So bodies of different offer types that open alike take their turn together, and don't follow each other.
        """
        return _SENTENCE.split(self.text, maxsplit=1)[0] if self.field == "body" else self.id

    def suits(self, option: MenuOption, *, domain: Domain, strategy: Strategy, card_type: CardType) -> bool:
        """Tell whether this block may speak for the option: in scope, slots legal, and no condition left out of a body.

        A body must name the channel of an offer that has one: only a scope that lists the channel says so.
        """
        enrollment: Enrollment = "required" if option.requires_enrollment else "not_required"
        scope = self.scope
        in_scope = (
            _open(scope.offer_types, option.offer_type)  # first: most blocks are for one type of offer
            and _open(scope.domains, domain)
            and _open(scope.strategies, strategy)
            and _open(scope.card_types, card_type)
            and _open(scope.channels, option.channel)
            and _open(scope.enrollment, enrollment)
        )
        if not in_scope:
            return False
        slots, legal = slots_in(self.text), legal_slots(option)
        if not slots <= legal:
            return False
        if self.field != "body":
            return True
        says_channel = option.channel == "any" or option.channel in scope.channels
        return says_channel and (SAID_WHEN_SET & legal) | ALWAYS_SAID <= slots


class _BlockFile(RootModel[tuple[Block, ...]]):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class CopyBlocks:
    """All approved blocks, in the files' order. Built by `load_copy_blocks`.

    `covers` names the judge clauses each block is approved for (`policy/clause@version#question`). `required` says
    which ones hold an offer of a scope; `judged`, whether a judge may answer for those a block doesn't cover.
    """

    blocks: tuple[Block, ...]
    by_id: MappingProxyType[str, Block]
    covers: Mapping[str, frozenset[str]]
    required: Callable[[Scope], frozenset[str]] = lambda scope: frozenset()
    judged: bool = True

    def held_to(self, required: Callable[[Scope], frozenset[str]], *, judged: bool) -> "CopyBlocks":
        """Return the blocks under judge clauses: without a judge, a block that misses one can't be chosen."""
        return replace(self, required=required, judged=judged)

    def with_approvals(self, records: Iterable[Approval]) -> "CopyBlocks":
        """Return the blocks with what more records cover; a record of another text or scope covers nothing."""
        records = tuple(records)
        if not records:
            return self
        more = covers_of(records, {block.id: block.text_sha for block in self.blocks})
        covers = {block.id: self.covered(block.id) | more.get(block.id, frozenset()) for block in self.blocks}
        return replace(self, covers=MappingProxyType(covers))

    def get(self, block_id: str) -> Block | None:
        """Return the block of that id, or None."""
        return self.by_id.get(block_id)

    def covered(self, block_id: str) -> frozenset[str]:
        """Return the judge clauses a block is approved for."""
        return self.covers.get(block_id, frozenset())

    def blocks_for(
        self, option: MenuOption, *, domain: Domain, strategy: Strategy, card_type: CardType
    ) -> Mapping[CopyField, tuple[Block, ...]]:
        """Return the blocks that may speak for the option, by field, in the files' order."""
        return _suitable(self, option, domain, strategy, card_type, self.judged)

    def fallback_copy(
        self,
        option: MenuOption,
        *,
        domain: Domain,
        strategy: Strategy,
        card_type: CardType,
        cohort_hash: str,
        week: int = 0,
        avoid: AbstractSet[str] = frozenset(),
    ) -> tuple[Copy, dict[CopyField, str]]:
        """Return copy made of approved blocks and the block id of each field: the same for the same cohort and week.

        A block that needs no judge goes before one that does: a fallback should not wait for a judge that is away.
        Blocks to `avoid` are those of drafts that failed; one of them is only taken where there is no other.
        Raises PolicyInvalid when a field has no block; `gaps` finds that at the start.
        """
        found = self.blocks_for(option, domain=domain, strategy=strategy, card_type=card_type)
        sure = _suitable(self, option, domain, strategy, card_type, False)
        chosen: dict[CopyField, Block] = {}
        for field, blocks in found.items():
            if not blocks:
                raise PolicyInvalid(Path("copy"), 1, f"no approved {field} for {option.option_id}; add a block")
            order = in_turn(sure[field] or blocks, cohort_hash, week, key=lambda block: block.turn_key)
            chosen[field] = next((block for block in order if block.id not in avoid), order[0])
        texts = {field: block.text for field, block in chosen.items()}
        return Copy.model_validate(texts), {field: block.id for field, block in chosen.items()}

    def gaps(
        self, options: Sequence[MenuOption], *, domain: Domain, strategy: Strategy, card_type: CardType
    ) -> tuple[str, ...]:
        """Return, in words, each field for which one of these options has no approved block."""
        return tuple(
            f"{option.option_id}: no approved {field}"
            for option in options
            for field, blocks in self.blocks_for(option, domain=domain, strategy=strategy, card_type=card_type).items()
            if not blocks
        )


_OPEN: Final = BlockScope()


def text_sha(field: CopyField, text: str, scope: BlockScope = _OPEN) -> str:
    """Return what an approval signs: the SHA-256 in hex of field, NUL, text with its slots, and any scope.

    The scope counts because a text that is right for one kind of offer may mislead in another.
    """
    where = "" if scope == _OPEN else f"\0{scope.model_dump_json(exclude_defaults=True)}"
    return hashlib.sha256(f"{field}\0{text}{where}".encode()).hexdigest()


def load_copy_blocks(folder: Path) -> CopyBlocks:
    """Read every `*.yaml` of `policies/copy`, approved as its `approvals.yaml` says.

    Raises PolicyInvalid, with file, line and remedy, for a text or scope nobody approved as it stands, and for all that
    `read_blocks` refuses.
    """
    placed = _read(folder)
    blocks = {block.id: block for block, _, _ in placed}
    standing = {block.id: block.text_sha for block in blocks.values()}
    covers = covers_of(read_approvals(folder), standing)
    for block, path, line in placed:
        if block.id not in covers:
            reason = "nobody approved this text and scope; restore them, or have them approved:"
            command = f"`offers copy approve {block.id} --by NAME`"
            raise PolicyInvalid(path, line, f"block '{block.id}': {reason} {command}")
    return CopyBlocks(tuple(blocks.values()), MappingProxyType(blocks), MappingProxyType(covers))


def read_blocks(folder: Path) -> tuple[Block, ...]:
    """Read the blocks, approved or not.

    Raises PolicyInvalid, with file, line and remedy, for an id used twice, a slot that doesn't exist, a digit outside
    slots, and a folder without blocks.
    """
    return tuple(block for block, _, _ in _read(folder))


def _read(folder: Path) -> list[tuple[Block, Path, int]]:
    placed: list[tuple[Block, Path, int]] = []
    ids: set[str] = set()
    for path in sorted(path for path in folder.glob("*.yaml") if path.name != FILE):
        file, lines = read_model(path, _BlockFile)
        for index, block in enumerate(file.root):
            _refuse(path, lines, index, block)
            if block.id in ids:
                raise PolicyInvalid(path, lines.at(index, "id"), f"block '{block.id}' exists already; rename one")
            ids.add(block.id)
            placed.append((block, path, lines.at(index, "text")))
    if not placed:
        raise PolicyInvalid(folder, 1, "no approved copy blocks; fallback copy needs them")
    return placed


def _refuse(path: Path, lines: Lines, index: int, block: Block) -> None:
    def refuse(key: str, reason: str) -> PolicyInvalid:
        return PolicyInvalid(path, lines.at(index, key), f"block '{block.id}': {reason}")

    slots = slots_in(block.text)
    if unknown := slots - SLOTS:
        raise refuse("text", f"unknown slot {{{min(unknown)}}}; known are {', '.join(sorted(SLOTS))}")
    if "first_name" in slots and block.field not in NAME_FIELDS:
        raise refuse("text", f"{{first_name}} is only used in {', '.join(sorted(NAME_FIELDS))}")
    if any(char in "{}" or char.isdigit() for char in literal_text(block.text)):
        raise refuse("text", "a digit or a brace outside slots; amounts and dates come from the terms alone")


# Menus hold a few hundred options, and each is asked for many times in a campaign.
@lru_cache(maxsize=2048)
def _suitable(
    library: CopyBlocks, option: MenuOption, domain: Domain, strategy: Strategy, card_type: CardType, judged: bool
) -> Mapping[CopyField, tuple[Block, ...]]:
    found: dict[CopyField, list[Block]] = {field: [] for field in COPY_FIELDS}
    needed = frozenset() if judged else library.required(Scope(domain, card_type, option.channel, option.offer_type))
    for block in library.blocks:
        suits = block.suits(option, domain=domain, strategy=strategy, card_type=card_type)
        if suits and needed <= library.covered(block.id):
            found[block.field].append(block)
    return MappingProxyType({field: tuple(blocks) for field, blocks in found.items()})


def _open(allowed: Sequence[str], value: str) -> bool:
    return not allowed or value in allowed
