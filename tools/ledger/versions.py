"""Policy versions in the ledger, as they are read: what is in force, what waits, and what any hash ever meant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

from tools.copy_approvals import Approval
from tools.database import Database
from tools.policies.stored import Standing, StoredVersion

State = Literal["draft", "active", "retired", "withdrawn"]
Event = Literal["in_file", "proposed", "approved", "replaced", "retired", "withdrawn"]


class PolicyText(NamedTuple):
    """One version of a policy, whole, and how lists show it. `by` is who approved or proposed it."""

    policy_id: str
    version: str
    sha: str
    content: str
    type: str
    domain: str
    preview: str
    note: str
    by: str


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """A policy set a process loaded: its hash, (id, version, sha) of each active policy, and the texts from files."""

    sha: str
    members: tuple[tuple[str, str, str], ...]
    files: tuple[PolicyText, ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """What somebody did to a version."""

    event: Event
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version as lists show it. `state` is None for a version that only a file ever held."""

    policy_id: str
    version: str
    sha: str
    state: State | None
    type: str
    domain: str
    preview: str
    note: str
    content: str


async def note_set(connection: AsyncConnection, policies: LoadedSet) -> None:
    """Keep the set's members by its hash, and each policy text of a file the first time it is seen."""
    async with connection.cursor() as cursor:
        await cursor.executemany(_NOTE, [text._asdict() for text in policies.files])
        await cursor.executemany(_NOTE_MEMBER, [(policies.sha, *member) for member in policies.members])


async def read_epoch(connection: AsyncConnection) -> int:
    """Return the ledger's policy epoch."""
    cursor = await connection.execute("select epoch from policy_epoch")
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


async def read_standing(connection: AsyncConnection) -> Standing:
    """Return what the ledger holds in force, as of one moment."""
    cursor = await connection.execute(_STANDING)
    row = await cursor.fetchone()
    assert row is not None  # aggregates of the one epoch row
    epoch, active, approvals = row
    return Standing(
        epoch=epoch,
        active=tuple(StoredVersion(**version) for version in active),
        approvals=tuple((sha, Approval.model_validate(approval)) for sha, approval in approvals),
    )


class Versions:
    """Reads policy versions. Every method raises DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def drafts(self) -> list[VersionRow]:
        """Return the drafts that wait for approval, by id."""
        return await self._rows("state = 'draft' order by policy_id", ())

    async def of(self, policy_id: str) -> list[VersionRow]:
        """Return every version of a policy, the first seen first."""
        return await self._rows("lower(policy_id) = lower(%s) order by first_seen_at, version", (policy_id,))

    async def by_sha(self, policy_id: str, sha: str) -> VersionRow | None:
        """Return the version a hash names; eight or more of its first digits do, if no other version has them."""
        start = sha.lower()
        if len(start) < SHORTEST_SHA or not set(start) <= set("0123456789abcdef"):
            return None
        found = await self._rows("lower(policy_id) = lower(%s) and starts_with(sha, %s)", (policy_id, start))
        return found[0] if len(found) == 1 else None

    async def events(self, policy_id: str) -> dict[tuple[str, str], list[Happened]]:
        """Return who did what to each version (version, sha) of a policy, in order."""
        async with self.database.statement() as connection:
            cursor = await connection.execute(_EVENTS, (policy_id,))
            rows = await cursor.fetchall()
        found: dict[tuple[str, str], list[Happened]] = {}
        for version, sha, event, by, at in rows:
            found.setdefault((version, sha), []).append(Happened(event, by, at))
        return found

    async def members(self, set_sha: str) -> list[tuple[str, str, str, str]]:
        """Return (set sha, policy id, version, sha) of the sets whose hash starts so, by id."""
        async with self.database.statement() as connection:
            cursor = await connection.execute(_MEMBERS, (set_sha.lower(),))
            return [(row[0], row[1], row[2], row[3]) for row in await cursor.fetchall()]

    async def _rows(self, condition: LiteralString, values: tuple[str, ...]) -> list[VersionRow]:
        async with self.database.statement() as connection:
            cursor = connection.cursor(row_factory=class_row(VersionRow))
            await cursor.execute(_SELECT + condition, values)
            return await cursor.fetchall()


SHORTEST_SHA: Final = 8

_SELECT: Final = (
    "select policy_id, version, sha, state, type, domain, preview, note, content from policy_version where "
)

_NOTE: Final = """
with noted as (
    insert into policy_version (policy_id, version, sha, content, type, domain, preview, note)
    values (%(policy_id)s, %(version)s, %(sha)s, %(content)s, %(type)s, %(domain)s, %(preview)s, %(note)s)
    on conflict do nothing
)
insert into policy_event (policy_id, version, sha, event, by_name)
values (%(policy_id)s, %(version)s, %(sha)s, 'in_file', %(by)s) on conflict do nothing
"""

_NOTE_MEMBER: Final = """
insert into policy_set (set_sha, policy_id, version, sha) values (%s, %s, %s, %s) on conflict do nothing
"""

# One statement, so one snapshot: versions, approvals and the epoch belong together.
_STANDING: Final = """
select epoch,
    (select coalesce(json_agg(json_build_object('policy_id', policy_id, 'version', version, 'sha', sha,
                                                'content', content) order by policy_id), '[]')
     from policy_version where state = 'active'),
    (select coalesce(json_agg(json_build_array(policy_sha, approval)), '[]')
     from (select policy_sha, json_build_object(
                      'approved_by', approved_by, 'approved_at', approved_at::date,
                      'covers', json_build_array(clause_ref), 'blocks', json_object_agg(block_id, text_sha)) as approval
           from copy_approval group by policy_sha, clause_ref, approved_by, approved_at::date) given)
from policy_epoch
"""

_EVENTS: Final = """
select version, sha, event, by_name, at from policy_event where lower(policy_id) = lower(%s) order by event_id
"""

_MEMBERS: Final = """
select set_sha, policy_id, version, sha from policy_set where starts_with(set_sha, %s) order by set_sha, policy_id
"""
