"""Quotas of an endpoint that all processes of one ledger share: requests and tokens per minute."""

from dataclasses import dataclass
from typing import Final

from tools.database import Database

WINDOW_S: Final = 60.0
LEASE_S: Final = 2.0
"""How long what was taken may be used; also the seconds of a quota that a full bucket holds."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket that keeps to a quota in any minute, not just in the minutes of a clock.

    What is used in a window of 60 s was taken in 60 + `LEASE_S` seconds, in which at most `burst` + `rate` x 62 units
    are given: less than `per_minute` + 1, so whole units never exceed `per_minute`. A take into debt exceeds it by the
    debt.
    """

    name: str
    per_minute: int

    @property
    def burst(self) -> float:
        """Units a full bucket holds."""
        return max(1.0, self.per_minute * LEASE_S / WINDOW_S)

    @property
    def rate(self) -> float:
        """Units that come back per second."""
        return (self.per_minute + 0.99 - self.burst) / (WINDOW_S + LEASE_S)


class Quotas:
    """Takes from buckets in the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, bucket: Bucket, want: float, *, enough: float | None = None) -> float:
        """Take `want` units and return 0, or take nothing and return the seconds to wait before asking again.

        `enough` units, all that are wanted if it is not given, must be there; the rest is a debt to be paid off before
        the next take. Raises DatabaseUnavailable.
        """
        values = (bucket.name, want, want if enough is None else enough, bucket.burst, bucket.rate)
        async with self._database.statement() as connection:
            cursor = await connection.execute(_TAKE, values)
            row = await cursor.fetchone()
        assert row is not None  # a call of a function always gives one row
        return float(row[0])

    async def give_back(self, bucket: Bucket, units: float) -> None:
        """Put back units that were taken and not used; negative where more was used. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection:
            await connection.execute(_GIVE_BACK, (units, bucket.name))


_GIVE_BACK: Final = "update llm_quota set available = available + %s where name = %s"
_TAKE: Final = "select take_quota(%s, %s::float8, %s::float8, %s::float8, %s::float8)"
