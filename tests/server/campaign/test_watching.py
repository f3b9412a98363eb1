from contextlib import aclosing

import pytest

from server.campaign import watching
from server.campaign.watching import looks
from tests.server.campaign.planted import change, plant
from tests.tools.ledger.conftest import process
from tools.database import Database
from tools.errors import InputInvalid


async def test_watching_goes_on_when_its_connections_are_cut(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant(database)
    monkeypatch.setattr(watching, "EVERY_S", 0.0)
    states = []
    async with (
        process(database_url) as watched,
        aclosing(looks(watched, "spring_travel", prices=None, lost=lambda _: None)) as seen,
    ):
        async for now in seen:
            states.append(now.state)
            if len(states) == 1:  # its connections are cut, as when the server restarts
                await change(
                    database,
                    "update campaign set state = 'cancelled' where campaign_id = :id",
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()",
                )
    assert states == ["running", "cancelled"]


async def test_the_first_look_raises_what_is_wrong(database: Database) -> None:
    with pytest.raises(InputInvalid, match="there is none of that name"):
        async for _ in looks(database, "sprung", prices=None, lost=lambda _: None):
            raise AssertionError
