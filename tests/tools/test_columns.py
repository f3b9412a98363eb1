import re
from dataclasses import fields
from importlib.resources import files
from typing import get_type_hints

import polars as pl
import pytest

from tools.cardmembers import Cardmember
from tools.columns import ALL_COLUMNS, COLUMNS, EMAIL, NAMES, PROTECTED, Kind, Use, polars_schema

EXPORT = re.findall(
    r"\w+",
    """
    user_id name age gender location segment tenure_years card_type annual_fee credit_limit card_activation_date
    opt_in_marketing email_open_rate customer_lifecycle_stage churn_risk_score preferred_domain_1 preferred_domain_2
    persona total_transactions_12m total_spend_12m avg_transaction_amount recency_days frequency_30d monetary_30d
    spend_change_pct_30d spend_change_pct_90d days_engaged_90d total_app_opens_90d offer_views_90d offer_clicks_90d
    avg_session_duration_sec engagement_change_pct_30d offers_shown_6m offers_accepted_6m historical_acceptance_rate
    days_since_last_offer offers_sent_this_month last_offer_accepted last_offer_domain last_offer_date
    """,
)
PYTHON = {Kind.TEXT: "str", Kind.INTEGER: "int", Kind.NUMBER: "float", Kind.DATE: "datetime.date", Kind.BOOLEAN: "bool"}


def test_the_table_has_the_exports_40_columns_in_its_order() -> None:
    assert list(NAMES) == EXPORT
    assert len(NAMES) == 40
    assert (*COLUMNS, EMAIL) == ALL_COLUMNS


def test_the_sql_file_defines_exactly_the_columns_of_the_table() -> None:
    text = files("tools").joinpath("sql/cardmember.sql").read_text(encoding="utf-8")
    found = re.findall(r"^    (\w+) +(text|integer|numeric\(12,2\)|numeric|date|boolean)", text, re.MULTILINE)
    assert found == [(column.name, column.sql) for column in ALL_COLUMNS]
    assert set(re.findall(r"\{.*?\}", text)) == {"{table}"}


def test_a_cardmember_has_a_field_of_the_right_type_for_every_column() -> None:
    hints = get_type_hints(Cardmember)
    assert [field.name for field in fields(Cardmember)] == [column.name for column in ALL_COLUMNS]
    for column in ALL_COLUMNS:
        expected = PYTHON[column.kind] + (" | None" if column.nullable else "")
        shown = str(hints[column.name]) if column.nullable else hints[column.name].__name__
        assert shown == expected, column.name


def test_only_age_gender_name_and_location_are_protected_and_none_of_them_serves_a_decision() -> None:
    assert {"age", "gender", "name", "location"} == PROTECTED
    assert [column.name for column in COLUMNS if column.use is Use.DECISION and column.protected] == []


@pytest.mark.parametrize("column", ALL_COLUMNS, ids=lambda column: column.name)
def test_every_number_has_a_range_and_every_fraction_one_that_excludes_percents(column) -> None:
    assert (column.low is not None and column.high is not None) == (column.kind in (Kind.INTEGER, Kind.NUMBER))
    if column.fraction:
        assert column.high <= 1.5
        assert column.low >= -1


def test_the_polars_schema_follows_the_kinds() -> None:
    assert polars_schema(["user_id", "age", "credit_limit", "last_offer_date", "opt_in_marketing"]) == {
        "user_id": pl.String,
        "age": pl.Int32,
        "credit_limit": pl.Float64,
        "last_offer_date": pl.Date,
        "opt_in_marketing": pl.Boolean,
    }
