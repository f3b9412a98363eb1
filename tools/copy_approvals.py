"""Who approved which copy, when, and for which judge clauses: records that go by the hash of each text."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ClauseRef = Annotated[str, StringConstraints(pattern=r"^[\w-]+/\w+@\d+\.\d+\.\d+$")]
Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Approval(BaseModel):
    """One act of approving: these texts (`Block.text_sha` by block id), for these judge clauses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approved_by: str = Field(min_length=1, max_length=200)
    approved_at: date
    covers: tuple[ClauseRef, ...] = ()
    blocks: dict[str, Sha] = Field(min_length=1)


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
