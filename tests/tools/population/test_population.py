"""Many members at once are screened as each of them alone."""

from dataclasses import asdict, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tests.sampled import sampled
from tools.cardmembers import Cardmember
from tools.columns import ALL_COLUMNS
from tools.menus import MenuKey
from tools.population import REASONS, Ground, MenuFacts, screened, with_signals
from tools.population.screening import USAGE
from tools.screening import screen
from tools.screening_case import Case, Limits, Usage
from tools.signals import read_signals
from tools.terms import Menu, MenuOption
from tools.views import MemberView
from tools.vocabulary import CARD_TYPES, DOMAINS, STRATEGIES, SuppressionReason

TODAY = date(2026, 11, 28)
BASE = Limits(
    min_confidence=0.7,
    max_offers_per_month=3,
    category_cooldown_days=7,
    decline_cooldown_days=30,
    max_high_value_per_quarter=1,
    high_value_usd=50,
    max_multipliers_per_month=3,
    max_credits_per_year_usd=100,
    min_average_monthly_spend_usd=500,
    min_account_age_days=90,
)
LIMITS = {
    domain: replace(BASE, min_confidence=0.7 + place / 50, max_credits_per_year_usd=None if place % 2 else 120.5)
    for place, domain in enumerate(DOMAINS)
}


def option(place: int, **changes: Any) -> MenuOption:
    given: dict[str, Any] = {
        "option_id": f"o{place}",
        "offer_type": "statement_credit",
        "reward_value": Decimal(25 + place),
        "reward_unit": "usd",
        "expiration_days": 30,
        "requires_enrollment": True,
        "expected_cost_usd": Decimal(20 * place),
    }
    return MenuOption(**given | changes)


POINTS = {"offer_type": "points_multiplier", "reward_unit": "X_points", "reward_value": Decimal(3)}
KEYS: list[MenuKey] = [(d, c, s) for d in DOMAINS for c in CARD_TYPES for s in STRATEGIES]
MENUS = {
    key: Menu(
        domain=key[0],
        card_type=key[1],
        options=tuple(option(n + place % 3, **(POINTS if (n + place) % 4 == 0 else {})) for n in range(1 + place % 3)),
    )
    for place, key in enumerate(KEYS)
}
CANDIDATES = {key: place % 5 for place, key in enumerate(KEYS)}
FACTS = {key: MenuFacts.of(menu, LIMITS[key[0]], candidates=CANDIDATES[key]) for key, menu in MENUS.items()}

BANDS = st.sampled_from([-0.6, -0.10001, -0.1, 0.0, 0.1, 0.10001, 0.5])
MEMBERS = st.fixed_dictionaries(
    {
        "card_type": st.sampled_from([None, "Basic", "Gold", "Platinum", "Centurion"]),
        "tenure_years": st.none() | st.integers(0, 20),
        "card_activation_date": st.none() | st.dates(TODAY - timedelta(days=2000), TODAY + timedelta(days=3)),
        "opt_in_marketing": st.sampled_from([True, True, True, False, None]),
        "preferred_domain_1": st.none() | st.sampled_from(DOMAINS),
        "preferred_domain_2": st.none() | st.sampled_from(DOMAINS),
        "total_spend_12m": st.none() | st.sampled_from([0.0, 5999.99, 6000.0, 6000.01, 30_000.0]),
        "spend_change_pct_90d": st.none() | BANDS,
        "total_app_opens_90d": st.none() | st.sampled_from([0, 29, 30, 59, 60, 400]),
        "offer_clicks_90d": st.none() | st.sampled_from([0, 5, 6, 14, 15, 40]),
        "offers_shown_6m": st.none() | st.integers(0, 12),
        "historical_acceptance_rate": st.none() | st.sampled_from([0.0, 0.19, 0.2, 0.5, 0.51, 1.0]),
        "days_since_last_offer": st.none() | st.integers(0, 60),
        "offers_sent_this_month": st.none() | st.integers(0, 4),
        "last_offer_accepted": st.none() | st.booleans(),
        "last_offer_domain": st.none() | st.sampled_from(DOMAINS),
    }
)
USAGES = st.builds(
    Usage,
    issued_this_month=st.integers(0, 3),
    pending=st.integers(0, 2),
    pending_in_domain=st.integers(0, 1),
    days_since_domain_offer=st.sampled_from([0, 6, 7, 99_999]),
    days_since_domain_decline=st.sampled_from([0, 29, 30, 99_999]),
    high_value_this_quarter=st.integers(0, 2),
    multipliers_this_month=st.integers(0, 4),
    credits_this_year_usd=st.sampled_from([0.0, 50.0, 95.5, 120.5, 1234567.0]),
    suppressed=st.booleans(),
    domain_refused=st.booleans(),
    paused_until=st.none() | st.just(date(2026, 12, 24)),
    snapshot_is_current=st.booleans(),
)
PREDICTIONS = st.tuples(
    MEMBERS,
    st.none() | USAGES,
    st.sampled_from(DOMAINS),
    st.sampled_from([0.0, 0.69999, 0.7, 0.72, 0.123456789, 1.0]),
    st.booleans(),
)
SCHEMA = {column.name: column.dtype for column in ALL_COLUMNS}


