"""Campaigns over HTTP: who may steer them, what every refusal says, and the stream of their progress."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from graph.settings import Principal, Settings
from server.campaign import watching
from server.campaign.progress import named
from server.campaign.verify import Verdict, verify
from server.campaign_examples import CAMPAIGN_EXAMPLES
from server.campaign_uploads import MOST_JSON_BYTES
from tests.members import add_members
from tests.server.campaign.planted import changed, on_ledger, planted
from tests.server.campaign.test_cli_campaign_status import driven
from tests.server.conftest import created_database
from tests.server.serving import Serving, wait_for
from tests.tools.ledger.conftest import ZONE
from tools.database import Database
from tools.ledger.campaigns import Campaign

MARKETER, OFFICER = "marketer-token", "officer-token"
PEOPLE = tuple(
    Principal(name=name, roles=roles, token_sha256=sha256(token.encode()).hexdigest())
    for name, token, roles in (("M. Marketer", MARKETER, ("campaigns",)), ("C. Officer", OFFICER, ("compliance",)))
)
FIRST_DAY = (date.today() + timedelta(days=2)).isoformat()
POSTS = ("plan", "run", "resume", "pause", "cancel")


def bearer(token: str = MARKETER) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def own_settings(
    shared_settings: Settings, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings with principals and an empty database."""
    with created_database(postgres_url) as url:
        changes = {
            "database_url": SecretStr(url),
            "output_dir": tmp_path_factory.mktemp("out"),
            "api_principals": PEOPLE,
            "chroma_dir": tmp_path_factory.mktemp("chroma"),
        }
        yield shared_settings.model_copy(update=changes)


@pytest.fixture(scope="module")
def serving(own_settings: Settings) -> Iterator[Serving]:
    """A server with principals."""
    with Serving(own_settings) as serving:
        yield serving


@pytest.fixture(scope="module")
def http(serving: Serving) -> Iterator[httpx2.Client]:
    """A client of that server."""
    with serving.client() as client:
        yield client


@pytest.fixture(scope="module")
def plant_one(own_settings: Settings) -> Callable[..., Campaign]:
    """Write a campaign on the server's database."""
    assert own_settings.database_url is not None
    url = own_settings.database_url.get_secret_value()
    return lambda name, state="running": planted(url, name=name, state=state)


@pytest.fixture(scope="module")
def url(own_settings: Settings) -> str:
    assert own_settings.database_url is not None
    return own_settings.database_url.get_secret_value()


def test_campaigns_are_listed_and_shown_by_name_and_number(
    http: httpx2.Client, plant_one: Callable[..., Campaign]
) -> None:
    campaign = plant_one("shown")
    listed = http.get("/campaigns").json()["campaigns"][0]
    assert (listed["name"], listed["state"], listed["input_rows"]) == ("shown", "running", 12)
    assert set(listed) == set(CAMPAIGN_EXAMPLES["/campaigns", "get"].reply["campaigns"][0])
    shown = http.get("/campaigns/shown").json()
    assert shown == http.get(f"/campaigns/{campaign.campaign_id}").json()
    assert (shown["open"], shown["done"], shown["skipped"], shown["dead"], shown["offers"]) == (2, 4, 3, 1, 4)
    assert set(shown) == set(CAMPAIGN_EXAMPLES["/campaigns/{ref}", "get"].reply)


def test_unknown_campaigns_are_404_and_name_those_there_are(
    http: httpx2.Client, plant_one: Callable[..., Campaign]
) -> None:
    plant_one("known")
    for reply in (
        http.get("/campaigns/sprung"),
        http.get("/campaigns/sprung/events"),
        http.get("/campaigns/1"),
        *(http.post(f"/campaigns/sprung/{verb}", headers=bearer()) for verb in POSTS),
    ):
        assert reply.status_code == 404, reply.request.url
        assert "there is none of that name; there are" in reply.json()["detail"]
    assert http.get("/campaigns/No%20Name").status_code == 422


