import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tools.columns import ALL_COLUMNS, COLUMNS, NAMES, PROTECTED, Kind, polars_schema
from tools.errors import InputInvalid
from tools.sample import SNAPSHOT, edge_members, iter_members, sample_members

EDGES = len(edge_members(SNAPSHOT))
TRAP = "USER_000001"
OBSERVED = {
    "age": (18, 100),
    "tenure_years": (0, 20),
    "credit_limit": (2_000, 100_000),
    "email_open_rate": (0, 1),
    "churn_risk_score": (0, 1),
    "total_transactions_12m": (0, 240),
    "total_spend_12m": (1_700, 55_000),
    "recency_days": (1, 180),
    "frequency_30d": (0, 20),
    "monetary_30d": (0, 14_000),
    "spend_change_pct_30d": (-0.6, 0.5),
    "spend_change_pct_90d": (-0.6, 0.5),
    "days_engaged_90d": (2, 80),
    "total_app_opens_90d": (0, 400),
    "avg_session_duration_sec": (60, 300),
    "engagement_change_pct_30d": (-0.3, 0.1),
    "offers_shown_6m": (4, 12),
    "offers_accepted_6m": (0, 4),
    "days_since_last_offer": (7, 60),
    "offers_sent_this_month": (0, 3),
}


def broken(members: pl.DataFrame, rule: pl.Expr) -> list[str]:
    """The ids for which a rule is false; null counts as kept."""
    return members.filter(~rule.fill_null(True))["user_id"].to_list()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 400), st.sampled_from([-1.0, 0.0, 0.6, 1.0]))
def test_the_invariants_hold_for_every_seed(seed: int, n: int, correlation: float) -> None:
    members = sample_members(n, seed=seed, protected_correlation=correlation)
    c = pl.col
    assert members["user_id"].to_list() == [f"USER_{place:06d}" for place in range(n)]
    assert dict(members.schema) == polars_schema(NAMES)
    assert broken(members, c("monetary_30d") <= c("total_spend_12m")) == []
    average = (c("total_spend_12m") / c("total_transactions_12m") - c("avg_transaction_amount")).abs()
    assert broken(members, (average <= 0.005 + 1e-9) | (c("total_transactions_12m") == 0)) == []
    assert broken(members, c("frequency_30d") <= c("total_transactions_12m")) == []
    assert broken(members, c("offer_clicks_90d") <= c("offer_views_90d")) == []
    accepted = c("offers_accepted_6m") / c("offers_shown_6m")
    assert broken(members, c("historical_acceptance_rate") == accepted) == []
    assert broken(members, c("tenure_years") <= c("age") - 18) == []
    assert broken(members, c("opt_in_marketing") | (c("email_open_rate") == 0)) == []
    assert broken(members, c("last_offer_accepted") == c("last_offer_domain").is_not_null())[1:] == []
    assert broken(members, c("card_activation_date") <= SNAPSHOT) == []
    no_spend = (c("total_transactions_12m") > 0) | (c("total_spend_12m") == 0)
    assert broken(members, no_spend) == ([TRAP] if n > 1 else [])
    assert broken(members, (c("frequency_30d") == 0) == (c("monetary_30d") == 0)) == []
    assert broken(members, (c("frequency_30d") == 0) | (c("recency_days") <= 30)) == []
    assert broken(members, c("preferred_domain_1") != c("preferred_domain_2")) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**63))
def test_ordinary_members_stay_in_the_observed_ranges(seed: int) -> None:
    members = sample_members(300, seed=seed).slice(EDGES)
    for name, (low, high) in OBSERVED.items():
        assert broken(members, pl.col(name).is_between(low, high)) == [], name
    for column in COLUMNS:
        if column.choices:
            assert set(members[column.name].drop_nulls()) <= set(column.choices)
        if column.kind is Kind.NUMBER:
            assert members[column.name].is_nan().any() is False


def test_the_same_seed_and_n_give_the_same_bytes_and_another_seed_others() -> None:
    assert sample_members(500, seed=4).write_csv() == sample_members(500, seed=4).write_csv()
    assert sample_members(500, seed=4).write_csv() != sample_members(500, seed=5).write_csv()


@pytest.mark.parametrize("n", [0, 1, 7, EDGES, EDGES + 1, 200])
def test_the_edge_rows_are_the_same_for_every_seed_and_n(n: int) -> None:
    members = sample_members(n, seed=n)
    assert len(members) == n
    assert_frame_equal(members.head(EDGES), edge_members(SNAPSHOT).head(n))


