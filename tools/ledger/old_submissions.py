"""Policy texts of an earlier release, which waited in a table of their own: they become drafts, once."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection

from tools.policies.policy_set import NO_MACHINE_CLAUSE, policy_sha
from tools.policies.prose_only import prose_policy
from tools.policies.schema import FrontMatter
from tools.policies.source import parse_source

SENT_BY: Final = "anonymous HTTP caller"
_PREVIEW: Final = 100


async def migrate_submissions(connection: AsyncConnection) -> None:
    """Make each submission a draft, unless the policy has one, and drop their table; nothing to do without it.

    Part of the schema's transaction, under its lock: a process sees either the table or the drafts.
    """
    cursor = await connection.execute("select to_regclass('policy_submission')")
    row = await cursor.fetchone()
    if row is None or row[0] is None:
        return
    cursor = await connection.execute(
        "select policy_id, type, domain, content, submitted_at::date from policy_submission order by submitted_at"
    )
    for policy_id, policy_type, domain, content, sent_on in await cursor.fetchall():
        if str(content).strip():
            values = await asyncio.to_thread(_draft, policy_id, policy_type, domain, content, sent_on)
            await connection.execute(_KEEP, values)
    await connection.execute("drop table policy_submission")


def _draft(policy_id: str, policy_type: str, domain: str, content: str, sent_on: date) -> dict[str, object]:
    text = prose_policy(
        content,
        policy_id=policy_id,
        version="1.0.0",
        policy_type=policy_type,
        domain=domain,
        sent_by=SENT_BY,
        sent_on=sent_on,
    )
    source = parse_source(text, Path("policy_submission"))
    front = FrontMatter.model_validate(source.data).model_copy(update={"status": "active"})
    return {
        "policy_id": policy_id,
        "version": "1.0.0",
        "sha": policy_sha(front, source.prose),
        "content": text,
        "type": policy_type,
        "domain": domain,
        "preview": source.prose[:_PREVIEW],
        "note": NO_MACHINE_CLAUSE,
        "by": SENT_BY,
        "at": sent_on,
    }


# `on conflict do nothing` also where another draft of the id waits: what came later stands.
_KEEP: Final = """
with kept as (
    insert into policy_version (policy_id, version, sha, content, state, type, domain, preview, note, first_seen_at)
    values (%(policy_id)s, %(version)s, %(sha)s, %(content)s, 'draft', %(type)s, %(domain)s, %(preview)s, %(note)s,
            %(at)s)
    on conflict do nothing returning policy_id, version, sha
)
insert into policy_event (policy_id, version, sha, event, by_name, at)
select policy_id, version, sha, 'proposed', %(by)s, %(at)s from kept
"""
