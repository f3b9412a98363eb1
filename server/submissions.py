"""Policy text sent in over HTTP: kept, listed, and never enforced or shown to a model."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from graph.schemas import Storable
from tools.database import Database
from tools.vocabulary import DOMAINS


class Submission(BaseModel):
    """Policy text as somebody sends it in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy_id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{1,63}$")
    content: Storable = Field(min_length=1, max_length=100_000)
    policy_type: str = Field(pattern=r"^[a-z][a-z_]{1,39}$")
    domain: str = Field(default="all", pattern=f"^(all|{'|'.join(DOMAINS)})$")


async def keep_submission(database: Database, submission: Submission) -> None:
    """Keep a submission, in place of an earlier one of that id. Raises DatabaseUnavailable."""
    async with database.connection() as connection:
        await connection.execute(
            "insert into policy_submission (policy_id, type, domain, content) values (%s, %s, %s, %s)"
            " on conflict (policy_id) do update set type = excluded.type, domain = excluded.domain,"
            " content = excluded.content, submitted_at = now()",
            (submission.policy_id, submission.policy_type, submission.domain, submission.content),
        )


async def read_submissions(database: Database, *, characters: int) -> list[dict[str, Any]]:
    """Return the submissions as the policy list shows them. Raises DatabaseUnavailable."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "select policy_id, type, domain, left(content, %s) from policy_submission order by policy_id", (characters,)
        )
        rows = await cursor.fetchall()
    return [
        {"id": row[0], "type": row[1], "domain": row[2], "preview": row[3], "status": "submitted", "version": ""}
        for row in rows
    ]
