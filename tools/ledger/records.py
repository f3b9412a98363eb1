"""Finishing a prediction: one statement writes all of the outcome, and wins only while the claim lives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from tools.database import Database
from tools.ledger.member_record import expanded

Close = Literal["done", "retry"]


@dataclass(frozen=True, slots=True)
class IssuedRow:
    """The ledger's row of an issued offer. Money in USD."""

    domain: str
    offer_type: str
    option_id: str
    high_value: bool
    credit_usd: Decimal
    expected_cost_usd: Decimal
    start_date: date
    end_date: date
    html_sha256: str


@dataclass(frozen=True, slots=True)
class Finish:
    """An outcome as it is written. `close` is retry for passing faults: the prediction stays open for a repeat.

    `record` holds what JSON can and pydantic models.
    """

    campaign_id: int
    prediction_key: str
    user_id: str
    run_id: str
    recommendation: str
    close: Close
    record: Mapping[str, Any]
    first_name: str | None = None
    email: str | None = None
    issued: IssuedRow | None = None
    error_class: str | None = None
    error_text: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0


class Records:
    """Writes and reads decisions. `zone` is the brand's: what was not reserved counts against its day's budget."""

    def __init__(self, database: Database, *, zone: ZoneInfo) -> None:
        self._database, self._zone = database, zone

    async def finish(self, finish: Finish) -> bool:
        """Write the outcome; return False when the run no longer owns the prediction and nothing was written.

        It doesn't once its lease ended, or when its reservation expired and others have the money. Nor is an offer
        written for a member who opted out before its money was settled; whoever opts out later waits until it is
        written. What was reserved is settled for an issued offer and given back for any other outcome. Raises
        DatabaseUnavailable.
        """
        values = {
            "campaign_id": finish.campaign_id,
            "key": finish.prediction_key,
            "user_id": finish.user_id,
            "run_id": finish.run_id,
            "recommendation": finish.recommendation,
            "close": finish.close,
            "record": to_json(finish.record).decode().replace("\\u0000", "\\ufffd"),
            "first_name": finish.first_name,
            "email": finish.email,
            "error_class": finish.error_class,
            "error_text": finish.error_text,
            "input_tokens": finish.input_tokens,
            "output_tokens": finish.output_tokens,
            "cost": None,
            "today": datetime.now(self._zone).date().isoformat(),
        }
        statement = _FINISH
        if finish.issued is not None:
            statement, values = _FINISH_ISSUED, values | _issued_values(finish.issued)
        async with self._database.statement() as connection:
            cursor = await connection.execute(statement, values)
            row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def outcome(self, campaign_id: int, prediction_key: str) -> str | None:
        """Return the run that decided a prediction, or None while it is undecided."""
        async with self._database.statement() as connection:
            cursor = await connection.execute(_OUTCOME, (campaign_id, prediction_key))
            row = await cursor.fetchone()
        return None if row is None else str(row[0])

    async def read(self, run_id: str) -> tuple[dict[str, Any], str | None, str | None] | None:
        """Return a decision's record with the person's first name and address (None once erased), or None."""
        async with self._database.statement() as connection:
            cursor = await connection.execute(_READ, (run_id,))
            row = await cursor.fetchone()
        return None if row is None else (expanded(row[0]), row[1], row[2])


def _issued_values(issued: IssuedRow) -> dict[str, object]:
    return {
        "domain": issued.domain,
        "offer_type": issued.offer_type,
        "option_id": issued.option_id,
        "high_value": issued.high_value,
        "credit_usd": issued.credit_usd,
        "cost": issued.expected_cost_usd,
        "start_date": issued.start_date,
        "end_date": issued.end_date,
        "html_sha256": issued.html_sha256,
    }


# The money first: its function takes the locks in the one order (`money.sql`), and what it did is undone with the rest.
_DECIDE: Final = """
with money as materialized (
    select settle_money(%(campaign_id)s, %(key)s, %(run_id)s, %(cost)s::numeric, %(today)s) as ended
), won as (
    update offer_item set status = %(close)s, run_id = %(run_id)s, recommendation = %(recommendation)s,
        reserves = false, lease_until = null, finished_at = now(), error_class = %(error_class)s,
        error_text = %(error_text)s, input_tokens = input_tokens + %(input_tokens)s,
        output_tokens = output_tokens + %(output_tokens)s
    from money
    where money.ended and campaign_id = %(campaign_id)s and prediction_key = %(key)s and status = 'pending'
      and owner = %(run_id)s and lease_until > now()
    returning campaign_id, prediction_key, user_id
), decided as (
    insert into decision (run_id, campaign_id, prediction_key, recommendation, record)
    select %(run_id)s, campaign_id, prediction_key, %(recommendation)s, %(record)s::jsonb from won returning run_id
), person as (
    insert into decision_person (run_id, first_name, email)
    select run_id, %(first_name)s, %(email)s from decided
    where %(first_name)s::text is not null or %(email)s::text is not null
)"""

_WON: Final = """
select count(*) = 1 from decided
"""

_FINISH: Final = _DECIDE + _WON

_FINISH_ISSUED: Final = (
    _DECIDE
    + """, issued as (
    insert into offer (campaign_id, prediction_key, run_id, user_id, domain, offer_type, option_id, compliant,
                       high_value, credit_usd, expected_cost_usd, start_date, end_date, html_sha256)
    select campaign_id, prediction_key, %(run_id)s, user_id, %(domain)s, %(offer_type)s, %(option_id)s, true,
           %(high_value)s, %(credit_usd)s, %(cost)s, %(start_date)s, %(end_date)s, %(html_sha256)s from won
)"""
    + _WON
)

_OUTCOME: Final = """
select run_id from offer_item where campaign_id = %s and prediction_key = %s and status = 'done' and run_id is not null
"""

_READ: Final = """
select whole_record(d), p.first_name, p.email
from decision d left join decision_person p using (run_id) where d.run_id = %s
"""
