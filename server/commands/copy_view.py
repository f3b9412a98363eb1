"""Approved copy as `offers copy` works with it: blocks, records and judge clauses side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from server.commands.console import plain
from tools.copy_approvals import FILE, Approval, covers_of, read_approvals, with_approval, write_approvals
from tools.copy_blocks import Block, read_blocks
from tools.copy_cover import may_meet
from tools.delivery.texts import DeliveryText, read_delivery_texts
from tools.policies import PolicySet
from tools.policies.clauses import ActiveClause
from tools.policies.schema import JudgeClause, PolicyScope

UNSIGNED: Final = "the text itself"
"""What is open of a block that nobody approved as it stands."""


Approvable = Block | DeliveryText
"""What is approved and signed by its text: a block of copy, or a part of a push, SMS or in-app message."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Texts and records of one folder, with the policies that ask for approvals."""

    folder: Path
    policies: PolicySet
    blocks: tuple[Approvable, ...]
    records: tuple[Approval, ...]
    covers: dict[str, frozenset[str]]

    @classmethod
    def of(cls, folder: Path, policies: PolicySet) -> "Desk":
        """Read blocks and records, approved or not. Raises PolicyInvalid for what can't be read."""
        return cls._of(folder, policies, read_blocks(folder))

    @classmethod
    def of_deliveries(cls, folder: Path, policies: PolicySet) -> "Desk":
        """Read the texts of push, SMS and in-app messages, approved or not. Raises PolicyInvalid."""
        return cls._of(folder, policies, tuple(read_delivery_texts(folder).texts.values()))

    @classmethod
    def _of(cls, folder: Path, policies: PolicySet, blocks: tuple[Approvable, ...]) -> "Desk":
        records = read_approvals(folder)
        return cls(folder, policies, blocks, records, covers_of(records, {b.id: b.text_sha for b in blocks}))

    @property
    def active(self) -> tuple[ActiveClause, ...]:
        """The judge clauses in force."""
        return tuple(c for policy in self.policies.active for c in policy.clauses if c.clause.kind == "judge")

    def open(self, block: Approvable, clauses: Sequence[ActiveClause]) -> tuple[str, ...]:
        """Return what of these clauses the block is not approved for, where it may be used under their policy."""
        covered = self.covers.get(block.id)
        if covered is None:
            return (UNSIGNED,)
        return tuple(
            clause.approval
            for clause in clauses
            if clause.approval not in covered
            and (policy := self.policies.get(clause.policy_id)) is not None
            and _may_meet(policy.scope, block)
        )

    def signed(self, block: Approvable) -> Approval | None:
        """Return the last approval of the block as it stands."""
        mine = [record for record in self.records if record.blocks.get(block.id) == block.text_sha]
        return max(mine, key=lambda record: record.approved_at, default=None)

    def record(self, by: str, at: date, blocks: Sequence[Approvable], clauses: Sequence[ActiveClause]) -> Path:
        """Write the approval of these blocks for these clauses, and return the file. Raises OSError."""
        new = Approval(
            approved_by=by.strip(),
            approved_at=at,
            covers=tuple(sorted(clause.approval for clause in clauses)),
            blocks={block.id: block.text_sha for block in blocks},
        )
        standing = {block.id: block.text_sha for block in self.blocks}
        write_approvals(self.folder, with_approval(read_approvals(self.folder), new, standing))
        return self.folder / FILE


def blocks_table(shown: Sequence[tuple[Desk, Approvable]]) -> Table:
    """Return a line per block."""
    table = Table(Column("block", overflow="fold"), "field", "scope", "approved by", "not covered")
    for desk, block in shown:
        signed, lacking = desk.signed(block), desk.open(block, desk.active)
        who = f"{plain(signed.approved_by)}, {signed.approved_at}" if signed else "nobody"
        more = f" and {len(lacking) - 2} more" if len(lacking) > 2 else ""
        table.add_row(
            block.id, block.field, _scope(block), Text(who), Text(", ".join(lacking[:2]) + more, style="yellow")
        )
    return table


def shown_texts(blocks: Sequence[Approvable]) -> Table:
    """Return the texts to be approved."""
    table = Table(Column("block", overflow="fold"), "field", "scope", "text")
    for block in blocks:
        table.add_row(block.id, block.field, _scope(block), Text(plain(block.text)))
    return table


def shown_clauses(clauses: Sequence[ActiveClause]) -> Group:
    """Return the questions to be answered for every text."""
    lines: list[Text | Padding] = [
        Text("Each text must stand up to:" if clauses else "No judge clause: the texts alone.")
    ]
    for active in clauses:
        assert isinstance(active.clause, JudgeClause)
        lines.append(Text(active.approval, style="bold"))
        lines.append(Padding(Text(plain(" ".join(active.clause.question.split()))), (0, 0, 0, 4)))
    return Group(*lines)


def _may_meet(scope: PolicyScope, block: Approvable) -> bool:
    if isinstance(block, DeliveryText):
        return not scope.delivery or block.channel in scope.delivery
    return may_meet(scope, block.scope)


def _scope(block: Approvable) -> Text:
    if isinstance(block, DeliveryText):
        return Text("all")
    scope = block.scope.model_dump(exclude_defaults=True)
    return Text("; ".join(f"{name}: {', '.join(values)}" for name, values in scope.items()) or "all", overflow="fold")
