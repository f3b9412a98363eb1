"""The graph, wired: one expression that reads aloud."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.context import Context, PreviewContext
from graph.deps import Deps
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
from graph.telling import telling
from tools.errors import OfferGraphError

if TYPE_CHECKING:
    from graph.live import Live

Graph = CompiledStateGraph[Any, Context, Any, Any]

_logger = logging.getLogger(__name__)


def build_graph(deps: Deps, *, context: type[Context] = Context) -> Graph:
    """Wire the nodes to their services. `draft`, `analyze_llm` and `retrieve_policies` can't see a member."""

    def bind(node: Callable[..., Any]) -> Any:
        return telling(node, deps=deps)

    return (
        StateGraph(OfferState, context, input_schema=OfferInput, output_schema=OfferResult)
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
        .add_node("review", telling(review))
        .add_node("render", bind(render))
        .add_node("record", bind(record), error_handler=FINISH)
        .add_edge(START, "fetch")
        .add_conditional_edges("fetch", _on_loop(after_fetch))
        .add_conditional_edges("screen", _on_loop(after_screen))
        .add_edge("analyze_rules", "analyze_llm")
        .add_edge("analyze_rules", "retrieve_policies")
        .add_edge("analyze_llm", "draft")
        .add_edge("retrieve_policies", "draft")
        .add_edge("draft", "check_compliance")
        .add_conditional_edges("check_compliance", _on_loop(after_compliance))
        .add_edge("fall_back", "check_compliance")
        .add_conditional_edges("review", _on_loop(after_review))
        .add_edge("render", "record")
        .add_edge("record", END)
        .compile(name="offergraph")
    )


def _on_loop(router: Callable[[OfferState], str]) -> Callable[[OfferState], Awaitable[str]]:
    """Let a router run where it is called: LangGraph takes a plain function to a thread, three times an offer."""

    @wraps(router)
    async def route(state: OfferState) -> str:
        return router(state)

    return route


_opening: "dict[asyncio.AbstractEventLoop, asyncio.Task[Live]]" = {}
_background: set[asyncio.Task[None]] = set()
REFRESH_S: Final = 10.0
"""How long a look at the graph waits for the database's policies; without them it shows those loaded last."""


async def make_graph() -> Graph:
    """Return the graph for LangGraph's own server and Studio: it only previews, so nothing is issued there.

    The server asks at every run and every look at a state. The graph and its services are opened at the first call; an
    opening that failed (a policy that can't be enforced, a bad setting) is tried again at the next. Each call
    looks whether a prompt was edited (a broken edit is logged, the last good version stays) and whether the policies
    of the database changed.
    """
    loop = asyncio.get_running_loop()
    opening = _opening.get(loop)
    if opening is None or (opening.done() and (opening.cancelled() or opening.exception() is not None)):
        opening = _opening[loop] = loop.create_task(_open_previews())
    live = await asyncio.shield(opening)
    await live.follow_prompts()
    try:
        async with asyncio.timeout(REFRESH_S):
            await live.refresh()
    except (OfferGraphError, TimeoutError) as error:  # a preview under other policies is refused by the ledger
        _logger.warning("the policies of the database: %s", error or "no answer")
    return live.graph


async def _open_previews() -> "Live":
    from graph.live import Live  # which builds graphs itself

    settings = await asyncio.to_thread(load_settings, reload_prompts=True)
    live = await Live.open(settings, context=PreviewContext)
    syncing = asyncio.create_task(_sync_index(live.deps))  # beside the first look at it, before the first retrieval
    _background.add(syncing)
    syncing.add_done_callback(_background.discard)
    return live


async def _sync_index(deps: Deps) -> None:
    try:
        await deps.sync_index()
    except OfferGraphError as error:
        _logger.warning("drafts go on without the policies' prose: %s", error)
