"""Draw cardmembers from a latent-affluence model, in chunks of their own seeds."""

from collections.abc import Iterator
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from tools.columns import NAMES, polars_schema
from tools.errors import InputInvalid
from tools.sample.behaviour import OPTED_OUT, days_before, derive_labels, draw_engagement, draw_offers
from tools.sample.edges import edge_members
from tools.sample.people import draw_people
from tools.sample.purchases import simulate
from tools.vocabulary import DOMAINS

SNAPSHOT: Final = date(2026, 9, 30)
"""The day the synthetic warehouse was read. Fixed, so that the same seed gives the same bytes on any day."""

CHUNK: Final = 20_000
"""Members drawn at a time: some 2.5 million purchases, about 200 MB while they last."""

CARD_TYPES: Final = ("Basic", "Gold", "Platinum")
CARD_CUTS: Final = (0.0251, 1.0364)
"""Affluence above which a card is Gold, then Platinum: 51 %, 34 % and 15 % of members."""
ANNUAL_FEES: Final = (0.0, 250.0, 695.0)


def sample_members(n: int, *, seed: int = 7, protected_correlation: float = 0.0) -> pl.DataFrame:
    """Return `n` synthetic members with the 40 columns of the export; see `iter_members`."""
    empty = pl.DataFrame(schema=polars_schema(NAMES))
    return pl.concat([empty, *iter_members(n, seed=seed, protected_correlation=protected_correlation)])


def iter_members(n: int, *, seed: int = 7, protected_correlation: float = 0.0) -> Iterator[pl.DataFrame]:
    """Yield `n` members in chunks; the same n and seed give the same bytes.

    The first rows are the edge rows of `tools.sample.edges`, whatever the seed. `protected_correlation` (-1 to 1) ties
    age, gender and location to affluence and changes no other column. Raises InputInvalid for a number out of range.
    """
    if n < 0 or seed < 0:
        raise InputInvalid(f"n and seed must be 0 or more; got n={n}, seed={seed}")
    if not -1 <= protected_correlation <= 1:
        raise InputInvalid(f"protected_correlation must be from -1 to 1; got {protected_correlation}")
    edges = edge_members(SNAPSHOT).head(n)
    for chunk, start in enumerate(range(0, n, CHUNK)):
        drawn = _draw(chunk, start, min(CHUNK, n - start), seed, protected_correlation)
        yield pl.concat([edges, drawn.slice(len(edges))]) if start == 0 else drawn


def _draw(chunk: int, start: int, members: int, seed: int, correlation: float) -> pl.DataFrame:
    rng, people_rng = (np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(chunk, part))) for part in (0, 1))
    affluence = rng.standard_normal(members)
    engagement = rng.standard_normal(members)
    tier = np.searchsorted(CARD_CUTS, affluence)
    tenure = np.minimum(rng.gamma(1.6, 3.6, members), 20).astype(np.int64)
    opted_in = rng.random(members) >= OPTED_OUT
    limit = np.clip(np.exp(9.2 + 0.65 * affluence + rng.normal(0, 0.25, members)), 2_000, 100_000)
    spending = simulate(rng, affluence=affluence, tier=tier, engagement=engagement, snapshot=SNAPSHOT)
    preferred = np.argsort(-spending.by_domain, axis=1, kind="stable")[:, :2]
    columns: dict[str, pl.Series | pl.Expr] = {
        "user_id": "USER_" + pl.Series(np.arange(start, start + members)).cast(pl.String).str.zfill(6),
        "tenure_years": pl.Series(tenure),
        "card_type": pl.Series(CARD_TYPES).gather(tier),
        "annual_fee": pl.Series(ANNUAL_FEES).gather(tier),
        "credit_limit": pl.Series(np.round(limit, -2)),
        "card_activation_date": days_before(SNAPSHOT, tenure * 365 + tenure // 4 + rng.integers(0, 365, members)),
        "opt_in_marketing": pl.Series(opted_in),
        "preferred_domain_1": pl.Series(DOMAINS).gather(preferred[:, 0]),
        "preferred_domain_2": pl.Series(DOMAINS).gather(preferred[:, 1]),
        "total_transactions_12m": pl.Series(spending.transactions),
        "total_spend_12m": pl.Series(spending.spend),
        "avg_transaction_amount": pl.Series(spending.average),
        "recency_days": pl.Series(spending.recency_days),
        "frequency_30d": pl.Series(spending.frequency_30d),
        "monetary_30d": pl.Series(spending.monetary_30d),
        "spend_change_pct_30d": pl.Series(spending.change_30d).fill_nan(None),
        "spend_change_pct_90d": pl.Series(spending.change_90d).fill_nan(None),
        **draw_engagement(rng, engagement=engagement, opted_in=opted_in),
        **draw_offers(rng, engagement=engagement, preferred=preferred, snapshot=SNAPSHOT),
        **derive_labels(rng, affluence=affluence, engagement=engagement, tenure_years=tenure, spending=spending),
        **draw_people(people_rng, affluence=affluence, tenure_years=tenure, correlation=correlation),
    }
    return pl.DataFrame(columns).select(pl.col(name).cast(dtype) for name, dtype in polars_schema(NAMES).items())
