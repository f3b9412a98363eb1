"""`langgraph dev` with Studio's own client: interrupts, edited states, reviews; and nothing issued, nobody named."""

import asyncio
import io
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from langgraph_sdk.errors import BadRequestError
from psycopg import sql
from rich.console import Console

from graph.context import Context
from graph.deps import open_deps
from graph.schemas import OfferInput
from graph.settings import load_settings
from tests.conftest import ATTESTED
from tests.e2e.studio import GRAPH, ROOT, Studio, serving
from tests.e2e.studio_walk import Walk
from tests.graph.test_build import HANDLERS, NODES, ROUTED, STATIC
from tests.graph.test_revisions import BODY, compose
from tests.members import add_members
from tests.scripted_model import Hang, ScriptedModel

pytestmark = pytest.mark.e2e

INPUT: Any = {"user_id": "USER_STUDIO_1", "domain": "Travel", "confidence_score": 0.9}
PLANTED = {"name": "Zebulon Quixworth", "location": "Xanadu, ZZ", "credit_limit": 98765.43, "email": "zeb@quix.example",
           "segment": "Segmentium", "monetary_30d": 4321.99}  # fmt: skip
TRACES = ("Zebulon", "Quixworth", "Xanadu", "98765.43", "quix.example", "Segmentium", "4321.99")
UP_TO_DRAFT = ["fetch", "screen", "analyze_rules", "analyze_llm", "retrieve_policies", "draft"]
FROM_CHECK = ["check_compliance", "render", "record"]
REVIEWED = {"require_review": True}
STATE_BYTES = 200_000
"""What a whole run's state may take as JSON; most of it are the reports of two drafts, clause by clause."""
NEXT = {
    "fetch": ["screen"],
    "screen": ["analyze_rules"],
    "analyze_rules": ["analyze_llm", "retrieve_policies"],
    "analyze_llm": ["draft"],
    "retrieve_policies": ["draft"],
    "draft": ["check_compliance"],
    "check_compliance": ["render"],
    "fall_back": ["check_compliance"],
    "review": ["check_compliance"],
    "render": ["record"],
    "record": [],
}
"""What is next when a run stops after a node."""


