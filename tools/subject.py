"""What the compliance gate judges, and the shape of a detector that judges it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from tools.report import Evidence, Stage
from tools.vocabulary import CardType, Channel, CopyField, Delivery, Domain


@dataclass(frozen=True, slots=True)
class Scope:
    """Which policies apply: None means the fact is not given, and only policies open to all of that kind apply.

    `channel` is where purchases count; `delivery` is how the text reaches the member.
    """

    domain: Domain | None = None
    card_type: CardType | None = None
    channel: Channel | None = None
    offer_type: str | None = None
    delivery: Delivery = "email"


MessagePart = Literal["headers", "html", "text"]
"""What a message is made of, as far as checks are concerned."""


@dataclass(frozen=True, slots=True)
class MimePart:
    """One leaf of a mail: its media type, character set and transfer encoding, lower case."""

    kind: str
    charset: str
    encoding: str
    attached: bool = False


@dataclass(frozen=True, slots=True)
class Mime:
    """How a mail is put together, read off its bytes.

    `kind` is the media type of the whole, `longest_line` the octets of its longest line (line breaks not counted) and
    `longest_at` that line's number, `faults` what a strict reader couldn't decode.
    """

    kind: str
    parts: tuple[MimePart, ...]
    longest_line: int
    longest_at: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """One built email as the message-stage clauses see it.

    `lacks` names what a file that is linted alone hasn't got; nothing is ever issued from a message that lacks a part.
    """

    html: str
    text: str
    headers: Mapping[str, str]
    unsubscribe_url: str
    postal_address: str
    issuer: str
    allowed_hosts: frozenset[str]
    mime: Mime | None = None
    lacks: frozenset[MessagePart] = frozenset()


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """What a push, SMS or in-app message holds beside its copy: the link and, in an SMS, the programme's notice.

    `text` is a text message whole, as it is sent; empty for messages that are sent in parts.
    """

    link: str
    issuer: str
    allowed_hosts: frozenset[str]
    text: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """One piece of copy with everything that may support or contradict it.

    `text` holds the filled copy by field (subject, preheader, headline, body, cta, terms). `offer` is
    `OfferTerms.facts()` or the offer of a stand-alone check: closed-world, an absent optional field means the offer
    has no such term. `member` holds decision facts: open-world, an absent one is unknown. `personal` holds every value
    of the member's profile, to find leaks of it. `approved` names, per field, the approved block the text came from.
    `delivery` goes with a scope whose delivery is not the email.
    """

    text: Mapping[str, str]
    offer: Mapping[str, object]
    send_date: date
    scope: Scope = field(default_factory=Scope)
    member: Mapping[str, object] = field(default_factory=dict)
    personal: Mapping[str, object] = field(default_factory=dict)
    approved: Mapping[CopyField, str] = field(default_factory=dict)
    message: MessageFacts | None = None
    delivery: DeliveryFacts | None = None


@dataclass(frozen=True, slots=True)
class Detector:
    """A named, tested check of clause kind `code`. `run` returns the evidence of violations; none means it passes.

    `depends_on` says which part of the subject it reads. `params` lists the parameter names its clause may set. `needs`
    names the parts of a message without which it can't judge, `unseen` what it can't tell of a file checked alone.
    """

    name: str
    depends_on: tuple[Stage, ...]
    run: Callable[[Subject, Mapping[str, object]], Sequence[Evidence]]
    params: frozenset[str] = frozenset()
    needs: frozenset[MessagePart] = frozenset()
    unseen: str = ""
