"""fetch: name the run, then read the cardmember from PostgreSQL."""

import time
import uuid
from datetime import UTC, datetime
from typing import Any

from langgraph.runtime import Runtime
from pydantic import ValidationError

from graph.context import Context, context_of
from graph.deps import Deps
from graph.invalid import explain
from graph.schemas import OfferInput
from graph.sealed import Sealed
from graph.state import Failure, OfferState, Run
from tools.errors import DatabaseUnavailable, InputInvalid, OfferGraphError
from tools.ledger.claims import ONLINE
from tools.variants import named, variants_for


async def fetch(state: OfferState, runtime: Runtime[Context], *, deps: Deps) -> dict[str, Any]:
    """Read the member of the prediction; an unknown one is an outcome, a database that is down is a failure.

    Raises InputInvalid for a prediction that breaks its schema (Studio checks none).
    """
    prediction = _prediction(state)
    context = context_of(runtime)
    today = deps.today()
    run = Run(
        run_id=context.run_id or uuid.uuid4().hex,
        prediction_key=prediction.prediction_key(datetime.now(UTC).date()),
        campaign=context.campaign,
        campaign_id=ONLINE,
        mode=context.mode,
        send_date=context.send_date or today,
        started_at=time.time(),
        deadline_s=context.run_deadline_s or deps.settings.run_deadline_s,
        max_revisions=deps.settings.max_revisions if context.max_revisions is None else context.max_revisions,
        draft_token_budget=deps.settings.draft_token_budget
        if context.draft_token_budget is None
        else context.draft_token_budget,
        earlier_calls=len(state.get("calls", [])),
    )
    variants = variants_for(
        context.prompt_variants,
        deps.settings.prompt_split,
        campaign=context.campaign,
        user_id=prediction.user_id,
    )
    member, failure = None, _unknown_variant(context, deps)
    try:
        member = await deps.members.load(prediction.user_id)
    except DatabaseUnavailable as error:  # not left to a handler: the update below is what names the run
        failure = Failure(code="database_unavailable", message=str(error))
    except OfferGraphError as error:
        failure = Failure(code="internal", message=str(error))
    return {
        "failure": failure,
        "prediction": prediction,
        "run": run,
        "member": None if member is None else Sealed(member),
        "found": member is not None,
        "deadline_at": run.started_at + run.deadline_s,
        "variants": variants,
        "prompts": {} if failure is not None else deps.rulebook.prompts.used(variants),
        "attempts": 0,
        "draft": None,
        "loop_end": None,
        "money": None,
        "terms": None,
        "review": None,
        "needs_person": False,
    }


def _prediction(state: OfferState) -> OfferInput:
    try:
        return OfferInput.model_validate({name: state[name] for name in OfferInput.model_fields if name in state})  # type: ignore[literal-required]
    except ValidationError as error:
        raise InputInvalid(explain(error)) from error


def _unknown_variant(context: Context, deps: Deps) -> Failure | None:
    known = deps.rulebook.prompts.digests
    for prompt, variant in context.prompt_variants.items():
        if (name := named(prompt, variant)) not in known:
            message = f"prompt_variants: there is no prompts/{name}.md; allowed: {', '.join(sorted(known))}"
            return Failure(code="invalid_input", message=message)
    return None
