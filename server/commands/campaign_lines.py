"""A campaign's progress as plain lines, for logs: one for each stage, and one now and then within a stage."""

import time
from collections.abc import Callable
from typing import Final

from server.campaign.progress import Progress
from server.commands.console import plain
from tools.errors import DatabaseUnavailable

EVERY_S: Final = 10.0
"""Seconds between two lines within a stage, at least."""


class Lines:
    """Tells looks at a campaign: no bar, no control characters. `clock` gives seconds that only go forward."""

    def __init__(self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._told = ""
        self._quiet_until: dict[str, float] = {}

    def tell(self, seen: Progress) -> None:
        """Write a line when a stage begins, and at most one in ten seconds while it goes on."""
        drafted = seen.cohorts_done + seen.cohorts_dead
        drafts = f"{plain(seen.name)}: drafts {drafted:,} of {seen.cohorts:,}"
        if drafted < seen.cohorts:
            self._say("drafting", drafts)
            return
        if "deciding" not in self._quiet_until:
            self._say("drafted", drafts)
        pace = f", {seen.decided_per_s:,.0f} per second" if seen.open and seen.decided_per_s else ""
        counts = f"{seen.items - seen.open:,} of {seen.items:,}"
        self._say("deciding", f"{plain(seen.name)}: predictions decided {counts}{pace}")

    def end(self, seen: Progress) -> None:
        """Write where it ended, unless the last line says so already."""
        self._quiet_until = dict.fromkeys(self._quiet_until, 0.0)
        self.tell(seen)

    def lost(self, error: DatabaseUnavailable) -> None:
        """Write that the database is away, once in a while."""
        self._say("waiting", f"{plain(str(error))}; going on when it is back")

    def _say(self, stage: str, line: str) -> None:
        now = self._clock()
        if line == self._told or now < self._quiet_until.get(stage, now):
            return
        self._told, self._quiet_until[stage] = line, now + EVERY_S
        self._write(line)
