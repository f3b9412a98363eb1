"""Synthetic cardmembers and predictions: no real person, the same bytes for the same seed."""

from tools.sample.edges import edge_members
from tools.sample.members import SNAPSHOT, iter_members, sample_members
from tools.sample.predictions import PREDICTED_AT, demo_predictions, sample_predictions, write_predictions

__all__ = [
    "PREDICTED_AT",
    "SNAPSHOT",
    "demo_predictions",
    "edge_members",
    "iter_members",
    "sample_members",
    "sample_predictions",
    "write_predictions",
]
