"""One offer's message for one channel, and what the gate judges of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from tools.delivery.gsm import sms_length
from tools.delivery.links import terms_link
from tools.delivery.messages import DeliveryMessage, InAppMessage, PushMessage, SmsMessage
from tools.delivery.texts import DeliveryTexts, Part
from tools.subject import DeliveryFacts
from tools.terms import OfferTerms
from tools.vocabulary import CopyField, DeliveryChannel

FIELD_OF: Mapping[Part, CopyField] = {"title": "headline", "body": "body", "cta": "cta"}
"""The field of copy as which clauses read each part; a notice is no copy and has a clause of its own."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A message with its text as clauses read it: `copy` by field, `approved` by field, `facts` for what is no copy."""

    message: DeliveryMessage
    copy: Mapping[str, str]
    approved: Mapping[CopyField, str]
    facts: DeliveryFacts


def compose(
    channel: DeliveryChannel,
    terms: OfferTerms,
    terms_text: str,
    *,
    texts: DeliveryTexts,
    issuer: str,
    site: str,
    allowed_hosts: frozenset[str],
) -> Composed:
    """Return the message of an offer for a channel: a function of the terms, the same for every member who gets them.

    `terms_text` is the offer's terms and conditions; they go along, or the link leads to them. Raises PolicyInvalid.
    """
    parts = texts.fill(channel, terms, issuer=issuer)
    link = terms_link(site, terms_text)
    message = _message(channel, parts, terms_text, link)
    whole, notice = (message.text, parts["notice"]) if isinstance(message, SmsMessage) else ("", "")
    said = {FIELD_OF[part]: text for part, text in parts.items() if part in FIELD_OF}
    return Composed(
        message=message,
        copy={"subject": "", "preheader": "", "headline": "", "cta": ""} | said | {"terms": terms_text},
        approved={FIELD_OF[part]: texts.texts[channel, part].id for part in parts if part in FIELD_OF},
        facts=DeliveryFacts(link=link, issuer=issuer, allowed_hosts=allowed_hosts, text=whole, notice=notice),
    )


def _message(channel: DeliveryChannel, parts: Mapping[Part, str], terms_text: str, link: str) -> DeliveryMessage:
    match channel:
        case "push":
            return PushMessage(title=parts["title"], body=parts["body"], link=link)
        case "sms":
            text = f"{parts['body']} {link} {parts['notice']}"
            length = sms_length(text)
            return SmsMessage(text=text, link=link, encoding=length.encoding, segments=length.segments)
        case "in_app":
            return InAppMessage(title=parts["title"], body=parts["body"], cta=parts["cta"], terms=terms_text, link=link)
        case _:
            assert_never(channel)
