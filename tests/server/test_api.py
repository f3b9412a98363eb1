"""The API that existing callers use: its shapes to the letter, its caps under concurrency, its description."""

import asyncio
import json
from datetime import datetime
from typing import Any

import httpx2
import pytest

from graph.schemas import OfferInput, OfferOutput
from server.bodies import BatchReply, GenerateRequest
from server.examples import EXAMPLES
from tests.scripted_model import ScriptedModel
from tests.server.conftest import AddMember, prediction
from tests.server.serving import PATIENCE_S, Serving
from tools.database import Database
from tools.vocabulary import DOMAINS

ITEM = {
    "success", "user_id", "timestamp", "recommendation", "ml_recommendation", "behavioral_analysis",
    "applied_policies", "offer", "email_html", "error",
}  # fmt: skip
OURS = {"run_id", "error_code", "suppression", "copy_source", "replayed", "mode", "channels", "prompts"}
OFFER = {
    "success", "offer_title", "offer_description", "terms_and_conditions", "call_to_action", "offer_type",
    "offer_value", "expiration_days", "minimum_spend", "category_restrictions", "featured_merchants", "reasoning",
    "policy_compliance_notes", "ml_confidence", "domain", "generated_at",
}  # fmt: skip


def call(*predictions: Any, **more: Any) -> dict[str, Any]:
    """Return a body of /generate-offer."""
    return {"ml_output": {"predictions": list(predictions)}, **more}


async def offers_of(ledger: Database, user_id: str) -> int:
    """Count a member's rows in the ledger of issued offers."""
    async with ledger.connection() as connection:
        cursor = await connection.execute("select count(*) from offer where user_id = %s", (user_id,))
        row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


def test_the_root_says_where_to_go_on(client: httpx2.Client) -> None:
    reply = client.get("/").json()
    assert set(reply) == {"message", "version", "docs", "health"}
    assert client.get(reply["docs"]).status_code == client.get(reply["health"]).status_code == 200
    assert client.get("/redoc").status_code == 200


async def test_the_reply_has_every_field_callers_know(client: httpx2.Client, add_member: AddMember) -> None:
    user_id = await add_member()
    sent = {
        "ml_output": {
            "total_users": 1,
            "predictions": [
                {
                    "user_id": user_id,
                    "offer_flag": 1,
                    "domain": "Dining",
                    "confidence_score": 0.93,
                    "pred_version": "v7",
                    "prediction_timestamp": "2026-10-01T06:00:00+00:00",
                    "segment": "a field we don't know",
                }
            ],
            "processing_time_seconds": 1.5,
            "model": "another",
        },
        "use_llm_insights": True,
        "trace": "and one more",
    }
    reply = client.post("/generate-offer", json=sent)
    assert reply.status_code == 200
    (item,) = reply.json()
    assert set(item) == ITEM | OURS
    assert (item["success"], item["user_id"], item["recommendation"]) == (True, user_id, "offer_generated")
    assert datetime.fromisoformat(item["timestamp"]).tzinfo is not None
    assert item["ml_recommendation"] == {
        "offer_flag": 1,
        "domain": "Dining",
        "confidence_score": 0.93,
        "pred_version": "v7",
        "prediction_timestamp": "2026-10-01T06:00:00+00:00",
    }
    assert set(item["behavioral_analysis"]) == {
        "insights",
        "spending_trends",
        "engagement_metrics",
        "offer_performance",
    }
    assert {"dining_offer_policy", "compliance_policy", "frequency_policy"} <= {
        policy["id"] for policy in item["applied_policies"]
    }
    assert all({"id", "type", "domain"} <= set(policy) for policy in item["applied_policies"])
    offer = item["offer"]
    assert set(offer) == OFFER
    assert (offer["success"], offer["domain"], offer["ml_confidence"]) == (True, "Dining", 0.93)
    assert isinstance(offer["offer_value"], str) and 30 <= offer["expiration_days"] <= 60
    assert 2 <= len(offer["featured_merchants"]) <= 4
    assert all(
        set(merchant) == {"merchant_name", "merchant_category", "merchant_id", "merchant_type"}
        and merchant["merchant_type"] in ("online", "in-store", "both")
        for merchant in offer["featured_merchants"]
    )
    assert item["email_html"].startswith("<!doctype html>") and "Hi Wei" in item["email_html"]
    assert item["error"] is None