def test_steering_needs_the_role_and_looking_none(http: httpx2.Client, plant_one: Callable[..., Campaign]) -> None:
    plant_one("guarded")
    for path in ("/campaigns", *(f"/campaigns/guarded/{verb}" for verb in POSTS)):
        assert http.post(path).status_code == 401
        assert http.post(path, headers=bearer("wrong")).status_code == 401
        refused = http.post(path, headers=bearer(OFFICER))
        assert refused.status_code == 403
        assert refused.json()["detail"] == "C. Officer has not the role campaigns, which steers campaigns"
    assert http.get("/campaigns/guarded").json()["state"] == "running"


def test_without_principals_steering_is_a_cli_act(client: httpx2.Client) -> None:
    for verb in POSTS:
        refused = client.post(f"/campaigns/any/{verb}", headers=bearer())
        assert refused.status_code == 403
        assert f"`offers campaign {verb} any`" in refused.json()["detail"]
    assert "`offers campaign create NAME`" in client.post("/campaigns", json={}).json()["detail"]
    assert client.get("/campaigns").status_code == 200


def test_pausing_and_cancelling(http: httpx2.Client, plant_one: Callable[..., Campaign], url: str) -> None:
    campaign = plant_one("steered")
    for _ in range(2):
        paused = http.post("/campaigns/steered/pause", headers=bearer())
        assert (paused.status_code, paused.json()["state"]) == (200, "paused")
    with driven(url, campaign.campaign_id):
        refused = http.post("/campaigns/steered/cancel", headers=bearer())
    assert (refused.status_code, "it is being run at this moment" in refused.json()["detail"]) == (409, True)
    for _ in range(2):
        cancelled = http.post("/campaigns/steered/cancel", headers=bearer()).json()
        assert (cancelled["state"], cancelled["skipped_by"]["cancelled"], cancelled["offers"]) == ("cancelled", 2, 4)
    refused = http.post("/campaigns/steered/pause", headers=bearer())
    assert (refused.status_code, "is cancelled and can't be paused" in refused.json()["detail"]) == (409, True)


def test_a_campaign_planned_under_other_rules_is_not_run(
    http: httpx2.Client, plant_one: Callable[..., Campaign]
) -> None:
    plant_one("outdated", state="paused")
    for verb in ("run", "resume"):
        refused = http.post(f"/campaigns/outdated/{verb}", headers=bearer())
        assert (refused.status_code, "offers campaign plan outdated" in refused.json()["detail"]) == (409, True)
    assert http.get("/campaigns/outdated").json()["state"] == "paused"


def events_of(http: httpx2.Client, path: str, seen: threading.Event) -> list[tuple[str, str]]:
    """Return a stream's events to its end; `seen` is set at the first one."""
    found: list[tuple[str, str]] = []
    name = ""
    with http.stream("GET", path) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field.startswith("data"):
                found.append((name, value))
                seen.set()
    return found


