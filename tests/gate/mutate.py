"""A plant put on a compliant offer."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

from tests.gate.offers import Compliant
from tests.gate.plants import MessageChange, On, Plant
from tools.policies.examples import mime_with
from tools.subject import DeliveryFacts, MessageFacts, Scope, Subject
from tools.vocabulary import CARD_TYPES, DOMAINS, Channel


class CannotPlant(ValueError):
    """The plant doesn't fit this base, such as a text to replace that the email hasn't."""


def planted(base: Compliant, plant: Plant, *, with_message: bool) -> Subject:
    """Return the base with the plant in it, its message built of the planted copy where one is wanted.

    Raises:
        CannotPlant: the message has not what the plant would replace.
        TemplateFault: the product refuses to build a message of such copy.
    """
    subject = base.subject
    text = dict(subject.text)
    text |= {name: base.filled(written) for name, written in plant.set.items()}
    text |= {name: f"{text[name]} {base.filled(sentence)}".strip() for name, sentence in plant.add.items()}
    offer = _laid_over(subject.offer, plant.offer)
    member = _laid_over(subject.member, plant.member)
    changed = {name: written for name, written in text.items() if written != subject.text[name]}
    message = None
    if with_message:
        message = _changed(base.message_with(changed) if changed else base.message, plant.message)
    return replace(
        subject,
        text=text,
        offer=offer,
        member=member,
        personal=_laid_over(subject.personal, plant.personal),
        send_date=_day(base, plant),
        scope=scope_of(subject.scope, plant.offer, plant.member),
        approved={name: block for name, block in subject.approved.items() if name not in changed},
        message=message,
        delivery=_sent(subject.delivery, text, plant),
    )


def _sent(facts: DeliveryFacts | None, text: Mapping[str, str], plant: Plant) -> DeliveryFacts | None:
    """Return what a planted push, SMS or in-app message holds beside its copy; a text is put together anew."""
    if facts is None:
        return None
    link, notice = plant.delivery.get("link", facts.link), plant.delivery.get("notice", facts.notice)
    whole = f"{text['body']} {link} {notice}" if facts.text else ""
    return replace(facts, link=link, notice=notice, text=plant.delivery.get("text", whole))


def fits(base: Compliant, on: On) -> bool:
    """Tell whether a plant wants this base."""
    terms, scope = base.terms, base.subject.scope
    return (
        (not on.domains or terms.domain in on.domains)
        and (not on.offer_types or terms.offer_type in on.offer_types)
        and (not on.card_types or scope.card_type in on.card_types)
        and (not on.channels or terms.channel in on.channels)
        and (not on.deliveries or scope.delivery in on.deliveries)
        and (on.requires_enrollment is None or terms.requires_enrollment == on.requires_enrollment)
    )


def _laid_over(facts: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**facts, **changes}.items() if value is not None}


def _day(base: Compliant, plant: Plant) -> date:
    if plant.days_before_end is not None:
        return base.terms.end_date - timedelta(days=plant.days_before_end)
    return plant.send_date or base.subject.send_date


def scope_of(scope: Scope, offer: Mapping[str, object], member: Mapping[str, object]) -> Scope:
    """Return where a planted offer belongs: a fact that decides the scope takes the scope with it."""
    given = {name: str(value) for name, value in offer.items() if value is not None}
    card = str(member.get("card_type", scope.card_type)).lower()
    return replace(
        scope,
        domain=next((known for known in DOMAINS if known == given.get("domain")), scope.domain),
        offer_type=given.get("offer_type", scope.offer_type),
        channel=next((known for known in get_args(Channel) if known == given.get("channel")), scope.channel),
        card_type=next((known for known in CARD_TYPES if known == card), scope.card_type),
    )


def _changed(message: MessageFacts, change: MessageChange | None) -> MessageFacts:
    if change is None:
        return message
    html = _rewritten("html", message.html, change.html, change.replace_html)
    text = _rewritten("text", message.text, change.text, change.replace_text)
    if change.add_html is not None:
        at = html.rfind("</body>")
        html = html[:at] + change.add_html + html[at:] if at >= 0 else html + change.add_html
    if change.add_text is not None:
        text = f"{text}\n\n{change.add_text}"
    if change.pad_html_to_bytes is not None:
        html += f"<!--{' ' * (change.pad_html_to_bytes - len(html.encode()))}-->"
    names = ("unsubscribe_url", "postal_address", "issuer")
    others = {name: value for name in names if (value := getattr(change, name)) is not None}
    headers = {name: value for name, value in {**message.headers, **change.headers}.items() if value is not None}
    hosts = message.allowed_hosts if change.allowed_hosts is None else frozenset(change.allowed_hosts)
    mime = mime_with(message.mime, change.mime) if change.mime else message.mime
    return replace(message, html=html, text=text, headers=headers, allowed_hosts=hosts, mime=mime, **others)


def _rewritten(part: str, own: str, whole: str | None, changes: Mapping[str, str]) -> str:
    written = own if whole is None else whole
    for old, new in changes.items():
        if old not in written:
            raise CannotPlant(f"message.replace_{part}: {old!r} is not in the email")
        written = written.replace(old, new)
    return written


def written_fields(plant: Plant) -> tuple[str, ...]:
    """Return the sentences of a plant, for a judge that must quote one."""
    return tuple(text for part in (plant.add, plant.set) for text in part.values() if text)
