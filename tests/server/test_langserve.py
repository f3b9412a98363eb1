"""The LangServe surface over real HTTP: every item gets its outcome, and nothing a caller sends is answered 500."""

import json
import re
from typing import Any

import httpx2
import pytest
from langserve import RemoteRunnable
from pydantic import TypeAdapter

from graph.schemas import OfferInput, OfferOutput
from server.bodies import LenientPrediction
from tests.scripted_model import ScriptedModel
from tests.server.conftest import AddMember, prediction
from tests.server.serving import Serving
from tools.database import Database

RUN_ROUTES = ("/offer/invoke", "/offer/batch", "/offer/stream", "/offer/stream_log")
NODES = [
    "fetch",
    "screen",
    "analyze_rules",
    "analyze_llm",
    "retrieve_policies",
    "draft",
    "check_compliance",
    "render",
    "record",
]


def events(reply: httpx2.Response) -> list[tuple[str, Any]]:
    """Return the events of a stream as (name, data)."""
    found = []
    for block in reply.text.replace("\r\n", "\n").strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines["event"], json.loads(lines["data"]) if "data" in lines else None))
    return found


def streamed(reply: httpx2.Response) -> list[dict[str, Any]]:
    """Return what a stream's data events carry."""
    return [data for name, data in events(reply) if name == "data"]


async def test_invoke_issues_an_offer_and_a_repeat_is_the_same_offer(
    client: httpx2.Client, add_member: AddMember
) -> None:
    sent = prediction(await add_member())
    replies = [client.post("/offer/invoke", json={"input": sent}) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 200]
    first, again = (reply.json()["output"] for reply in replies)
    assert set(first) == set(OfferOutput.model_fields)
    assert (first["success"], first["recommendation"], first["mode"]) == (True, "offer_generated", "issue")
    assert first["ml_recommendation"] == {
        "offer_flag": 1,
        "domain": "Travel",
        "confidence_score": 0.9,
        "pred_version": None,
        "prediction_timestamp": None,
    }
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again | {"replayed": False} == first


