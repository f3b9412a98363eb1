"""Files of predictions for campaigns: the same rows in each of the formats, and the terms to create one with."""

import csv
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from server.campaign.spec import Spec

COLUMNS = ("user_id", "domain", "confidence_score", "offer_flag", "prediction_timestamp", "idempotency_key")

Row = dict[str, Any]


def row(user_id: str, **changes: Any) -> Row:
    """Return a prediction of `COLUMNS` that can be taken in, with what a test wants to differ; None leaves out."""
    fields = {"user_id": user_id, "domain": "Travel", "confidence_score": 0.9, "offer_flag": 1}
    return {name: (fields | changes).get(name) for name in COLUMNS}


def write(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows in the format of the path's suffix."""
    match path.suffix:
        case ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
        case ".jsonl":
            said = ({name: value for name, value in row.items() if value is not None} for row in rows)
            path.write_text("".join(f"{json.dumps(row)}\n" for row in said), encoding="utf-8")
        case _:
            kinds = {name: pl.String for name in COLUMNS} | {"confidence_score": pl.Float64, "offer_flag": pl.Int64}
            pl.DataFrame(list(rows), schema=kinds).write_parquet(path)
    return path


def spec(name: str = "spring", **changes: Any) -> Spec:
    """Return a campaign's terms, with what a test wants to differ."""
    terms = {"name": name, "budget_usd": Decimal("100.00"), "send_date": date(2099, 3, 1)}
    return Spec.model_validate(terms | changes)