async def test_every_outcome_has_its_recommendation_in_the_order_of_the_request(
    client: httpx2.Client, add_member: AddMember
) -> None:
    good, opted_out, capped = [
        await add_member(**changes) for changes in ({}, {"opt_in_marketing": False}, {"offers_sent_this_month": 3})
    ]
    body = call(
        prediction("USER_NOBODY"),
        prediction(good, offer_flag=0),
        17,
        prediction(opted_out),
        prediction(good, domain="Retail"),
        prediction(good, confidence_score=2),
        prediction(capped),
        None,
    )
    items = client.post("/generate-offer", json=body).json()
    assert [item["recommendation"] for item in items] == [
        "user_not_found",
        "no_offer_needed",
        "error",
        "suppressed_marketing_opt_out",
        "offer_generated",
        "error",
        "suppressed_monthly_cap",
        "error",
    ]
    assert [item["success"] for item in items] == [False] * 4 + [True] + [False] * 3
    assert items[3]["suppression"] == {
        "reason": "marketing_opt_out",
        "detail": ["marketing_opt_out: the member has not opted in to marketing"],
    }
    assert items[5]["error"].startswith("confidence_score is 2: ")


async def test_null_optional_fields_count_as_absent(client: httpx2.Client, add_member: AddMember) -> None:
    item = prediction(await add_member(), pred_version=None, prediction_timestamp=None, idempotency_key=None)
    body = {
        "ml_output": {"total_users": None, "predictions": [item], "processing_time_seconds": None},
        "use_llm_insights": None,
    }
    (outcome,) = client.post("/generate-offer", json=body).json()
    assert outcome["recommendation"] == "offer_generated"


@pytest.mark.parametrize("wanted", [True, False])
async def test_use_llm_insights_decides_whether_the_analysis_asks_the_model(
    client: httpx2.Client, add_member: AddMember, model: ScriptedModel, wanted: bool
) -> None:
    domain = "Business Services" if wanted else "Electronics"  # a view of its own each: completions are kept
    user_id = await add_member(card_type="Platinum", annual_fee=695, total_app_opens_90d=90, offer_clicks_90d=30)
    (outcome,) = client.post(
        "/generate-offer", json=call(prediction(user_id, domain=domain), use_llm_insights=wanted)
    ).json()
    assert outcome["recommendation"] == "offer_generated"
    assert set(model.steps()) == ({"analyze_select", "draft_select"} if wanted else {"draft_select"})


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["body", "ml_output"]),
        ({"ml_output": {}}, ["body", "ml_output", "predictions"]),
        ({"ml_output": None}, ["body", "ml_output"]),
        ({"ml_output": {"predictions": {}}}, ["body", "ml_output", "predictions"]),
        ({"ml_output": {"predictions": []}, "use_llm_insights": "maybe"}, ["body", "use_llm_insights"]),
    ],
)
def test_a_body_without_predictions_is_refused_naming_the_field(
    client: httpx2.Client, body: Any, place: list[str]
) -> None:
    reply = client.post("/generate-offer", json=body)
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, place)
    reply = client.post("/batch-generate-offers", json=[call(), body])
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body", 1, *place[1:]])


