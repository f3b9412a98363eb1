"""Policy versions in the ledger: what an earlier release kept, and who may claim at which epoch."""

import asyncio
from dataclasses import replace

import pytest

from tests.tools.ledger.conftest import process
from tools.database import Database
from tools.ledger.claims import Claim, Claims, Stale, Taken
from tools.ledger.versions import Versions, read_standing
from tools.policies.load import parse_policy

CLAIM = Claim(campaign_id=1, prediction_key="k", user_id="USER_1", domain="Travel", run_id="r", lease_s=30)

OLD_TABLE = """
create table policy_submission (
    policy_id text primary key, type text not null, domain text not null, content text not null,
    submitted_at timestamptz not null default now()
);
insert into policy_submission values
    ('calm_note', 'offer', 'Dining', E'Copy stays calm.\\n---\\nAlways.', '2026-10-02'),
    ('empty_note', 'offer', 'all', ' ', '2026-10-03');
"""


async def test_submissions_of_an_earlier_release_become_drafts_once(database: Database, database_url: str) -> None:
    async with database.connection() as connection:
        await connection.execute(OLD_TABLE)
    for _ in range(2):
        async with process(database_url) as started:
            versions = Versions(started)
            (draft,) = await versions.drafts()
            assert (draft.policy_id, draft.version, draft.type, draft.domain) == (
                "calm_note",
                "1.0.0",
                "offer",
                "Dining",
            )
            assert (draft.preview, draft.note) == ("Copy stays calm.\n---\nAlways.", "no machine clause: judge")
            policy = parse_policy(draft.content, name="calm_note.md", detectors={})
            assert (policy.sha, policy.prose) == (draft.sha, draft.preview)
            ((happened,),) = (await versions.events("calm_note")).values()
            assert (happened.event, happened.by, happened.at.year) == ("proposed", "anonymous HTTP caller", 2026)
            async with started.connection() as connection:
                assert (await read_standing(connection)).active == ()
                cursor = await connection.execute("select to_regclass('policy_submission')")
                assert await cursor.fetchone() == (None,)


async def test_processes_that_start_together_migrate_once(database: Database, database_url: str) -> None:
    async with database.connection() as connection:
        await connection.execute(OLD_TABLE)

    async def start() -> int:
        async with process(database_url) as started:
            return len(await Versions(started).drafts())

    assert await asyncio.gather(*(start() for _ in range(4))) == [1] * 4


@pytest.mark.parametrize("epoch", [0, 1, 3])
async def test_a_claim_under_another_epoch_takes_nothing(database: Database, claims: Claims, epoch: int) -> None:
    async with database.connection() as connection:
        await connection.execute("update policy_epoch set epoch = 2")
    assert isinstance(await claims.claim(replace(CLAIM, policy_epoch=epoch), lambda usage: ()), Stale)
    assert isinstance(await claims.look(replace(CLAIM, policy_epoch=epoch), lambda usage: ()), Stale)
    async with database.connection() as connection:
        cursor = await connection.execute("select count(*) from offer_item")
        assert await cursor.fetchone() == (0,)
    assert isinstance(await claims.claim(replace(CLAIM, policy_epoch=2), lambda usage: ()), Taken)
