"""One email cut to be filled for many: the mails of one draft differ in their link tokens and the greeted name alone.

Whoever renders a campaign's million mails one by one does the same work a million times. A stencil is cut from one
rendered message, at the places where its tokens stand, and `Stencil.fill` puts another run's tokens there: the very
bytes `Mailer.render` gives for that run. Cut at a placeholder's name too, it takes another member's in its place.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from tools.email import tokens
from tools.email.greeting_line import GREETS, in_html
from tools.email.names import greeting_name
from tools.errors import TemplateFault
from tools.subject import MessageFacts

if TYPE_CHECKING:
    from tools.email.message import Message

PURPOSES: Final[tuple[tokens.LinkPurpose, ...]] = ("offer", "preferences", "unsubscribe")

Slot = Literal[tokens.LinkPurpose, "name"]
"""What is filled in: the token of a link, or the name that is greeted."""


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

    @property
    def takes_name(self) -> bool:
        """Whether the name is filled in too: then there is one in each part, alone in the greeting line."""
        return "name" in self.html.slots

    def fill(self, run_id: str, first_name: str | None = None) -> Filled:
        """Return another run's mail: what differs are its tokens, as long as those the stencil was cut at.

        `first_name` is what the mail is rendered with; a stencil that was cut with a name goes on greeting that one.
        Raises TemplateFault for a run id that no header takes, or of another length: then lines could break elsewhere.
        """
        if not tokens.RUN_ID.fullmatch(run_id):
            raise TemplateFault(f"run_id: {run_id!r} can't be part of a header; use letters, digits, '.', '_' and '-'")
        if len(run_id) != self.length:
            raise TemplateFault(f"run_id: {run_id!r} has not the {self.length} characters this email was cut for")
        minted = _minted(run_id, self.sent_at, self.secret)
        name = greeting_name(first_name)
        html = self.html.joined(minted | {"name": in_html(name)})
        return Filled(
            run_id=run_id,
            html=html,
            text=self.text.joined(minted | {"name": name}),
            html_sha256=hashlib.sha256(html.encode()).hexdigest(),
            unsubscribe_url=self.unsubscribe_url.joined(minted),
            sent_at=self.sent_at,
        )


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text without what is filled in. `slots` names what stands after each piece but the last."""

    pieces: tuple[str, ...]
    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, whole: str, written: Mapping[Slot, str]) -> "Pieces":
        """Cut a text wherever one of these stands."""
        pieces, slots = [], []
        end = 0
        for start, slot in sorted((at, slot) for slot, words in written.items() for at in _places(whole, words)):
            pieces.append(whole[end:start])
            slots.append(slot)
            end = start + len(written[slot])
        return cls((*pieces, whole[end:]), tuple(slots))

    def joined(self, written: Mapping[Slot, str]) -> str:
        """Return the text with these."""
        parts = [self.pieces[0]]
        for piece, slot in zip(self.pieces[1:], self.slots, strict=True):
            parts += (written[slot], piece)
        return "".join(parts)

    def around_name(self) -> list[tuple[str, str]]:
        """Return the pieces before and after each name."""
        return [(self.pieces[at], self.pieces[at + 1]) for at, slot in enumerate(self.slots) if slot == "name"]


def cut(message: "Message", *, run_id: str, secret: bytes, name: str | None = None) -> Stencil:
    """Cut a rendered message at its tokens, and at the name it greets if that is a `placeholder`.

    Raises TemplateFault when filling it again doesn't give the same bytes, and when the name stands elsewhere than in
    the greeting line.
    """
    minted = _minted(run_id, message.sent_at, secret)
    named: tuple[dict[Slot, str], dict[Slot, str]] = (
        ({}, {}) if name is None else ({"name": in_html(name)}, {"name": name})
    )
    stencil = Stencil(
        sent_at=message.sent_at,
        unsubscribe_url=Pieces.of(message.unsubscribe_url, minted),
        html=Pieces.of(message.html, minted | named[0]),
        text=Pieces.of(message.text, minted | named[1]),
        length=len(run_id),
        secret=secret,
    )
    again = stencil.fill(run_id, name)
    same = (again.html, again.text, again.html_sha256, again.unsubscribe_url) == (
        message.html, message.text, message.html_sha256, message.unsubscribe_url
    )  # fmt: skip
    cuts = (stencil.html, stencil.text, stencil.unsubscribe_url)
    # A token that was written otherwise than whole still shows one of its halves, a name one of its letters.
    traces = {run_id, *(half for slot in PURPOSES for half in minted[slot].split("."))}
    traces |= {form for letter in name or "" for form in (letter, in_html(letter))}
    left = any(trace in piece for cut in cuts for piece in cut.pieces for trace in traces)
    if not same or left or not all(cut.slots for cut in cuts):
        raise TemplateFault(f"run {run_id}: the email can't be cut at its link tokens; the run stands elsewhere in it")
    if not _greets_in_line(stencil):
        raise TemplateFault(
            f"run {run_id}: the email can't be cut at the name; it stands elsewhere than in the greeting"
        )
    return stencil


def _places(whole: str, words: str) -> Iterator[int]:
    at = whole.find(words)
    while at >= 0:
        yield at
        at = whole.find(words, at + len(words))


def _greets_in_line(stencil: Stencil) -> bool:
    """Tell whether the name stands in a line of its own in both parts, or in none.

    A longer line is broken where the name's length says.
    """
    html, text = stencil.html.around_name(), stencil.text.around_name()
    if not html and not text:
        return True
    if len(html) != 1 or len(text) != 1:
        return False
    (before, after), (above, below) = html[0], text[0]
    opened = before.rpartition("\n")[2]
    in_html_line = opened.startswith("<p") and opened.endswith(f">{GREETS}") and after.startswith(",</p>\n")
    return in_html_line and above.endswith(f"\n{GREETS}") and below.startswith(",\n")


def stencil_facts(facts: MessageFacts, filled: Filled) -> MessageFacts:
    """Return what message clauses judge of a filled mail, given the facts of the one its stencil was cut from.

    The headers are those of that mail but for the unsubscribe link, and how it is put together is as it was there:
    Message-ID, To and boundary are made by the same rule for every run, whoever the member is.
    """
    headers = {
        name: value.replace(facts.unsubscribe_url, filled.unsubscribe_url) for name, value in facts.headers.items()
    }
    return replace(facts, html=filled.html, text=filled.text, headers=headers, unsubscribe_url=filled.unsubscribe_url)


def _minted(run_id: str, sent_at: datetime, secret: bytes) -> dict[Slot, str]:
    return {purpose: tokens.mint(purpose, run_id=run_id, sent_at=sent_at, secret=secret) for purpose in PURPOSES}