def test_a_refusal_repeats_nothing_of_what_was_sent(client: httpx2.Client) -> None:
    body = '{"ml_output": "Quillfeather \\ud800", "use_llm_insights": NaN}'
    for route in ("/generate-offer", "/add-policy"):
        reply = client.post(route, content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code == 422
        if route == "/generate-offer":
            assert "Quillfeather" not in reply.text


async def test_a_batch_of_requests_is_one_list_of_results(client: httpx2.Client, add_member: AddMember) -> None:
    first, second = await add_member(), await add_member()
    body = [call(prediction(first), prediction("USER_NOBODY")), call(), call(prediction(second), "x")]
    reply = client.post("/batch-generate-offers", json=body).json()
    results = reply.pop("results")
    assert reply == {"total_batches": 3, "total_predictions": 4, "successful": 2, "failed": 2}
    assert [item["recommendation"] for item in results] == [
        "offer_generated",
        "user_not_found",
        "offer_generated",
        "error",
    ]
    assert all(set(item) == ITEM | OURS for item in results)


def test_500_predictions_are_taken_and_501_are_refused_in_words(client: httpx2.Client) -> None:
    message = "501 predictions in one call; at most 500 are allowed: use more calls, or a campaign"
    half = call(*[17] * 250)
    assert len(client.post("/generate-offer", json=call(*[17] * 500)).json()) == 500
    assert client.post("/batch-generate-offers", json=[half, half]).json()["total_predictions"] == 500
    for route, body in (("/generate-offer", call(*[17] * 501)), ("/batch-generate-offers", [half, half, call(1)])):
        reply = client.post(route, json=body)
        assert (reply.status_code, reply.json()) == (400, {"detail": message})


@pytest.mark.parametrize("route", ["/offer/batch", "/generate-offer", "/batch-generate-offers"])
async def test_one_member_many_times_in_one_call_never_exceeds_the_cap(
    client: httpx2.Client, add_member: AddMember, ledger: Database, route: str
) -> None:
    user_id = await add_member(offers_sent_this_month=1)
    items = [prediction(user_id, domain=domain) for domain in DOMAINS]
    body: Any = {"inputs": items} if route == "/offer/batch" else call(*items)
    reply = client.post(route, json=[body] if route.startswith("/batch") else body).json()
    outcomes = reply if isinstance(reply, list) else reply.get("output") or reply["results"]
    got = sorted(outcome["recommendation"] for outcome in outcomes)
    assert got == ["offer_generated"] * 2 + ["suppressed_monthly_cap"] * 4
    assert await offers_of(ledger, user_id) == 2


async def test_one_member_in_concurrent_calls_never_exceeds_the_cap(
    server: Serving, add_member: AddMember, ledger: Database
) -> None:
    user_id = await add_member(offers_sent_this_month=2)
    items = [prediction(user_id, domain=domain) for domain in DOMAINS]
    async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_S, trust_env=False) as client:
        replies = await asyncio.gather(
            *(client.post("/offer/invoke", json={"input": item}) for item in items[:3]),
            *(client.post("/generate-offer", json=call(item)) for item in items[3:]),
        )
    outcomes = [reply.json()["output"] for reply in replies[:3]] + [reply.json()[0] for reply in replies[3:]]
    assert sorted(outcome["recommendation"] for outcome in outcomes) == [
        "offer_generated",
        *["suppressed_monthly_cap"] * 5,
    ]
    assert await offers_of(ledger, user_id) == 1


async def test_one_prediction_in_concurrent_calls_is_one_run_and_one_offer(
    server: Serving, add_member: AddMember, ledger: Database
) -> None:
    item = prediction(await add_member())
    async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_S, trust_env=False) as client:
        replies = await asyncio.gather(
            *(client.post("/offer/invoke", json={"input": item}) for _ in range(3)),
            *(client.post("/generate-offer", json=call(item)) for _ in range(3)),
        )
    outcomes = [reply.json()["output"] for reply in replies[:3]] + [reply.json()[0] for reply in replies[3:]]
    assert len({outcome["run_id"] for outcome in outcomes}) == 1
    assert sorted(outcome["replayed"] for outcome in outcomes) == [False] + [True] * 5
    assert len({outcome["email_html"] for outcome in outcomes}) == 1
    assert await offers_of(ledger, item["user_id"]) == 1


