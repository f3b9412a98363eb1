"""Who has a campaign's work: cohorts to draft and chunks to decide are claimed under a lease.

Whoever claims has the work until its lease ends; then anybody may claim it, and what the first one brings later changes
nothing. So a process may die at any moment: calls may be made again, offers can't.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

MOST_ATTEMPTS: Final = 3
"""Tries of one item or cohort that fail by its own fault, before it is a dead letter."""

OF_PLAN: Final = "(%(planned_at)s::timestamptz is null or c.planned_at = %(planned_at)s)"
"""Of a campaign `c`: the holder knows its plan."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One worker of a campaign, as claims name it.

    `planned_at` is the plan the worker knows: work of a later one it doesn't get, since drafts and rules it has loaded
    may be of the earlier one. None: of any plan.
    """

    campaign_id: int
    owner: str
    planned_at: datetime | None = None

    def values(self, **more: Any) -> dict[str, Any]:
        """Return what every statement on the holder's work is given, and `more`."""
        own = {"campaign_id": self.campaign_id, "owner": self.owner, "planned_at": self.planned_at}
        return {**own, "most": MOST_ATTEMPTS, **more}
