"""screen: claim the prediction in the ledger, and hold the member back where policy says so. No model, zero tokens."""

import asyncio
import time
from typing import Any, Final

from graph.case import case_of, member_of, signals_of
from graph.deps import Deps
from graph.state import Failure, OfferState, Run, Screening
from tools.cardmembers import Cardmember
from tools.errors import PoliciesUnavailable
from tools.ledger.claims import Claim, Foreign, Recorded, Stale, Taken
from tools.screening import Hold, Usage
from tools.screening import screen as reasons_to_hold

LEASE_MARGIN_S: Final = 30.0
"""A claim outlives its run's deadline by this much, so that only a dead run's claim ever expires."""
FIRST_POLL_S: Final = 0.05
LONGEST_POLL_S: Final = 1.0
STALE: Final = "the policies in force changed since this process loaded them; send the prediction again"


async def screen(state: OfferState, *, deps: Deps) -> dict[str, Any]:
    """Count what the member got, decide, and take a place under the caps: one transaction under the member's lock."""
    run, prediction = state["run"], state["prediction"]
    member = await member_of(state, deps)
    claim = Claim(
        campaign_id=run.campaign_id,
        prediction_key=run.prediction_key,
        user_id=prediction.user_id,
        domain=prediction.domain,
        run_id=run.run_id,
        lease_s=run.deadline_s + LEASE_MARGIN_S,
        policy_epoch=deps.rulebook.epoch,
    )

    def decide(usage: Usage) -> tuple[Hold, ...]:
        if member is None or prediction.offer_flag == 0:
            return ()
        return reasons_to_hold(case_of(state, member, usage, deps))

    if run.mode == "preview":
        seen = await deps.claims.look(claim, decide)
        if isinstance(seen, Stale):
            raise PoliciesUnavailable(STALE)
        return _taken(seen, state, member)
    pause = FIRST_POLL_S
    while True:
        answer = await deps.claims.claim(claim, decide, takes_place=member is not None and prediction.offer_flag == 1)
        if isinstance(answer, Taken):
            return _taken(answer, state, member)
        if isinstance(answer, Stale):
            raise PoliciesUnavailable(STALE)
        if isinstance(answer, Recorded):
            return {
                "recorded": {"run_id": answer.run_id, "record": answer.record},
                "screening": Screening(usage=Usage()),
            }
        if isinstance(answer, Foreign):
            used = "idempotency_key: it names a prediction of another member or domain; send a key of its own"
            return {"failure": Failure(code="invalid_input", message=used), "screening": Screening(usage=Usage())}
        await _wait(run, pause)
        pause = min(LONGEST_POLL_S, pause * 2)


def _taken(taken: Taken, state: OfferState, member: Cardmember | None) -> dict[str, Any]:
    if member is None:
        return {"screening": Screening(usage=taken.usage)}
    signals = signals_of(state, member)
    return {
        "screening": Screening(usage=taken.usage, holds=taken.holds, bands=signals.bands(), quality=signals.quality)
    }


async def _wait(run: Run, pause: float) -> None:
    """Wait for the run that has the claim. Raises TimeoutError when this run's own time is up."""
    left = run.started_at + run.deadline_s - time.time()
    if left <= 0:
        raise TimeoutError
    await asyncio.sleep(min(pause, left))
