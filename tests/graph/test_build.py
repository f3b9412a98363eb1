"""The graph's shape, as values."""

from pathlib import Path
from typing import Any, get_type_hints

import pytest

from graph.build import Graph, build_graph
from graph.context import Context, PreviewContext
from graph.deps import Deps
from graph.meanings import MEANINGS
from graph.state import AnalyzeInput, DraftInput, OfferState, RetrieveInput
from tools.cardmembers import Cardmember
from tools.views import MemberView

NODES = {
    "fetch",
    "screen",
    "analyze_rules",
    "analyze_llm",
    "retrieve_policies",
    "draft",
    "check_compliance",
    "fall_back",
    "review",
    "render",
    "record",
}
STATIC = {
    ("__start__", "fetch"),
    ("analyze_rules", "analyze_llm"),
    ("analyze_rules", "retrieve_policies"),
    ("analyze_llm", "draft"),
    ("retrieve_policies", "draft"),
    ("draft", "check_compliance"),
    ("fall_back", "check_compliance"),
    ("render", "record"),
    ("record", "__end__"),
}
ROUTED = {
    ("fetch", "screen"),
    ("fetch", "record"),
    ("screen", "analyze_rules"),
    ("screen", "record"),
    ("check_compliance", "draft"),
    ("check_compliance", "fall_back"),
    ("check_compliance", "record"),
    ("check_compliance", "render"),
    ("check_compliance", "review"),
    ("review", "check_compliance"),
    ("review", "record"),
}
HANDLERS = {
    "__default_error_handler__",
    "__error_handler__analyze_llm",
    "__error_handler__draft",
    "__error_handler__record",
    "__error_handler__retrieve_policies",
}
"""LangGraph draws error handlers as nodes without edges; where each leads is said by its Command."""
SEEN = {
    "analyze_llm": {"view", "use_llm", "variants", "prompts", "deadline_at"},
    "retrieve_policies": {"view"},
    "draft": {
        "view",
        "menu",
        "candidates",
        "week",
        "hypotheses",
        "policies",
        "feedback",
        "criticised",
        "draft",
        "attempts",
        "variants",
        "prompts",
        "deadline_at",
    },
}


def test_the_drawing_has_every_node_and_edge_and_no_other(deps: Deps) -> None:
    drawn = build_graph(deps).get_graph()
    assert set(drawn.nodes) == NODES | HANDLERS | {"__start__", "__end__"}
    assert {(edge.source, edge.target) for edge in drawn.edges if not edge.conditional} == STATIC
    assert {(edge.source, edge.target) for edge in drawn.edges if edge.conditional} == ROUTED


def test_every_node_but_a_handler_has_a_handler(deps: Deps) -> None:
    graph = build_graph(deps)
    handled = {name: node.error_handler_node for name, node in graph.nodes.items() if name in NODES}
    own = {"analyze_llm", "retrieve_policies", "draft", "record"}
    assert handled == {
        name: f"__error_handler__{name}" if name in own else "__default_error_handler__" for name in NODES
    }


def test_nodes_that_ask_a_model_or_an_index_can_see_no_member_and_no_run(deps: Deps) -> None:
    """Promise 3 by construction: what a node can't see, its prompt can't hold."""
    graph = build_graph(deps)
    for name, seen in SEEN.items():
        assert set(graph.nodes[name].channels) == seen, name
    hidden = {"member", "run", "prediction", "user_id", "screening", "message", "history", "report", "recorded"}
    assert hidden.isdisjoint(set().union(*SEEN.values()))


@pytest.mark.parametrize("schema", [AnalyzeInput, RetrieveInput, DraftInput])
def test_an_input_schema_says_of_a_field_what_the_state_says(schema: Any) -> None:
    of_state = get_type_hints(OfferState, include_extras=True)
    for name, kind in get_type_hints(schema, include_extras=True).items():
        assert kind == of_state[name], name


def test_the_only_word_of_the_member_is_the_view(deps: Deps) -> None:
    assert {"name", "location", "credit_limit", "user_id"}.isdisjoint(MemberView.model_fields)
    assert {"name", "location", "credit_limit", "user_id"} <= set(Cardmember.__dataclass_fields__)


def test_every_field_of_a_context_is_described_and_its_default_issues_nothing(deps: Deps) -> None:
    for context in (Context, PreviewContext):
        assert all(field.description for field in context.model_fields.values())
        assert context().mode == "preview"
        assert context().neutral


def test_every_channel_says_what_it_holds_and_fields_stand_at_nodes_there_are(graph: Graph) -> None:
    assert set(MEANINGS) == set(get_type_hints(OfferState)) == set(graph.stream_channels_list)
    assert all(MEANINGS.values())
    fields = PreviewContext.model_json_schema()["properties"]
    at = {name: set(field["langgraph_nodes"]) for name, field in fields.items() if "langgraph_nodes" in field}
    assert set(at) == set(fields) - {"mode", "campaign"}
    assert set().union(*at.values()) <= NODES


def test_in_studio_nothing_can_be_issued() -> None:
    with pytest.raises(ValueError, match="mode\n  Input should be 'preview'"):
        PreviewContext(mode="issue")  # type: ignore[arg-type]


def test_the_drawing_in_the_docs_is_the_graph(graph: Graph) -> None:
    drawn = graph.get_graph().draw_mermaid(with_styles=False).strip().replace("\t", "    ")
    page = (Path(__file__).parents[2] / "docs/studio.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{drawn}\n```" in page
