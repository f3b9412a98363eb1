import asyncio
from pathlib import Path

import pytest

from tests.server.commands import Offers, run_here
from tests.tools.ledger.conftest import process
from tools.ledger.usage import Spending, Tokens, Usage


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": database_url, "DATA_DIR": "data", "COLUMNS": "140"}.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def test_usage_is_shown_by_outcome_with_its_cost(
    offers: Offers, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> None:
        async with process(database_url) as database:
            usage = Usage(database)
            entries = [await usage.sending("draft", "m", Spending()) for _ in range(3)]
            usage.settle(entries[0], "answered", Tokens(1_000_000, 2_000, 0))
            usage.settle(entries[1], "late")
            await usage.aclose()

    assert "no model was asked" in offers("usage").out
    asyncio.run(ask())
    unpriced = offers("usage")
    assert unpriced.code == 0
    assert "no prices: set LLM_INPUT_USD_PER_MILLION" in unpriced.out
    monkeypatch.setenv("LLM_INPUT_USD_PER_MILLION", "1")
    monkeypatch.setenv("LLM_OUTPUT_USD_PER_MILLION", "10")
    shown = [line.split("│")[1:-1] for line in offers("usage").out.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in shown] == [
        ["draft", "m", "answered", "1", "1,000,000", "0", "2,000", "1.0200"],
        ["draft", "m", "late", "1", "0", "0", "0", "0.0000"],
        ["draft", "m", "sent", "1", "0", "0", "0", "0.0000"],
    ]
    assert "no model was asked" in offers("usage", "--since", "2999-01-01").out
    assert offers("usage", "--campaign", "spring").code != 0
