"""Campaigns in the ledger: one row each, what state it is in, and what has become of its items."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from tools.database import Database
from tools.errors import InputInvalid

CampaignState = Literal["open", "created", "planned", "running", "paused", "done", "cancelled"]

NEXT: Final[dict[CampaignState, frozenset[CampaignState]]] = {
    "open": frozenset(),
    "created": frozenset({"planned", "cancelled"}),
    "planned": frozenset({"planned", "running", "paused", "cancelled"}),
    "running": frozenset({"paused", "done", "cancelled"}),
    "paused": frozenset({"planned", "running", "cancelled"}),
    "done": frozenset(),
    "cancelled": frozenset(),
}
"""What may follow each state. `open` is that of `online`, which is no campaign of a file."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign as the ledger has it. `sent_at` is the moment all its emails carry, set when it is created."""

    campaign_id: int
    name: str
    state: CampaignState
    spec: dict[str, Any]
    versions: dict[str, Any]
    plan: dict[str, Any]
    input_name: str
    input_sha: str
    input_rows: int
    note: str
    sent_at: datetime | None
    created_at: datetime
    planned_at: datetime | None
    started_at: datetime | None
    allotted_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What has become of a campaign's input; `open_` are items that nothing was decided of yet."""

    input_rows: int
    rejected: int
    items: int
    open_: int
    done: int
    dead: int
    skipped: int
    offers: int

    @property
    def add_up(self) -> bool:
        """Whether every row of the input is accounted for, once."""
        return (
            self.input_rows == self.items + self.rejected
            and self.items == self.open_ + self.done + self.dead + self.skipped
        )


class Campaigns:
    """Reads campaigns and moves them from state to state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def named(self, name: str) -> Campaign:
        """Return a campaign. Raises InputInvalid for an unknown name, naming those there are; DatabaseUnavailable."""
        async with self._database.connection() as connection:
            found = await find(connection, name)
            if found is not None and found.state != "open":
                return found
            cursor = await connection.execute("select name from campaign where state <> 'open' order by name")
            known = [str(row[0]) for row in await cursor.fetchall()]
        there = f"there are {', '.join(known)}" if known else "there is none yet: `offers campaign create` makes one"
        raise InputInvalid(f"campaign is {name!r}: there is none of that name; {there}")

    async def listed(self) -> list[Campaign]:
        """Return all campaigns of files, newest first. Raises DatabaseUnavailable."""
        async with self._database.connection() as connection, connection.cursor(row_factory=_ROW) as cursor:
            await cursor.execute(f"{_SELECT} where state <> 'open' order by campaign_id desc")
            return await cursor.fetchall()

    async def move(
        self, campaign_id: int, to: CampaignState, *, only_from: Sequence[CampaignState], note: str = ""
    ) -> bool:
        """Move a campaign to a state if it is in one of `only_from`; return whether it was. Raises DatabaseUnavailable.

        `note` says why, to whoever looks at it next.
        """
        async with self._database.statement() as connection:
            return await move(connection, campaign_id, to, only_from=only_from, note=note)

    async def counts(self, campaign_id: int) -> Counts:
        """Count a campaign's rows by what has become of them. Raises DatabaseUnavailable."""
        async with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(Counts)) as cursor,
        ):
            await cursor.execute(_COUNTS, {"id": campaign_id})
            found = await cursor.fetchone()
        assert found is not None  # an aggregate without GROUP BY always gives one row
        return found


async def find(connection: AsyncConnection, name: str) -> Campaign | None:
    """Return the campaign of a name, or None."""
    async with connection.cursor(row_factory=_ROW) as cursor:
        await cursor.execute(f"{_SELECT} where name = %s", (name,))
        return await cursor.fetchone()


async def find_id(connection: AsyncConnection, campaign_id: int) -> Campaign | None:
    """Return the campaign of an id, or None."""
    async with connection.cursor(row_factory=_ROW) as cursor:
        await cursor.execute(f"{_SELECT} where campaign_id = %s", (campaign_id,))
        return await cursor.fetchone()


async def move(
    connection: AsyncConnection, campaign_id: int, to: CampaignState, *, only_from: Sequence[CampaignState], note: str
) -> bool:
    """Move a campaign as `Campaigns.move` does, inside the caller's transaction."""
    values = {"id": campaign_id, "to": to, "from": list(only_from), "note": note}
    cursor = await connection.execute(_MOVE, values)
    return cursor.rowcount == 1


async def save(connection: AsyncConnection, campaign_id: int, **columns: dict[str, Any]) -> None:
    """Write `spec`, `versions` or `plan` of a campaign."""
    for name, value in columns.items():
        if name not in ("spec", "versions", "plan"):
            raise ValueError(f"{name} is no column of a campaign that is saved so")
        await connection.execute(f"update campaign set {name} = %s where campaign_id = %s", (Jsonb(value), campaign_id))


_ROW: Final = class_row(Campaign)

_SELECT: Final = """
select campaign_id, name, state, spec, versions, plan, input_name, input_sha, input_rows, note, sent_at, created_at,
    planned_at, started_at, allotted_at, finished_at
from campaign
"""

_MOVE: Final = """
update campaign set state = %(to)s, note = %(note)s,
    started_at = case when %(to)s = 'running' then coalesce(started_at, now()) else started_at end,
    finished_at = case when %(to)s in ('done', 'cancelled') then now() else finished_at end
where campaign_id = %(id)s and state = any(%(from)s)
"""

_COUNTS: Final = """
select
    (select input_rows from campaign where campaign_id = %(id)s) as input_rows,
    (select count(*) from campaign_reject where campaign_id = %(id)s) as rejected,
    count(*) as items,
    count(*) filter (where status in ('pending', 'running', 'retry')) as open_,
    count(*) filter (where status = 'done') as done,
    count(*) filter (where status = 'dead') as dead,
    count(*) filter (where status = 'skipped') as skipped,
    (select count(*) from offer where campaign_id = %(id)s) as offers
from offer_item where campaign_id = %(id)s
"""
