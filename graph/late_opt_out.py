"""A member who opts out while their offer is made: the run answers the suppression itself."""

from dataclasses import replace

from graph.case import case_of, member_of
from graph.deps import Deps
from graph.state import OfferState
from tools.ledger.opt_outs import OptOuts
from tools.screening import screen


async def held_since(state: OfferState, deps: Deps) -> OfferState | None:
    """Return the state with what the member said since the run screened them, or None when nothing holds them back.

    Read as screening reads it, with the counts of the run's claim. Raises DatabaseUnavailable.
    """
    prediction, screening = state["prediction"], state["screening"]
    choices = await OptOuts(deps.database, zone=deps.zone).choices(prediction.user_id)
    usage = replace(
        screening.usage,
        suppressed=choices.stopped,
        domain_refused=prediction.domain in choices.refused,
        paused_until=choices.paused_until,
    )
    member = await member_of(state, deps)
    if member is None or not usage.opted_out:
        return None
    holds = screen(case_of(state, member, usage, deps))
    return {**state, "screening": screening.model_copy(update={"usage": usage, "holds": holds})}
