"""How far a campaign is: read from the ledger alone, so it is the same wherever it runs and whoever asks."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field

from tools.database import Database
from tools.ledger.campaigns import Campaign, Campaigns, CampaignState, find_id
from tools.ledger.cancelling import CANCELLED
from tools.ledger.driver import is_driven
from tools.prices import Prices

RECENT_S: Final = 60
"""Seconds that the rates are measured over."""
OPEN: Final = ("pending", "running", "retry")
ENDED: Final[tuple[CampaignState, ...]] = ("done", "cancelled")


class Progress(BaseModel):
    """One look at a campaign. `skipped_by` counts by recommendation, `dead_by` by error class, `tries` by outcome.

    Rates are of the last minute; `seconds_left` is None while nothing is being decided. `silent_since` is the minute of
    the endpoint's last answer when tries have failed since. `model_usd` is None when no prices are set.
    """

    model_config = ConfigDict(frozen=True)

    campaign_id: int
    name: str
    state: CampaignState
    note: str
    driven: bool = Field(description="Whether a driver lives: a running campaign without one needs `run` again.")
    spec: dict[str, Any]
    input_name: str
    input_rows: int
    rejected: int
    items: int
    open: int
    done: int
    dead: int
    skipped: int
    skipped_by: dict[str, int]
    dead_by: dict[str, int]
    offers: int
    cohorts: int
    cohorts_done: int
    cohorts_dead: int
    chunks: int
    chunks_done: int
    offers_per_s: float
    decided_per_s: float
    seconds_left: float | None
    budget_usd: Decimal | None
    spent_usd: Decimal
    reserved_usd: Decimal
    tries: dict[str, int]
    input_tokens: int
    output_tokens: int
    model_usd: float | None
    silent_since: datetime | None
    created_at: datetime
    planned_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing of it will change any more."""
        return self.state in ENDED

    @property
    def add_up(self) -> bool:
        """Whether every row of the input is accounted for, once."""
        return self.input_rows == self.items + self.rejected

    @property
    def seen(self) -> tuple[Any, ...]:
        """Return what has to differ for a look to be worth telling: rates alone are not."""
        cohorts = (self.cohorts_done, self.cohorts_dead, self.chunks_done)
        counts = (self.rejected, self.open, self.done, self.dead, self.skipped)
        return (self.state, self.note, self.driven, self.silent_since, *counts, *cohorts)


async def named(database: Database, name_or_id: str) -> Campaign:
    """Return the campaign of a name, or else of a number. Raises InputInvalid naming those there are."""
    if name_or_id.isascii() and name_or_id.isdecimal() and len(name_or_id) < 19:
        async with database.connection() as connection:
            cursor = await connection.execute("select from campaign where name = %s", (name_or_id,))
            found = None if await cursor.fetchone() else await find_id(connection, int(name_or_id))
        if found is not None and found.state != "open":
            return found
    return await Campaigns(database).named(name_or_id)


async def look(database: Database, name_or_id: str, *, prices: Prices | None = None) -> Progress:
    """Return how far a campaign is, at one moment. Raises InputInvalid for an unknown one, DatabaseUnavailable."""
    campaign = await named(database, name_or_id)
    of = {"id": campaign.campaign_id, "recent": RECENT_S}
    async with database.connection() as connection:
        await connection.execute("set transaction isolation level repeatable read read only")
        groups = await _rows(connection, _ITEMS, of)
        (figures,) = await _rows(connection, _FIGURES, of)
        usage = await _rows(connection, _USAGE, of)
        driven = await is_driven(connection, campaign.campaign_id)
    statuses, skipped_by, dead_by = _counted(groups)
    decided_per_s, offers_per_s = _rates(groups)
    still_open = sum(statuses[status] for status in OPEN)
    tokens = {name: sum(int(row[name]) for row in usage) for name in ("input_tokens", "output_tokens", "cached_tokens")}
    return Progress.model_validate(
        {name: getattr(campaign, name) for name in _OF_CAMPAIGN}
        | figures
        | {
            "driven": driven,
            "items": statuses.total(),
            "open": still_open,
            **{status: statuses[status] for status in ("done", "dead", "skipped")},
            "skipped_by": _ranked(skipped_by),
            "dead_by": _ranked(dead_by),
            "decided_per_s": decided_per_s,
            "offers_per_s": offers_per_s,
            "seconds_left": still_open / decided_per_s if decided_per_s else None,
            "tries": {row["outcome"]: int(row["tries"]) for row in usage},
            "input_tokens": tokens["input_tokens"],
            "output_tokens": tokens["output_tokens"],
            "model_usd": None if prices is None else prices.usd(**tokens),
        }
    )