def test_events_tell_each_change_and_end_with_the_campaign(
    http: httpx2.Client, plant_one: Callable[..., Campaign], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_one("streamed")
    monkeypatch.setattr(watching, "EVERY_S", 0.0)
    seen = threading.Event()

    def end() -> None:
        seen.wait(30)
        changed(url, "update campaign set state = 'done' where name = 'streamed'")

    ender = threading.Thread(target=end)
    ender.start()
    found = events_of(http, "/campaigns/streamed/events", seen)
    ender.join()
    assert [name for name, _ in found] == ["progress", "progress", "end"]
    assert [json.loads(data)["state"] for name, data in found if name == "progress"] == ["running", "done"]
    assert {*json.loads(found[0][1])} == {*CAMPAIGN_EXAMPLES["/campaigns/{ref}/pause", "post"].reply}


TERMS = {"name": "from_json", "budget_usd": "500.00", "send_date": FIRST_DAY, "holdout": 5}
ROWS: list[Any] = [
    {"user_id": "U1", "domain": "Travel", "confidence_score": 0.9},
    {"user_id": "U2", "domain": "Gambling", "confidence_score": 0.9},
    "no prediction",
    {"user_id": "U3", "domain": "Dining", "confidence_score": 0.8, "offer_flag": 1},
]


def test_a_json_body_becomes_a_campaign_once(http: httpx2.Client, own_settings: Settings) -> None:
    made = http.post("/campaigns", json={**TERMS, "predictions": ROWS}, headers=bearer())
    assert made.status_code == 201, made.text
    told = made.json()
    assert set(told) == set(CAMPAIGN_EXAMPLES["/campaigns", "post"].reply)
    assert (told["state"], told["input_rows"], told["items"], told["rejected"], told["new"]) == (
        "created", 4, 2, 2, True,
    )  # fmt: skip
    again = http.post("/campaigns", json={**TERMS, "predictions": ROWS}, headers=bearer())
    assert (again.status_code, again.json()) == (200, {**told, "new": False})
    for terms, rows, words in (
        ({**TERMS, "budget_usd": "501.00"}, ROWS, "budget_usd 500.00 then, 501.00 now"),
        (TERMS, ROWS[:1], "the file from_json.jsonl"),
    ):
        refused = http.post("/campaigns", json={**terms, "predictions": rows}, headers=bearer())
        assert (refused.status_code, words in refused.json()["detail"]) == (409, True), refused.text
    shown = http.get("/campaigns/from_json").json()
    assert (shown["spec"]["holdout"], shown["budget_usd"], shown["open"]) == (5.0, "500.00", 2)
    refused = http.post("/campaigns/from_json/run", headers=bearer())
    assert (refused.status_code, "`offers campaign plan from_json` is next" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("kind", "suffix", "body"),
    [
        ("text/csv; charset=utf-8", "csv", "user_id,domain,confidence_score\nU1,Travel,0.9\nU2,Gambling,0.9\n"),
        ("application/x-ndjson", "jsonl", "".join(f"{json.dumps(row)}\n" for row in ROWS[:2])),
    ],
)
def test_a_file_as_the_body_becomes_a_campaign(http: httpx2.Client, kind: str, suffix: str, body: str) -> None:
    name = f"from_{suffix}"
    query = {"name": name, "budget_usd": "5000", "send_date": FIRST_DAY, "holdout": "2.5", "variants": "{}"}
    made = http.post("/campaigns", params=query, content=body, headers=bearer() | {"content-type": kind})
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["input_name"], told["items"], told["rejected"]) == (f"{name}.{suffix}", 1, 1)
    spec = http.get(f"/campaigns/{name}").json()["spec"]
    assert (spec["variants"], spec["holdout"], spec["budget_usd"]) == ({}, 2.5, "5000.00")


@pytest.mark.parametrize(
    ("kind", "query", "body", "status", "told"),
    [
        ("text/html", "", "<html>", 415, "allowed: application/json, text/csv, application/x-ndjson"),
        ("application/json", "", "{", 400, "can't be read as JSON"),
        ("application/json", "", "", 400, "the body is empty"),
        ("application/json", "", '{"name": "x1"}', 422, "predictions"),
        ("application/json", "", '{"predictions": [1], "name": "x1"}', 422, "budget_usd"),
        (
            "application/json",
            "",
            json.dumps({"predictions": [1], "name": "X 1", "budget_usd": 5, "send_date": FIRST_DAY}),
            422,
            "name is 'X 1'",
        ),
        ("text/csv", f"name=x1&budget_usd=-1&send_date={FIRST_DAY}", "a", 422, "budget_usd is '-1'"),
        ("text/csv", "name=x1&budget=1", "a", 422, "budget is no parameter; allowed: name, budget_usd"),
        ("text/csv", f"name=x1&budget_usd=1&send_date={FIRST_DAY}&variants=%7B", "a", 422, "variants is no JSON"),
        (
            "text/csv",
            f"name=x1&budget_usd=1&send_date={FIRST_DAY}&variants=%7B%22draft%22%3A%7B%22b%22%3A9%7D%7D",
            "a",
            422,
            "variants gives draft@b a share, but there is no such prompt",
        ),
        (
            "text/csv",
            "name=x1&budget_usd=1&send_date=2020-02-01",
            "a,b",
            422,
            "send_date is 2020-02-01: it has passed; give today, ",
        ),
        ("text/csv", f"name=x1&budget_usd=0&send_date={FIRST_DAY}", "a,b", 422, "budget_usd is 0.00: nothing"),
        ("text/csv", f"name=x1&budget_usd=1&send_date={FIRST_DAY}", "a,b", 422, "x1.csv"),
        ("application/json", "", "[" * 100_000, 400, "can't be read as JSON"),
        ("application/json", "", " " * (MOST_JSON_BYTES + 1), 413, "`offers campaign create` takes any file"),
    ],
)
def test_what_cant_be_created_is_named(
    http: httpx2.Client, kind: str, query: str, body: str, status: int, told: str
) -> None:
    refused = http.post(f"/campaigns?{query}", content=body, headers=bearer() | {"content-type": kind})
    assert (refused.status_code, told in refused.json()["detail"]) == (status, True), refused.text
    assert len(refused.text) < 1_000


