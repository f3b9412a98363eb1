"""What an engine does: keep workers going until a campaign's work is done. All else is in the ledger."""

from typing import Protocol


class Engine(Protocol):
    """Starts workers on a campaign and waits for them; which offers come of it doesn't depend on the engine."""

    async def work(self) -> None:
        """Return when the workers have found nothing left to do, or the campaign not running any more.

        Raises PoliciesUnavailable, BudgetCut and DatabaseUnavailable as `Worker.work` does, WorkersLost when they keep
        dying.
        """

    def stop(self) -> None:
        """Let the workers end after what they are at."""
