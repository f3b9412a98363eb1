"""The ledger's tables are brought up to date once, and never back."""

from pathlib import Path

import pytest
from psycopg import AsyncConnection

from tests.tools.ledger.conftest import prepare, process
from tests.tools.ledger.rows import rows
from tools.errors import DatabaseUnavailable
from tools.ledger import schema

NOTED = "select obj_description('campaign'::regclass, 'pg_class')"


def release(monkeypatch: pytest.MonkeyPatch, folder: Path, added: str) -> None:
    """Let the scripts be those of another release, which adds a statement to this one's."""
    folder.mkdir()
    for name in schema._SCRIPTS:
        own = Path(schema.__file__).parents[1] / "sql" / name
        (folder / name).write_text(f"{own.read_text(encoding='utf-8')}\n{added}", encoding="utf-8")
    monkeypatch.setattr(schema, "_SQL", folder)


async def test_an_earlier_release_changes_nothing_of_what_a_later_one_made_and_says_what_to_do(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with process(database_url) as database:
        before = await rows(database, NOTED)
    with monkeypatch.context() as later:
        release(later, tmp_path / "later", "create or replace function later() returns int language sql as 'select 1';")
        async with process(database_url) as database:
            ((noted,),) = await rows(database, NOTED)
            assert noted.startswith(f"{before[0][0]} ")
            await rows(database, "drop function later()")
    with pytest.raises(DatabaseUnavailable, match=r"^a later release has changed .* run that release, or restore"):
        async with process(database_url):
            pass
    with monkeypatch.context() as later:
        release(later, tmp_path / "again", "create or replace function later() returns int language sql as 'select 1';")
        async with process(database_url) as database:  # the later one goes on, and runs its scripts no second time
            assert await rows(database, NOTED) == [(noted,)]
            assert await rows(database, "select to_regproc('later')") == [(None,)]


async def test_a_ledger_whose_version_nobody_noted_is_brought_up_to_date(database_url: str) -> None:
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        for note in ("null", "'ledger'"):
            await prepare(connection)
            await connection.execute(f"comment on table campaign is {note}".encode())
            await prepare(connection)
            (noted,) = await (await connection.execute(NOTED)).fetchone() or ("",)
            assert len(noted.split()) == 2
