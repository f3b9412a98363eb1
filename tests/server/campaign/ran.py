"""A small campaign of members whose outcomes are known beforehand, and how to run it."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graph.deps import Deps
from server.campaign.intake import take_in
from server.campaign.plan import plan
from server.campaign.run import Driver, Ran
from server.campaign.spec import Spec
from tests.members import add_members
from tools.ledger.campaigns import Campaign, Campaigns

NAME = "spring_travel"
FIELDS = ("user_id", "domain", "confidence_score", "offer_flag", "prediction_timestamp")
WHEN = "2026-11-27T06:00:00+00:00"


async def members_of(deps: Deps, *, gold: int = 12, platinum: int = 5) -> list[str]:
    """Write members of two views for Travel, named differently, who may get any offer."""
    names = ("Wei Chen", "Grace View", "Ana-Lucía Ortiz", "D'Arcy O'Neil", "Wei Lin")
    ids = []
    for place in range(gold + platinum):
        card = "Gold" if place < gold else "Platinum"
        ids.append(f"C_{place:03}")
        await add_members(deps.database, ids[-1], card_type=card, name=names[place % len(names)])
    return ids


def row(user_id: str, **changes: Any) -> dict[str, Any]:
    """Return one prediction of a file."""
    plain = {"user_id": user_id, "domain": "Travel", "confidence_score": 0.9, "offer_flag": 1}
    return plain | {"prediction_timestamp": WHEN} | changes


def written(folder: Path, rows: Sequence[dict[str, Any]], *, name: str = "scores.csv") -> Path:
    """Write a file of predictions."""
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
    return path


async def planned(deps: Deps, folder: Path, rows: Sequence[dict[str, Any]], **terms: Any) -> Campaign:
    """Take a file in and plan it."""
    plain = {"name": NAME, "budget_usd": "100000", "send_date": deps.today()}
    spec = Spec.model_validate(plain | terms)
    taken = await take_in(deps.database, spec, written(folder, rows))
    await plan(taken.campaign, deps)
    return await Campaigns(deps.database).named(spec.name)


async def run(deps: Deps, campaign: Campaign) -> Ran:
    """Run a campaign in this process."""
    return await Driver(deps, campaign, workers=0).run()


async def rows_of(deps: Deps, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return what the ledger holds."""
    async with deps.database.connection() as connection:
        return await (await connection.execute(query.encode(), values)).fetchall()
