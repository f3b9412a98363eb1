"""Erasing what decisions keep of a person: first name and address live apart from the record, so that they can go."""

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


async def exported_runs(database: Database, user_id: str) -> list[tuple[str, str]]:
    """Return (run id, first day) of every offer issued to the person: what names their exported files."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "select run_id, start_date::text from offer where user_id = %s order by issued_at", (user_id,)
        )
        return [(str(run_id), str(day)) for run_id, day in await cursor.fetchall()]
