"""Pausing and cancelling a campaign, and what is answered when its state doesn't allow that."""

from typing import Final

from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger import cancelling
from tools.ledger.campaigns import Campaign, Campaigns, CampaignState

PAUSED_BY_HAND: Final = "paused by hand"
"""The note of a campaign that somebody paused."""

NOT_TO_PAUSE: Final[dict[CampaignState, str]] = {
    "open": "it is no campaign of a file",
    "created": "nothing runs yet: `offers campaign plan {name}` is next",
    "done": "there is nothing left to do: `offers campaign report {name}`",
    "cancelled": "a cancelled campaign stays as it is; create another one for the rest of the file",
}
"""Why a campaign of a state can't be paused."""


class CampaignRefused(InputInvalid):
    """A campaign's state doesn't allow what is asked; the message says what does."""


async def pause(database: Database, campaign: Campaign) -> bool:
    """Pause a campaign; return False when it is paused already. Its workers stop after the chunk they are at.

    Raises CampaignRefused when there is nothing to pause, DatabaseUnavailable.
    """
    campaigns = Campaigns(database)
    if await campaigns.move(campaign.campaign_id, "paused", only_from=("planned", "running"), note=PAUSED_BY_HAND):
        return True
    now = await campaigns.named(campaign.name)
    if now.state in NOT_TO_PAUSE:
        raise CampaignRefused(refusal(now, "paused", NOT_TO_PAUSE[now.state]))
    return False


async def cancel(database: Database, campaign: Campaign) -> int | None:
    """End a campaign for good; return how many open items were skipped, None when it is cancelled already.

    What is issued stays issued. Raises CampaignRefused while a driver runs and when it is done, DatabaseUnavailable.
    """
    skipped = await cancelling.cancel(database, campaign.campaign_id)
    if isinstance(skipped, int):
        return skipped
    now = await Campaigns(database).named(campaign.name)
    if now.state == "cancelled":
        return None
    if skipped == "driven":
        words = "it is being run at this moment: `offers campaign pause {name}`, wait until that run has ended"
        raise CampaignRefused(refusal(now, "cancelled", words))
    raise CampaignRefused(refusal(now, "cancelled", "everything in it is decided, and offers stay issued"))


def refusal(campaign: Campaign, act: str, words: str) -> str:
    """Say that a campaign can't be paused, cancelled or run now, and why."""
    return f"campaign {campaign.name} is {campaign.state} and can't be {act}: {words.format(name=campaign.name)}"
