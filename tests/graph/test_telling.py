"""What a run says while it runs: every node, nothing of a member but what prompts see, and nothing that changes it."""

import inspect
import json
from typing import Any, get_args

from pydantic import TypeAdapter

from graph.build import Graph, build_graph
from graph.context import Context
from graph.deps import Deps
from graph.events import DOING, AnyEvent, NodeName
from graph.run import decide
from graph.telling import telling
from tests.graph.test_build import NODES
from tests.graph.test_revisions import BODY, compose
from tests.members import add_members
from tests.scripted_model import Call, ScriptedModel

EVENTS: TypeAdapter[Any] = TypeAdapter(AnyEvent)
INPUT = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}


async def told(graph: Graph, given: dict[str, Any] = INPUT) -> list[dict[str, Any]]:
    context = Context(mode="preview")
    return [event async for event in graph.astream(given, context=context, stream_mode="custom")]


def brief(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["event"], event["node"]) for event in events]


async def test_every_node_says_that_it_begins_and_what_came_of_it(graph: Graph) -> None:
    events = await told(graph)
    assert [EVENTS.validate_python(event).model_dump(mode="json") for event in events] == events
    beside = {("doing", "analyze_llm"), ("hypotheses", "analyze_llm"), ("doing", "retrieve_policies")}
    assert [one for one in brief(events) if one not in {*beside, ("retrieved", "retrieve_policies")}] == [
        ("doing", "fetch"),
        ("doing", "screen"),
        ("screened", "screen"),
        ("doing", "analyze_rules"),
        ("seen", "analyze_rules"),
        ("doing", "draft"),
        ("drafting", "draft"),
        ("drafted", "draft"),
        ("doing", "check_compliance"),
        ("checked", "check_compliance"),
        ("doing", "render"),
        ("rendered", "render"),
        ("doing", "record"),
        ("decided", "record"),
    ]
    found = {event["event"]: event for event in events}
    assert found["screened"]["holds"] == []
    assert found["checked"] == {
        "event": "checked", "node": "check_compliance", "attempt": 1, "verdict": "pass",
        "clauses": found["checked"]["clauses"], "broken": [], "judge": "approved_copy",
    }  # fmt: skip
    assert found["checked"]["clauses"] > 100 and found["retrieved"]["policies"] > 50
    assert found["decided"] == {
        "event": "decided", "node": "record", "recommendation": "offer_generated", "error_code": None,
    }  # fmt: skip


async def test_a_draft_sent_back_says_which_clause_and_what_is_asked_again(deps: Deps, script: ScriptedModel) -> None:
    from dataclasses import replace

    def answer(call: Call) -> dict[str, Any]:
        good: dict[str, Any] = compose(call)
        return good if "sent back" in call.text else good | {"body": "Guaranteed approval! " + BODY}

    script.reply("draft_compose", answer)
    events = await told(build_graph(replace(deps, copy_mode="compose")))
    drafting = [event for event in events if event["event"] == "drafting"]
    assert [(event["attempt"], event["asked"]) for event in drafting][1] == (2, ["body"])
    first = next(event for event in events if event["event"] == "checked")
    assert (first["attempt"], first["verdict"]) == (1, "violate")
    assert any(clause.startswith("UDAAP-") for clause in first["broken"])


async def test_a_member_held_back_is_told_by_reasons_alone(deps: Deps, graph: Graph) -> None:
    await add_members(
        deps.database, "USER_OUT", opt_in_marketing=False, name="Zebulon Quixworth", credit_limit=98765.43
    )
    events = await told(graph, INPUT | {"user_id": "USER_OUT"})
    assert [event["holds"] for event in events if event["event"] == "screened"] == [["marketing_opt_out"]]
    assert events[-1]["recommendation"] == "suppressed_marketing_opt_out"
    text = json.dumps(events)
    assert not any(value in text for value in ("Zebulon", "Quixworth", "98765", "USER_OUT", "has not opted in"))


async def test_events_have_no_field_for_a_member_beyond_what_prompts_see(graph: Graph) -> None:
    schema = json.dumps(EVENTS.json_schema())
    for name in ("user_id", "first_name", "email", "credit_limit", "location", "age", "gender", "confidence_score"):
        assert f'"{name}"' not in schema
    assert "USER_GOLD" not in json.dumps(await told(graph))


async def test_listening_changes_no_outcome_and_no_record(graph: Graph, deps: Deps) -> None:
    context = Context(mode="issue")
    outcome = await decide(INPUT, graph, context, deadline_s=60)
    found = await deps.records.read(outcome.run_id)
    assert found is not None and outcome.success
    assert "asking the model for a draft" not in json.dumps(found[0]) and "doing" not in found[0]


def test_every_node_has_its_words_and_langgraph_sees_a_state_and_a_runtime() -> None:
    assert set(DOING) == set(get_args(NodeName)) == NODES

    async def fetch(state: Any, *, deps: Any) -> dict[str, Any]:
        return {"found": deps}

    assert list(inspect.signature(telling(fetch, deps=1)).parameters) == ["state", "runtime"]
