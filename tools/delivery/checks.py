"""The detectors of clauses about push, SMS and in-app messages."""

from collections.abc import Mapping
from typing import Final

from tools.delivery.conditions import left_out
from tools.delivery.gsm import sms_length
from tools.delivery.links import terms_link
from tools.email.brand import link_fault
from tools.report import Evidence
from tools.subject import DeliveryFacts, Detector, Subject

SHORT: Final = ("headline", "body")
"""Where a message states its conditions unless a clause names other fields."""

_OPENING: Final = 40
_Params = Mapping[str, object]


def _conditions_said(subject: Subject, params: _Params) -> list[Evidence]:
    """Find each material condition of the offer that the message leaves out."""
    fields = params.get("fields", SHORT)
    if not isinstance(fields, list | tuple):
        raise TypeError("fields must be a list of text fields")
    text = "\n".join(subject.text.get(str(name), "") for name in fields)
    offer = subject.offer
    return [Evidence(field=f"offer.{name}", quote=str(offer.get(name, ""))) for name in left_out(offer, text)]


def _terms_linked(subject: Subject, params: _Params) -> list[Evidence]:
    """Find a link that isn't https on a host of the brand, or doesn't name the terms the message was checked with."""
    facts = _facts(subject)
    site = facts.link.partition("/t/")[0]
    named = facts.link == terms_link(site, subject.text.get("terms", ""))
    missing = facts.text and facts.text.split().count(facts.link) != 1
    if link_fault(facts.link, facts.allowed_hosts) or not named or missing:
        return [Evidence(field="link", quote=facts.link)]
    return []


def _sms_segments(subject: Subject, params: _Params) -> list[Evidence]:
    """Find a text of more segments than allowed: see `tools/delivery/gsm.py`."""
    most = params["max_segments"]
    if not isinstance(most, int) or isinstance(most, bool):
        raise TypeError("max_segments must be a whole number")
    length = sms_length(_facts(subject).text)
    if length.segments > most:
        said = f"{length.units} units of {length.encoding} in {length.segments} segments"
        return [Evidence(field="body", quote=said)]
    return []


def _sms_notice(subject: Subject, params: _Params) -> list[Evidence]:
    """Find a notice that isn't the programme's, or a text that isn't copy, link and notice and nothing else."""
    say, facts = params["say"], _facts(subject)
    if not isinstance(say, list | tuple) or not say:
        raise TypeError("say must list the sentences of the notice")
    whole = f"{subject.text.get('body', '')} {facts.link} {facts.notice}"
    if facts.notice == " ".join(map(str, say)) and facts.text == whole:
        return []
    return [Evidence(field="body", quote=facts.notice or facts.text)]


def _issuer_named_first(subject: Subject, params: _Params) -> list[Evidence]:
    """Find a text that doesn't open with the issuer's name and a colon."""
    body = subject.text.get("body", "")
    if body.startswith(f"{_facts(subject).issuer}: "):
        return []
    return [Evidence(field="body", quote=body[:_OPENING], start=0, end=len(body[:_OPENING]))]


def _facts(subject: Subject) -> DeliveryFacts:
    if subject.delivery is None:
        raise ValueError("no push, SMS or in-app message was built")
    return subject.delivery


DETECTORS: Final[tuple[Detector, ...]] = (
    Detector("conditions_said", ("terms", "copy"), _conditions_said, frozenset({"fields"})),
    Detector("terms_linked", ("terms", "copy"), _terms_linked),
    Detector("sms_segments", ("copy",), _sms_segments, frozenset({"max_segments"})),
    Detector("sms_notice", ("copy",), _sms_notice, frozenset({"say"})),
    Detector("issuer_named_first", ("copy",), _issuer_named_first),
)
"""Every check of a message that is no email."""
