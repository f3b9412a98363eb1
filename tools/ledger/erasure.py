"""Erasing what decisions keep of a person: first name and address live apart from the record, so that they can go."""

from datetime import datetime

from tools.database import Database


async def erase_person(database: Database, user_id: str) -> int:
    """Delete the person's data of all their decisions and return how many had some. Raises DatabaseUnavailable."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "delete from decision_person where run_id in"
            " (select run_id from offer_item where user_id = %s and run_id is not null)",
            (user_id,),
        )
    return cursor.rowcount


async def exported_runs(database: Database, user_id: str) -> list[tuple[str, datetime]]:
    """Return (run id, start) of every run that issued the person an offer: what names their exported files."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "select d.run_id, coalesce(to_timestamp((d.record #>> '{run,started_at}')::float8), c.sent_at)"
            " from offer o join decision d using (run_id) join campaign c on c.campaign_id = d.campaign_id"
            " where o.user_id = %s order by d.decided_at",
            (user_id,),
        )
        return [(str(run_id), started_at) for run_id, started_at in await cursor.fetchall()]
