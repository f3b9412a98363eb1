"""`POST /compliance/check` over real HTTP: replies, refusals, limits, and parts that are away."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from graph.settings import Settings
from server.compliance import INLINE_BYTES
from tests.server.serving import PATIENCE_S, Serving
from tests.standalone_lines import line
from tools.standalone import CheckReply

ROUTE = "/compliance/check"
GUARANTEED = line(id="B1", text={"headline": "Guaranteed 3X points on Dining"})


def test_one_object_has_one_reply(client: httpx2.Client) -> None:
    reply = client.post(ROUTE, json=line())
    assert reply.status_code == 200
    assert set(reply.json()) == {"id", "verdict", "violations", "clauses_run", "judge", "policy_set_sha"}
    assert (reply.json()["id"], reply.json()["verdict"]) == ("A1", "pass")
    broken = client.post(ROUTE, json=GUARANTEED).json()
    assert broken["verdict"] == "violate"
    assert "no_guarantees" in {item["clause_id"] for item in broken["violations"]}


def test_a_list_has_a_reply_for_each_in_order_and_one_fault_stays_alone(client: httpx2.Client) -> None:
    replies = client.post(ROUTE, json=[line(), 3, line(id="C", offer={"reward_valu": 3}), GUARANTEED]).json()
    assert [(item["id"], item["verdict"]) for item in replies] == [
        ("A1", "pass"), (None, "unknown"), ("C", "unknown"), ("B1", "violate"),
    ]  # fmt: skip
    assert ["error" in item for item in replies] == [False, True, True, False]
    assert "offer.reward_valu" in replies[2]["error"]
    assert client.post(ROUTE, json=[]).json() == []


def test_the_reply_is_the_command_line_s(client: httpx2.Client, server: Serving) -> None:
    gate = server.pipeline.deps.rulebook.gate
    reply = client.post(ROUTE, json=line()).json()
    assert reply["policy_set_sha"] == gate.policies.sha
    assert CheckReply.model_validate(reply).as_dict() == reply


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (line(offer={"reward_valu": 3}), ["body", "offer", "reward_valu"]),
        (line(offer={"end_date": None}), ["body", "offer", "end_date"]),
        (line(text="plain words"), ["body", "text"]),
        (line(member={"annual_fee": "250"}), ["body", "member", "annual_fee"]),
        ("{broken", ["body"]),
        ("", ["body"]),
        ('"text"', ["body"]),
        ("[" * 100_000, ["body"]),
        ('{"id": "\\ud800"}', ["body"]),
    ],
    ids=range(9),
)
def test_an_object_that_cannot_be_read_is_refused_by_field(client: httpx2.Client, body: Any, place: list[str]) -> None:
    reply = client.post(ROUTE, content=body if isinstance(body, str) else json.dumps(body))
    assert reply.status_code == 422
    (fault,) = reply.json()["detail"]
    assert fault["loc"] == place
    assert fault["msg"]


def test_more_than_500_objects_are_too_many(client: httpx2.Client) -> None:
    reply = client.post(ROUTE, json=[{}] * 501)
    assert reply.status_code == 400
    assert "501 objects in one call; at most 500" in reply.json()["detail"]
    assert len(client.post(ROUTE, json=[{}] * 500).json()) == 500


def test_a_check_can_be_narrowed_to_policies(client: httpx2.Client) -> None:
    whole = client.post(ROUTE, json=GUARANTEED).json()
    narrow = client.post(ROUTE, params={"families": "dining_offer_policy", "judge": "false"}, json=GUARANTEED).json()
    assert narrow["verdict"] == "pass"
    assert 0 < narrow["clauses_run"] < whole["clauses_run"]
    assert narrow["policy_set_sha"] == whole["policy_set_sha"]
    refused = client.post(ROUTE, params={"families": "NOPE"}, json=line())
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "families"]


async def test_a_long_list_does_not_hold_up_other_calls(server: Serving) -> None:
    lines = [line(id=number, text={"headline": f"Earn 3X points, part {number}"}) for number in range(300)]
    async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_S, trust_env=False) as client:
        started = time.monotonic()
        long = asyncio.create_task(client.post(ROUTE, json=lines))
        answered = 0
        while not long.done():
            assert (await client.get("/")).status_code == 200
            answered += 1
        assert len(long.result().json()) == 300
    assert answered > 5, f"only {answered} calls were answered in {time.monotonic() - started:.1f} s"


def test_a_large_object_is_checked_as_a_small_one(client: httpx2.Client) -> None:
    large = line(profile_text="x" * INLINE_BYTES)
    assert client.post(ROUTE, json=large).json() == client.post(ROUTE, json=line()).json()


@pytest.fixture
def lonely(shared_settings: Settings, tmp_path: Path) -> Iterator[Serving]:
    """A server whose database, model and index are all away."""
    away = shared_settings.model_copy(
        update={
            "database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none"),
            "llm_base_url": "http://127.0.0.1:1/v1",
            "chroma_url": "http://127.0.0.1:1",
            "output_dir": tmp_path / "output",
        }
    )
    with Serving(away) as serving:
        yield serving


def test_it_works_while_database_model_and_index_are_away(lonely: Serving) -> None:
    with lonely.client() as client:
        assert client.get("/health").status_code == 503
        alone = client.post(ROUTE, params={"judge": "false"}, json=line()).json()
        assert (alone["verdict"], alone["judge"]) == ("pass", "skipped")
        unjudged = client.post(ROUTE, json=line()).json()
        assert (unjudged["verdict"], unjudged["judge"]) == ("unknown", "unavailable")
        assert client.post(ROUTE, json=GUARANTEED).json()["verdict"] == "violate"


def test_the_description_shows_the_format(client: httpx2.Client) -> None:
    operation = client.get("/openapi.json").json()["paths"][ROUTE]["post"]
    one, many = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert {"id", "send_date", "text", "offer", "member"} <= set(one["properties"])
    assert "go_to_apr" in one["properties"]["offer"]["properties"]
    assert many["maxItems"] == 500
    assert "$ref" not in json.dumps(one)
