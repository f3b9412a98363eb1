"""Which policy texts were ever in force, so that an old decision's versions can be read."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from psycopg import AsyncConnection


class PolicyText(NamedTuple):
    """One version of a policy, whole."""

    policy_id: str
    version: str
    sha: str
    content: str


async def note_versions(connection: AsyncConnection, policies: Sequence[PolicyText]) -> None:
    """Keep each policy text the first time it is seen."""
    async with connection.cursor() as cursor:
        await cursor.executemany(_NOTE, policies)


_NOTE: Final = """
insert into policy_version (policy_id, version, sha, content) values (%s, %s, %s, %s) on conflict do nothing
"""
