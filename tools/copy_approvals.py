"""Who approved which copy, when, and for which judge clauses: one machine-written file of records.

A record signs each block by the hash of its text and scope, so a letter or a scope that changed is a block nobody
approved, whatever the record says. `offers copy approve` writes the file; the ledger may hold more such records.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints

from tools.yaml_lines import read_model

FILE: Final = "approvals.yaml"
_HEADER: Final = (
    "# Who approved which copy, for which judge clauses (policy/clause@version#question). Written by `offers copy"
    " approve`.\n# Each block stands with the hash of its text and scope, each clause with that of its question: a"
    " change to one ends the approval.\n"
)

ClauseRef = Annotated[str, StringConstraints(pattern=r"^[\w-]+/\w+@\d+\.\d+\.\d+(#[0-9a-f]{16})?$")]
"""A clause as `ActiveClause.approval` names it. One without the hash of a question covers no judge clause."""
Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Approval(BaseModel):
    """One act of approving: these texts (`Block.text_sha` by block id), for these judge clauses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approved_by: str = Field(min_length=1, max_length=200)
    approved_at: date
    covers: tuple[ClauseRef, ...] = ()
    blocks: dict[str, Sha] = Field(min_length=1)


class _ApprovalFile(RootModel[tuple[Approval, ...]]):
    pass


def read_approvals(folder: Path) -> tuple[Approval, ...]:
    """Return the records of `policies/copy/approvals.yaml`; none when there is no file.

    Raises PolicyInvalid, with file and line, for a file that isn't of this form.
    """
    path = folder / FILE
    return read_model(path, _ApprovalFile)[0].root if path.exists() else ()


def covers_of(records: Iterable[Approval], standing: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return, for each block that is approved as it stands, the clauses its approvals cover.

    `standing` holds the present `text_sha` of every block; what a record signed otherwise counts for nothing.
    """
    found: dict[str, frozenset[str]] = {}
    for record in records:
        for block_id, signed in record.blocks.items():
            if standing.get(block_id) == signed:
                found[block_id] = found.get(block_id, frozenset()) | frozenset(record.covers)
    return found


def with_approval(records: Iterable[Approval], new: Approval, standing: Mapping[str, str]) -> tuple[Approval, ...]:
    """Return the records with a new one: equal acts become one record, and what stands no longer is left out."""
    kept: dict[tuple[str, date, tuple[str, ...]], dict[str, str]] = {}
    for record in (*records, new):
        blocks = {name: sha for name, sha in record.blocks.items() if standing.get(name) == sha}
        kept.setdefault((record.approved_by, record.approved_at, record.covers), {}).update(blocks)
    return tuple(
        Approval(approved_by=by, approved_at=at, covers=covers, blocks=dict(sorted(blocks.items())))
        for (by, at, covers), blocks in kept.items()
        if blocks
    )


def write_approvals(folder: Path, records: Iterable[Approval]) -> None:
    """Write the file whole or not at all. Raises OSError."""
    data = [record.model_dump() | {"covers": list(record.covers)} for record in records]
    text = _HEADER + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    scratch = folder / f".{FILE}.{os.getpid()}.tmp"
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(folder / FILE)
    finally:
        scratch.unlink(missing_ok=True)
