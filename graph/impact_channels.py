"""The messages an issued offer has beside its email, read again from its record as clauses judge them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from graph.state import Delivery
from tools.delivery.composer import compose
from tools.delivery.messages import DeliveryMessage, InAppMessage, PushMessage, SmsMessage
from tools.delivery.texts import DeliveryTexts
from tools.email.brand import Brand
from tools.errors import PolicyInvalid
from tools.report import ClauseResult
from tools.subject import DeliveryFacts, Subject
from tools.terms import OfferTerms
from tools.vocabulary import CopyField


@dataclass(frozen=True, slots=True)
class Message:
    """One message that left with an offer: what clauses judge of it, and what they said on the day."""

    subject: Subject
    results: tuple[ClauseResult, ...]


def messages_of(
    deliveries: Sequence[Delivery], email: Subject, terms: OfferTerms, *, texts: DeliveryTexts, brand: Brand
) -> Iterator[Message]:
    """Yield the messages that passed on the day, each under the scope of its channel.

    One that the approved texts of today would make just so is approved copy; another is not.
    """
    for delivery in deliveries:
        message, report = delivery.message, delivery.report
        if message is None or report is None or report.verdict != "pass":
            continue  # it never left
        copy, sms, notice = _written(message)
        subject = replace(
            email,
            text={"subject": "", "preheader": "", "headline": "", "cta": "", **copy, "terms": email.text["terms"]},
            scope=replace(email.scope, delivery=delivery.channel),
            approved=_approved(message, terms, email.text["terms"], texts, brand),
            delivery=DeliveryFacts(
                link=message.link,
                issuer=brand.issuer,
                allowed_hosts=brand.allowed_hosts,
                text=sms,
                notice=notice,
            ),
        )
        yield Message(subject, report.results)


def _written(message: DeliveryMessage) -> tuple[Mapping[str, str], str, str]:
    """Return a message's copy by field, and of a text message the whole and its notice."""
    match message:
        case PushMessage():
            return {"headline": message.title, "body": message.body}, "", ""
        case SmsMessage():
            body, _, notice = message.text.partition(f" {message.link} ")
            return {"body": body}, message.text, notice
        case InAppMessage():
            return {"headline": message.title, "body": message.body, "cta": message.cta}, "", ""
        case _:
            assert_never(message)


def _approved(
    message: DeliveryMessage, terms: OfferTerms, terms_text: str, texts: DeliveryTexts, brand: Brand
) -> Mapping[CopyField, str]:
    try:
        made = compose(
            message.channel,
            terms,
            terms_text,
            texts=texts,
            issuer=brand.issuer,
            site=message.link.partition("/t/")[0],
            allowed_hosts=brand.allowed_hosts,
        )
    except PolicyInvalid:
        return {}
    return made.approved if made.message == message else {}
