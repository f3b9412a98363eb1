"""Cardmembers for tests: a profile that passes every screening rule, with what a test wants to differ."""

from dataclasses import fields
from datetime import date
from typing import Any

from psycopg import sql

from tools.cardmembers import Cardmember
from tools.database import Database

PROFILE: dict[str, Any] = {
    "name": "Wei Chen",
    "age": 44,
    "gender": "F",
    "location": "Chicago, IL",
    "segment": "Premium",
    "tenure_years": 6,
    "card_type": "Gold",
    "annual_fee": 250,
    "credit_limit": 18250,
    "card_activation_date": date(2020, 4, 2),
    "opt_in_marketing": True,
    "email_open_rate": 0.41,
    "customer_lifecycle_stage": "active",
    "churn_risk_score": 0.17,
    "preferred_domain_1": "Travel",
    "preferred_domain_2": "Dining",
    "persona": "Travel Enthusiast",
    "total_transactions_12m": 130,
    "total_spend_12m": 23452.60,
    "avg_transaction_amount": 180.40,
    "recency_days": 3,
    "frequency_30d": 11,
    "monetary_30d": 1987.35,
    "spend_change_pct_30d": 0.02,
    "spend_change_pct_90d": 0.04,
    "days_engaged_90d": 41,
    "total_app_opens_90d": 63,
    "offer_views_90d": 33,
    "offer_clicks_90d": 9,
    "avg_session_duration_sec": 143,
    "engagement_change_pct_30d": 0.01,
    "offers_shown_6m": 9,
    "offers_accepted_6m": 3,
    "historical_acceptance_rate": 0.3333,
    "days_since_last_offer": 44,
    "offers_sent_this_month": 0,
    "last_offer_accepted": True,
    "last_offer_domain": "Retail",
    "last_offer_date": date(2026, 10, 1),
}


async def add_members(database: Database, *user_ids: str, **changes: Any) -> None:
    """Write members with the profile above, changed by the named columns."""
    columns = [item.name for item in fields(Cardmember) if item.name in PROFILE or item.name in changes]
    row = PROFILE | changes
    insert = sql.SQL("insert into cardmember (user_id, {}) values (%s, {})").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join([sql.SQL("%s")] * len(columns))
    )
    async with database.connection() as connection:
        for user_id in user_ids:
            await connection.execute(insert, [user_id, *(row[column] for column in columns)])
