"""Outcomes of items as the fan-out would write them, without an offer behind them."""

from datetime import date
from decimal import Decimal

from server.campaign.fan_out import run_id_of
from tests.server.campaign.ran import NAME
from tools.ledger.chunks import Item
from tools.ledger.outcomes import Outcome, OwnRecord
from tools.ledger.records import IssuedRow
from tools.screening import Usage


def offer_outcome(item: Item, usage: Usage) -> Outcome:
    """Return an offer of one item."""
    return Outcome(
        item.prediction_key,
        item.user_id,
        item.domain,
        "done",
        usage,
        "offer_generated",
        run_id=run_id_of(NAME, item.prediction_key),
        cohort_id=item.cohort_id,
        record=OwnRecord("{}", "{}", "part"),
        first_name="Wei",
        email=None,
        issued=IssuedRow(
            domain=item.domain,
            offer_type="points_multiplier",
            option_id="travel_points",
            high_value=False,
            credit_usd=Decimal(0),
            expected_cost_usd=Decimal("1.25"),
            start_date=date(2026, 12, 1),
            end_date=date(2027, 1, 14),
            html_sha256="0" * 64,
        ),
    )
