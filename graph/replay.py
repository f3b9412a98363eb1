"""A recorded decision told again: no model, no gate, the same bytes."""

from typing import Any

from graph.assembly import fill_copy
from graph.deps import Deps
from graph.nodes.render import sent_at
from graph.schemas import OfferOutput
from graph.state import Run
from tools.drafts import Draft
from tools.email.message import Message, Person
from tools.errors import DatabaseUnavailable, TemplateFault
from tools.slots import FALLBACK_NAME
from tools.terms import OfferTerms


async def replayed(run_id: str, deps: Deps, *, neutral: bool = False) -> OfferOutput:
    """Return the recorded outcome of a run, its email rendered again.

    The HTML is left out when it can't be the recorded bytes any more (the template changed): other bytes were never
    checked. Once the person is erased, the email greets the fallback name. Raises DatabaseUnavailable.
    """
    found = await deps.records.read(run_id)
    if found is None:
        raise DatabaseUnavailable(f"the decision of run {run_id} can't be read")
    record, first_name, email = found
    output = OfferOutput.model_validate({**record["output"], "replayed": True})
    if not output.success:
        return output
    same_template = record["versions"]["template_sha"] == deps.mailer.template_sha
    if not same_template:
        return output.model_copy(update={"error": "the email template changed since; the sent file is in the exports"})
    erased = first_name is None
    message = message_of(record, Person() if neutral or erased else Person(first_name=first_name, email=email), deps)
    if not neutral and not erased and message.html_sha256 != record["html_sha256"]:
        raise TemplateFault(f"run {run_id}: rendering again gives other bytes than were recorded")
    note = "the person was erased; the greeting is the fallback" if erased else None
    return output.model_copy(update={"email_html": message.html, "error": note})


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
