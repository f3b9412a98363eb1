"""The graph, wired: one expression that reads aloud."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.context import Context
from graph.deps import Deps, open_deps
from graph.errors import COMPLIANCE, DRAFT, FINISH, RECORD
from graph.nodes.analyze_llm import analyze_llm
from graph.nodes.analyze_rules import analyze_rules
from graph.nodes.check_compliance import check_compliance
from graph.nodes.draft import draft
from graph.nodes.fall_back import fall_back
from graph.nodes.fetch import fetch
from graph.nodes.record import record
from graph.nodes.render import render
from graph.nodes.retrieve_policies import retrieve_policies
from graph.nodes.review import review
from graph.nodes.screen import screen
from graph.routing import after_compliance, after_fetch, after_review, after_screen
from graph.schemas import OfferInput
from graph.settings import load_settings
from graph.state import AnalyzeInput, DraftInput, OfferResult, OfferState, RetrieveInput

Graph = CompiledStateGraph[Any, Context, Any, Any]


def build_graph(deps: Deps) -> Graph:
    """Wire the nodes to their services. `draft`, `analyze_llm` and `retrieve_policies` can't see a member."""

    def bind(node: Callable[..., Any]) -> Any:
        return partial(node, deps=deps)

    return (
        StateGraph(OfferState, Context, input_schema=OfferInput, output_schema=OfferResult)
        .set_node_defaults(error_handler=RECORD)
        .add_node("fetch", bind(fetch))
        .add_node("screen", bind(screen))
        .add_node("analyze_rules", bind(analyze_rules))
        .add_node("analyze_llm", bind(analyze_llm), input_schema=AnalyzeInput, error_handler=DRAFT)
        .add_node(
            "retrieve_policies",
            bind(retrieve_policies),
            input_schema=RetrieveInput,
            error_handler=DRAFT,
        )
        .add_node("draft", bind(draft), input_schema=DraftInput, error_handler=COMPLIANCE)
        .add_node("check_compliance", bind(check_compliance))
        .add_node("fall_back", bind(fall_back))
        .add_node("review", review)
        .add_node("render", bind(render))
        .add_node("record", bind(record), error_handler=FINISH)
        .add_edge(START, "fetch")
        .add_conditional_edges("fetch", after_fetch)
        .add_conditional_edges("screen", after_screen)
        .add_edge("analyze_rules", "analyze_llm")
        .add_edge("analyze_rules", "retrieve_policies")
        .add_edge("analyze_llm", "draft")
        .add_edge("retrieve_policies", "draft")
        .add_edge("draft", "check_compliance")
        .add_conditional_edges("check_compliance", after_compliance)
        .add_edge("fall_back", "check_compliance")
        .add_conditional_edges("review", after_review)
        .add_edge("render", "record")
        .add_edge("record", END)
        .compile(name="offergraph")
    )


_shared: dict[asyncio.AbstractEventLoop, asyncio.Task[Deps]] = {}


async def shared_deps() -> Deps:
    """Return this process's services, opened at the first call; every later caller gets the same."""
    loop = asyncio.get_running_loop()
    if loop not in _shared:
        _shared[loop] = loop.create_task(_open_shared())
    return await asyncio.shield(_shared[loop])


async def make_graph() -> Graph:
    """Return the graph for LangGraph's own server and Studio; without a context it previews and issues nothing."""
    return build_graph(await shared_deps())


async def _open_shared() -> Deps:
    return await open_deps(await asyncio.to_thread(load_settings))
