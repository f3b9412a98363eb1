"""The first day of a campaign's offers: one rule for the command line and HTTP."""

from datetime import date

from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.campaigns import find


async def first_day(database: Database, name: str, given: date | None, *, today: date) -> date:
    """Return the first day of a campaign that is to be created, or of the one that is there.

    `today` is in the brand's time zone. Repeated on a later day, it is still the same campaign: its first day was set
    when it was made. Raises InputInvalid for a day that has passed, DatabaseUnavailable.
    """
    async with database.connection() as connection:
        before = await find(connection, name)
    if before is None and given is not None and given < today:
        raise InputInvalid(f"send_date is {given}: it has passed; give today, {today}, or a later day")
    recorded = None if before is None else before.spec.get("send_date")
    return given or (date.fromisoformat(recorded) if recorded else today)
