"""One email cut to be filled for many: the mails of one draft and one greeting differ in their link tokens alone.

Whoever renders a campaign's million mails one by one does the same work a million times. A stencil is cut from one
rendered message, at the places where its tokens stand, and `Stencil.fill` puts another run's tokens there: the very
bytes `Mailer.render` gives for that run.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    """A message without its tokens: the pieces between them, for run ids of one length in characters."""

    sent_at: datetime
    unsubscribe_url: "Pieces"
    html: "Pieces"
    text: "Pieces"
    length: int
    secret: bytes = field(repr=False)

    def fill(self, run_id: str) -> Filled:
        """Return another run's mail: what differs are its tokens, as long as those the stencil was cut at.

        Raises TemplateFault for a run id that no header takes, or of another length: then lines could break elsewhere.
        """
        if not tokens.RUN_ID.fullmatch(run_id):
            raise TemplateFault(f"run_id: {run_id!r} can't be part of a header; use letters, digits, '.', '_' and '-'")
        if len(run_id) != self.length:
            raise TemplateFault(f"run_id: {run_id!r} has not the {self.length} characters this email was cut for")
        minted = _minted(run_id, self.sent_at, self.secret)
        html = self.html.joined(minted)
        return Filled(
            run_id=run_id,
            html=html,
            text=self.text.joined(minted),
            html_sha256=hashlib.sha256(html.encode()).hexdigest(),
            unsubscribe_url=self.unsubscribe_url.joined(minted),
            sent_at=self.sent_at,
        )


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text without its tokens. `slots` names the purpose of the token after each piece but the last."""

    pieces: tuple[str, ...]
    slots: tuple[tokens.LinkPurpose, ...]

    @classmethod
    def of(cls, whole: str, minted: Mapping[tokens.LinkPurpose, str]) -> "Pieces":
        """Cut a text wherever one of these tokens stands."""
        purposes: dict[str, tokens.LinkPurpose] = {token: purpose for purpose, token in minted.items()}
        parts = re.split(f"({'|'.join(map(re.escape, purposes))})", whole)
        return cls(tuple(parts[::2]), tuple(purposes[token] for token in parts[1::2]))

    def joined(self, minted: Mapping[tokens.LinkPurpose, str]) -> str:
        """Return the text with these tokens."""
        parts = [self.pieces[0]]
        for piece, purpose in zip(self.pieces[1:], self.slots, strict=True):
            parts += (minted[purpose], piece)
        return "".join(parts)


def cut(message: "Message", *, run_id: str, secret: bytes) -> Stencil:
    """Cut a rendered message at its tokens. Raises TemplateFault when filling it again doesn't give the same bytes."""
    minted = _minted(run_id, message.sent_at, secret)
    stencil = Stencil(
        sent_at=message.sent_at,
        unsubscribe_url=Pieces.of(message.unsubscribe_url, minted),
        html=Pieces.of(message.html, minted),
        text=Pieces.of(message.text, minted),
        length=len(run_id),
        secret=secret,
    )
    again = stencil.fill(run_id)
    same = (again.html, again.text, again.html_sha256, again.unsubscribe_url) == (
        message.html, message.text, message.html_sha256, message.unsubscribe_url
    )  # fmt: skip
    cuts = (stencil.html, stencil.text, stencil.unsubscribe_url)
    # A token that was written otherwise than whole still shows one of its halves.
    traces = {run_id, *(half for token in minted.values() for half in token.split("."))}
    left = any(trace in piece for cut in cuts for piece in cut.pieces for trace in traces)
    if not same or left or not all(cut.slots for cut in cuts):
        raise TemplateFault(f"run {run_id}: the email can't be cut at its link tokens; the run stands elsewhere in it")
    return stencil


def stencil_facts(facts: MessageFacts, filled: Filled) -> MessageFacts:
    """Return what message clauses judge of a filled mail, given the facts of the one its stencil was cut from.

    The headers are those of that mail but for the unsubscribe link, and how it is put together is as it was there:
    Message-ID, To and boundary are made by the same rule for every run, whoever the member is.
    """
    headers = {
        name: value.replace(facts.unsubscribe_url, filled.unsubscribe_url) for name, value in facts.headers.items()
    }
    return replace(facts, html=filled.html, text=filled.text, headers=headers, unsubscribe_url=filled.unsubscribe_url)


def _minted(run_id: str, sent_at: datetime, secret: bytes) -> dict[tokens.LinkPurpose, str]:
    return {purpose: tokens.mint(purpose, run_id=run_id, sent_at=sent_at, secret=secret) for purpose in PURPOSES}
