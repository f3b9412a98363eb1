"""analyze_rules: 40 columns become signals, a view for prompts, insights in words, a menu and merchant candidates."""

from typing import Any

from graph.case import candidates_of, flight_of, member_of, menu_of, signals_of
from graph.deps import Deps
from graph.nodes.retrieve_policies import extracts_of
from graph.state import Analysis, OfferState
from tools.errors import InputInvalid
from tools.signals import insights
from tools.turns import week_of


async def analyze_rules(state: OfferState, *, deps: Deps) -> dict[str, Any]:
    """Reduce the member to what later steps may know. Raises InputInvalid if screening let somebody unfit through."""
    member = await member_of(state, deps)
    domain = state["prediction"].domain
    signals = None if member is None else signals_of(state, member)
    view = None if signals is None else signals.view(domain)
    if signals is None or view is None:
        raise InputInvalid("the member can't be analysed, though screening passed")
    menu = menu_of(view, deps)
    return {
        "view": view,
        "menu": menu,
        "candidates": candidates_of(view, menu, flight_of(state["run"]), deps),
        "week": week_of(state["run"].send_date),
        "use_llm": state["prediction"].use_llm_insights,
        "analysis": Analysis(
            insights=insights(signals, domain),
            spending_trends={"spend_trend_90d": signals.spend_trend, "category": view.domain_interest},
            engagement_metrics={"engagement": signals.engagement, "tenure": signals.tenure_band},
            offer_performance={"acceptance": signals.acceptance, "strategy": view.strategy},
            quality=signals.quality,
        ),
        "hypotheses": (),
        "dropped": (),
        "policies": extracts_of(view, deps),  # complete from here on, whatever becomes of retrieval
        "feedback": (),
        "criticised": (),
    }
