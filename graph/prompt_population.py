"""Predictions for members made up or of the table, screened as for real: who would meet a model, with which view."""

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Final

import polars as pl
from psycopg import sql

from graph.deps import Deps
from graph.ground import ground_of
from tools.cardmembers import fetch_members, table_identifier
from tools.columns import NAMES, polars_schema
from tools.errors import InputInvalid
from tools.population import screened, with_signals
from tools.sample import sample_members, sample_predictions
from tools.views import MemberView

AT_ONCE: Final = 5_000
"""Members fetched by one query."""
_VIEW: Final = ("domain", "view_card_type", "strategy", "spend_trend", "engagement", "domain_interest", "tenure_band")


@dataclass(frozen=True, slots=True)
class Population:
    """Predictions, and how many of them with each view get an offer; the others never meet a model.

    `held` are those, by the first reason that held them back, or `no_offer_needed`.
    """

    predictions: int
    views: Counter[MemberView]
    held: Counter[str]

    @property
    def offers(self) -> int:
        """Members a draft is asked for."""
        return self.views.total()


def sample_population(count: int, deps: Deps, *, seed: int = 7) -> Population:
    """Screen predictions for synthetic members. CPU work, about a second per 100,000."""
    return _population(sample_members(count, seed=seed), count, deps, seed=seed)


async def table_population(count: int, deps: Deps, *, seed: int = 7) -> Population:
    """Screen a made-up prediction for each of at most `count` members of the table, a draw that stays the same.

    What the ledger counts is left out: nobody has had an offer from us. Raises DatabaseUnavailable, SettingInvalid as
    `fetch_members` does, and InputInvalid when the table is empty.
    """
    pool, table = await deps.database.pool(), deps.settings.cardmember_table
    query = sql.SQL("select user_id from {} order by md5(user_id), user_id limit %s").format(table_identifier(table))
    async with deps.database.connection() as connection:
        cursor = await connection.execute(query, [count])
        ids = [row[0] for row in await cursor.fetchall()]
    if not ids:
        raise InputInvalid(f"table {table!r} holds no members; load some: `offers db load FILE`, or `offers db sample`")
    frames = []
    for start in range(0, len(ids), AT_ONCE):
        members = await fetch_members(pool, ids[start : start + AT_ONCE], table=table)
        rows = [[asdict(member)[name] for name in NAMES] for member in members.values()]
        frames.append(pl.DataFrame(rows, schema=polars_schema(NAMES), orient="row"))
    frame = pl.concat(frames).sort("user_id")
    return await asyncio.to_thread(_population, frame, len(frame), deps, seed=seed)


def _population(members: pl.DataFrame, count: int, deps: Deps, *, seed: int) -> Population:
    today = deps.today()
    predictions = sample_predictions(members, n=count, seed=seed)
    wanted = predictions.filter(pl.col("offer_flag") == 1)
    frame = wanted.join(members, on="user_id", maintain_order="left").with_columns(
        confidence=pl.col("confidence_score"), in_holdout=pl.lit(False)
    )
    rows = screened(with_signals(frame, today), ground_of(deps, today, flight=f"online {today:%Y-%m}"))
    held = Counter({"no_offer_needed": len(predictions) - len(wanted)})
    held.update(rows["reason"].drop_nulls().to_list())
    kept = rows.filter(pl.col("reason").is_null()).group_by(_VIEW).len().sort(_VIEW)
    names = tuple(MemberView.model_fields)
    views = {
        MemberView.model_validate(dict(zip(names, row[: len(names)], strict=True))): row[-1] for row in kept.iter_rows()
    }
    return Population(count, Counter(views), +held)