def _counted(groups: list[dict[str, Any]]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    statuses: Counter[str] = Counter()
    skipped_by: Counter[str] = Counter()
    dead_by: Counter[str] = Counter()
    for row in groups:
        statuses[row["status"]] += row["items"]
        if row["status"] == "skipped":
            skipped_by[row["recommendation"] or CANCELLED] += row["items"]
        if row["status"] == "dead":
            dead_by[row["error_class"] or "unknown"] += row["items"]
    return statuses, skipped_by, dead_by


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _rates(groups: list[dict[str, Any]]) -> tuple[float, float]:
    """Return the predictions and the offers decided per second of the last minute, or of the time since the start."""
    window = min((float(row["running_s"]) for row in groups), default=0.0)
    if window <= 0:
        return 0.0, 0.0
    recent = {status: 0 for status in ("done", "dead", "skipped")}
    for row in groups:
        if row["status"] in recent:
            recent[row["status"]] += row["recent"]
    return sum(recent.values()) / window, recent["done"] / window


async def _rows(connection: AsyncConnection, query: str, of: dict[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query.encode(), of)
        return await cursor.fetchall()


_OF_CAMPAIGN: Final = (
    "campaign_id", "name", "state", "note", "spec", "input_name", "input_rows",
    "created_at", "planned_at", "started_at", "finished_at",
)  # fmt: skip

# What a plan skips is dated by the plan: a rate counts what was finished since the run began. One moment for all rows,
# and no join to the campaign: millions of items are counted by several processes then.
_ITEMS: Final = """
with run as (
    select greatest(started_at, now() - make_interval(secs => %(recent)s)) as since, case when state = 'running'
        then least(%(recent)s, greatest(1, extract(epoch from now() - started_at))) else 0 end as running_s
    from campaign where campaign_id = %(id)s
), counted as (
    select status, recommendation, error_class, count(*) as items,
        count(*) filter (where finished_at >= (select since from run)) as recent
    from offer_item where campaign_id = %(id)s group by status, recommendation, error_class
)
select counted.*, run.running_s from counted, run
"""

_FIGURES: Final = """
with cohorts as (
    select count(*) as cohorts, count(*) filter (where status = 'done') as cohorts_done,
        count(*) filter (where status = 'dead') as cohorts_dead
    from campaign_cohort where campaign_id = %(id)s
), chunks as (
    select count(*) as chunks, count(*) filter (where status = 'done') as chunks_done
    from campaign_chunk where campaign_id = %(id)s
), money as (
    select coalesce(sum(amount_usd) filter (where state = 'settled'), 0) as spent_usd,
        coalesce(sum(amount_usd) filter (where state = 'reserved'), 0) as reserved_usd
    from reservation where campaign_id = %(id)s
), answers as (
    select max(minute) filter (where outcome = 'answered') as last, max(minute) filter (where outcome = 'failed') as bad
    from llm_usage where campaign_id = %(id)s
)
select cohorts.*, chunks.*, money.*,
    (select count(*) from campaign_reject where campaign_id = %(id)s) as rejected,
    (select count(*) from offer where campaign_id = %(id)s) as offers,
    (select limit_usd from budget where campaign_id = %(id)s and scope = 'campaign') as budget_usd,
    case when answers.bad > coalesce(answers.last, '-infinity') then coalesce(answers.last, (
        select min(minute) from llm_usage where campaign_id = %(id)s
    )) end as silent_since
from cohorts, chunks, money, answers
"""

_USAGE: Final = """
select outcome, sum(tries) as tries, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
    sum(cached_tokens) as cached_tokens
from llm_usage where campaign_id = %(id)s group by outcome having sum(tries) > 0 order by outcome
"""
