"""analyze_llm: why the offer may help, each hypothesis citing the view. Sees no member."""

import time
from typing import Any, Final

from langgraph.runtime import Runtime

from graph.context import Context, context_of
from graph.deps import Deps
from graph.run_prompts import prompt_of
from graph.state import AnalyzeInput, Hypothesis
from tools.analysis import analyze_ask, kept_of

SHARE_OF_DEADLINE: Final = 0.4
"""How much of the time left analysis may take: the draft is worth more."""


async def analyze_llm(state: AnalyzeInput, runtime: Runtime[Context], *, deps: Deps) -> dict[str, Any]:
    """Ask for hypotheses, keep those that cite the view and name nothing sensitive, say why others were dropped."""
    if not state["use_llm"]:
        return {}
    view, context = state["view"], context_of(runtime)
    applicable = deps.rulebook.hypotheses.applicable(view)
    ask = analyze_ask(
        prompt_of("analyze", state, deps),
        view,
        mode=deps.copy_mode,
        applicable=applicable,
        cohort=f"{context.campaign}\0{view.digest()}",
    )
    left = max(state["deadline_at"] - time.time(), 0.0) * SHARE_OF_DEADLINE
    if context.mode == "preview":
        left = context.run_deadline_s or deps.settings.run_deadline_s  # a person may have stopped the run for long
    reply, call = await deps.model.fill(ask, deadline_s=left, keep=context.mode == "issue")
    kept = kept_of(reply, view, applicable, merchant_names=deps.rulebook.catalogue.names())
    return {
        "hypotheses": tuple(Hypothesis(text=text, cites=cites) for text, cites in kept.hypotheses),
        "dropped": kept.dropped,
        "calls": [call],
    }
