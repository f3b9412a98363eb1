"""Claims, outcomes and rows for the ledger's tests."""

from datetime import date
from decimal import Decimal
from typing import Any

from tools.database import Database
from tools.ledger.claims import ONLINE, Claim
from tools.ledger.records import Finish, IssuedRow

CLAIM = Claim(
    campaign_id=ONLINE, prediction_key="key", user_id="USER_1", domain="Travel", run_id="run", lease_s=60
)  # fmt: skip


def outcome(claim: Claim, *, cost: Decimal | None = None, **changes: Any) -> Finish:
    """Return the outcome of a claimed prediction: an offer of that expected cost in USD, or none."""
    issued = None if cost is None else issued_row(claim.domain, cost)
    fields: dict[str, Any] = {
        "campaign_id": claim.campaign_id,
        "prediction_key": claim.prediction_key,
        "user_id": claim.user_id,
        "run_id": claim.run_id,
        "recommendation": "no_offer_needed" if issued is None else "offer_generated",
        "close": "done",
        "record": {"run": claim.run_id},
        "issued": issued,
    }
    return Finish(**fields | changes)


def issued_row(domain: str, cost: Decimal) -> IssuedRow:
    """Return the row of a multiplier offer."""
    return IssuedRow(
        domain=domain,
        offer_type="points_multiplier",
        option_id="o1",
        high_value=False,
        credit_usd=Decimal(0),
        expected_cost_usd=cost,
        start_date=date(2026, 11, 1),
        end_date=date(2026, 12, 1),
        html_sha256="0" * 64,
    )


async def rows(database: Database, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return what a statement returns, if anything."""
    async with database.connection() as connection:
        cursor = await connection.execute(query.encode(), values)
        return await cursor.fetchall() if cursor.description else []
