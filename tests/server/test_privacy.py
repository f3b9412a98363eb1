"""Who watches a run learns nothing of the member: planted values are searched in every byte of every reply."""

import html
import json
from typing import Any

import httpx2
import pytest

from tests.scripted_model import ScriptedModel
from tests.server.conftest import AddMember, prediction
from tests.server.test_langserve import streamed
from tools.columns import ALL_COLUMNS

PLANTED: dict[str, Any] = {
    "name": "Zanthippe O'Quillfeather-Ångström",
    "age": 97,
    "gender": "Other",
    "location": "Ypsilanti, MI",
    "email": "zq.feather+card@inbox.planted.example",
    "segment": "Mass Affluent",
    "customer_lifecycle_stage": "onboarding",
    "persona": "Tech Professional",
    "credit_limit": 98761.43,
    "total_spend_12m": 43218.97,
    "avg_transaction_amount": 332.467,
    "monetary_30d": 1987.351,
    "churn_risk_score": 0.17341,
    "email_open_rate": 0.41973,
    "spend_change_pct_90d": 0.04177,
    "spend_change_pct_30d": 0.02311,
    "engagement_change_pct_30d": 0.01993,
    "historical_acceptance_rate": 0.33719,
    "total_transactions_12m": 10477,
    "avg_session_duration_sec": 14351,
}
SEARCHED = (
    "Zanthippe", "Quillfeather", "ngstr", "Ypsilanti", "zq.feather", "planted.example", "98761", "98,761", "43218",
    "43,218", "332.46", "1987.3", "1,987", "0.1734", "0.4197", "0.0417", "0.0231", "0.0199", "0.3371", "10477",
    "10,477", "14351", "Mass Affluent", "onboarding", "Tech Professional",
)  # fmt: skip


def leaks(reply: httpx2.Response) -> list[str]:
    """Return the planted values in a reply: in its bytes, in its text, and in what JSON and HTML escapes hide."""
    text = reply.content.decode() + str(reply.headers)
    unescaped = text.encode().decode("unicode_escape", "replace")
    shown = "\n".join((text, html.unescape(text), unescaped, html.unescape(unescaped))).casefold()
    return [value for value in SEARCHED if value.casefold() in shown]


def test_the_search_finds_what_is_hidden_in_escapes() -> None:
    hidden = json.dumps({"html": "<p>O&#39;&#81;uillfeather</p>", "name": "Ångström"})
    assert leaks(httpx2.Response(200, text=hidden)) == ["Quillfeather", "ngstr"]


def test_the_plants_are_columns() -> None:
    assert set(PLANTED) <= {column.name for column in ALL_COLUMNS}


@pytest.mark.parametrize(
    ("changes", "sent", "outcome"),
    [
        ({}, {}, "offer_generated"),
        ({}, {"use_llm_insights": False, "domain": "Dining"}, "offer_generated"),
        ({"opt_in_marketing": False}, {}, "suppressed_marketing_opt_out"),
        ({"offers_sent_this_month": 3}, {}, "suppressed_monthly_cap"),
        ({"total_spend_12m": 4321.987}, {}, "suppressed_spend_floor"),
        ({"card_type": None}, {}, "suppressed_data_quality"),
        ({}, {"offer_flag": 0}, "no_offer_needed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_streams_show_nothing_of_the_member_whatever_the_outcome(
    client: httpx2.Client, add_member: AddMember, changes: dict[str, Any], sent: dict[str, Any], outcome: str
) -> None:
    user_id = await add_member(**PLANTED | changes)
    body = {"input": prediction(user_id, **sent)}
    everything = {"include_types": ["chain", "llm", "chat_model", "prompt", "tool", "retriever"], "diff": False}
    log = client.post("/offer/stream_log", json=body)
    full_log = client.post("/offer/stream_log", json=body | everything)
    stream = client.post("/offer/stream", json=body)
    replayed = client.post("/offer/stream", json=body)
    for reply in (log, full_log, stream, replayed):
        assert reply.status_code == 200
        assert leaks(reply) == []
        assert "4321.98" not in reply.text
    assert streamed(stream)[-1]["output"]["recommendation"] == outcome
    assert streamed(replayed)[-1]["output"]["replayed"]
    assert f'"recommendation":"{outcome}"' in log.text and f'"recommendation":"{outcome}"' in full_log.text


async def test_streams_greet_neutrally_and_the_email_greets_by_name(
    client: httpx2.Client, add_member: AddMember
) -> None:
    body = {"input": prediction(await add_member(**PLANTED))}
    watched = streamed(client.post("/offer/stream", json=body))[-1]["output"]
    assert "Hi Cardmember" in watched["email_html"]
    invoked = client.post("/offer/invoke", json=body)
    assert invoked.json()["output"]["run_id"] == watched["run_id"]
    assert "Hi Zanthippe" in invoked.json()["output"]["email_html"]
    assert leaks(invoked) == ["Zanthippe"]
    again = client.post("/offer/stream", json=body)
    assert leaks(again) == []
    assert streamed(again)[-1]["output"]["email_html"] == watched["email_html"]


async def test_every_other_route_shows_no_more_than_the_first_name(
    client: httpx2.Client, add_member: AddMember
) -> None:
    item = prediction(await add_member(**PLANTED), domain="Electronics")
    batch = client.post("/offer/batch", json={"inputs": [item]})
    legacy = client.post("/generate-offer", json={"ml_output": {"predictions": [item]}})
    many = client.post("/batch-generate-offers", json=[{"ml_output": {"predictions": [item]}}])
    assert [leaks(reply) for reply in (batch, legacy, many)] == [["Zanthippe"]] * 3
    for path in ("/", "/health", "/policies", "/openapi.json", "/offer/input_schema", "/offer/output_schema"):
        assert leaks(client.get(path)) == [], path


async def test_the_flow_of_the_playground_shows_nothing_of_the_member(
    client: httpx2.Client, add_member: AddMember
) -> None:
    user_id = await add_member(**PLANTED)
    pages = [client.get(path) for path in ("/offer/playground/", "/offer/input_schema", "/offer/config_schema")]
    run = client.post(
        "/offer/stream_log",
        json={"input": prediction(user_id), "config": {"configurable": {"mode": "issue"}}},
    )
    assert [leaks(reply) for reply in (*pages, run)] == [[]] * 4
    assert '"mode":"preview"' in run.text and '"mode":"issue"' not in run.text


@pytest.mark.parametrize("step", ["analyze_select", "draft_select"])
async def test_a_model_that_fails_makes_a_stream_tell_no_more(
    client: httpx2.Client, add_member: AddMember, model: ScriptedModel, step: str
) -> None:
    model.reply(step, "no JSON at all")
    user_id = await add_member(**PLANTED | {"card_type": "Basic", "annual_fee": 0, "tenure_years": 1})
    domain = "Entertainment" if step == "draft_select" else "Retail"
    for route in ("/offer/stream_log", "/offer/stream"):
        reply = client.post(route, json={"input": prediction(user_id, domain=domain)})
        assert leaks(reply) == []
        assert '"recommendation":"offer_generated"' in reply.text
    assert model.count > 0
    assert not any(value in call.text for call in model.calls for value in SEARCHED)
