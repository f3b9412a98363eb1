"""Policy versions in the ledger, as they change: proposed, approved by a second person, retired. All under one lock."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from psycopg import AsyncConnection

from tools.copy_approvals import Approval
from tools.database import Database
from tools.errors import InputInvalid
from tools.folding import fold
from tools.ledger.versions import PolicyText, read_epoch

LOCK: Final = 0x0FFE_4158
"""Advisory lock of every change to policies, so that two officers never act on the same state."""

Refusal = Literal["unknown", "nothing_to_approve", "own_proposal", "taken", "not_allowed"]


class ChangeRefused(InputInvalid):
    """A change to policies that isn't allowed. `kind` says why, for replies that need a status."""

    def __init__(self, kind: Refusal, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Activation:
    """The approval of one draft: by whom, at which epoch it was looked at, and what copy was approved with it."""

    policy_id: str
    version: str
    sha: str
    by: str
    epoch: int
    approvals: tuple[Approval, ...] = ()


async def keep_draft(database: Database, text: PolicyText) -> bool:
    """Keep a version as the policy's draft, in place of an earlier draft; return False when it waits already.

    Raises ChangeRefused for a version that is in force, or whose number another text in force had; DatabaseUnavailable.
    """
    values = text._asdict()
    async with database.connection() as connection:
        await _lock(connection)
        cursor = await connection.execute(_KNOWN, values)
        for policy_id, version, sha, state, was_in_force in await cursor.fetchall():
            if policy_id != text.policy_id:
                raise ChangeRefused("taken", f"policy_id is {text.policy_id!r}: {policy_id!r} exists; use its spelling")
            if (version, sha) == (text.version, text.sha) and state == "active":
                raise ChangeRefused("taken", f"{policy_id} {version} is in force with this very text")
            if version == text.version and sha != text.sha and was_in_force:
                raise ChangeRefused(
                    "taken", f"version is {version!r}: another text of {policy_id} was in force under it; raise it"
                )
        withdrawn = await connection.execute(_WITHDRAW_OTHERS, values)
        for version, sha in await withdrawn.fetchall():
            await _happened(connection, text.policy_id, str(version), str(sha), "withdrawn", text.by)
        cursor = await connection.execute(_KEEP, values)
        is_new = await cursor.fetchone() is not None
        if is_new or not await _was_proposed_by(connection, text.policy_id, text.sha, text.by):
            await _happened(connection, text.policy_id, text.version, text.sha, "proposed", text.by)
        return is_new


async def next_version(database: Database, policy_id: str) -> str:
    """Return a version no text of the policy had, for text that comes without one. Raises DatabaseUnavailable."""
    async with database.statement() as connection:
        cursor = await connection.execute(_GREATEST, (policy_id,))
        row = await cursor.fetchone()
    return f"{1 + (int(row[0]) if row and row[0] is not None else 0)}.0.0"


async def activate(database: Database, activation: Activation) -> int | None:
    """Put a draft in force and return the new epoch; None when the policies changed since they were looked at.

    Raises ChangeRefused when it is no draft any more or `by` proposed it; DatabaseUnavailable.
    """
    policy_id, sha, by = activation.policy_id, activation.sha, activation.by
    async with database.connection() as connection:
        await _lock(connection)
        if await read_epoch(connection) != activation.epoch:
            return None
        if await _was_proposed_by(connection, policy_id, sha, by):
            raise own_proposal(policy_id, by)
        for version, old in await _retire(connection, policy_id, "active"):
            await _happened(connection, policy_id, version, old, "replaced", by)
        cursor = await connection.execute(_ACTIVATE, (policy_id, activation.version, sha))
        if cursor.rowcount != 1:
            raise ChangeRefused("nothing_to_approve", f"{policy_id} {activation.version} is no draft any more")
        await _happened(connection, policy_id, activation.version, sha, "approved", by)
        await _keep_approvals(connection, sha, activation.approvals)
        return await _next_epoch(connection)


async def retire(database: Database, policy_id: str, by: str, *, draft: bool = False) -> tuple[str, str, int]:
    """Take a policy's version out of force, or withdraw its draft; return version, sha and the epoch.

    Raises ChangeRefused when there is none; DatabaseUnavailable.
    """
    state, event = ("draft", "withdrawn") if draft else ("active", "retired")
    async with database.connection() as connection:
        await _lock(connection)
        found = await _retire(connection, policy_id, state)
        if not found:
            what = "draft" if draft else "version in force in the database"
            raise ChangeRefused("unknown", f"policy_id is {policy_id!r}: it has no {what}; `offers policies drafts`")
        ((version, sha),) = found
        await _happened(connection, policy_id, version, sha, event, by)
        return version, sha, await read_epoch(connection) if draft else await _next_epoch(connection)


async def was_proposed_by(database: Database, policy_id: str, sha: str, by: str) -> bool:
    """Tell whether this person ever sent in this very text. Raises DatabaseUnavailable."""
    async with database.connection() as connection:
        return await _was_proposed_by(connection, policy_id, sha, by)


def own_proposal(policy_id: str, by: str) -> ChangeRefused:
    """Return the refusal of an approval by whoever proposed the text."""
    return ChangeRefused("own_proposal", f"{by} proposed this version of {policy_id}; a second person approves it")


async def _lock(connection: AsyncConnection) -> None:
    await connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))