@pytest.mark.parametrize("correlation", [-1.0, -0.4, 0.8, 1.0])
def test_the_correlation_knob_moves_age_gender_place_and_name_and_nothing_else(correlation: float) -> None:
    plain, tied = (sample_members(2_000, protected_correlation=knob) for knob in (0.0, correlation))
    assert_frame_equal(plain.drop(PROTECTED), tied.drop(PROTECTED))
    limit = tied.slice(EDGES)["credit_limit"]
    measured = (
        pl.DataFrame({"age": tied.slice(EDGES)["age"], "limit": limit.log()}).select(pl.corr("age", "limit")).item()
    )
    assert measured == pytest.approx(0.85 * correlation, abs=0.15)


def test_without_correlation_protected_columns_say_nothing_of_affluence() -> None:
    members = sample_members(4_000).slice(EDGES)
    assert abs(members.select(pl.corr("age", "credit_limit")).item()) < 0.06
    by_gender = members.group_by("gender").agg(pl.col("credit_limit").log().mean()).filter(pl.col("gender") != "Other")
    assert by_gender["credit_limit"].max() - by_gender["credit_limit"].min() < 0.1


def test_shares_are_those_of_the_facts() -> None:
    members = sample_members(6_000)
    share = {name: count for name, count in members["card_type"].value_counts(normalize=True).iter_rows()}
    assert [share[card] for card in ("Basic", "Gold", "Platinum")] == pytest.approx([0.51, 0.34, 0.15], abs=0.025)
    assert (~members["opt_in_marketing"]).mean() == pytest.approx(0.14, abs=0.015)
    sent = members["offers_sent_this_month"].drop_nulls().value_counts(normalize=True)["proportion"]
    assert sent.to_list() == pytest.approx([0.25] * 4, abs=0.03)
    assert (members["total_spend_12m"] >= 6_000).mean() > 0.55
    conflict = pl.lit(SNAPSHOT) - pl.col("last_offer_date") != pl.duration(days="days_since_last_offer")
    assert members.select(conflict.mean()).item() > 0.5
    quiet = members.filter(pl.col("recency_days") > 90)["churn_risk_score"].mean()
    assert quiet > 2 * members.filter(pl.col("recency_days") <= 30)["churn_risk_score"].mean()


def test_the_edge_rows_are_what_their_table_says() -> None:
    edge = {row["user_id"]: row for row in edge_members(SNAPSHOT).to_dicts()}
    assert (edge["USER_000000"]["total_transactions_12m"], edge["USER_000000"]["total_spend_12m"]) == (0, 0)
    assert edge[TRAP]["total_transactions_12m"] == 0 < edge[TRAP]["total_spend_12m"]
    assert {name for name, value in edge["USER_000002"].items() if value is not None} == {"user_id"}
    assert (edge["USER_000003"]["opt_in_marketing"], edge["USER_000003"]["email_open_rate"]) == (False, 0)
    assert edge["USER_000004"]["offers_sent_this_month"] == 3
    for user_id, card in (("USER_000005", "Gold"), ("USER_000006", "Platinum")):
        row = edge[user_id]
        assert row["card_type"] == card
        assert row["opt_in_marketing"] and row["offers_sent_this_month"] <= 1 and row["days_since_last_offer"] > 30
        assert row["total_spend_12m"] / 12 > 500 and 0.3 <= row["historical_acceptance_rate"] <= 0.5
        assert (SNAPSHOT - row["card_activation_date"]).days > 90
    assert len(edge["USER_000016"]["name"]) == 200
    assert "\u202e" in edge["USER_000014"]["name"] and "\u200b" in edge["USER_000014"]["name"]
    assert len(edge["USER_000017"]["location"].splitlines()) == 2
    assert edge["USER_000018"]["total_spend_12m"] / 12 < 500
    assert (edge["USER_000020"]["total_transactions_12m"], edge["USER_000020"]["total_spend_12m"]) == (240, 55_000)
    assert (SNAPSHOT - edge["USER_000023"]["card_activation_date"]).days == 20


def test_a_large_sample_comes_in_chunks_of_their_own_seeds_that_make_the_whole(monkeypatch) -> None:
    monkeypatch.setattr("tools.sample.members.CHUNK", 200)
    chunks = list(iter_members(450, seed=1))
    assert [len(chunk) for chunk in chunks] == [200, 200, 50]
    assert chunks[1]["user_id"][0] == "USER_000200"
    assert not chunks[0]["total_spend_12m"].tail(100).equals(chunks[1]["total_spend_12m"].tail(100))
    assert_frame_equal(pl.concat(chunks), sample_members(450, seed=1))


@pytest.mark.parametrize("options", [{"n": -1}, {"n": 1, "seed": -1}, {"n": 1, "protected_correlation": 1.1}])
def test_numbers_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputInvalid, match="must be"):
        sample_members(**options)


def test_columns_of_the_sample_are_the_exports_without_email() -> None:
    assert sample_members(1).columns == [column.name for column in ALL_COLUMNS if column.name != "email"]
