"""What becomes of the items of a chunk, and how PostgreSQL is given it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tools.ledger.records import IssuedRow
from tools.screening import Usage

ItemStatus = Literal["done", "skipped", "dead", "retry"]


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """A member's decision record in two pieces, as JSON: `own` is nobody else's, `part` (by its hash) may be."""

    own: str
    part: str
    part_sha: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one item. `usage` is what the decision saw; `record`, JSON text, and `issued` are an offer's."""

    prediction_key: str
    user_id: str
    domain: str
    status: ItemStatus
    usage: Usage
    recommendation: str | None = None
    detail: tuple[str, ...] = ()
    error_class: str | None = None
    error_text: str | None = None
    run_id: str | None = None
    cohort_id: int | None = None
    record: OwnRecord | None = None
    first_name: str | None = None
    email: str | None = None
    issued: IssuedRow | None = None


def columns(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the outcomes as arrays, one a column: a statement of any length has the same parameters."""
    issued = [outcome.issued for outcome in outcomes]
    return {
        "keys": [o.prediction_key for o in outcomes],
        "statuses": [o.status for o in outcomes],
        "recommendations": [o.recommendation for o in outcomes],
        "details": [None if not o.detail else list_literal(o.detail) for o in outcomes],
        "classes": [o.error_class for o in outcomes],
        "texts": [o.error_text for o in outcomes],
        "runs": [o.run_id for o in outcomes],
        "cohorts": [o.cohort_id for o in outcomes],
        "records": [o.record and o.record.own for o in outcomes],
        "parts": [o.record and o.record.part_sha for o in outcomes],
        "first_names": [o.first_name for o in outcomes],
        "emails": [o.email for o in outcomes],
        "types": [i and i.offer_type for i in issued],
        "options": [i and i.option_id for i in issued],
        "high": [i and i.high_value for i in issued],
        "credits": [i and i.credit_usd for i in issued],
        "costs": [i and i.expected_cost_usd for i in issued],
        "starts": [i and i.start_date for i in issued],
        "ends": [i and i.end_date for i in issued],
        "shas": [i and i.html_sha256 for i in issued],
    }


def list_literal(texts: Sequence[str]) -> str:
    """Return a text[] literal: an array of arrays must be rectangular, so each one goes as text."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
