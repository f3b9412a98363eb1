import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tests.server.commands import Offers, run_here
from tests.tools.ledger.conftest import ZONE, process
from tests.tools.ledger.rows import CLAIM, anything, outcome, reserve
from tools.ledger.claims import Claims
from tools.ledger.money import Money
from tools.ledger.records import Records


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": database_url, "DATA_DIR": "data", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def lines(told: str) -> dict[str, list[str]]:
    """Return the cells of the table's rows by their first."""
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if line.startswith("│")]
    return {row[0]: row[1:] for row in cells}


def spend(url: str) -> None:
    """Issue one Travel offer of 30 USD and leave one of 12.50 under way, both to one member."""

    async def run() -> None:
        async with process(url) as database:
            claims = Claims(database, table="cardmember", zone=ZONE)
            money, records = Money(database, zone=ZONE), Records(database, zone=ZONE)
            second = replace(CLAIM, prediction_key="second", run_id="second", domain="Dining")
            for claim, usd in ((CLAIM, Decimal(30)), (second, Decimal("12.5"))):
                await claims.claim(claim, anything)
                assert await reserve(money, claim, usd)
            assert await records.finish(outcome(CLAIM, cost=Decimal(30)))

    asyncio.run(run())


def test_budgets_are_set_shown_and_cleared(offers: Offers, database_url: str) -> None:
    assert "no budget is set, nothing is limited" in offers("budget", "show").told
    arguments = ("--total", "100", "--domain", "Travel=50", "--domain", "Business Services=7.25", "--per-day", "60")
    ran = offers("budget", "set", *arguments, "--per-member", "45")
    assert (ran.code, ran.err) == (0, "")
    spend(database_url)
    shown = lines(offers("budget", "show", "--campaign", "online").out)
    day = next(name for name in shown if name.startswith("today, 20"))
    assert shown == {
        "total": ["100.00", "30.00", "12.50", "57.50"],
        "Travel": ["50.00", "30.00", "0.00", "20.00"],
        "Business Services": ["7.25", "0.00", "0.00", "7.25"],
        day: ["60.00", "30.00", "12.50", "17.50"],
        "per member (here: whose offers cost most)": ["45.00", "30.00", "12.50", "2.50"],
    }
    cleared = lines(offers("budget", "set", "--clear", "total", "--clear", "Travel", "--clear", "per-day").out)
    assert set(cleared) == {"total", "Business Services", "per member (here: whose offers cost most)"}
    assert cleared["total"] == ["none", "30.00", "12.50", "none"]


def test_a_limit_below_what_is_promised_stops_more_and_says_so(offers: Offers, database_url: str) -> None:
    offers("budget", "set", "--total", "100")
    spend(database_url)
    ran = offers("budget", "set", "--total", "40")
    assert (ran.code, lines(ran.out)["total"]) == (0, ["40.00", "30.00", "12.50", "0.00"])
    assert "total: 42.50 USD are promised already; nothing is taken back" in " ".join(ran.err.split())
    with psycopg.connect(database_url) as connection:
        row = connection.execute("select used_usd, most_usd from budget_use").fetchone()
    assert row == (Decimal("42.5000"), Decimal("42.5000"))


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--total", "-1"], 2, "'-1' is no amount"),
        (["--total", "1,000"], 2, "for example 5000 or 5000.50"),
        (["--per-day", "0.001"], 2, "'0.001' is no amount"),
        (["--per-member", "nan"], 2, "'nan' is no amount"),
        (["--total", "10000000000"], 2, "from 0 to 9,999,999,999.99"),
        (["--domain", "Travel=5", "--domain", "Travel=7"], 2, "a domain is named twice"),
        (["--domain", "Dinning=5"], 2, "allowed domains: Travel, Dining"),
        (["--domain", "Dining"], 2, "'Dining' is no DOMAIN=USD"),
        (["--clear", "everything"], 2, "allowed: total, per-day, per-member, Travel"),
        (["--total", "5", "--clear", "total"], 2, "total: set and cleared at once"),
        (["--campaign", "online"], 2, "no budget is named"),
        (["--campaign", "spring", "--total", "5"], 1, "there is none of that name; there are online"),
    ],
)
def test_what_cant_be_set_is_named_with_its_remedy(offers: Offers, arguments: list[str], code: int, told: str) -> None:
    ran = offers("budget", "set", *arguments)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (code, "", False)
    assert told in " ".join(ran.err.replace("│", " ").split())