async def test_one_bad_item_never_sinks_a_batch(client: httpx2.Client, add_member: AddMember) -> None:
    good, good_too, extra = [prediction(await add_member()) for _ in range(3)]
    inputs = [good, good | {"domain": "Gambling"}, None, 17, "x", good_too, extra | {"age": 44}]
    reply = client.post("/offer/batch", json={"inputs": inputs})
    assert reply.status_code == 200
    outputs = [OfferOutput.model_validate(output) for output in reply.json()["output"]]
    assert [(output.recommendation, output.error_code) for output in outputs] == [
        ("offer_generated", None),
        ("error", "invalid_input"),
        ("error", "invalid_input"),
        ("error", "invalid_input"),
        ("error", "invalid_input"),
        ("offer_generated", None),
        ("error", "invalid_input"),
    ]
    assert [output.user_id for output in outputs] == [good["user_id"]] * 2 + [""] * 3 + [
        good_too["user_id"],
        extra["user_id"],
    ]
    assert [(output.error or "").split(":")[0] for output in outputs] == [
        "",
        "domain is 'Gambling'",
        "the prediction is None",
        "the prediction is 17",
        "the prediction is 'x'",
        "",
        "age is 44",
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (r'{"user_id": "\ud800", "domain": "Travel", "confidence_score": 0.9}', "user_id is '\\ud800': "),
        (r'{"user_id": "a\u0000b", "domain": "Travel", "confidence_score": 0.9}', "user_id is 'a\\x00b': "),
        (
            r'{"user_id": "U", "domain": "Travel", "confidence_score": 0.9, "idempotency_key": "\u0000"}',
            "idempotency_key",
        ),
        (
            r'{"user_id": "U", "domain": "Travel", "confidence_score": 0.9, "\ud800": 1}',
            "the prediction is '\\ud800': ",
        ),
        ('{"user_id": "U", "domain": "Travel", "confidence_score": NaN}', "confidence_score is nan: "),
        ('{"user_id": "U", "domain": "Travel", "confidence_score": 1e999}', "confidence_score is inf: "),
        ('{"user_id": ' + "[" * 900 + "]" * 900 + ', "domain": "Travel", "confidence_score": 0.9}', "user_id is [[[["),
        (json.dumps({"user_id": "U" * 10_000, "domain": "Travel", "confidence_score": 0.9}), "user_id is 'UUUU"),
    ],
    ids=["surrogate", "nul", "nul-key", "surrogate-field", "nan", "infinity", "deep", "long"],
)
async def test_text_that_no_reply_or_table_can_hold_is_one_items_error(
    client: httpx2.Client, add_member: AddMember, text: str, named: str
) -> None:
    good = json.dumps(prediction(await add_member()))
    headers = {"Content-Type": "application/json"}
    reply = client.post("/offer/batch", content=f'{{"inputs": [{text}, {good}]}}', headers=headers)
    assert reply.status_code == 200
    bad, issued = reply.json()["output"]
    assert (bad["recommendation"], bad["error_code"]) == ("error", "invalid_input")
    assert named in bad["error"] and len(bad["error"]) < 1000 and len(bad["user_id"]) <= 200
    assert issued["recommendation"] == "offer_generated"
    legacy = client.post("/generate-offer", content=f'{{"ml_output": {{"predictions": [{text}]}}}}', headers=headers)
    assert legacy.status_code == 200
    assert legacy.json()[0]["recommendation"] in ("error", "user_not_found")  # an unknown field is ignored there


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 100_000, b"null", b"[]", b"5", b"{}", b'{"input": 1' + b"0" * 5000 + b"}"],
    ids=["empty", "cut", "latin", "deep", "null", "list", "number", "no-input", "long-number"],
)
@pytest.mark.parametrize("route", [*RUN_ROUTES, "/generate-offer", "/batch-generate-offers", "/add-policy"])
def test_a_body_that_cannot_be_read_is_refused_in_words(client: httpx2.Client, route: str, body: bytes) -> None:
    reply = client.post(route, content=body, headers={"Content-Type": "application/json"})
    if route == "/batch-generate-offers" and body == b"[]":
        assert reply.json()["total_predictions"] == 0
        return
    assert reply.status_code in (400, 422)
    assert len(str(reply.json()["detail"])) > 20
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("inputs", [5, "abc", {"a": 1}, None])
def test_a_batch_that_is_no_list_is_refused(client: httpx2.Client, inputs: Any) -> None:
    reply = client.post("/offer/batch", json={"inputs": inputs})
    assert (reply.status_code, reply.json()) == (422, {"detail": "inputs must be a list of predictions"})


def test_500_items_are_taken_and_501_are_refused(client: httpx2.Client) -> None:
    full = client.post("/offer/batch", json={"inputs": [17] * 500})
    assert [output["error_code"] for output in full.json()["output"]] == ["invalid_input"] * 500
    over = client.post("/offer/batch", json={"inputs": [17] * 501})
    message = "501 predictions in one call; at most 500 are allowed: use more calls, or a campaign"
    assert (over.status_code, over.json()) == (400, {"detail": message})


async def test_stream_names_each_node_as_it_finishes_and_ends_with_the_outcome(
    client: httpx2.Client, add_member: AddMember, ledger: Database
) -> None:
    user_id = await add_member()
    reply = client.post("/offer/stream", json={"input": prediction(user_id)})
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in events(reply)] == ["metadata", *["data"] * 10, "end"]
    *nodes, last = streamed(reply)
    assert sorted(step["node"] for step in nodes) == sorted(NODES)
    assert [step["node"] for step in nodes][-3:] == NODES[-3:]
    output = OfferOutput.model_validate(last["output"])
    assert (output.recommendation, output.mode) == ("offer_generated", "issue")
    async with ledger.connection() as connection:
        cursor = await connection.execute("select run_id from offer where user_id = %s", (user_id,))
        assert await cursor.fetchall() == [(output.run_id,)]


