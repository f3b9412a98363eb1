"""Reads a campaign's figures from its ledger: aggregates alone, so that a million items take no more memory than ten."""

from datetime import UTC, datetime
from typing import Final

from server.campaign.report.arms import holdout_of, split_of, variants_of
from server.campaign.report.cohorts import drafts_of, reuse_of
from server.campaign.report.figures import CampaignFigures
from server.campaign.report.groups import parity_of
from server.campaign.report.outcomes import funnel_of, mix_of, money_of
from server.campaign.report.use import use_of
from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.campaigns import Campaigns, find_id
from tools.prices import Prices

MOMENTS: Final = ("created_at", "planned_at", "started_at", "allotted_at", "finished_at", "sent_at")


async def figures_of(database: Database, name: str, *, table: str, prices: Prices | None = None) -> CampaignFigures:
    """Return the figures of a campaign, all of one moment. `table` is the cardmembers' with the protected columns.

    Raises InputInvalid for an unknown campaign, SettingInvalid for an impossible table name, DatabaseUnavailable.
    """
    known = await Campaigns(database).named(name)
    async with database.connection() as connection:
        await connection.execute("set transaction isolation level repeatable read read only")
        await connection.execute("set local statement_timeout = 0")  # a million items take longer than a request may
        campaign = await find_id(connection, known.campaign_id)
        if campaign is None:
            raise InputInvalid(f"campaign is {name!r}: it was deleted this moment; `offers campaign list` shows those left")
        of = campaign.campaign_id
        funnel, use = await funnel_of(connection, campaign), await use_of(connection, of)
        tries = sum(row.tries for row in use.rows)
        return CampaignFigures(
            name=campaign.name,
            state=campaign.state,
            note=campaign.note,
            finished=campaign.state in ("done", "cancelled"),
            as_of=datetime.now(UTC),
            input_name=campaign.input_name,
            input_sha=campaign.input_sha,
            spec=campaign.spec,
            versions=campaign.versions,
            moments={moment: getattr(campaign, moment) for moment in MOMENTS},
            funnel=funnel,
            money=await money_of(connection, of, use.rows, prices),
            mix=await mix_of(connection, of),
            drafts=await drafts_of(connection, of),
            reuse=await reuse_of(connection, of, tries=tries, offers=funnel.offers),
            use=use,
            parity=await parity_of(connection, of, table=table),
            holdout=await holdout_of(connection, of, float(campaign.spec.get("holdout") or 0)),
            variants=await variants_of(connection, of, split_of(campaign.spec)),
        )
