from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.commands import Offers, run_here
from tests.tools.ledger.conftest import process
from tools.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The ledger's database, with its tables."""
    async with process(database_url) as opened:
        yield opened


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Offers:
    """Run `offers` in this process on the test's database, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": database_url, "DATA_DIR": "data", "COLUMNS": "140"}.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)
