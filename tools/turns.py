"""Whose turn it is: the order of options, merchants and approved texts, which cohort and week alone decide.

Two offers of one kind to the same member are at least seven days apart, so they fall into different weeks and begin
at different places of the same order. Nothing of a member takes part: a cohort is a campaign and a view.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, TypeVar

ItemT = TypeVar("ItemT")

_DAYS: Final = 7


def week_of(day: date) -> int:
    """Return the number of the week a day is in, counted from the year 1; weeks begin on Monday, as in ISO 8601."""
    return (day.toordinal() - 1) // _DAYS


def permuted(items: Sequence[ItemT], seed: str, *, key: Callable[[ItemT], str]) -> list[ItemT]:
    """Return the items in an order that only `seed` and their keys decide, even over many seeds."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}\0{key(item)}".encode()).digest())


def in_turn(items: Sequence[ItemT], cohort: str, week: int, *, key: Callable[[ItemT], str]) -> list[ItemT]:
    """Return the items in the cohort's order, begun at the week's: each comes first as often as any other."""
    order = permuted(items, cohort, key=key)
    start = week % max(1, len(order))
    return order[start:] + order[:start]
