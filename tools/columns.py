"""The cardmember export's columns: one table that SQL, loader, reader and generator follow.

Names, types and closed sets are facts of the export; `low` and `high` are what a value can mean at all, not what one
warehouse happened to hold. Spend and engagement changes, rates and scores are fractions (0.25 is 25 %).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from tools.vocabulary import DOMAINS

MAX_TEXT: Final = 200
"""Characters a text value may have."""


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"


class Use(StrEnum):
    """Who may read a column. Nothing here reaches a prompt as it stands: prompts see bands (`tools.views`)."""

    KEY = "key"
    GREETING = "greeting"
    DECISION = "decision"
    CHECKER_ONLY = "checker_only"
    DELIVERY = "delivery"


POLARS: Final[dict[Kind, pl.DataType]] = {
    Kind.TEXT: pl.String(),
    Kind.INTEGER: pl.Int32(),
    Kind.NUMBER: pl.Float64(),
    Kind.DATE: pl.Date(),
    Kind.BOOLEAN: pl.Boolean(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the export. `choices` is a closed set in canonical spelling, matched without regard to case."""

    name: str
    kind: Kind
    sql: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    fraction: bool = False
    nullable: bool = True
    protected: bool = False
    use: Use = Use.DECISION

    @property
    def dtype(self) -> pl.DataType:
        """The polars type of a checked value."""
        return POLARS[self.kind]


def _text(name: str, *, choices: tuple[str, ...] = (), protected: bool = False, use: Use = Use.DECISION) -> Column:
    return Column(name, Kind.TEXT, "text", choices=choices, protected=protected, use=use)


def _count(name: str, *, low: int = 0, high: int = 1_000_000) -> Column:
    return Column(name, Kind.INTEGER, "integer", low=low, high=high)


def _money(name: str, *, sql: str = "numeric") -> Column:
    return Column(name, Kind.NUMBER, sql, low=0, high=9_999_999_999.99)


def _rate(name: str) -> Column:
    return Column(name, Kind.NUMBER, "numeric", low=0, high=1, fraction=True)


def _change(name: str) -> Column:
    return Column(name, Kind.NUMBER, "numeric", low=-1, high=1.5, fraction=True)


def _date(name: str) -> Column:
    return Column(name, Kind.DATE, "date")


def _flag(name: str) -> Column:
    return Column(name, Kind.BOOLEAN, "boolean")


COLUMNS: Final[tuple[Column, ...]] = (
    Column("user_id", Kind.TEXT, "text", nullable=False, use=Use.KEY),
    _text("name", protected=True, use=Use.GREETING),
    Column("age", Kind.INTEGER, "integer", low=18, high=120, protected=True, use=Use.CHECKER_ONLY),
    _text("gender", choices=("M", "F", "Other"), protected=True, use=Use.CHECKER_ONLY),
    _text("location", protected=True, use=Use.CHECKER_ONLY),
    _text("segment", choices=("Small Business", "Mass Market", "Mass Affluent", "Premium")),
    _count("tenure_years", high=100),
    _text("card_type", choices=("Basic", "Gold", "Platinum")),
    _money("annual_fee"),
    _money("credit_limit", sql="numeric(12,2)"),
    _date("card_activation_date"),
    _flag("opt_in_marketing"),
    _rate("email_open_rate"),
    _text("customer_lifecycle_stage", choices=("active", "onboarding", "at_risk", "dormant")),
    _rate("churn_risk_score"),
    _text("preferred_domain_1", choices=DOMAINS),
    _text("preferred_domain_2", choices=DOMAINS),
    _text(
        "persona",
        choices=(
            "Foodie",
            "Tech Professional",
            "Business Owner",
            "Travel Enthusiast",
            "General Cardmember",
            "Dormant/Churning",
        ),
    ),
    _count("total_transactions_12m"),
    _money("total_spend_12m"),
    _money("avg_transaction_amount"),
    _count("recency_days", high=36_500),
    _count("frequency_30d"),
    _money("monetary_30d"),
    _change("spend_change_pct_30d"),
    _change("spend_change_pct_90d"),
    _count("days_engaged_90d", high=90),
    _count("total_app_opens_90d"),
    _count("offer_views_90d"),
    _count("offer_clicks_90d"),
    _count("avg_session_duration_sec"),
    _change("engagement_change_pct_30d"),
    _count("offers_shown_6m"),
    _count("offers_accepted_6m"),
    _rate("historical_acceptance_rate"),
    _count("days_since_last_offer", high=36_500),
    _count("offers_sent_this_month"),
    _flag("last_offer_accepted"),
    _text("last_offer_domain", choices=DOMAINS),
    _date("last_offer_date"),
)
"""The 40 columns, in the export's order."""

EMAIL: Final = _text("email", use=Use.DELIVERY)
"""The one optional column: a table or file may lack it."""

ALL_COLUMNS: Final = (*COLUMNS, EMAIL)
BY_NAME: Final = {column.name: column for column in ALL_COLUMNS}
NAMES: Final = tuple(column.name for column in COLUMNS)
PROTECTED: Final = frozenset(column.name for column in COLUMNS if column.protected)
AT_MOST: Final = (("offer_clicks_90d", "offer_views_90d"), ("offers_accepted_6m", "offers_shown_6m"))
"""Pairs whose first value can't exceed the second."""


def polars_schema(names: Iterable[str]) -> dict[str, pl.DataType]:
    """Return the polars type of each named column, in the order given."""
    return {name: BY_NAME[name].dtype for name in names}
