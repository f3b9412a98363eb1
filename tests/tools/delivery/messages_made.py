"""Messages of any option with any merchants on any day, and a reader of texts that shares no code with the product."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st

from tests.gate.offers import Book, open_book
from tests.tools.offer_content import Case, cases
from tools.delivery.composer import Composed, compose
from tools.delivery.messages import InAppMessage, PushMessage, SmsMessage
from tools.offer_terms import terms_from
from tools.report import ComplianceReport
from tools.subject import Scope, Subject
from tools.terms import Merchant, OfferTerms
from tools.vocabulary import DELIVERY_CHANNELS, DeliveryChannel

WANTED = {"any": ("both", "online"), "online_only": ("both", "online"), "in_store_only": ("both", "in-store")}
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}


@cache
def book() -> Book:
    return open_book()


@cache
def every_case() -> tuple[Case, ...]:
    return tuple(cases())


def partners_of(case: Case) -> list[Merchant]:
    """Return every partner that may stand in an offer of this option, the longest names first."""
    partners = [one for one in book().catalogue.partners.values() if one.domain == case.domain and one.sells_in(None)]
    fitting = [one for one in partners if one.type in WANTED[case.option.channel]]
    return [one.as_named() for one in sorted(fitting, key=lambda one: -len(one.name))]


def terms_of(case: Case, merchants: list[Merchant], day: date) -> OfferTerms:
    return terms_from(case.option, merchants, domain=case.domain, card_type=case.card_type, send_date=day)


@st.composite
def offers(draw: st.DrawFn) -> tuple[Case, OfferTerms]:
    """Draw any option of any menu, sent on any day of ten years, with any two to four of its partners in any order."""
    case = draw(st.sampled_from(every_case()))
    merchants = draw(st.lists(st.sampled_from(partners_of(case)), min_size=2, max_size=4, unique=True))
    return case, terms_of(case, merchants, draw(st.dates(date(2026, 1, 1), date(2036, 12, 31))))


def made(channel: DeliveryChannel, terms: OfferTerms, *, issuer: str = "Example Bank") -> Composed:
    settings = book().settings
    legal = book().disclosures.terms_text(terms, issuer=issuer, time_zone=settings.brand_time_zone_name)
    hosts = frozenset(settings.brand_allowed_hosts)
    return compose(
        channel,
        terms,
        legal,
        texts=book().deliveries,
        issuer=issuer,
        site=settings.brand_site,
        allowed_hosts=hosts,
    )


def subject_of(channel: DeliveryChannel, case: Case, terms: OfferTerms, composed: Composed) -> Subject:
    return Subject(
        text=composed.copy,
        offer=terms.facts(),
        send_date=terms.start_date,
        scope=Scope(case.domain, case.card_type, terms.channel, terms.offer_type, channel),
        member={"card_type": case.card_type, "annual_fee": 250.0, "region": "US-WEST"},
        approved=composed.approved,
        delivery=composed.facts,
    )


def judged(subject: Subject) -> ComplianceReport:
    return book().gate.check(subject, stages=("terms", "copy"))


class Read(NamedTuple):
    """What a reader takes from a text; a term it doesn't mention is None."""

    value: tuple[Decimal | None, str] | None
    minimum: Decimal | None
    cap: tuple[Decimal, str] | None
    ends: date | None
    enroll_by: date | None
    place: str | None
    merchants: frozenset[str]


def read_back(text: str, names: frozenset[str]) -> Read:
    """Read the terms back from what a member sees, with expressions of this file's own."""
    spoken = text
    found = set()
    for name in sorted(names, key=len, reverse=True):  # "Hilton Hotels" goes before "Hilton"
        if name in spoken and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", spoken):
            found.add(name)
            spoken = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "@", spoken)
    minimum = re.search(r"Spend \$([\d,.]*\d)", spoken)
    cap = re.search(r"[Cc]apped at (\$?)([\d,.]*\d)( in purchases| bonus points)?", spoken)
    enroll = re.search(r"Enroll by (\w{3} \d+, \d{4})", spoken)
    ends = re.search(r"(?:through|[^l] by) (\w{3} \d+, \d{4})", spoken)
    place = re.search(r"([Oo]nline|[Ii]n[- ]store)", spoken)
    return Read(
        value=next(_values(spoken), None),
        minimum=_amount(minimum[1]) if minimum else None,
        cap=(_amount(cap[2]), f"{cap[1]}{cap[3] or ''}") if cap else None,
        ends=_date(ends[1]) if ends else None,
        enroll_by=_date(enroll[1]) if enroll else None,
        place=place[1].lower().replace(" ", "-") if place else None,
        merchants=frozenset(found),
    )


def meant(terms: OfferTerms) -> Read:
    """Return what a reader must take from a text of these terms."""
    cap_words = {"usd": "$", "usd_spend": "$ in purchases", "points": " bonus points", None: ""}
    return Read(
        value=(terms.reward_value, terms.reward_unit),
        minimum=terms.minimum_spend,
        cap=None if terms.reward_cap is None else (terms.reward_cap, cap_words[terms.reward_cap_unit]),
        ends=terms.end_date,
        enroll_by=terms.enroll_by,
        place={"any": None, "online_only": "online", "in_store_only": "in-store"}[terms.channel],
        merchants=frozenset(merchant.merchant_name for merchant in terms.merchants),
    )


def _values(text: str) -> Iterator[tuple[Decimal | None, str]]:
    for pattern, unit in (
        (r"(\d[\d.]*)X points", "X_points"),
        (r"\$([\d,.]*\d) statement credit", "usd"),
        (r"(\d[\d.]*)% (?:cash back|discount)", "percent"),
    ):
        if match := re.search(pattern, text):
            yield _amount(match[1]), unit
    if re.search("early access to ", text, re.IGNORECASE):
        yield None, "none"


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def shown_text(message: PushMessage | SmsMessage | InAppMessage) -> str:
    """Return what a member sees first, in order: not the full terms, which stand beside or behind it."""
    match message:
        case SmsMessage():
            return message.text
        case PushMessage():
            return f"{message.title}. {message.body}"
        case InAppMessage():
            return f"{message.title}. {message.body}"


def _date(text: str) -> date:
    month, day, year = text.replace(",", "").split()
    return date(int(year), MONTHS[month], int(day))


CHANNELS = DELIVERY_CHANNELS
