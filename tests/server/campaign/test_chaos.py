"""A campaign through rate limits, errors, hangs and deaths ends with the offers of one that nothing happens to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from graph.deps import Deps, open_deps
from graph.settings import Settings
from server.campaign.verify import verify
from tests.bench.campaign_input import Input
from tests.scripted_model import ScriptedModel
from tests.server.campaign.chaos import (
    NAME,
    Answers,
    Death,
    Storming,
    Weather,
    asked_of,
    endings,
    planned,
    tries_of,
)
from tests.server.campaign.ran import run
from tests.server.conftest import created_database
from tools.ledger.campaigns import Campaigns

pytestmark = pytest.mark.e2e

MEMBERS = 140
SEED = 7
DEATHS = (Death(0.4, "driver"),)
"""With calls under way, and the worker in the same process: starting others would take most of the test's time."""
IN_FLIGHT = 8
CHANGES = {"copy_mode": "compose", "llm_max_concurrency": IN_FLIGHT, "llm_timeout_s": 2.0, "database_pool_size": 5}


@asynccontextmanager
async def services(settings: Settings, url: str, drawn: Input) -> AsyncIterator[Deps]:
    """Open the services on an empty database, and load the members."""
    deps = await open_deps(settings.model_copy(update={**CHANGES, "database_url": SecretStr(url)}))
    try:
        await deps.sync_index()
        await drawn.load(deps.database, MEMBERS)
        yield deps
    finally:
        await deps.aclose()


def of_one_domain(predictions: Path) -> Path:
    """Predict Travel for everybody: as many offers of fewer drafts."""
    file = predictions.with_name("travel.parquet")
    pl.read_parquet(predictions).with_columns(domain=pl.lit("Travel")).write_parquet(file)
    return file


async def test_offers_are_those_of_an_undisturbed_run(
    settings: Settings, script: ScriptedModel, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.ledger.planning.CHUNK", 20)
    drawn, created = Input(tmp_path / "sample", MEMBERS), datetime.now(UTC)
    await drawn.draw()
    file = of_one_domain(drawn.predictions(MEMBERS))
    terms = {"budget_usd": "120", "created": created}
    with created_database(postgres_url) as calm_url, created_database(postgres_url) as rough_url:
        async with services(settings, calm_url, drawn) as deps:
            asked_of(script, Answers())
            assert (await run(deps, await planned(deps, file, **terms))).is_done
            undisturbed = await endings(deps)
        async with services(settings, rough_url, drawn) as deps:
            answers = Answers(Weather(hangs=0.01), seed=SEED)
            asked_of(script, answers)
            script.latency = 0.05
            await planned(deps, file, **terms)
            storm = await Storming(deps, tmp_path, workers=0, seed=SEED).run(DEATHS)
            assert storm.killed == {"driver": 1} and storm.ended == 0
            assert await endings(deps) == undisturbed
            now = await Campaigns(deps.database).named(NAME)
            most = deps.settings.max_offers_per_month
            verdict = await verify(deps.database, now, most_per_month=most, zone=deps.zone)
            assert verdict.ok, verdict.lines
            tries = await tries_of(deps)
            bound = len(DEATHS) * IN_FLIGHT
            assert script.count <= tries.total() <= script.count + bound
            assert answers.repeated <= bound
            assert tries["sent"] <= bound
            assert answers.faults
    assert {row[2] for row in undisturbed} == {"done", "skipped"}
    assert "suppressed_budget_exhausted" in {row[3] for row in undisturbed}  # money was allotted by worth
