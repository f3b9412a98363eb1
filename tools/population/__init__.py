"""Signals and screening of many members at once, by columns: the answers of `tools.signals` and `tools.screening`."""

from tools.population.screening import REASONS, Ground, MenuFacts, screened
from tools.population.signals import with_signals

__all__ = ["REASONS", "Ground", "MenuFacts", "screened", "with_signals"]
