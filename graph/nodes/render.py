"""render: build the email in memory and put the message-stage clauses to it; nothing is exported before they pass.

Then the other channels' messages, which are judged each by itself and change nothing about the email.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from langgraph.runtime import Runtime

from graph.assembly import MESSAGE, Assembled, fill_copy, is_as_judged, subject_of
from graph.case import member_of
from graph.context import Context, context_of
from graph.deliveries import deliveries_of
from graph.deps import Deps
from graph.sealed import Sealed
from graph.state import Failure, OfferState, Run
from tools.cardmembers import Cardmember
from tools.email.message import Message, Person
from tools.email.message_checks import message_facts
from tools.email.names import greeting_name
from tools.errors import TemplateFault
from tools.report import ComplianceReport


async def render(state: OfferState, runtime: Runtime[Context], *, deps: Deps) -> dict[str, Any]:
    """Render for the member. A message that breaks a clause ends the run as a template fault."""
    member = await member_of(state, deps)
    if member is None:
        raise TemplateFault("the member vanished from the table during the run")
    person = person_of(member)
    message, report = checked_message(state, member, person, deps)
    reply = message
    if report.verdict == "pass" and context_of(runtime).neutral:
        reply, of_reply = checked_message(state, member, Person(), deps)
        report = report if of_reply.verdict == "pass" else of_reply
    if report.verdict != "pass":
        broken = ", ".join(f"{v.policy_id}/{v.clause_id}" for v in report.violations) or "no message clause ran"
        return {
            "message_report": report,
            "failure": Failure(code="template_fault", message=f"the email breaks: {broken}"),
        }
    return {
        "message": Sealed(message),
        "reply_html": Sealed(reply.html),
        "message_report": report,
        "deliveries": deliveries_of(state, member, deps),
    }


def person_of(member: Cardmember) -> Person:
    """Return what the email may show of the member."""
    return Person(first_name=greeting_name(member.name), email=member.email)


def sent_at(run: Run) -> datetime:
    """Return the message's date: the run's start, so that rendering it again gives the same bytes."""
    return datetime.fromtimestamp(int(run.started_at), UTC)


def build_message(state: OfferState, person: Person, deps: Deps) -> Message:
    """Render the passed draft for one person. Raises TemplateFault."""
    terms, draft = state["terms"], state["draft"]
    if terms is None or draft is None:
        raise TemplateFault("there are no terms to render")
    if not is_as_judged(state):
        raise TemplateFault("the offer was changed after it was checked; change the draft before check_compliance")
    copy = fill_copy(draft.text, terms, first_name=greeting_name(person.first_name))
    if isinstance(copy, tuple):
        raise TemplateFault(f"{copy[0].field}: {copy[0].message}")
    return deps.mailer.render(
        run_id=state["run"].run_id,
        copy=copy,
        terms=terms,
        terms_text=state["terms_text"],
        person=person,
        sent_at=sent_at(state["run"]),
    )


def checked_message(
    state: OfferState, member: Cardmember, person: Person, deps: Deps
) -> tuple[Message, ComplianceReport]:
    """Build the message for one person and put the message-stage clauses to it. Raises TemplateFault."""
    message = build_message(state, person, deps)
    terms, copy, draft = state["terms"], state["copy"], state["draft"]
    if terms is None or copy is None or draft is None:
        raise TemplateFault("there are no terms to render")
    subject = subject_of(state, draft, Assembled(terms, copy, state["terms_text"]), member=member, deps=deps)
    facts = message_facts(message, deps.mailer.brand, state["run"].run_id)
    return message, deps.rulebook.gate.check(replace(subject, message=facts), stages=MESSAGE)