@pytest.fixture(scope="module")
async def studio(postgres_url: str, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    """A server on a database with one member whose values are easy to find, and a model that writes conforming copy."""
    name = f"t_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    folder = tmp_path_factory.mktemp("studio")
    with ScriptedModel() as script:
        script.reply("draft_compose", compose)
        given = {
            "DATABASE_URL": postgres_url.replace("/postgres?", f"/{name}?"),
            "LLM_BASE_URL": script.base_url,
            "OPENROUTER_MODEL": "scripted",
            "OPENROUTER_API_KEY": "test-key",
            "COPY_MODE": "compose",
            "DATA_DIR": str(data_dir),
            "OUTPUT_DIR": str(folder / "output"),
            "ATTESTATIONS": ATTESTED,
        }
        quiet = {"LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGGRAPH_NO_VERSION_CHECK": "true"}
        settings = load_settings(_env_file=None, **{key.lower(): value for key, value in given.items()})
        deps = await open_deps(settings)
        await add_members(deps.database, INPUT["user_id"], **PLANTED)
        await deps.aclose()
        async with serving(settings, script, folder=folder, environment=given | quiet) as running:
            yield running
        assert "Application shutdown failed" not in running.log()
        kept = [path for path in folder.rglob("*") if path.is_file()]
        assert any(".langgraph_api" in path.parts for path in kept)  # the server keeps its threads there
        for path in kept:
            assert [value for value in TRACES if value.encode() in path.read_bytes()] == [], path
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def stopped(studio: Studio, *, before: str) -> str:
    """Return a thread that waits before a node."""
    thread = await studio.thread()
    await studio.run(thread, INPUT, interrupt_before=[before])
    assert (await studio.state(thread))["next"] == [before]
    return thread


async def asked(studio: Studio) -> tuple[str, dict[str, Any]]:
    """Return a thread that waits for a person, and what it asks."""
    thread = await studio.thread()
    await studio.run(thread, INPUT, context=REVIEWED)
    state = await studio.state(thread)
    assert state["next"] == ["review"]
    (interrupt,) = state["tasks"][0]["interrupts"]
    return thread, interrupt["value"]


def non_conforming(draft: dict[str, Any]) -> dict[str, Any]:
    """Return the draft with a promise no policy allows."""
    return draft | {"text": draft["text"] | {"body": "Guaranteed approval! " + BODY}}


def named(content: Any) -> list[str]:
    """Return which of the member's values a reply shows."""
    text = json.dumps(content)
    return [value for value in TRACES if value in text]


async def test_the_graph_is_listed_and_its_form_teaches(studio: Studio) -> None:
    (assistant,) = await studio.client.assistants.search()
    assert assistant["graph_id"] == assistant["name"] == GRAPH
    assert "Previews only" in assistant["description"]
    schemas: Any = await studio.client.assistants.get_schemas(assistant["assistant_id"])
    assert schemas["input_schema"] == OfferInput.model_json_schema()
    fields = schemas["context_schema"]["properties"]
    assert set(fields) == set(Context.model_fields)
    assert all(field["description"] for field in fields.values())
    assert fields["mode"]["const"] == fields["mode"]["default"] == "preview"
    shown = schemas["state_schema"]["properties"]
    assert all(channel["description"] for channel in shown.values())
    assert all("title" in channel or "$ref" in channel for channel in shown.values())  # a reference has its own
    assert {"draft", "report", "output"} <= set(shown)
    assert "credit_limit" not in json.dumps(schemas)


async def test_the_drawing_has_every_node_and_edge(studio: Studio) -> None:
    drawn = await studio.client.assistants.get_graph(GRAPH)
    assert {node["id"] for node in drawn["nodes"]} == NODES | HANDLERS | {"__start__", "__end__"}
    plain = {(edge["source"], edge["target"]) for edge in drawn["edges"] if not edge.get("conditional")}
    routed = {(edge["source"], edge["target"]) for edge in drawn["edges"] if edge.get("conditional")}
    assert (plain, routed) == (STATIC, ROUTED)


async def test_updates_name_the_nodes_in_order_and_the_run_is_a_preview(studio: Studio) -> None:
    thread = await studio.thread()
    assert ordered(await studio.run(thread, INPUT)) == [*UP_TO_DRAFT, *FROM_CHECK]
    output = await studio.output(thread)
    assert (output["recommendation"], output["mode"]) == ("offer_generated", "preview")
    assert "Hi Cardmember" in output["email_html"]


async def test_an_edited_draft_that_breaks_a_clause_is_sent_back(studio: Studio) -> None:
    thread = await stopped(studio, before="check_compliance")
    values = (await studio.state(thread))["values"]
    assert (values["attempts"], values["history"]) == (1, [])
    await studio.client.threads.update_state(thread, {"draft": non_conforming(values["draft"])})
    assert (await studio.state(thread))["next"] == ["check_compliance"]
    assert await studio.run(thread) == ["check_compliance", "draft", *FROM_CHECK]
    state = (await studio.state(thread))["values"]
    assert [attempt["report"]["verdict"] for attempt in state["history"]] == ["violate", "pass"]
    assert any("Guaranteed" in violation["quote"] for violation in state["history"][0]["report"]["violations"])
    assert state["attempts"] == 2
    assert (state["output"]["recommendation"], state["output"]["copy_source"]) == ("offer_generated", "model")


async def test_an_edit_that_fits_no_field_is_refused_and_changes_nothing(studio: Studio) -> None:
    thread = await stopped(studio, before="check_compliance")
    before = (await studio.state(thread))["values"]
    edits: list[tuple[dict[str, Any], str]] = [
        ({"draft": {"subject": "Hi"}}, "draft.option_id Field required"),
        ({"draft": before["draft"] | {"source": "officer"}}, "draft.source is 'officer': Input should be 'model'"),
        ({"view": before["view"] | {"persona": "x"}}, "view.persona is 'x': Extra inputs are not permitted"),
        ({"attempts": "none"}, "attempts is 'none': Input should be a valid integer"),
        ({"history": [{"draft": None}]}, "history.0.report Field required"),
        ({"calls": "none"}, "calls is 'none': Input should be a valid list"),
    ]
    for edit, said in edits:
        with pytest.raises(BadRequestError) as refused:
            await studio.client.threads.update_state(thread, edit)
        assert said in str(refused.value)
    assert (await studio.state(thread))["values"] == before


async def test_a_draft_changed_after_its_check_is_never_rendered(studio: Studio) -> None:
    threads = await asyncio.gather(stopped(studio, before="render"), stopped(studio, before="record"))
    for thread in threads:
        draft = (await studio.state(thread))["values"]["draft"]
        await studio.client.threads.update_state(thread, {"draft": non_conforming(draft)})
        await studio.run(thread)
        output = await studio.output(thread)
        assert (output["recommendation"], output["error_code"]) == ("generation_failed", "template_fault")
        assert output["error"].startswith("the offer was changed after it was checked")
        assert (output["offer"], output["email_html"]) == (None, None)


async def test_a_fork_from_an_earlier_checkpoint_runs_again_from_there(studio: Studio) -> None:
    thread = await studio.thread()
    await studio.run(thread, INPUT)
    history: Any = await studio.client.threads.get_history(thread, limit=50)
    (fork,) = [state for state in history if state["next"] == ["draft"]]
    assert await studio.run(thread, checkpoint_id=fork["checkpoint_id"]) == ["draft", *FROM_CHECK]
    assert (await studio.output(thread))["recommendation"] == "offer_generated"


async def test_no_state_no_event_and_no_thread_shows_the_member(studio: Studio) -> None:
    thread = await stopped(studio, before="render")
    assert "member" not in (await studio.state(thread))["values"]
    modes: Any = ["values", "updates", "debug", "tasks", "checkpoints", "messages", "events"]
    parts = [part.data async for part in studio.client.runs.stream(thread, GRAPH, input=None, stream_mode=modes)]
    again = await studio.thread()
    parts += [part.data async for part in studio.client.runs.stream(again, GRAPH, input=INPUT, stream_mode=modes)]
    seen = [(index, named(part)) for index, part in enumerate(parts) if named(part)]
    assert (len(parts) > 40, seen) == (True, [])
    for one in (thread, again):
        assert (await studio.output(one))["recommendation"] == "offer_generated"  # it was fetched again for that
        assert named(await studio.state(one)) == []
        assert named(await studio.client.threads.get_history(one, limit=100)) == []
        assert named(await studio.client.threads.get(one)) == []
    sent = [str(call.body) for call in studio.script.calls]
    assert sent and named(sent) == []


async def test_a_person_is_asked_and_approval_renders(studio: Studio) -> None:
    thread, question = await asked(studio)
    assert question["question"] == "Send this offer?"
    assert question["terms"]["merchants"] and question["copy"]["headline"]
    assert question["answer_with"]["properties"]["decision"]["enum"] == ["approve", "reject"]
    resumed = await studio.run(thread, command={"resume": {"decision": "approve"}}, context=REVIEWED)
    assert resumed == ["review", *FROM_CHECK]
    assert (await studio.output(thread))["recommendation"] == "offer_generated"


async def test_a_rejected_offer_ends(studio: Studio) -> None:
    thread, _ = await asked(studio)
    assert await studio.run(thread, command={"resume": {"decision": "reject"}}, context=REVIEWED) == [
        "review",
        "record",
    ]
    output = await studio.output(thread)
    assert (output["recommendation"], output["error_code"]) == ("generation_failed", "compliance")
    assert output["error"] == "a person rejected the offer"


async def test_approved_copy_with_edits_is_checked_again(studio: Studio) -> None:
    (bad, _), (good, _) = await asyncio.gather(asked(studio), asked(studio))
    draft = (await studio.state(bad))["values"]["draft"]
    answers = {bad: non_conforming(draft)["text"], good: draft["text"] | {"headline": "Get {offer_value} on trips"}}
    nodes = await asyncio.gather(
        *(
            studio.run(thread, command={"resume": {"decision": "approve", "text": text}}, context=REVIEWED)
            for thread, text in answers.items()
        )
    )
    assert nodes == [["review", "check_compliance", "record"], ["review", *FROM_CHECK]]
    refused, accepted = await studio.output(bad), await studio.output(good)
    assert (refused["recommendation"], refused["error_code"]) == ("generation_failed", "compliance")
    assert (accepted["recommendation"], accepted["copy_source"]) == ("offer_generated", "human")
    assert accepted["offer"]["offer_title"].endswith(" on trips")


async def test_an_answer_that_cannot_be_read_is_asked_for_again(studio: Studio) -> None:
    thread, _ = await asked(studio)
    assert await studio.run(thread, command={"resume": {"decision": "perhaps"}}, context=REVIEWED) == []
    (interrupt,) = (await studio.state(thread))["tasks"][0]["interrupts"]
    assert interrupt["value"]["refused"] == "answer.decision is 'perhaps': Input should be 'approve' or 'reject'"
    await studio.run(thread, command={"resume": {"decision": "approve"}}, context=REVIEWED)
    assert (await studio.output(thread))["recommendation"] == "offer_generated"


async def test_nothing_can_be_issued_and_an_invalid_prediction_is_an_outcome(studio: Studio) -> None:
    thread = await studio.thread()
    refused: Any = await studio.client.runs.wait(
        thread, GRAPH, input=INPUT, context={"mode": "issue"}, raise_error=False
    )
    assert "Input should be 'preview'" in refused["__error__"]["message"]
    assert await studio.run(thread, INPUT | {"domain": "Gambling"}) == []
    output = await studio.output(thread)
    assert (output["recommendation"], output["error_code"]) == ("error", "invalid_input")
    assert output["error"].startswith("domain is 'Gambling': Input should be 'Travel'")
    for table in ("offer_item", "offer", "decision", "decision_person", "reservation", "completion"):
        assert studio.rows(table) == 0, table
    assert not (studio.log_path.parent / "output").exists()


async def test_every_node_can_be_stopped_at_and_resumed(studio: Studio) -> None:
    stops = [(node, when) for node in sorted(NEXT) for when in ("before", "after")]
    seen = dict(zip(stops, await asyncio.gather(*(stop_and_resume(studio, *stop) for stop in stops)), strict=True))
    both = ["analyze_llm", "retrieve_policies"]
    expected = {(node, "before"): both if node in both else [node] for node in NEXT}
    expected |= {(node, "after"): following for node, following in NEXT.items()}
    assert {stop: waited for stop, (waited, _) in seen.items()} == expected
    assert {outcome for _, outcome in seen.values()} == {"offer_generated"}


async def stop_and_resume(studio: Studio, node: str, when: str) -> tuple[list[str], str]:
    """Stop once before or after a node; return what was next, and the outcome after going on."""
    thread = await studio.thread()
    stop: dict[str, Any] = {f"interrupt_{when}": [node]}
    match node:
        case "review":
            await studio.run(thread, INPUT, context=REVIEWED, **stop)
            if when == "after":
                await studio.run(thread, command={"resume": {"decision": "approve"}}, context=REVIEWED, **stop)
        case "fall_back":
            await studio.run(thread, INPUT, interrupt_before=["check_compliance"])
            draft = (await studio.state(thread))["values"]["draft"]
            spent = {"draft": non_conforming(draft), "attempts": 3}
            await studio.client.threads.update_state(thread, spent)
            await studio.run(thread, **stop)
        case _:
            await studio.run(thread, INPUT, **stop)
    waited = (await studio.state(thread))["next"]
    await studio.run(thread)
    if (node, when) == ("review", "before"):
        await studio.run(thread, command={"resume": {"decision": "approve"}})
    return waited, (await studio.output(thread))["recommendation"]


async def test_the_log_tells_of_no_blocking_call_and_no_class_that_is_let_in(studio: Studio) -> None:
    thread = await studio.thread()
    await studio.run(thread, INPUT)
    await studio.client.threads.get_history(thread, limit=100)
    log = studio.log()
    for trouble in ("BlockingError", "Blocking call", "Deserializing unregistered", "never retrieved", "Failed to get",
                    "Background worker failed"):  # fmt: skip
        assert trouble not in log, trouble


def ordered(nodes: list[str]) -> list[str]:
    """Put the two nodes that run beside each other in the order of `UP_TO_DRAFT`."""
    return [*nodes[:3], *sorted(nodes[3:5]), *nodes[5:]]


async def test_the_walk_of_the_page_goes_through(studio: Studio) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    await Walk(studio.client, console, INPUT["user_id"], INPUT["domain"]).all()
    lines = [" ".join(line.split()) for line in console.export_text().splitlines() if line.strip()]
    told = {line.split(" ")[0]: line for line in lines}
    page = (ROOT / "docs/studio.md").read_text(encoding="utf-8")
    for title in (
        "A first run",
        "Stop before a node",
        "Fork from",
        "Run one node again",
        "Be the reviewer",
        "Keep a context",
    ):
        assert any(line.startswith(title) for line in lines) and f"## {title}" in page, title
    assert "fetch loading the cardmember" in lines and "draft asking the model for a draft" in lines
    assert "recommendation offer_generated, error_code None" in lines
    checked = [line for line in lines if line.startswith("checked ")]
    assert checked[0].startswith("checked violate UDAAP-") and checked[1] == "checked pass"
    assert "ran draft, check_compliance, render, record" in lines and "ran draft" in lines
    assert told["kept"].startswith("kept ") and "0 new" not in told["kept"]
    assert told["outcome"] == "outcome generation_failed: a person rejected the offer"
    assert told["revisions"] == "revisions at most 0"


async def test_custom_events_come_over_the_client_and_name_nobody(studio: Studio) -> None:
    thread = await studio.thread()
    events = [
        part.data
        async for part in studio.client.runs.stream(thread, GRAPH, input=INPUT, stream_mode="custom")
        if part.event == "custom"
    ]
    assert [event["node"] for event in events if event["event"] == "doing"][:3] == ["fetch", "screen", "analyze_rules"]
    assert events[-1] == {
        "event": "decided", "node": "record", "recommendation": "offer_generated", "error_code": None,
    }  # fmt: skip
    assert named(events) == [] and INPUT["user_id"] not in json.dumps(events)


async def test_both_branches_of_a_fork_stay_in_the_history(studio: Studio) -> None:
    thread = await studio.thread()
    await studio.run(thread, INPUT)
    before: Any = await studio.client.threads.get_history(thread, limit=100)
    (fork,) = [state for state in before if state["next"] == ["check_compliance"]]
    edited = {"draft": non_conforming(fork["values"]["draft"])}
    await studio.client.threads.update_state(thread, edited, checkpoint_id=fork["checkpoint_id"])
    await studio.run(thread)
    after: Any = await studio.client.threads.get_history(thread, limit=100)
    ids = {state["checkpoint_id"] for state in after}
    assert ids > {state["checkpoint_id"] for state in before}
    ends = [state["values"]["history"] for state in after if state["next"] == []]
    assert [[attempt["report"]["verdict"] for attempt in end] for end in ends] == [["violate", "pass"], ["pass"]]


async def test_two_threads_at_once_keep_apart(studio: Studio) -> None:
    threads = await asyncio.gather(stopped(studio, before="check_compliance"), stopped(studio, before="draft"))
    edited, plain = threads
    draft = (await studio.state(edited))["values"]["draft"]
    await studio.client.threads.update_state(edited, {"draft": non_conforming(draft)})
    nodes = await asyncio.gather(studio.run(edited), studio.run(plain))
    assert nodes == [["check_compliance", "draft", *FROM_CHECK], ["draft", *FROM_CHECK]]
    states = [(await studio.state(thread))["values"] for thread in threads]
    verdicts = [[attempt["report"]["verdict"] for attempt in state["history"]] for state in states]
    assert verdicts == [["violate", "pass"], ["pass"]]
    assert len({state["run"]["run_id"] for state in states}) == 2


async def test_a_run_can_be_cancelled_and_joined_and_the_thread_goes_on(studio: Studio) -> None:
    thread = await studio.thread()
    studio.script.reply(lambda call: "category: Dining" in call.text, Hang())
    run = await studio.client.runs.create(thread, GRAPH, input=INPUT | {"domain": "Dining"})
    async with asyncio.timeout(30):
        while not any("category: Dining" in call.text for call in studio.script.calls):
            await asyncio.sleep(0.02)
    await studio.client.runs.cancel(thread, run["run_id"], wait=True)
    assert (await studio.client.runs.get(thread, run["run_id"]))["status"] == "interrupted"
    again = await studio.client.runs.create(thread, GRAPH, input=INPUT)
    joined: Any = await studio.client.runs.join(thread, again["run_id"])
    assert joined["output"]["recommendation"] == "offer_generated"


async def test_an_assistant_keeps_a_context_and_a_variant_that_is_not_there_is_named(studio: Studio) -> None:
    made = await studio.client.assistants.create(GRAPH, context={"prompt_variants": {"draft": "zz"}}, name="zz")
    thread = await studio.thread()
    values: Any = await studio.client.runs.wait(thread, made["assistant_id"], input=INPUT)
    assert values["output"]["error_code"] == "invalid_input"
    assert values["output"]["error"].startswith(
        "prompt_variants: there is no prompts/draft@zz.md; allowed: analyze, draft"
    )
    await studio.client.assistants.delete(made["assistant_id"])


async def test_a_checkpoint_is_small(studio: Studio) -> None:
    thread = await studio.thread()
    await studio.run(thread, INPUT)
    history: Any = await studio.client.threads.get_history(thread, limit=100)
    sizes = [len(json.dumps(state["values"]).encode()) for state in history]
    assert max(sizes) < STATE_BYTES, max(sizes)
    before_check = [len(json.dumps(s["values"]).encode()) for s in history if s["next"] == ["check_compliance"]]
    assert before_check and max(before_check) < 40_000, before_check
