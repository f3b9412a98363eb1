"""What a record renders again, for people: the prompts that were sent, and whether the email has the same bytes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from graph.recorded_prompts import RecordedPrompt
from graph.replay import CHANGED, ERASED, message_of
from server.commands.console import plain
from server.commands.trace_view import labelled
from tools.email.message import Person
from tools.errors import TemplateFault
from tools.ledger.decisions import Decision

if TYPE_CHECKING:
    from graph.deps import Deps


def prompts_view(prompts: Sequence[RecordedPrompt]) -> RenderableType:
    """Return every call's prompt between its marks, or why it can't be shown."""
    parts: list[RenderableType] = [Text("\nprompts", style="bold")]
    if not prompts:
        parts.append(labelled("none", "the run asked no model"))
    for number, one in enumerate(prompts, start=1):
        head = f"\n{number}. {one.call.step}  {one.call.prompt_sha[:12]}"
        if one.messages is None:
            parts.append(Text(plain(f"{head}  can't be shown: {one.reason}"), style="yellow"))
            continue
        parts.append(Text(plain(f"{head}  the bytes that were sent, from {one.prompt}"), style="green"))
        for role, text in one.messages:
            parts += [Text(f"--- {role}", style="cyan"), Text(plain(text))]
        parts.append(Text("---", style="cyan"))
    return Group(*parts)


async def email_again(found: Decision, deps: "Deps") -> tuple[RenderableType, bool]:
    """Render the offer's email from the record; return what to say, and whether the bytes are the recorded ones."""
    if found.issued_at is None:
        return labelled("replay", "the run issued no offer: there is no email to render"), True
    try:
        message = message_of(found.record, Person(first_name=found.first_name, email=found.email), deps)
    except TemplateFault as error:
        return labelled("replay", f"can't be rendered any more: {error}"), False
    recorded = str(found.record.get("html_sha256"))
    if message.html_sha256 == recorded:
        return labelled("replay", Text(f"the same bytes, sha256 {recorded}", style="green")), True
    if not found.person_kept:
        unchanged = (found.record.get("versions") or {}).get("mail_sha") == deps.mailer.sha
        told = f"{ERASED} Nothing else that makes it changed." if unchanged else CHANGED
        return labelled("replay", Text(told, style="yellow")), unchanged
    told = f"other bytes: recorded {recorded}, now {message.html_sha256}. {CHANGED}"
    return labelled("replay", Text(told, style="red")), False