def frame_of(predictions: list[tuple[dict[str, Any], Usage | None, Any, float, bool]]) -> pl.DataFrame:
    rows = [
        {name: None for name in USAGE}
        | member
        | {"domain": domain, "confidence": confidence, "in_holdout": holdout}
        | ({} if usage is None else asdict(usage))
        for member, usage, domain, confidence, holdout in predictions
    ]
    given = {name: SCHEMA[name] for name in predictions[0][0]}
    usages = {item.name: pl.select(USAGE[item.name]).to_series().dtype for item in fields(Usage)}
    return pl.DataFrame(
        rows, schema=given | usages | {"domain": pl.String, "confidence": pl.Float64, "in_holdout": pl.Boolean}
    )


@given(st.lists(PREDICTIONS, min_size=1, max_size=40), st.booleans(), st.sampled_from([(), ("complaint_rate",)]))
def test_the_frame_says_of_each_prediction_what_screening_says_of_it_alone(
    predictions: list[tuple[dict[str, Any], Usage | None, Any, float, bool]],
    attested: bool,
    unattested: tuple[str, ...],
) -> None:
    ground = Ground(LIMITS, FACTS, attested, unattested, TODAY)
    rows = screened(with_signals(frame_of(predictions), TODAY), ground).to_dicts()
    assert len(rows) == len(predictions)
    for row, (columns, usage, domain, confidence, holdout) in zip(rows, predictions, strict=True):
        member = Cardmember(user_id="USER_1", **columns)
        signals = read_signals(member, TODAY)
        view = signals.view(domain)
        key = None if view is None else (view.domain, view.card_type, view.strategy)
        case = Case(
            member=member,
            signals=signals,
            usage=usage or Usage(),
            limits=LIMITS[domain],
            domain=domain,
            confidence=confidence,
            menu=None if key is None else MENUS[key],
            candidates=0 if key is None else CANDIDATES[key],
            account_standing_attested=attested,
            today=TODAY,
            holdout=holdout,
            unattested=unattested,
        )
        holds = screen(case)
        assert [(reason, row[reason]) for reason in REASONS if row[reason] is not None] == list(holds)
        assert row["reason"] == (holds[0][0] if holds else None)
        assert view_of(row) == view
        assert row["archetype"] == signals.archetype and row["acceptance"] == signals.acceptance
        assert row["average_monthly_spend_usd"] == signals.average_monthly_spend_usd
        assert row["account_age_days"] == signals.account_age_days


def view_of(row: dict[str, Any]) -> MemberView | None:
    if row["strategy"] is None:
        return None
    named = {name: row[name] for name in MemberView.model_fields if name in row}
    return MemberView.model_validate(named | {"card_type": row["view_card_type"]})


def test_the_sample_population_gets_the_same_views_by_columns() -> None:
    population = list(sampled(1000))
    rows = [asdict(one.member) | {"domain": one.domain} for one in population]
    frame = with_signals(pl.DataFrame(rows, infer_schema_length=None), TODAY)
    alone = [read_signals(one.member, TODAY).view(one.domain) for one in population]
    assert [view_of(row) for row in frame.to_dicts()] == alone
    assert sum(view is not None for view in alone) > 900


def test_every_reason_screening_knows_is_a_column() -> None:
    assert set(REASONS) == set(get_args(SuppressionReason)) - {"budget_exhausted"}  # decided when money is reserved
