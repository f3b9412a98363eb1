import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tools.errors import InputInvalid
from tools.sample import demo_predictions, edge_members, sample_members, sample_predictions, write_predictions
from tools.sample.members import SNAPSHOT
from tools.vocabulary import DOMAINS

MEMBERS = sample_members(500)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_700), st.integers(0, 2**40))
def test_every_prediction_is_a_valid_one_for_a_member(n: int, seed: int) -> None:
    frame = sample_predictions(MEMBERS, n=n, seed=seed)
    assert len(frame) == n
    assert set(frame["user_id"]) <= set(MEMBERS["user_id"])
    assert frame["user_id"].head(500).is_unique().all()
    assert set(frame["domain"]) <= set(DOMAINS)
    assert set(frame["offer_flag"]) <= {0, 1}
    assert frame["confidence_score"].is_between(0, 1).all()
    assert_frame_equal(frame, sample_predictions(MEMBERS, n=n, seed=seed))


def test_most_predictions_are_confident_flagged_and_of_a_preferred_domain() -> None:
    frame = sample_predictions(MEMBERS, n=2_000, seed=1).join(MEMBERS, on="user_id")
    assert 0.75 < (frame["confidence_score"] >= 0.7).mean() < 0.95
    assert 0.88 < frame["offer_flag"].mean() < 0.97
    preferred = (pl.col("domain") == pl.col("preferred_domain_1")) | (pl.col("domain") == pl.col("preferred_domain_2"))
    assert 0.6 < frame.select(preferred.mean()).item() < 0.9


def test_the_timestamp_is_the_one_asked_for() -> None:
    at = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
    frame = sample_predictions(MEMBERS, n=3, seed=1, at=at)
    assert frame["prediction_timestamp"].to_list() == ["2026-11-02T03:04:05+00:00"] * 3


def test_the_demo_predicts_for_one_of_each_fate() -> None:
    members = {row["user_id"]: row for row in edge_members(SNAPSHOT).to_dicts()}
    demo = demo_predictions().to_dicts()
    found = [members.get(row["user_id"]) for row in demo]
    assert [row["domain"] for row in demo] == ["Travel", "Dining", "Retail", "Dining", "Travel"]
    assert found[0]["opt_in_marketing"] is False
    assert found[1]["offers_sent_this_month"] == 3
    assert found[2] is None
    assert [row["card_type"] for row in found[3:]] == ["Gold", "Platinum"]
    assert all(row["last_offer_accepted"] and row["last_offer_domain"] != item["domain"]
               for row, item in zip(found[3:], demo[3:], strict=True))  # fmt: skip
    assert all(row["offer_flag"] == 1 and row["confidence_score"] >= 0.7 for row in demo)


def test_csv_and_json_hold_the_same_predictions(tmp_path: Path) -> None:
    frame = sample_predictions(MEMBERS, n=20, seed=2)
    write_predictions(frame, tmp_path / "out" / "predictions.csv")
    write_predictions(frame, tmp_path / "out" / "predictions.JSON")
    assert_frame_equal(pl.read_csv(tmp_path / "out" / "predictions.csv").cast(frame.schema), frame)
    ml_output = json.loads((tmp_path / "out" / "predictions.JSON").read_text())
    assert list(ml_output) == ["total_users", "predictions", "processing_time_seconds"]
    assert (ml_output["total_users"], ml_output["predictions"]) == (20, frame.to_dicts())
    assert sorted(item.name for item in (tmp_path / "out").iterdir()) == ["predictions.JSON", "predictions.csv"]


def test_what_cannot_be_written_or_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match=r"can't write predictions as \.txt; use \.csv or \.json"):
        write_predictions(demo_predictions(), tmp_path / "predictions.txt")
    with pytest.raises(InputInvalid, match="n must be 0 or more"):
        sample_predictions(MEMBERS, n=-1, seed=0)
    with pytest.raises(InputInvalid, match="need members"):
        sample_predictions(MEMBERS.head(0), n=1, seed=0)