def test_the_policies_in_force_are_listed(client: httpx2.Client, server: Serving) -> None:
    reply = client.get("/policies").json()
    assert reply["total_policies"] == len(reply["policies"])
    listed = {policy["id"]: policy for policy in reply["policies"]}
    assert len(listed) == len(reply["policies"])
    policies = server.pipeline.deps.rulebook.policies.policies
    assert set(listed) >= {policy.id for policy in policies}
    for policy in policies:
        shown = listed[policy.id]
        assert (shown["type"], shown["preview"], shown["version"]) == (
            policy.front.type,
            policy.prose[:100],
            policy.front.version,
        )
    assert (listed["dining_offer_policy"]["domain"], listed["frequency_policy"]["domain"]) == ("Dining", "all")


@pytest.mark.parametrize("how", ["query", "body", "both"])
async def test_a_submission_is_listed_and_changes_no_prompt(
    client: httpx2.Client, add_member: AddMember, model: ScriptedModel, how: str
) -> None:
    policy_id, text = f"holiday_{how}_policy", f"Zebra crossings close at noon ({how}). " + "x" * 100
    fields = {"policy_id": policy_id, "content": text, "policy_type": "offer", "domain": "Dining"}
    parameters = {"query": fields, "body": {}, "both": {"policy_id": "never_this", "policy_type": "offer"}}[how]
    body = {"query": None, "body": fields, "both": fields}[how]
    sha = client.get("/health").json()["config"]["policy_set"]
    reply = client.post("/add-policy", params=parameters, json=body)
    assert reply.status_code == 200
    answer = reply.json()
    assert (answer.pop("success"), "second person" in answer.pop("message")) == (True, True)
    assert len(answer.pop("sha")) == 64
    ours = {"status": "draft", "version": "1.0.0", "note": "no machine clause: judge"}
    assert answer == {"policy_id": policy_id, "type": "offer", "domain": "Dining"} | ours
    (shown,) = [policy for policy in client.get("/policies").json()["policies"] if policy["id"] == policy_id]
    assert shown == {
        "id": policy_id,
        "type": "offer",
        "domain": "Dining",
        "preview": text[:100],
        **ours,
    }
    tenure, card = {"query": (1, "Basic"), "body": (12, "Basic"), "both": (4, "Basic")}[how]
    user_id = await add_member(tenure_years=tenure, card_type=card, annual_fee=0, preferred_domain_2="Dining")
    outcome = client.post("/generate-offer", json=call(prediction(user_id, domain="Dining"))).json()[0]
    assert outcome["recommendation"] == "offer_generated"
    assert model.count > 0
    assert "Zebra" not in "".join(asked.text for asked in model.calls)
    assert policy_id not in {policy["id"] for policy in outcome["applied_policies"]}
    assert client.get("/health").json()["config"]["policy_set"] == sha


def test_a_submission_without_domain_is_for_all_and_a_second_one_replaces_it(client: httpx2.Client) -> None:
    for text in ("the first text", "the second text"):
        fields = {"policy_id": "replaced_policy", "content": text, "policy_type": "compliance"}
        assert client.post("/add-policy", params=fields).json()["domain"] == "all"
    shown = [policy for policy in client.get("/policies").json()["policies"] if policy["id"] == "replaced_policy"]
    assert [policy["preview"] for policy in shown] == ["the second text"]