async def _was_proposed_by(connection: AsyncConnection, policy_id: str, sha: str, by: str) -> bool:
    cursor = await connection.execute(_PROPOSERS, (policy_id, sha))
    return _same(by) in {_same(str(row[0])) for row in await cursor.fetchall()}


def _same(name: str) -> str:
    """Return a name as it is compared: other case, spacing, width, accents or look-alikes make no second person."""
    return " ".join(fold(name).text.split()).casefold()


async def _retire(connection: AsyncConnection, policy_id: str, state: str) -> list[tuple[str, str]]:
    to = "withdrawn" if state == "draft" else "retired"
    cursor = await connection.execute(_RETIRE, (to, policy_id, state))
    return [(str(version), str(sha)) for version, sha in await cursor.fetchall()]


async def _happened(connection: AsyncConnection, policy_id: str, version: str, sha: str, event: str, by: str) -> None:
    await connection.execute(_HAPPENED, (policy_id, version, sha, event, by))


async def _keep_approvals(connection: AsyncConnection, sha: str, approvals: Iterable[Approval]) -> None:
    rows = [
        (sha, ref, block_id, text_sha, approval.approved_by)
        for approval in approvals
        for ref in approval.covers
        for block_id, text_sha in approval.blocks.items()
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(_APPROVE_COPY, rows)


async def _next_epoch(connection: AsyncConnection) -> int:
    cursor = await connection.execute("update policy_epoch set epoch = epoch + 1 returning epoch")
    row = await cursor.fetchone()
    assert row is not None  # the schema writes the one row
    return int(row[0])


_KNOWN: Final = """
select policy_id, version, sha, state, state is null or exists (
    select from policy_event e where e.policy_id = v.policy_id and e.version = v.version and e.sha = v.sha
                               and e.event in ('in_file', 'approved'))
from policy_version v where lower(policy_id) = lower(%(policy_id)s)
"""

_WITHDRAW_OTHERS: Final = """
update policy_version set state = 'withdrawn'
where policy_id = %(policy_id)s and state = 'draft' and (version, sha) <> (%(version)s, %(sha)s) returning version, sha
"""

_KEEP: Final = """
insert into policy_version (policy_id, version, sha, content, state, type, domain, preview, note)
values (%(policy_id)s, %(version)s, %(sha)s, %(content)s, 'draft', %(type)s, %(domain)s, %(preview)s, %(note)s)
on conflict (policy_id, version, sha) do update
set state = 'draft', content = excluded.content, type = excluded.type, domain = excluded.domain,
    preview = excluded.preview, note = excluded.note
where policy_version.state is distinct from 'draft'
returning sha
"""

_GREATEST: Final = """
select max(split_part(version, '.', 1)::numeric) from policy_version where lower(policy_id) = lower(%s)
"""

_PROPOSERS: Final = """
select by_name from policy_event where lower(policy_id) = lower(%s) and sha = %s and event = 'proposed'
"""

_RETIRE: Final = """
update policy_version set state = %s where policy_id = %s and state = %s returning version, sha
"""

_ACTIVATE: Final = """
update policy_version set state = 'active' where policy_id = %s and version = %s and sha = %s and state = 'draft'
"""

_HAPPENED: Final = """
insert into policy_event (policy_id, version, sha, event, by_name) values (%s, %s, %s, %s, %s)
"""

_APPROVE_COPY: Final = """
insert into copy_approval (policy_sha, clause_ref, block_id, text_sha, approved_by) values (%s, %s, %s, %s, %s)
on conflict do nothing
"""
