"""Predictions as a scoring job would write them."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from tools.errors import InputInvalid
from tools.sample.edges import CAPPED_ID, GOLD_ID, OPTED_OUT_ID, PLATINUM_ID
from tools.vocabulary import DOMAINS

PREDICTED_AT: Final = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)
"""When the synthetic job ran. Fixed, so that running a sample file again replays what was decided."""

PRED_VERSION: Final = "sample-1"
UNKNOWN_ID: Final = "USER_UNKNOWN"
SCHEMA: Final = {
    "user_id": pl.String(),
    "offer_flag": pl.Int32(),
    "domain": pl.String(),
    "confidence_score": pl.Float64(),
    "pred_version": pl.String(),
    "prediction_timestamp": pl.String(),
}


def sample_predictions(members: pl.DataFrame, *, n: int, seed: int, at: datetime = PREDICTED_AT) -> pl.DataFrame:
    """Return `n` predictions for `members`, a member again only when all have one.

    Two in three name a preferred domain; about 7 % have offer_flag 0 and 15 % a confidence below 0.7.
    """
    if n < 0 or (n > 0 and members.is_empty()):
        raise InputInvalid(f"n must be 0 or more and need members to predict for; got n={n}, {len(members)} members")
    rng = np.random.default_rng(seed)
    rounds = -(-n // max(len(members), 1))
    chosen = members[np.concatenate([[], *(rng.permutation(len(members)) for _ in range(rounds))])[:n].astype(np.int64)]
    draw = rng.random(n)
    anything = pl.Series(DOMAINS).gather(rng.integers(0, len(DOMAINS), n))
    domain = (
        pl.when(pl.Series(draw < 0.5))
        .then(pl.col("preferred_domain_1"))
        .when(pl.Series(draw < 0.66))
        .then(pl.col("preferred_domain_2"))
    )
    return chosen.select(
        pl.col("user_id"),
        pl.Series("offer_flag", rng.random(n) >= 0.07),
        pl.coalesce(domain, anything).alias("domain"),
        pl.Series("confidence_score", np.round(rng.beta(8.5, 1.9, n), 4)),
        pl.lit(PRED_VERSION).alias("pred_version"),
        pl.lit(at.isoformat()).alias("prediction_timestamp"),
    ).cast(SCHEMA)  # type: ignore[arg-type]


def demo_predictions(*, at: datetime = PREDICTED_AT) -> pl.DataFrame:
    """Return five predictions for edge rows: held back by opt-out, by the cap, unknown member, and two offers."""
    rows = [
        (OPTED_OUT_ID, "Travel", 0.91),
        (CAPPED_ID, "Dining", 0.88),
        (UNKNOWN_ID, "Retail", 0.86),
        (GOLD_ID, "Dining", 0.93),
        (PLATINUM_ID, "Travel", 0.95),
    ]
    return pl.DataFrame(
        [(user_id, 1, domain, confidence, PRED_VERSION, at.isoformat()) for user_id, domain, confidence in rows],
        schema=SCHEMA,
        orient="row",
    )


def write_predictions(frame: pl.DataFrame, path: Path) -> None:
    """Write predictions as .csv, or as .json in the shape of `ml_output`; the file appears whole or not at all.

    Raises InputInvalid for another suffix.
    """
    match path.suffix.lower():
        case ".csv":
            text = frame.write_csv()
        case ".json":
            text = json.dumps(as_ml_output(frame), indent=2, ensure_ascii=False) + "\n"
        case other:
            raise InputInvalid(
                f"{path.name}: can't write predictions as {other or 'a file without suffix'}; use .csv or .json"
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def as_ml_output(frame: pl.DataFrame) -> dict[str, object]:
    """Return predictions in the shape existing callers post as `ml_output`."""
    return {
        "total_users": frame["user_id"].n_unique(),
        "predictions": frame.to_dicts(),
        "processing_time_seconds": round(0.002 * len(frame), 3),
    }
