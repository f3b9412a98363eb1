"""Policy texts of the ledger, found by the hash of a set or of one policy."""

from dataclasses import dataclass
from typing import Final

from tools.database import Database


@dataclass(frozen=True, slots=True)
class StoredTexts:
    """Texts by policy id. `is_set` tells a whole set from the one policy of a hash."""

    texts: dict[str, str]
    is_set: bool


async def texts_of(database: Database, sha: str) -> StoredTexts:
    """Return the policies of the set whose hash starts so, else the one policy whose hash does; none when none does.

    A beginning that fits several is told as none: it names nothing. Raises DatabaseUnavailable.
    """
    async with database.statement() as connection:
        for is_set, statement in ((True, _SET), (False, _POLICY)):
            if is_set and not await (await connection.execute(_HAS_SETS)).fetchone():
                continue
            found = await (await connection.execute(statement, (f"{sha}%",))).fetchall()
            if len({row[0] for row in found}) == 1:
                return StoredTexts({str(policy_id): str(content) for _, policy_id, content in found}, is_set)
    return StoredTexts({}, False)


_HAS_SETS: Final = "select 1 where to_regclass('policy_set') is not null"
_SET: Final = """
select s.set_sha, v.policy_id, v.content from policy_set s join policy_version v using (policy_id, version, sha)
where s.set_sha like %s
"""
_POLICY: Final = "select sha, policy_id, content from policy_version where sha like %s"
