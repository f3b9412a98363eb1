"""The sample population as the graph sees it: synthetic members, predictions for them, and their signals."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import NamedTuple

from tools.cardmembers import Cardmember
from tools.sample import PREDICTED_AT, sample_members, sample_predictions
from tools.signals import Signals, read_signals
from tools.views import MemberView
from tools.vocabulary import Domain

MEMBERS = 1000
SEED = 7


class Predicted(NamedTuple):
    """One prediction of a sample file with its member."""

    member: Cardmember
    signals: Signals
    domain: Domain
    offer_flag: int
    confidence: float


def sampled(count: int = MEMBERS, *, seed: int = SEED) -> Iterator[Predicted]:
    """Yield a prediction for every one of `count` synthetic members."""
    frame = sample_members(count, seed=seed)
    names = [item.name for item in fields(Cardmember) if item.name in frame.columns]
    members = {row["user_id"]: row for row in frame.to_dicts()}
    for row in sample_predictions(frame, n=count, seed=seed).to_dicts():
        member = Cardmember(**{name: members[row["user_id"]][name] for name in names})
        signals = read_signals(member, PREDICTED_AT.date())
        yield Predicted(member, signals, row["domain"], row["offer_flag"], row["confidence_score"])


@cache
def sampled_views() -> Counter[MemberView]:
    """Return how many members of the sample have each view, whoever of them screening would hold back."""
    views = (one.signals.view(one.domain) for one in sampled())
    return Counter(view for view in views if view is not None)
