"""Change control over HTTP: who may propose and approve, and what every refusal says."""

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from pydantic import SecretStr

from graph.database import open_database
from graph.settings import Principal, Settings
from server.examples import CHECK
from tests.members import add_members
from tests.policies_sent import QUIET, ZEBRA, policy_text
from tests.server.conftest import created_database, prediction
from tests.server.serving import Serving, wait_for

JSON = {"content-type": "application/json"}
AUTHOR, OFFICER, SECOND, CLERK = "author-token", "officer-token", "second-token", "clerk-token"


def principal(name: str, token: str, *roles: str) -> Principal:
    return Principal(name=name, roles=roles, token_sha256=sha256(token.encode()).hexdigest())


PEOPLE = (
    principal("A. Author", AUTHOR, "author"),
    principal("C. Officer", OFFICER, "compliance"),
    principal("S. Second", SECOND, "compliance"),
    principal("K. Clerk", CLERK),
)


@pytest.fixture(scope="module")
def own_settings(
    shared_settings: Settings, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings with principals and an empty database; index and model are the shared ones'."""
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
    """A server with principals, and members who may get any offer."""

    async def write() -> None:
        database = open_database(own_settings)
        await add_members(database, *(f"USER_{number:02}" for number in range(20)))
        await database.aclose()

    with Serving(own_settings) as running:
        asyncio.run(write())
        until_database(running)
        yield running


def until_database(serving: Serving) -> None:
    """Wait until the server has its database; the index takes longer, and offers don't wait for it."""

    def answers() -> bool:
        return bool(client.get("/health").json()["parts"]["database"] == "ok")

    with serving.client() as client:
        wait_for(answers, every_s=0.05)


@pytest.fixture
def http(serving: Serving) -> Iterator[httpx2.Client]:
    with serving.client() as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def add(http: httpx2.Client, *clauses: dict[str, Any], token: str = AUTHOR, **front: Any) -> httpx2.Response:
    return http.post("/add-policy", json={"content": policy_text(*clauses, **front)}, headers=bearer(token))


def approve(http: httpx2.Client, policy_id: str, token: str = OFFICER, **body: Any) -> httpx2.Response:
    return http.post(f"/policies/{policy_id}/approve", json=body or None, headers=bearer(token))


def outcome(http: httpx2.Client, user_id: str) -> dict[str, Any]:
    return http.post("/offer/invoke", json={"input": prediction(user_id)}).json()["output"]


@pytest.mark.parametrize(
    "header", [{}, bearer("wrong"), {"Authorization": "Bearer"}, {"Authorization": AUTHOR}, {"Authorization": "Ba"}]
)
def test_without_a_principals_token_nothing_is_taken(http: httpx2.Client, header: dict[str, str]) -> None:
    for path, body in (("/add-policy", {"content": policy_text()}), ("/policies/zebra_policy/approve", {})):
        refused = http.post(path, json=body, headers=header)
        assert (refused.status_code, refused.headers["www-authenticate"][:6]) == (401, "Bearer")
    assert "zebra_policy" not in http.get("/policies").text


@pytest.mark.parametrize("token", [AUTHOR, CLERK])
def test_approving_needs_the_role(http: httpx2.Client, token: str) -> None:
    refused = approve(http, "travel_offer_policy", token)
    assert (refused.status_code, "role compliance" in refused.json()["detail"]) == (403, True)


def test_a_proposer_with_the_role_needs_a_second_person(http: httpx2.Client) -> None:
    assert add(http, QUIET, policy_id="own_policy", token=OFFICER).status_code == 200
    refused = approve(http, "own_policy")
    assert (refused.status_code, "a second person approves it" in refused.json()["detail"]) == (403, True)
    assert approve(http, "own_policy", SECOND).status_code == 200
    again = approve(http, "own_policy", SECOND)
    assert (again.status_code, "no draft of it waits" in again.json()["detail"]) == (409, True)
    assert approve(http, "never_sent_policy").status_code == 404


def test_a_policy_goes_from_draft_to_force_in_every_server_and_stays_readable(
    http: httpx2.Client, own_settings: Settings, tmp_path: Path
) -> None:
    before = http.get("/health").json()["config"]["policy_set"]
    draft = add(http, policy_id="herd_policy", scope={"domains": ["Travel"]}).json()
    assert (draft["status"], draft["type"], draft["domain"]) == ("draft", "compliance", "Travel")
    (shown,) = [policy for policy in http.get("/policies").json()["policies"] if policy["id"] == "herd_policy"]
    assert (shown["status"], shown["version"]) == ("draft", "1.0.0")
    assert http.get("/health").json()["config"]["policy_set"] == before
    assert outcome(http, "USER_00")["recommendation"] == "offer_generated"
    with Serving(own_settings.model_copy(update={"chroma_dir": tmp_path})) as second, second.client() as other:
        until_database(second)
        assert outcome(other, "USER_01")["recommendation"] == "offer_generated"
        done = approve(http, "herd_policy", sha=draft["sha"])
        assert done.status_code == 200 and done.json()["approved_by"] == "C. Officer"
        for each, user_id in ((http, "USER_02"), (other, "USER_03")):
            assert outcome(each, user_id)["recommendation"] == "generation_failed"
            assert each.get("/health").json()["config"]["policy_set"] == done.json()["policy_set_sha"][:12]
            (shown,) = [policy for policy in each.get("/policies").json()["policies"] if policy["id"] == "herd_policy"]
            assert shown["status"] == "active"
    whole = http.get("/policies/herd_policy").json()
    assert (whole["sha"], whole["source"], whole["content"]) == (
        draft["sha"],
        "database",
        policy_text(policy_id="herd_policy", scope={"domains": ["Travel"]}),
    )
    newer = add(http, QUIET, policy_id="herd_policy", version="1.0.1").json()
    assert approve(http, "herd_policy", SECOND).json()["version"] == "1.0.1"
    listed = http.get("/policies/herd_policy/versions").json()["versions"]
    happened = [
        (item["version"], item["status"], [(one["event"], one["by"]) for one in item["history"]]) for item in listed
    ]
    assert happened == [
        ("1.0.0", "retired", [("proposed", "A. Author"), ("approved", "C. Officer"), ("replaced", "S. Second")]),
        ("1.0.1", "active", [("proposed", "A. Author"), ("approved", "S. Second")]),
    ]
    old = http.get(f"/policies/herd_policy/versions/{draft['sha']}").json()
    assert (old["content"], old["status"]) == (whole["content"], "retired")
    assert http.get(f"/policies/herd_policy/versions/{newer['sha'][:8]}").json()["version"] == "1.0.1"
    assert http.get("/policies/herd_policy/versions/ffffffff").status_code == 404
    assert http.get("/policies/nobody_knows").status_code == 404
    assert http.get("/policies/travel_offer_policy").json()["source"] == "file"
    assert outcome(http, "USER_04")["recommendation"] == "offer_generated"


def test_a_fault_of_the_file_names_line_field_and_remedy(http: httpx2.Client) -> None:
    broken = ZEBRA | {"require": ["(zebra"]}
    unproven = ZEBRA | {"id": "other", "examples": {"violating": ["A zebra."], "conforming": ["A zebra."]}}
    refused = add(http, broken, unproven, policy_id="fault_policy", brief="w " * 31)
    assert (refused.status_code, "brief: 31 words" in refused.json()["detail"]) == (422, True)
    refused = add(http, broken, unproven, policy_id="fault_policy")
    lines = refused.json()["detail"].splitlines()
    assert refused.status_code == 422 and len(lines) >= 2
    assert all(line.startswith("policy.md:") for line in lines)
    assert "clause 'names_a_zebra'" in lines[0] and "clause 'other'" in lines[1]
    assert "fault_policy" not in http.get("/policies").text


def test_what_the_front_matter_says_is_not_said_otherwise(http: httpx2.Client) -> None:
    for name, value in (("policy_id", "other_policy"), ("policy_type", "offer"), ("domain", "Dining")):
        body = {"content": policy_text(), name: value}
        refused = http.post("/add-policy", json=body, headers=bearer(AUTHOR))
        assert (refused.status_code, refused.json()["detail"].startswith(f"{name} is '{value}'")) == (422, True)


@pytest.mark.parametrize("policy_id", ["travel_offer_policy", "Travel_Offer_Policy"])
def test_the_id_of_a_file_is_refused(http: httpx2.Client, policy_id: str) -> None:
    refused = add(http, QUIET, policy_id=policy_id, version="9.0.0")
    assert (refused.status_code, "a file of policies/ has it" in refused.json()["detail"]) == (409, True)


def test_copy_that_a_judge_clause_unapproves_is_listed_before_it_comes_into_force(http: httpx2.Client) -> None:
    fields = {"policy_id": "calm_note", "content": "Copy stays calm.", "policy_type": "offer", "domain": "Travel"}
    added = http.post("/add-policy", params=fields, headers=bearer(AUTHOR)).json()
    assert (added["note"], added["status"]) == ("no machine clause: judge", "draft")
    asked = approve(http, "calm_note", copy_reviewed=True)  # nothing was listed yet
    told = asked.json()
    assert asked.status_code == 409
    ((ref, question),) = told["questions"].items()
    assert ref.startswith("calm_note/keeps_to_the_text@1.0.0#") and "Copy stays calm." in question
    assert {"id", "field", "text", "text_sha"} == set(told["blocks"][0])
    assert f"{len(told['blocks'])} approved texts are not approved for calm_note 1.0.0" in told["detail"]
    assert (
        next(item for item in http.get("/policies").json()["policies"] if item["id"] == "calm_note")["status"]
        == "draft"
    )
    assert approve(http, "calm_note", **told["next"]).json()["copy_approved"] == len(told["blocks"])
    (shown,) = [item for item in http.get("/policies").json()["policies"] if item["id"] == "calm_note"]
    assert (shown["status"], shown["note"]) == ("active", "no machine clause: judge")
    assert outcome(http, "USER_05")["recommendation"] == "offer_generated"


def test_a_path_that_names_no_policy_is_refused(http: httpx2.Client) -> None:
    for path in ("a%00b", "no such", "%2e%2e%2fetc"):
        assert http.get(f"/policies/{path}").status_code in (404, 422)
        assert http.get(f"/policies/{path}/versions").status_code in (404, 422)
    assert http.get("/policies/travel_offer_policy/versions/nohex").status_code == 422


def test_a_body_that_is_no_act_of_approval_is_refused(http: httpx2.Client) -> None:
    for body in ({"copy_reviewed": "maybe"}, {"sha": "short"}, {"force": True}):
        assert approve(http, "calm_note", **body).status_code == 422


def test_without_principals_approving_is_a_cli_act(client: httpx2.Client) -> None:
    assert client.post("/add-policy", json={"content": policy_text(QUIET, policy_id="cli_policy")}).status_code == 200
    for header in ({}, bearer(OFFICER)):
        refused = client.post("/policies/cli_policy/approve", headers=header)
        assert refused.status_code == 403
        assert "`offers policies approve cli_policy --by NAME`" in refused.json()["detail"]
    history = client.get("/policies/cli_policy/versions").json()["versions"][0]["history"]
    assert [(item["event"], item["by"]) for item in history] == [("proposed", "anonymous HTTP caller")]


def test_no_token_is_kept_anywhere(
    http: httpx2.Client, own_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    add(http, QUIET, policy_id="quiet_policy")
    approve(http, "quiet_policy", AUTHOR)
    approve(http, "quiet_policy", "a-wrong-token")
    assert own_settings.database_url is not None
    with psycopg.connect(own_settings.database_url.get_secret_value()) as connection:
        kept = connection.execute(
            "select (select string_agg(e::text, '') from policy_event e)"
            " || (select string_agg(v::text, '') from policy_version v)"
        ).fetchone()
    assert kept is not None and "A. Author" in kept[0]
    for token in (AUTHOR, OFFICER, SECOND, "a-wrong-token"):
        assert token not in kept[0] and token not in caplog.text


def test_a_server_that_never_saw_the_database_is_on_files_only_and_still_checks(
    own_settings: Settings,
) -> None:
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:1/none")
    with Serving(own_settings.model_copy(update={"database_url": nowhere})) as alone, alone.client() as client:
        health = client.get("/health")
        assert (health.status_code, health.json()["parts"]["policies"][:13]) == (503, "on files only")
        assert outcome(client, "USER_06")["error_code"] == "database_unavailable"
        checked = client.post("/compliance/check", json=CHECK)
        assert checked.status_code == 200
        assert checked.json()["policy_set_sha"][:12] == health.json()["config"]["policy_set"]
        assert client.get("/policies").json()["total_policies"] == len(alone.pipeline.live.files.policies.policies)
        assert approve(client, "calm_note").status_code == 503


def test_a_version_that_can_not_be_enforced_is_named_and_stops_issuing_alone(
    http: httpx2.Client, own_settings: Settings, tmp_path: Path
) -> None:
    add(http, QUIET, policy_id="bad_policy")
    assert approve(http, "bad_policy").status_code == 200
    assert own_settings.database_url is not None
    with psycopg.connect(own_settings.database_url.get_secret_value()) as connection:
        text = policy_text(QUIET | {"forbid": ["(zebra"]}, policy_id="bad_policy")
        connection.execute("update policy_version set content = %s where policy_id = 'bad_policy'", (text,))
    with Serving(own_settings.model_copy(update={"chroma_dir": tmp_path})) as fresh, fresh.client() as client:
        until_database(fresh)
        told = client.get("/health").json()
        assert told["status"] != "healthy" and "database/bad_policy@1.0.0" in told["parts"]["policies"]
        failed = outcome(client, "USER_07")
        assert (failed["recommendation"], failed["error_code"]) == ("error", "policies_unavailable")
        assert client.post("/compliance/check", json=CHECK).status_code == 200
        add(client, QUIET, policy_id="bad_policy", version="1.0.1")
        assert approve(client, "bad_policy").status_code == 200
        assert outcome(client, "USER_07")["recommendation"] == "offer_generated"
        assert "policies" not in client.get("/health").json()["parts"]


@pytest.mark.parametrize("field", ["policy_id", "policy_type", "domain", "content"])
def test_text_that_no_reply_can_hold_is_refused_by_field(http: httpx2.Client, field: str) -> None:
    fields = {"content": "---\nid: x\n---\nProse.\n", field: "---\nid: \ud800\n---\nProse.\n"}
    refused = http.post("/add-policy", content=json.dumps(fields), headers=bearer(AUTHOR) | JSON)
    assert (refused.status_code, refused.json()["detail"][: len(field)]) == (422, field)


def test_a_policy_nested_without_end_is_refused(http: httpx2.Client) -> None:
    content = "---\nid: " + "[" * 5_000 + "]" * 5_000 + "\n---\nProse.\n"
    refused = http.post("/add-policy", json={"content": content}, headers=bearer(AUTHOR))
    assert (refused.status_code, "nested too deeply" in refused.json()["detail"]) == (422, True)
