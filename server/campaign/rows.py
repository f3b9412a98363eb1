"""A file's rows, each checked as a prediction, as text that PostgreSQL's COPY takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

from pydantic import ValidationError

from graph.invalid import explain, shown_id
from graph.schemas import OfferInput
from server.campaign.reading import BATCH_ROWS, Found, Reading

RAW_SHOWN: Final = 2_000
"""Characters of a row that are kept beside the reason it was rejected for."""

COLUMNS: Final = (
    "row_no",
    "user_id",
    "raw",
    "reason",
    "prediction_key",
    "domain",
    "confidence",
    "offer_flag",
    "pred_version",
    "prediction_timestamp",
    "idempotency_key",
    "use_llm",
)
"""What COPY is given of each row, in this order; a reject has the first four alone, a prediction no reason."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows ready for the ledger: `lines` is COPY text of `COLUMNS`."""

    lines: str
    rows: int


def batches(reading: Reading, today: date) -> Iterator[Batch]:
    """Yield the file's rows, checked. `today`, in UTC, stands in for a missing timestamp in prediction keys.

    Raises what `Reading.rows` raises.
    """
    rows = reading.rows()
    while batch := tuple(islice(rows, BATCH_ROWS)):
        yield Batch("".join(_line(found, today) for found in batch), len(batch))


def _line(found: Found, today: date) -> str:
    checked = _checked(found)
    if isinstance(checked, str):
        user_id = shown_id(found.said.get("user_id")) if isinstance(found.said, dict) else ""
        return _copied(found.number, user_id, found.raw[:RAW_SHOWN], checked, *[None] * 8)
    return _taken(found, checked, today)


def _checked(found: Found) -> OfferInput | str:
    """Return the row's prediction, or why it is none."""
    if found.fault is not None:
        return found.fault
    try:
        return OfferInput.model_validate(found.said)
    except ValidationError as error:
        return explain(error)


def _taken(found: Found, prediction: OfferInput, today: date) -> str:
    return _copied(
        found.number,
        prediction.user_id,
        found.raw[:RAW_SHOWN],
        None,
        prediction.prediction_key(today),
        prediction.domain,
        repr(prediction.confidence_score),
        prediction.offer_flag,
        prediction.pred_version,
        prediction.prediction_timestamp,
        prediction.idempotency_key,
        prediction.use_llm_insights,
    )


def _copied(*values: object) -> str:
    texts = ["\\N" if value is None else str(value) for value in values]
    line = "\t".join(texts)
    if not (
        line.isascii()
        and line.count("\t") == len(values) - 1
        and line.count("\\") == values.count(None)
        and not ("\n" in line or "\r" in line or "\0" in line)
    ):
        line = "\t".join(["\\N" if value is None else _escaped(str(value)) for value in values])
    return line + "\n"


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"})


def _escaped(text: str) -> str:
    """Return text as COPY reads it. What PostgreSQL can't hold, only ever part of a reject, is made visible."""
    return text.encode("utf-8", "backslashreplace").decode().translate(_ESCAPES)
