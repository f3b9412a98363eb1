"""A recorded decision told again: no model, no gate, the same bytes."""

import asyncio
import logging
from typing import Any, Final

from graph.assembly import fill_copy
from graph.deps import Deps
from graph.nodes.render import sent_at
from graph.schemas import OfferOutput
from graph.state import Run
from tools.drafts import Draft
from tools.email.message import Message, Person
from tools.errors import DatabaseUnavailable, TemplateFault
from tools.ledger.holds import hold_reason, may_leave
from tools.slots import FALLBACK_NAME
from tools.terms import OfferTerms

_logger = logging.getLogger(__name__)


async def replayed(run_id: str, deps: Deps, *, neutral: bool = False) -> OfferOutput:
    """Return the recorded outcome of a run, its email rendered again, and hand its files over if they are gone.

    An offer that is held since is answered as one that could not be issued, with the clause, and leaves nothing. The
    HTML is left out when it can't be the recorded bytes any more (template, brand or link key changed): other bytes
    were never checked. Once the person is erased, no bytes can be compared: then what makes them must be unchanged, and
    the email greets the fallback name. Raises DatabaseUnavailable.
    """
    found = await deps.records.read(run_id)
    if found is None:
        raise DatabaseUnavailable(f"the decision of run {run_id} can't be read")
    record, first_name, email = found
    output = OfferOutput.model_validate({**record["output"], "replayed": True})
    if not output.success:
        return output
    if (reason := await hold_reason(deps.database, run_id)) is not None:
        return _held(output, reason)
    try:
        message = message_of(record, Person(first_name=first_name, email=email), deps)
        shown = message if not neutral else message_of(record, Person(), deps)
    except TemplateFault as error:
        _logger.warning("run %s can't be rendered again: %s", run_id, error)
        return _noted(output, CHANGED)
    if first_name is None:
        if record["versions"].get("mail_sha") != deps.mailer.sha:
            return _noted(output, CHANGED)
        return _noted(output.model_copy(update={"email_html": shown.html}), ERASED)
    if message.html_sha256 != record["html_sha256"]:
        return _noted(output, CHANGED)
    output = output.model_copy(update={"email_html": shown.html})
    await _restore(output, message, deps)
    return output


CHANGED: Final = (
    "The email is not repeated: its template, brand or link key changed since. The exports hold the sent one."
)
ERASED: Final = "The person was erased since; the email greets the fallback name."


def _held(output: OfferOutput, reason: str) -> OfferOutput:
    """Return what a prediction gets whose offer was held after it was issued: no offer, and why."""
    return output.model_copy(
        update={
            "success": False,
            "recommendation": "generation_failed",
            "error_code": "compliance",
            "error": f"the offer is held: {reason}",
            "applied_policies": None,
            "offer": None,
            "email_html": None,
            "copy_source": None,
            "channels": None,
        }
    )


def _noted(output: OfferOutput, note: str) -> OfferOutput:
    if output.offer is None:
        return output
    notes = (*output.offer.policy_compliance_notes, note)
    return output.model_copy(update={"offer": output.offer.model_copy(update={"policy_compliance_notes": notes})})


async def _restore(output: OfferOutput, message: Message, deps: Deps) -> None:
    """Hand over the files of an offer whose first reply was cut off before they were written.

    Not for a member who opted out since: what is handed over gets sent.
    """
    gone = not await asyncio.to_thread(deps.exporter.holds, run_id=output.run_id, sent_at=message.sent_at)
    if gone and await may_leave(deps.database, output.run_id):
        whole = output.model_copy(update={"email_html": message.html, "replayed": False})
        text = whole.model_dump_json(indent=2)
        await deps.exporter.hand_over(run_id=output.run_id, output_json=text, message=message)


def message_of(record: dict[str, Any], person: Person, deps: Deps) -> Message:
    """Render a record's offer for a person. Raises TemplateFault."""
    terms, draft = OfferTerms.model_validate(record["terms"]), Draft.model_validate(record["draft"])
    run = Run.model_validate(record["run"])
    copy = fill_copy(draft.text, terms, first_name=person.first_name or FALLBACK_NAME)
    if isinstance(copy, tuple):
        raise TemplateFault(f"{copy[0].field}: {copy[0].message}")
    return deps.mailer.render(
        run_id=run.run_id, copy=copy, terms=terms, terms_text=record["terms_text"], person=person, sent_at=sent_at(run)
    )