def test_a_submission_that_names_a_policy_in_force_is_a_conflict(client: httpx2.Client) -> None:
    fields = {"policy_id": "travel_offer_policy", "content": "no limits any more", "policy_type": "offer"}
    reply = client.post("/add-policy", json=fields)
    assert reply.status_code == 409
    assert "'travel_offer_policy'" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"policy_id": None}, "policy_id"),
        ({"policy_id": "has space"}, "policy_id is 'has space'"),
        ({"policy_id": "../etc"}, "policy_id is '../etc'"),
        ({"content": ""}, "content is ''"),
        ({"content": "x" * 100_001}, "content is 'xxx"),
        ({"content": "nul \0"}, "content is 'nul \\x00'"),
        ({"content": "\ud800"}, "content is '\\ud800'"),
        ({"policy_type": "Offer!"}, "policy_type is 'Offer!'"),
        ({"domain": "Gambling"}, "domain is 'Gambling'"),
        ({"clauses": []}, "clauses is []"),
    ],
)
def test_a_bad_submission_is_refused_naming_the_field(
    client: httpx2.Client, changes: dict[str, Any], named: str
) -> None:
    fields = {"policy_id": "fine_policy", "content": "fine", "policy_type": "offer", "domain": "all"} | changes
    sent = {name: value for name, value in fields.items() if value is not None}
    reply = client.post("/add-policy", content=json.dumps(sent), headers={"Content-Type": "application/json"})
    assert reply.status_code == 422
    assert named in reply.json()["detail"]
    assert len(reply.json()["detail"]) < 400


def test_the_description_has_a_true_example_for_every_route(client: httpx2.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert schema == client.get("/openapi.json").json()
    documented = {(path, method) for path, item in schema["paths"].items() for method in item}
    assert documented - set(EXAMPLES) == {
        ("/offer/input_schema", "get"),
        ("/offer/output_schema", "get"),
        ("/offer/config_schema", "get"),
    }
    for (path, method), example in EXAMPLES.items():
        operation = schema["paths"][path][method]
        if example.request is not None:
            assert operation["requestBody"]["content"]["application/json"]["example"] == example.request
        kind = "text/event-stream" if isinstance(example.reply, str) else "application/json"
        assert operation["responses"]["200"]["content"][kind]["example"] == example.reply
    assert client.get("/docs").status_code == 200


async def test_the_examples_are_what_the_routes_take_and_give(client: httpx2.Client, add_member: AddMember) -> None:
    for path in ("/offer/invoke", "/offer/batch", "/offer/stream", "/offer/stream_log"):
        request = EXAMPLES[path, "post"].request
        for item in request.get("inputs") or [request["input"]]:
            OfferInput.model_validate(item)
    for item in EXAMPLES["/generate-offer", "post"].reply:
        assert set(item) == set(OfferOutput.model_fields)
        OfferOutput.model_validate(item)
    GenerateRequest.model_validate(EXAMPLES["/generate-offer", "post"].request)
    BatchReply.model_validate(EXAMPLES["/batch-generate-offers", "post"].reply)
    issued, held_back = await add_member(preferred_domain_1="Dining"), await add_member(opt_in_marketing=False)
    paths = (
        "/generate-offer",
        "/batch-generate-offers",
        "/add-policy",
        "/compliance/check",
        "/offer/invoke",
        "/offer/batch",
    )
    for path in paths:
        example = EXAMPLES[path, "post"]
        body = json.dumps(example.request).replace("USER_000005", issued).replace("USER_000003", held_back)
        reply = client.post(path, json=json.loads(body))
        assert reply.status_code == 200, path
        assert shape(reply.json()) == shape(example.reply), path
    versions = client.get("/policies/dining_offer_policy/versions").json()["versions"]
    for path in (
        "/",
        "/health",
        "/policies",
        "/policies/{policy_id}",
        "/policies/{policy_id}/versions",
        "/policies/{policy_id}/versions/{sha}",
    ):
        asked = path.format(policy_id="dining_offer_policy", sha=versions[0]["sha"])
        assert shape(client.get(asked).json()) == shape(EXAMPLES[path, "get"].reply), path


def shape(value: Any) -> Any:
    """Return the names and kinds in a reply; a list has the shape of its first item."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value[:1]] if isinstance(value, list) else type(value).__name__