def test_stream_of_an_invalid_item_is_its_outcome_alone(client: httpx2.Client) -> None:
    (only,) = streamed(client.post("/offer/stream", json={"input": {"user_id": "U"}}))
    assert (only["output"]["error_code"], only["output"]["user_id"]) == ("invalid_input", "U")


async def test_stream_log_is_a_preview_and_writes_nothing(
    client: httpx2.Client, add_member: AddMember, ledger: Database, server: Serving
) -> None:
    user_id = await add_member()
    reply = client.post("/offer/stream_log", json={"input": prediction(user_id)})
    operations = [operation for data in streamed(reply) for operation in data["ops"]]
    steps = [operation["value"] for operation in operations if operation["path"] == "/streamed_output/-"]
    assert sorted(step["node"] for step in steps[:-1]) == sorted(NODES)
    output = OfferOutput.model_validate(steps[-1]["output"])
    assert (output.recommendation, output.mode) == ("offer_generated", "preview")
    async with ledger.connection() as connection:
        for table in ("offer_item", "offer"):
            cursor = await connection.execute(f"select count(*) from {table} where user_id = %s", (user_id,))
            assert await cursor.fetchone() == (0,), table
        cursor = await connection.execute("select count(*) from decision where run_id = %s", (output.run_id,))
        assert await cursor.fetchone() == (0,)
    assert not list(server.settings.output_dir.rglob(f"{output.run_id}*"))


async def test_a_caller_may_ask_for_a_preview(client: httpx2.Client, add_member: AddMember) -> None:
    sent = prediction(await add_member())
    preview = {"configurable": {"mode": "preview"}}
    once = client.post("/offer/invoke", json={"input": sent, "config": preview}).json()["output"]
    many = client.post("/offer/batch", json={"inputs": [sent, sent], "config": [preview, {}]}).json()["output"]
    again = client.post("/offer/invoke", json={"input": sent, "config": {"configurable": {"thread_id": "t"}}}).json()
    got = [(output["mode"], output["recommendation"], output["replayed"]) for output in (once, *many, again["output"])]
    assert got == [
        ("preview", "offer_generated", False),
        ("preview", "offer_generated", False),
        ("issue", "offer_generated", False),
        ("issue", "offer_generated", True),
    ]


def test_a_mode_that_does_not_exist_is_refused_and_never_issues(client: httpx2.Client) -> None:
    body = {"input": prediction("USER_NOBODY"), "config": {"configurable": {"mode": "previw"}}}
    for route in ("/offer/invoke", "/offer/stream", "/offer/stream_log"):
        reply = client.post(route, json=body)
        assert reply.status_code == 422
        assert reply.json()["detail"][0]["loc"] == ["configurable", "mode"]


def test_only_the_playgrounds_form_is_filled_in(client: httpx2.Client) -> None:
    page = client.get("/offer/playground/").text
    assert '"default": "USER_000006"' in page and "/offer/playground" in page
    for route in ("/offer/input_schema", "/openapi.json"):
        assert '"default":"USER_' not in client.get(route).text.replace(" ", "")
    script = page.partition('src="/offer/playground/')[2].partition('"')[0]
    assert client.get(f"/offer/playground/{script}").headers["content-type"].startswith("application/javascript")
    assert client.get("/offer/playground/../../pyproject.toml").status_code == 404


async def test_a_client_cannot_pass_for_another_route(client: httpx2.Client, add_member: AddMember) -> None:
    config = {"metadata": {"offer_route": "/offer/stream_log"}, "tags": ["x"], "run_name": "x"}
    body = {"input": prediction(await add_member()), "config": config}
    output = client.post("/offer/invoke", json=body).json()["output"]
    assert output["mode"] == "issue"
    assert "Hi Wei" in output["email_html"]


