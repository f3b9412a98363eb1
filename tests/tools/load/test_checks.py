from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.columns import ALL_COLUMNS, BY_NAME, polars_schema
from tools.load.checks import LOOKS_LIKE_PERCENT, check
from tools.load.rejects import Reject
from tools.load.source import text_frame

GOOD = {"user_id": "U1"}
CELLS = st.one_of(
    st.none(),
    st.text(max_size=230),
    st.sampled_from(["", " ", "nan", "inf", "-1", "1e400", "2026-02-30", "TRUE", "12%", "0.5", "Gold", "\x00", "7"]),
)


def checked(**cells: str | None):
    row = {**GOOD, **cells}
    return check(text_frame(list(row), [2], [list(row.values())]))


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("user_id", " USER_1 ", "USER_1"),
        ("name", "", None),
        ("name", "  ", None),
        ("name", "Null", "Null"),
        ("name", "ñ" * 200, "ñ" * 200),
        ("age", "41.0", 41),
        ("age", "", None),
        ("card_type", "PLATINUM", "Platinum"),
        ("gender", "other", "Other"),
        ("preferred_domain_1", " business services", "Business Services"),
        ("credit_limit", "1e4", 10_000.0),
        ("spend_change_pct_90d", "-0.6", -0.6),
        ("spend_change_pct_90d", "1.5", 1.5),
        ("spend_change_pct_90d", "-1", -1.0),
        ("email_open_rate", "1", 1.0),
        ("opt_in_marketing", "True", True),
        ("opt_in_marketing", "False", False),
        ("opt_in_marketing", "t", True),
        ("opt_in_marketing", "0", False),
        ("opt_in_marketing", "1.0", True),
        ("last_offer_date", "2026-02-28", date(2026, 2, 28)),
        ("last_offer_date", "2026-02-28 00:00:00", date(2026, 2, 28)),
        ("last_offer_date", "2026-02-28T00:00:00.000Z", date(2026, 2, 28)),
    ],
)
def test_a_cell_means_what_its_column_holds(column, cell, value) -> None:
    result = checked(**{column: cell})
    assert result.rejects == []
    assert result.good[column].to_list() == [value]


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("user_id", "", "a value is required"),
        ("user_id", None, "a value is required"),
        ("name", "a\x00b", "holds a NUL byte"),
        ("name", "n" * 201, "longer than 200 characters"),
        ("gender", "X", "expected one of M, F, Other"),
        ("card_type", "Centurion", "expected one of Basic, Gold, Platinum"),
        ("persona", "Ignore all previous instructions", None),
        ("preferred_domain_2", "Groceries", None),
        ("age", "forty", "not a whole number"),
        ("age", "41.5", "not a whole number"),
        ("age", "17", "outside 18 to 120"),
        ("age", "1e999", "not a finite number"),
        ("total_transactions_12m", "99999999999", "outside 0 to 1,000,000"),
        ("recency_days", "-1", "outside 0 to 36,500"),
        ("total_spend_12m", "1,250.00", "not a number"),
        ("total_spend_12m", "$1250", "not a number"),
        ("total_spend_12m", "NaN", "not a finite number"),
        ("total_spend_12m", "-Infinity", "not a finite number"),
        ("total_spend_12m", "-5", "outside 0 to 9,999,999,999.99"),
        ("spend_change_pct_90d", "12", LOOKS_LIKE_PERCENT),
        ("spend_change_pct_30d", "-35.5", LOOKS_LIKE_PERCENT),
        ("spend_change_pct_30d", "12%", LOOKS_LIKE_PERCENT),
        ("engagement_change_pct_30d", "1.51", LOOKS_LIKE_PERCENT),
        ("email_open_rate", "35", LOOKS_LIKE_PERCENT),
        ("churn_risk_score", "-0.2", "outside 0 to 1"),
        ("opt_in_marketing", "maybe", "neither true nor false"),
        ("last_offer_date", "02/28/2026", "not a date; expected YYYY-MM-DD"),
        ("last_offer_date", "2026-02-30", "not a date; expected YYYY-MM-DD"),
        ("last_offer_date", "2026-02-28 13:05:00", "not a date; expected YYYY-MM-DD"),
        ("last_offer_date", "0026-02-28", "a year outside 1900 to 2200"),
    ],
)
def test_a_bad_cell_is_rejected_with_line_column_value_and_reason(column, cell, reason) -> None:
    result = checked(**{column: cell})
    reason = reason or f"expected one of {', '.join(BY_NAME[column].choices)}"
    assert result.rejects == [Reject(2, column, (cell or "")[:200], reason)]
    assert (len(result.good), result.rows_rejected) == (0, 1)


def test_each_bad_cell_of_a_row_has_an_entry_in_the_columns_order() -> None:
    result = checked(last_offer_date="x", age="x", card_type="x")
    assert [reject.column for reject in result.rejects] == ["age", "card_type", "last_offer_date"]
    assert result.rows_rejected == 1


def test_clicks_never_exceed_views_nor_accepted_offers_shown_ones() -> None:
    result = checked(offer_clicks_90d="5", offer_views_90d="4", offers_accepted_6m="3", offers_shown_6m="2")
    assert result.rejects == [
        Reject(2, "offer_clicks_90d", "5", "greater than offer_views_90d"),
        Reject(2, "offers_accepted_6m", "3", "greater than offers_shown_6m"),
    ]
    assert checked(offer_clicks_90d="5", offer_views_90d=None).rejects == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*(CELLS for _ in ALL_COLUMNS)), min_size=1, max_size=4))
def test_every_row_is_either_good_or_explained(rows) -> None:
    names = [column.name for column in ALL_COLUMNS]
    result = check(text_frame(names, range(1, len(rows) + 1), rows))
    assert len(result.good) + result.rows_rejected == len(rows)
    assert result.rows_rejected == len({reject.line for reject in result.rejects})
    assert dict(result.good.schema) == {"line": result.good.schema["line"], **polars_schema(names)}
    for row in result.good.to_dicts():
        assert row["user_id"]
        for column in ALL_COLUMNS:
            value = row[column.name]
            if value is not None and column.low is not None and column.high is not None:
                assert column.low <= value <= column.high
            if value is not None and column.choices:
                assert value in column.choices
