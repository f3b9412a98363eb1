import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from signal import SIGINT

import psycopg
import pytest

from server.campaign import watching
from server.campaign.progress import Progress
from server.commands import campaign_view, campaign_watch
from tests.server.campaign.planted import NAME, planted
from tests.server.commands import Offers, start
from tools.ledger.driver import DRIVER_KEY


@contextmanager
def driven(url: str, campaign_id: int) -> Iterator[None]:
    """Hold the lock of a campaign's driver."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"select pg_advisory_lock({DRIVER_KEY})".encode(), {"campaign_id": campaign_id})
        yield
        connection.execute("select pg_advisory_unlock_all()")  # a closed connection's lock may outlive it for a moment


@pytest.fixture
def change(database_url: str) -> Callable[[str], object]:
    """Run a statement from outside."""

    def run(statement: str) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(statement.encode())

    return run


def test_the_list_names_campaigns_newest_first(offers: Offers, database_url: str) -> None:
    ran = offers("campaign", "list")
    assert (ran.code, ran.told) == (0, "there is no campaign yet")
    assert "next: offers campaign create NAME --predictions FILE.csv --budget USD" in " ".join(ran.err.split())
    planted(database_url)
    planted(database_url, name="second", state="paused")
    rows = offers("campaign", "list").out.splitlines()
    assert [row.split()[:4] for row in rows[1:3]] == [
        ["second", "paused", "scores.csv", "12"],
        [NAME, "running", "scores.csv", "12"],
    ]


def test_status_tells_counts_pace_money_and_calls(offers: Offers, database_url: str) -> None:
    campaign = planted(database_url)
    with driven(database_url, campaign.campaign_id):
        told = offers("campaign", "status", NAME)
    assert told.code == 0
    for words in (
        "scores.csv: 12 rows, 2 rejected",
        "10: 2 open, 4 done, 3 skipped, 1 dead",
        "no_offer_needed 1",
        "compliance 1",
        "2 of 3 drafted",
        "1 of 2 done",
        "0.1 offers and 0.1 predictions per second, about 15 s left",
        "21.00 USD of 100.00 USD for 4 offers (expected cost), 6.25 reserved",
        "4 tries: answered 2, failed 1, throttled 1; 900 tokens in and 150 out",
        "no answer since 12:00 UTC",
    ):
        assert words in told.told, words
    assert "no driver" not in told.told


def test_a_running_campaign_whose_driver_died_says_what_to_do(offers: Offers, database_url: str) -> None:
    planted(database_url)
    ran = offers("campaign", "status", NAME)
    assert "no driver lives" in ran.told
    assert f"next: offers campaign run {NAME}" in " ".join(ran.err.split())


def test_status_as_json_has_every_figure(offers: Offers, database_url: str) -> None:
    campaign = planted(database_url, state="paused")
    by_name = json.loads(offers("campaign", "status", NAME, "--json").out)
    by_id = json.loads(offers("campaign", "status", str(campaign.campaign_id), "--json").out)
    assert by_name == by_id
    expected = {
        "state": "paused", "driven": False, "input_rows": 12, "rejected": 2, "items": 10, "open": 2, "done": 4,
        "dead": 1, "skipped": 3, "offers": 4, "cohorts": 3, "cohorts_done": 2, "chunks": 2, "chunks_done": 1,
        "dead_by": {"compliance": 1}, "tries": {"answered": 2, "failed": 1, "throttled": 1}, "spent_usd": "21.0000",
        "reserved_usd": "6.2500", "budget_usd": "100.00", "decided_per_s": 0.0, "seconds_left": None,
        "model_usd": None, "silent_since": "2026-11-20T12:00:00Z",
    }  # fmt: skip
    assert {name: by_name[name] for name in expected} == expected
    assert by_name["skipped_by"] == {"suppressed_low_confidence": 1, "no_offer_needed": 1, "suppressed_holdout": 1}


def test_watching_prints_a_line_per_change_and_ends_with_the_campaign(
    offers: Offers, database_url: str, monkeypatch: pytest.MonkeyPatch, change: Callable[[str], object]
) -> None:
    planted(database_url)
    monkeypatch.setattr(watching, "EVERY_S", 0.0)
    shown = threading.Event()

    def told(seen: Progress) -> str:
        shown.set()
        return campaign_view.line(seen)

    def end() -> None:
        shown.wait(30)
        change(f"update campaign set state = 'done', note = '', finished_at = now() where name = '{NAME}'")

    monkeypatch.setattr(campaign_watch, "line", told)
    ender = threading.Thread(target=end)
    ender.start()
    ran = offers("campaign", "status", NAME, "--watch")
    ender.join()
    rest = "open 2, done 4, skipped 3, dead 1, cohorts 2/3, chunks 1/2, spent 21.00 USD"
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{NAME} running, {rest}, no answer since 12:00 UTC, tries failed since; calls wait until it is back",
        f"{NAME} done, {rest}",
    ]


def test_ctrl_c_ends_the_watching_and_leaves_the_campaign(
    database_url: str, monkeypatch: pytest.MonkeyPatch, offers: Offers
) -> None:
    planted(database_url)
    process = start("campaign", "status", NAME, "--watch", "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["state"] == "running"
    process.send_signal(SIGINT)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, "watching; the campaign goes on" in told) == (130, True)
    assert json.loads(offers("campaign", "status", NAME, "--json").out)["state"] == "running"


def test_an_unknown_campaign_is_named_with_those_there_are(offers: Offers) -> None:
    for arguments in (["status"], ["status", "--watch"], ["pause"], ["cancel", "--yes"], ["verify"]):
        ran = offers("campaign", *arguments, "sprung")
        assert (ran.code, ran.out) == (1, "")
        assert "campaign is 'sprung': there is none of that name; there is none yet" in " ".join(ran.err.split())
    assert "there is none" in offers("campaign", "status", "1").err  # `online` is no campaign of a file
