"""The graph of a cohort, wired: the drafting half of `graph.build`, over the same nodes, without a member."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, cast

from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from graph.cohort_state import CohortContext, CohortState
from graph.context import Context
from graph.deps import Deps
from graph.nodes.analyze_llm import analyze_llm
from graph.nodes.check_draft import check_draft
from graph.nodes.draft import draft
from graph.nodes.fall_back import fall_back
from graph.nodes.retrieve_policies import retrieve_policies
from graph.state import AnalyzeInput, DraftInput, OfferState, RetrieveInput
from tools.chat.calls import ModelCall
from tools.errors import ModelReplyInvalid

CohortGraph = CompiledStateGraph[Any, Context, Any, Any]

_Node = Callable[..., Awaitable[dict[str, Any]]]


def build_cohort_graph(deps: Deps) -> CohortGraph:
    """Wire the nodes to their services.

    No node has an error handler: an endpoint or a database that is away ends the drafting with its own exception.
    Only a reply in no form is answered for, as in single requests.
    """

    async def analysed(state: AnalyzeInput, runtime: Runtime[Context]) -> dict[str, Any]:
        if _without_model(runtime):
            return {}
        return await _forgiving("analyze_llm", analyze_llm(state, runtime, deps=deps), {})

    async def retrieved(state: RetrieveInput) -> dict[str, Any]:
        return await retrieve_policies(state, deps=deps)

    async def drafted(state: DraftInput, runtime: Runtime[Context]) -> dict[str, Any]:
        if _without_model(runtime):
            return {"draft": None}
        return await _forgiving("draft", draft(state, runtime, deps=deps), {"draft": None})

    async def checked(state: CohortState) -> dict[str, Any]:
        return await check_draft(state, deps=deps)

    async def fallen_back(state: CohortState, runtime: Runtime[Context]) -> dict[str, Any]:
        return await fall_back(cast(OfferState, state), runtime, deps=deps)  # the same channels, fewer

    context: type[Context] = CohortContext  # nodes know it as the context they have in single requests
    return (
        StateGraph(CohortState, context)
        .add_node("analyze_llm", analysed, input_schema=AnalyzeInput)
        .add_node("retrieve_policies", retrieved, input_schema=RetrieveInput)
        .add_node("draft", drafted, input_schema=DraftInput)
        .add_node("check_draft", checked)
        .add_node("fall_back", fallen_back)
        .add_edge(START, "analyze_llm")
        .add_edge(START, "retrieve_policies")
        .add_edge("analyze_llm", "draft")
        .add_edge("retrieve_policies", "draft")
        .add_edge("draft", "check_draft")
        .add_conditional_edges("check_draft", _after_check)
        .add_edge("fall_back", "check_draft")
        .compile(name="offergraph-cohort")
    )


async def _after_check(state: CohortState) -> Literal["draft", "fall_back", "__end__"]:
    """Send a failing draft back until its loop ends, and stop for good after the fallback."""
    made = state["draft"]
    if state["passed"] or (made is not None and made.source == "fallback"):
        return "__end__"
    if state.get("loop_end") is not None or not state["feedback"] or made is None:
        return "fall_back"
    return "draft" if state["attempts"] <= state["run"].max_revisions else "fall_back"


def _without_model(runtime: Runtime[Context]) -> bool:
    return isinstance(runtime.context, CohortContext) and runtime.context.without_model


async def _forgiving(name: str, update: Awaitable[dict[str, Any]], otherwise: Mapping[str, Any]) -> dict[str, Any]:
    """Return a node's update; where the model's reply had no form, what the run goes on with."""
    try:
        return await update
    except ModelReplyInvalid as error:
        calls = [error.call] if isinstance(error.call, ModelCall) else []
        return {**otherwise, "degraded": [f"{name}: {error}"], "calls": calls}
