"""One email cut to be filled for many: the mails of one draft and one greeting differ in their link tokens alone.

Whoever renders a campaign's million mails one by one does the same work a million times. A stencil is cut from one
rendered message, at the places where its tokens stand, and `Stencil.fill` puts another run's tokens there: the very
bytes `Mailer.render` gives for that run.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tools.email import tokens
from tools.errors import TemplateFault
from tools.subject import MessageFacts

if TYPE_CHECKING:
    from tools.email.message import Message

PURPOSES: Final[tuple[tokens.LinkPurpose, ...]] = ("offer", "preferences", "unsubscribe")


@dataclass(frozen=True, slots=True)
class Filled:
    """The HTML and the plain text of one run's mail, without the `.eml` around them."""

    run_id: str
    html: str
    text: str
    html_sha256: str
    unsubscribe_url: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Stencil:
    """The pieces of a message between its tokens. `slots` names the purpose of the token after each piece."""

    sent_at: datetime
    unsubscribe_url: str
    html: tuple[str, ...]
    html_slots: tuple[tokens.LinkPurpose, ...]
    text: tuple[str, ...]
    text_slots: tuple[tokens.LinkPurpose, ...]
    length: int
    secret: bytes

    def fill(self, run_id: str) -> Filled:
        """Return another run's mail: what differs are its tokens, as long as those the stencil was cut at.

        Raises TemplateFault for a run id of another length: then lines could break elsewhere.
        """
        if len(run_id) != self.length:
            raise TemplateFault(f"run_id: {run_id!r} has not the {self.length} characters this email was cut for")
        minted = {
            purpose: tokens.mint(purpose, run_id=run_id, sent_at=self.sent_at, secret=self.secret)
            for purpose in PURPOSES
        }
        html = _joined(self.html, self.html_slots, minted)
        return Filled(
            run_id=run_id,
            html=html,
            text=_joined(self.text, self.text_slots, minted),
            html_sha256=hashlib.sha256(html.encode()).hexdigest(),
            unsubscribe_url=self.unsubscribe_url.format(minted["unsubscribe"]),
            sent_at=self.sent_at,
        )


def cut(message: "Message", *, run_id: str, secret: bytes) -> Stencil:
    """Cut a rendered message at its tokens. Raises TemplateFault when filling it again doesn't give the same bytes."""
    minted: dict[tokens.LinkPurpose, str] = {
        purpose: tokens.mint(purpose, run_id=run_id, sent_at=message.sent_at, secret=secret) for purpose in PURPOSES
    }
    html, html_slots = _cut(message.html, minted)
    text, text_slots = _cut(message.text, minted)
    before, found, after = message.unsubscribe_url.partition(minted["unsubscribe"])
    stencil = Stencil(
        sent_at=message.sent_at,
        unsubscribe_url=f"{_escaped(before)}{{}}{_escaped(after)}",
        html=html,
        html_slots=html_slots,
        text=text,
        text_slots=text_slots,
        length=len(run_id),
        secret=secret,
    )
    again = stencil.fill(run_id)
    same = (again.html, again.text, again.html_sha256, again.unsubscribe_url) == (
        message.html, message.text, message.html_sha256, message.unsubscribe_url
    )  # fmt: skip
    if not found or not same or any(run_id in piece for piece in (*html, *text)):
        raise TemplateFault(f"run {run_id}: the email can't be cut at its link tokens; the run stands elsewhere in it")
    return stencil


def stencil_facts(facts: MessageFacts, filled: Filled) -> MessageFacts:
    """Return what message clauses judge of a filled mail, given the facts of the one its stencil was cut from.

    The headers are those of that mail but for the unsubscribe link: Message-ID and To are made by the same rule for
    every run, whatever a member is.
    """
    headers = {
        name: value.replace(facts.unsubscribe_url, filled.unsubscribe_url) for name, value in facts.headers.items()
    }
    return replace(facts, html=filled.html, text=filled.text, headers=headers, unsubscribe_url=filled.unsubscribe_url)


def _cut(
    whole: str, minted: Mapping[tokens.LinkPurpose, str]
) -> tuple[tuple[str, ...], tuple[tokens.LinkPurpose, ...]]:
    pieces: list[str] = []
    slots: list[tokens.LinkPurpose] = []
    rest = whole
    while places := [(place, purpose) for purpose, token in minted.items() if (place := rest.find(token)) >= 0]:
        place, purpose = min(places)
        pieces.append(rest[:place])
        slots.append(purpose)
        rest = rest[place + len(minted[purpose]) :]
    return (*pieces, rest), tuple(slots)


def _joined(
    pieces: tuple[str, ...], slots: tuple[tokens.LinkPurpose, ...], minted: Mapping[tokens.LinkPurpose, str]
) -> str:
    parts = [pieces[0]]
    for piece, purpose in zip(pieces[1:], slots, strict=True):
        parts += (minted[purpose], piece)
    return "".join(parts)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