def test_a_campaign_is_created_planned_run_and_verified_over_http(
    serving: Serving, http: httpx2.Client, url: str
) -> None:
    serving.until_health("healthy")
    on_ledger(url, lambda database: add_members(database, *(f"E{number}" for number in range(20))))
    on_ledger(url, lambda database: add_members(database, "E_OUT", opt_in_marketing=False))
    rows: list[Any] = [
        {"user_id": f"E{number}", "domain": domain, "confidence_score": 0.9}
        for number in range(20)
        for domain in ("Travel", "Dining")
    ]
    rows += [{"user_id": name, "domain": "Travel", "confidence_score": 0.9} for name in ("E_OUT", "NOBODY")]
    terms = {"name": "whole", "budget_usd": 5000, "send_date": FIRST_DAY, "predictions": [*rows, "bad"]}
    assert http.post("/campaigns", json=terms, headers=bearer()).status_code == 201
    planned = http.post("/campaigns/whole/plan", headers=bearer())
    assert planned.status_code in (200, 202)
    wait_for(lambda: http.get("/campaigns/whole").json()["state"] == "planned", every_s=0.05)
    assert http.get("/campaigns/whole").json()["plan"]["items"] == 42
    poor = {**terms, "name": "poor", "budget_usd": 1}
    assert http.post("/campaigns", json=poor, headers=bearer()).status_code == 201
    http.post("/campaigns/poor/plan", headers=bearer())
    wait_for(lambda: http.get("/campaigns/poor").json()["state"] == "planned", every_s=0.05)
    refused = http.post("/campaigns/poor/run", headers=bearer())
    assert (refused.status_code, "`?yes=true` runs it so" in refused.json()["detail"]) == (409, True)
    ran = http.post("/campaigns/whole/run", headers=bearer())
    assert ran.status_code in (200, 202), ran.text
    found = events_of(http, "/campaigns/whole/events", threading.Event())
    ended = json.loads(found[-2][1])
    assert (found[-1][0], ended["state"], ended["open"], ended["dead"]) == ("end", "done", 0, 0)
    assert (ended["input_rows"], ended["rejected"], ended["items"]) == (43, 1, 42)
    assert ended["done"] == ended["offers"] > 0
    held = {name: ended["skipped_by"][name] for name in ("suppressed_marketing_opt_out", "user_not_found")}
    assert held == {"suppressed_marketing_opt_out": 1, "user_not_found": 1}
    again = http.post("/campaigns/whole/run", headers=bearer())
    assert (again.status_code, again.json()["offers"]) == (200, ended["offers"])

    async def verified(database: Database) -> Verdict:
        return await verify(database, await named(database, "whole"), most_per_month=3, zone=ZONE)

    verdict = on_ledger(url, verified)
    assert [line.name for line in verdict.lines if not line.ok] == []
    assert "open 0; offers" in verdict.summary
