"""A thousand sample members through /offer/batch: every outcome typed, the sums right, no call wasted."""

import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.schemas import OfferOutput
from tests.scripted_model import ScriptedModel
from tests.server.serving import Serving
from tools.database import Database
from tools.load.loader import load_file
from tools.sample import sample_members, sample_predictions

MEMBERS = 1_000
CHUNK = 250
SEED = 7
PATIENCE_S = 300.0

ELIGIBLE = "eligible"
LEFT_TO_OTHER_RULES = {
    "offer_generated",
    "suppressed_sleeping_dog",
    "suppressed_category_cooldown",
    "suppressed_decline_cooldown",
    "suppressed_data_quality",
}


def expected(members: pl.DataFrame, predictions: pl.DataFrame, today: date) -> dict[str, str]:
    """Return what the plain rules say of each member, worked out apart from the product; else `eligible`."""
    age_days = pl.lit(today) - pl.col("card_activation_date")
    said = (
        pl.when(pl.col("offer_flag") == 0)
        .then(pl.lit("no_offer_needed"))
        .when(pl.col("opt_in_marketing").is_null() | ~pl.col("opt_in_marketing"))
        .then(pl.lit("suppressed_marketing_opt_out"))
        .when(pl.col("confidence_score") < 0.7)
        .then(pl.lit("suppressed_low_confidence"))
        .when(pl.col("offers_sent_this_month") >= 3)
        .then(pl.lit("suppressed_monthly_cap"))
        .when((pl.col("days_since_last_offer") < 7) & (pl.col("last_offer_domain") == pl.col("domain")))
        .then(pl.lit("suppressed_category_cooldown"))
        .when(
            ~pl.col("last_offer_accepted")
            & (pl.col("days_since_last_offer") < 30)
            & (pl.col("last_offer_domain") == pl.col("domain"))
        )
        .then(pl.lit("suppressed_decline_cooldown"))
        .when(pl.col("total_spend_12m") < 6_000)
        .then(pl.lit("suppressed_spend_floor"))
        .when(age_days.dt.total_days() < 90)
        .then(pl.lit("suppressed_account_age"))
        .otherwise(pl.lit(ELIGIBLE))
    )
    joined = predictions.join(members, on="user_id").with_columns(said.alias("said"))
    return dict(joined.select("user_id", "said").iter_rows())


def send(serving: Serving, items: list[dict[str, Any]]) -> list[OfferOutput]:
    """Send the predictions in chunks and return the outcomes in their order."""
    outcomes: list[OfferOutput] = []
    with serving.client() as client:
        for start in range(0, len(items), CHUNK):
            reply = client.post("/offer/batch", json={"inputs": items[start : start + CHUNK]}, timeout=PATIENCE_S)
            assert reply.status_code == 200
            outcomes += map(OfferOutput.model_validate, reply.json()["output"])
    return outcomes


async def test_a_thousand_members_through_offer_batch(
    server: Serving, model: ScriptedModel, ledger: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = sample_members(MEMBERS, seed=SEED)
    members.write_csv(tmp_path / "members.csv")
    settings = server.settings
    assert settings.database_url is not None
    loaded = await load_file(
        settings.database_url.get_secret_value(), tmp_path / "members.csv", table=settings.cardmember_table
    )
    assert (loaded.rows_read, loaded.rows_rejected) == (MEMBERS, 0)
    predictions = sample_predictions(members, n=MEMBERS, seed=SEED, at=datetime(2026, 10, 1, 6, tzinfo=UTC))
    items = predictions.to_dicts()

    started, cpu = time.perf_counter(), time.process_time()
    outcomes = send(server, items)
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    calls = model.count

    assert [outcome.user_id for outcome in outcomes] == predictions["user_id"].to_list()
    counts = Counter(outcome.recommendation for outcome in outcomes)
    assert counts.total() == MEMBERS
    assert not counts.keys() & {"error", "generation_failed", "user_not_found", "pending_review"}
    assert all(outcome.success == (outcome.recommendation == "offer_generated") for outcome in outcomes)
    assert all(
        (outcome.suppression is not None) == outcome.recommendation.startswith("suppressed_") for outcome in outcomes
    )
    assert len({outcome.run_id for outcome in outcomes}) == MEMBERS

    said = expected(members, predictions, server.pipeline.deps.today())
    for outcome in outcomes:
        wanted = said[outcome.user_id]
        allowed = LEFT_TO_OTHER_RULES if wanted == ELIGIBLE else {wanted}
        assert outcome.recommendation in allowed, outcome.user_id
    eligible, issued = list(said.values()).count(ELIGIBLE), counts["offer_generated"]
    assert 0.8 * eligible <= issued <= eligible

    async with ledger.connection() as connection:
        cursor = await connection.execute(
            "select i.recommendation = 'offer_generated',"
            " coalesce(sum(jsonb_array_length(coalesce(d.record->'calls', '[]'::jsonb))), 0)::int,"
            " coalesce(sum((select sum((c->>'attempts')::int) from jsonb_array_elements(d.record->'calls') c)), 0)::int"
            " from offer_item i join decision d using (run_id) where i.run_id = any(%s) group by 1",
            ([outcome.run_id for outcome in outcomes],),
        )
        asked = {bool(won): (steps, attempts) for won, steps, attempts in await cursor.fetchall()}
        cursor = await connection.execute(
            "select count(*) from offer where run_id = any(%s)", ([outcome.run_id for outcome in outcomes],)
        )
        assert await cursor.fetchone() == (issued,)
    assert asked[False] == (0, 0)  # nobody who was held back cost a call
    assert asked[True][1] == calls > 0  # and the issued ones account for every call that arrived
    assert asked[True][0] >= 2 * issued - sum(not item.get("use_llm_insights", True) for item in items)

    replay_started = time.perf_counter()
    again = send(server, items)
    replay_elapsed = time.perf_counter() - replay_started
    assert all(outcome.replayed for outcome in again)
    assert [outcome.model_copy(update={"replayed": False}) for outcome in again] == outcomes
    assert model.count == calls

    shares = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    with capsys.disabled():
        print(
            f"\n{MEMBERS} predictions: {elapsed:.1f} s, {MEMBERS / elapsed:.0f}/s, {1000 * cpu / MEMBERS:.1f} ms of CPU"
            f" each, {calls} model calls; replayed: {replay_elapsed:.1f} s, {MEMBERS / replay_elapsed:.0f}/s."
            f"\nIssued {issued} of {eligible} that the plain rules allow ({100 * issued / MEMBERS:.0f} %): {shares}"
        )
