"""draft: option, merchants and copy from the model; of a draft sent back, only what was criticised. Sees no member."""

import time
from typing import Any, Final

from langgraph.runtime import Runtime

from graph.context import Context, context_of
from graph.deps import Deps
from graph.run_prompts import prompt_of
from graph.state import DraftInput
from tools.drafting import Brief, draft_ask, draft_of

LEFT_FOR_THE_REST_S: Final = 2.0
"""Seconds kept of the run's deadline for the fallback, the gate, rendering and the record."""


async def draft(state: DraftInput, runtime: Runtime[Context], *, deps: Deps) -> dict[str, Any]:
    """Ask the model for a draft; a re-draft is told which clauses the last one broke, and changes nothing else."""
    context, view = context_of(runtime), state["view"]
    brief = Brief(
        mode=deps.copy_mode,
        view=view,
        menu=state["menu"],
        candidates=state["candidates"],
        policies=state["policies"],
        hypotheses=[hypothesis.text for hypothesis in state["hypotheses"]],
        violations=state["feedback"],
        excluded=frozenset(state["criticised"]),
        cohort=f"{context.campaign}\0{view.digest()}",
        week=state["week"],
        last=state["draft"],
    )
    prompt, blocks = prompt_of("draft", state, deps), deps.rulebook.blocks
    if not brief.asked:  # only blocks that code chooses are open
        return {"draft": draft_of(None, brief, blocks), "attempts": state["attempts"] + 1}
    left = state["deadline_at"] - time.time() - LEFT_FOR_THE_REST_S
    if context.mode == "preview":
        left = context.run_deadline_s or deps.settings.run_deadline_s  # a person may have stopped the run for long
    reply, call = await deps.model.fill(
        draft_ask(prompt, brief, blocks), deadline_s=max(left, 0.0), keep=context.mode == "issue"
    )
    return {"draft": draft_of(reply, brief, blocks), "attempts": state["attempts"] + 1, "calls": [call]}
