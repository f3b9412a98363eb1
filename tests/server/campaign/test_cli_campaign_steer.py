import io
import json
from typing import Any

import pytest

from tests.server.campaign.planted import NAME, changed, on_ledger, planted
from tests.server.campaign.test_cli_campaign_status import driven
from tests.server.commands import Offers
from tests.tools.ledger.rows import kept, rows


def status(offers: Offers) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(offers("campaign", "status", NAME, "--json").out)
    return seen


def test_pausing_twice_says_so_and_moves_once(offers: Offers, database_url: str) -> None:
    planted(database_url)
    ran = offers("campaign", "pause", NAME)
    assert (ran.code, ran.told) == (0, f"{NAME} is paused")
    assert f"next: offers campaign resume {NAME}" in " ".join(ran.err.split())
    seen = status(offers)
    assert (seen["state"], seen["note"], seen["open"]) == ("paused", "paused by hand", 2)
    assert offers("campaign", "pause", NAME).told == f"{NAME} was paused already"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("created", "`offers campaign plan spring_travel` is next"),
        ("done", "there is nothing left to do"),
        ("cancelled", "stays as it is"),
    ],
)
def test_what_cant_be_paused_says_why(offers: Offers, database_url: str, state: str, words: str) -> None:
    planted(database_url, state=state)
    ran = offers("campaign", "pause", NAME)
    told = " ".join(ran.err.split())
    assert (ran.code, ran.out, words in told) == (1, "", True)
    assert f"campaign {NAME} is {state} and can't be paused" in told


def test_cancelling_skips_what_is_open_frees_its_money_and_keeps_offers(offers: Offers, database_url: str) -> None:
    planted(database_url)
    ran = offers("campaign", "cancel", NAME, "--yes")
    assert (ran.code, ran.told) == (0, f"{NAME} is cancelled: 2 open predictions skipped")
    seen = status(offers)
    assert (seen["state"], seen["open"], seen["done"], seen["skipped"], seen["offers"]) == ("cancelled", 0, 4, 5, 4)
    assert seen["skipped_by"]["cancelled"] == 2
    assert (seen["spent_usd"], seen["reserved_usd"]) == ("21.0000", "0")
    assert on_ledger(database_url, kept)
    asked = "select recommendation, detail, finished_at is null from offer_item where prediction_key = 'k9'"
    items = on_ledger(database_url, lambda database: rows(database, asked))
    assert items == [(None, ["cancelled"], False)]
    again = offers("campaign", "cancel", NAME)
    assert (again.code, again.told) == (0, f"{NAME} was cancelled already")
    assert offers("campaign", "verify", NAME).code == 0


def test_cancelling_is_refused_while_a_driver_runs(offers: Offers, database_url: str) -> None:
    campaign = planted(database_url)
    with driven(database_url, campaign.campaign_id):
        ran = offers("campaign", "cancel", NAME, "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert f"`offers campaign pause {NAME}`, wait until that run has ended" in " ".join(ran.err.split())
    assert status(offers)["open"] == 2


def test_cancelling_asks_first_and_no_answer_changes_nothing(
    offers: Offers, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(database_url)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    ran = offers("campaign", "cancel", NAME)
    assert ran.code == 1
    assert "2 open predictions will be skipped; 4 offers stay issued" in " ".join((ran.out + ran.err).split())
    told = " ".join(ran.err.split())
    assert f"nothing was cancelled: nobody answered next: offers campaign cancel {NAME} --yes" in told
    assert status(offers)["state"] == "running"


def test_a_campaign_that_is_done_is_not_cancelled(offers: Offers, database_url: str) -> None:
    planted(database_url, state="done")
    ran = offers("campaign", "cancel", NAME, "--yes")
    assert (ran.code, "everything in it is decided" in " ".join(ran.err.split())) == (1, True)


def test_verify_prints_a_summary_last_and_fails_when_something_is_off(offers: Offers, database_url: str) -> None:
    planted(database_url)
    first, second = offers("campaign", "verify", NAME), offers("campaign", "verify", NAME)
    assert (first.code, first.err, first.out) == (0, "", second.out)
    last = first.out.splitlines()[-1]
    assert last.startswith(f"campaign {NAME}: input 12 = rejected 2 + done 4 + dead 1 + skipped 3 + open 2; offers 4")
    changed(database_url, "delete from campaign_reject where row_no = 12")
    ran = offers("campaign", "verify", NAME)
    assert (ran.code, ran.out.count("FAILED")) == (1, 1)
    assert ran.out.splitlines()[-1].endswith(": DOES NOT ADD UP: input")