def test_the_schemas_are_those_of_the_contract(client: httpx2.Client) -> None:
    shown = client.get("/offer/input_schema").json()
    for name, field in OfferInput.model_json_schema()["properties"].items():
        drawn = field | field["anyOf"][0] if "anyOf" in field else field  # the playground draws no null
        left_out = ("anyOf", "default") if "anyOf" in field else ()
        assert shown["properties"].pop(name) == {key: value for key, value in drawn.items() if key not in left_out}
    assert shown["properties"] == {}
    assert shown["required"] == ["user_id", "domain", "confidence_score"]
    assert client.get("/offer/output_schema").json() == OfferOutput.model_json_schema()
    assert client.get("/offer/config_schema").json()["$defs"]["Configurable"]["properties"]["mode"]["enum"] == [
        "issue",
        "preview",
    ]


def test_the_playground_and_its_assets_load(client: httpx2.Client) -> None:
    page = client.get("/offer/playground/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '"confidence_score"' in page.text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(assets) == 3
    for asset in assets:
        reply = client.get(asset)
        assert reply.status_code == 200, asset
        assert len(reply.content) > 1000, asset
    assert client.get("/offer/playground/..%2f..%2fserver.py").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/offer/stream_events"),
        ("POST", "/offer/c/N4XyA/invoke"),
        ("GET", "/offer/c/N4XyA/playground/"),
        ("POST", "/offer/feedback"),
        ("POST", "/offer/token_feedback"),
        ("PUT", "/offer/public_trace_link"),
    ],
)
def test_what_could_show_state_or_phone_home_is_not_served(client: httpx2.Client, method: str, path: str) -> None:
    assert client.request(method, path, json={"input": None}).status_code == 404


async def test_a_remote_runnable_invokes_batches_and_streams(server: Serving, add_member: AddMember) -> None:
    remote: Any = RemoteRunnable(f"{server.url}/offer/")
    ids = [await add_member() for _ in range(4)]
    one = await remote.ainvoke(prediction(ids[0]))
    assert (one["user_id"], one["recommendation"]) == (ids[0], "offer_generated")
    batch = await remote.abatch([prediction(ids[1]), prediction(ids[2]), {"user_id": "U"}])
    assert [output["recommendation"] for output in batch] == ["offer_generated", "offer_generated", "error"]
    *nodes, last = [chunk async for chunk in remote.astream(prediction(ids[3]))]
    assert sorted(chunk["node"] for chunk in nodes) == sorted(NODES)
    assert last["output"]["recommendation"] == "offer_generated"
    preview = await remote.ainvoke(prediction(ids[0]), config={"configurable": {"mode": "preview"}})
    assert preview["mode"] == "preview"


async def test_a_synchronous_remote_runnable_gets_the_same(server: Serving, add_member: AddMember) -> None:
    remote: Any = RemoteRunnable(f"{server.url}/offer/")
    ids = [await add_member() for _ in range(2)]
    first = remote.invoke(prediction(ids[0]))
    again, other = remote.batch([prediction(ids[0]), prediction(ids[1])])
    assert again | {"replayed": False} == first
    assert other["recommendation"] == "offer_generated"
    assert list(remote.stream(prediction(ids[1])))[-1]["output"]["run_id"] == other["run_id"]


async def test_a_watcher_sees_the_fallback_but_not_what_failed(
    client: httpx2.Client, add_member: AddMember, model: ScriptedModel
) -> None:
    user_id = await add_member(card_type="Platinum", annual_fee=695, tenure_years=12)
    model.reply("*", "no JSON at all")
    *nodes, last = streamed(client.post("/offer/stream", json={"input": prediction(user_id, domain="Retail")}))
    names = [step["node"] for step in nodes]
    assert names[-5:] == ["check_compliance", "fall_back", "check_compliance", "render", "record"]
    assert not any(name.startswith("__") for name in names)
    assert last["output"]["copy_source"] == "fallback"


def test_the_playgrounds_form_can_draw_every_field_of_the_input() -> None:
    schema = TypeAdapter(LenientPrediction).json_schema()
    assert set(schema["properties"]) == set(OfferInput.model_fields)
    for name, field in schema["properties"].items():
        assert "anyOf" not in field and field["type"] in ("string", "number", "integer", "boolean"), name
