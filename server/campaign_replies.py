"""How campaigns look in replies. Nothing in them names a member."""

from typing import Any

from server.campaign.intake import TakenIn
from server.campaign.progress import Progress
from tools.ledger.campaigns import Campaign


def listed(campaign: Campaign) -> dict[str, Any]:
    """Return a campaign as the list shows it."""
    return {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "state": campaign.state,
        "note": campaign.note,
        "input_name": campaign.input_name,
        "input_rows": campaign.input_rows,
        "created_at": campaign.created_at.isoformat(),
    }


def created(taken: TakenIn) -> dict[str, Any]:
    """Return what was taken in; `new` is false when the very same campaign was there."""
    return {**listed(taken.campaign), "items": taken.items, "rejected": taken.rejected, "new": taken.new}


def whole(seen: Progress, campaign: Campaign, *, fault: str | None) -> dict[str, Any]:
    """Return a campaign with its plan and what it was planned under; `fault` is why this server's last work failed."""
    return {**seen.model_dump(mode="json"), "plan": campaign.plan, "versions": campaign.versions, "fault": fault}


def state(seen: Progress) -> dict[str, Any]:
    """Return a campaign's progress as the reply to an act."""
    return seen.model_dump(mode="json")
