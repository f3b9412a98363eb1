"""check_draft: fill the slots and put every clause to a draft that is for nobody yet. Sees no member."""

import time
from typing import Any, cast

from graph.assembly import Assembled, assemble, feedback_of, refused, subject_of_nobody, unknown_option
from graph.cohort_state import CohortState
from graph.deps import Deps
from graph.judging import Ruling, noted, ruled
from graph.nodes.draft import LEFT_FOR_THE_REST_S
from graph.run_prompts import prompt_of
from graph.state import OfferState
from tools.errors import ModelUnavailable


async def check_draft(state: CohortState, *, deps: Deps) -> dict[str, Any]:
    """Judge a draft by every active clause of the stages member, terms and copy, as `check_compliance` does.

    It passes when all clauses that can't tell members apart are satisfied, and nothing of its terms or copy is broken
    whoever the member is. Raises ModelUnavailable when the judge
    could not be asked: no answer of it is not an answer.
    """
    offer_state, draft = cast(OfferState, state), state["draft"]  # the same channels, fewer
    if draft is None:
        return {**noted(offer_state, None, refused((), deps)), "passed": False}
    chosen = state["menu"].option(draft.option_id)
    if chosen is None:
        return {**noted(offer_state, draft, refused(unknown_option(draft), deps)), "passed": False}
    offer = assemble(offer_state, draft, chosen, deps)
    if not isinstance(offer, Assembled):
        return {**noted(offer_state, draft, refused(offer, deps)), "passed": False}
    subject = subject_of_nobody(offer_state, draft, offer, deps)
    left = state["deadline_at"] - time.time() - LEFT_FOR_THE_REST_S
    prompt = prompt_of("judge", state, deps)
    ruling = await ruled(subject, deps, prompt=prompt, left_s=max(left, 0.0), keep=True, for_nobody=True)
    _refuse_silence(ruling)
    passed = deps.rulebook.gate.shared_passes(ruling.report, subject.scope)
    feedback = () if passed else feedback_of(subject, deps, judge=ruling.judge)
    sha = offer.sha(draft)
    return {
        **noted(offer_state, draft, ruling.report, feedback, passes=passed, offer_sha=sha, calls=ruling.calls),
        "passed": passed,
        "calls": list(ruling.calls),
        "degraded": ["check_draft: the judge gave no answer that counts"] if ruling.silent else [],
        "terms": offer.terms,
        "copy": offer.copy,
        "terms_text": offer.terms_text,
    }


def _refuse_silence(ruling: Ruling) -> None:
    for call in ruling.calls:
        if call.error_code == ModelUnavailable.code:
            failure = ModelUnavailable(call.error or "the judge gave no answer")
            failure.call = call
            raise failure
