"""Copy facts equal terms in every channel; every message fits and passes the gate; a changed one doesn't."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings

from tests.tools.delivery.messages_made import (
    CHANNELS,
    book,
    every_case,
    judged,
    made,
    meant,
    offers,
    partners_of,
    read_back,
    shown_text,
    subject_of,
    terms_of,
)
from tests.tools.offer_content import Case
from tools.delivery.gsm import sms_length
from tools.delivery.messages import InAppMessage, SmsMessage
from tools.subject import Subject
from tools.terms import OfferTerms
from tools.vocabulary import DeliveryChannel

NAMES = frozenset(book().catalogue.names())


@settings(max_examples=200)
@given(offer=offers())
def test_the_terms_read_back_from_every_channel_are_the_terms(offer: tuple[Case, OfferTerms]) -> None:
    _, terms = offer
    for channel in CHANNELS:
        text = shown_text(made(channel, terms).message)
        assert read_back(text, NAMES) == meant(terms), text
        assert "Terms apply." in text


@settings(max_examples=15)
@given(offer=offers())
def test_any_offer_with_any_partners_on_any_day_passes_in_every_channel(offer: tuple[Case, OfferTerms]) -> None:
    case, terms = offer
    for channel in CHANNELS:
        report = judged(subject_of(channel, case, terms, made(channel, terms)))
        assert report.violations == (), (channel, report.violations[0])
        assert (report.verdict, report.judge) == ("pass", "approved_copy")


def test_every_option_of_every_menu_fits_and_passes_with_the_longest_names() -> None:
    longest: dict[str, tuple[int, str]] = {}
    for case in every_case():
        terms = terms_of(case, partners_of(case)[:4], date(2026, 9, 13))
        for channel in CHANNELS:
            composed = made(channel, terms)
            message = composed.message
            if isinstance(message, SmsMessage):
                measured = {"sms segments": message.segments, "sms units": sms_length(message.text).units}
            else:
                measured = {f"{channel} title": len(message.title), f"{channel} body": len(message.body)}
            for name, length in measured.items():
                longest[name] = max(longest.get(name, (0, "")), (length, shown_text(message)))
            report = judged(subject_of(channel, case, terms, composed))
            assert report.verdict == "pass", (case.option.option_id, channel, report.violations)
    print(*(f"\n{name}: {length}: {text}" for name, (length, text) in sorted(longest.items())))
    assert longest["push title"][0] <= 50 and longest["push body"][0] <= 178
    assert longest["sms segments"][0] <= 3
    assert longest["in_app title"][0] <= 60 and longest["in_app body"][0] <= 300


def changed_numbers(text: str) -> Iterator[str]:
    """Yield the text with each of its numbers, in turn, one more than it was."""
    for match in re.finditer(r"\d[\d,]*", text):
        digits = match[0].rstrip(",")
        more = f"{int(digits.replace(',', '')) + 1:,}" if "," in digits else str(int(digits) + 1)
        yield text[: match.start()] + more + text[match.start() + len(digits) :]


def dropped_sentences(text: str) -> Iterator[str]:
    """Yield the text without each of its sentences, in turn."""
    sentences = re.split(r"(?<=\.) (?=[A-Z])", text)
    for index in range(len(sentences)):
        yield " ".join(sentences[:index] + sentences[index + 1 :])


def with_text(subject: Subject, field: str, text: str) -> Subject:
    """Return the subject saying something else, as nobody approved it."""
    facts = subject.delivery
    assert facts is not None
    whole = f"{text} {facts.link} {facts.notice}" if facts.text else ""
    return replace(
        subject,
        text={**subject.text, field: text},
        approved={name: block for name, block in subject.approved.items() if name != field},
        delivery=replace(facts, text=whole),
    )


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_with_one_number_changed_or_one_condition_dropped_is_refused(channel: DeliveryChannel) -> None:
    kinds = {
        (case.option.offer_type, case.option.requires_enrollment, case.option.channel): case for case in every_case()
    }
    refused = 0
    for case in kinds.values():
        terms = terms_of(case, partners_of(case)[-3:], date(2026, 9, 13))
        subject = subject_of(channel, case, terms, made(channel, terms))
        for field in ("headline", "body"):
            own = subject.text[field]
            others = {*changed_numbers(own), *(dropped_sentences(own) if field == "body" else ())}
            for other in others:
                report = judged(with_text(subject, field, other))
                assert report.verdict == "violate", (channel, field, other)
                refused += 1
    assert refused > 60


def test_the_same_terms_make_the_same_message_and_other_terms_another_link() -> None:
    case = every_case()[0]
    partners = partners_of(case)[:2]
    terms, later = (terms_of(case, partners, date(2026, 9, day)) for day in (13, 14))
    for channel in CHANNELS:
        assert made(channel, terms) == made(channel, terms)
        assert made(channel, terms).message.link != made(channel, later).message.link
        assert re.fullmatch(r"https://offers\.examplebank\.example/t/[a-z2-7]{12}", made(channel, terms).message.link)


def test_a_card_in_the_app_carries_the_terms_whole() -> None:
    case = every_case()[0]
    terms = terms_of(case, partners_of(case)[:2], date(2026, 9, 13))
    message = made("in_app", terms).message
    assert isinstance(message, InAppMessage)
    assert message.terms == book().disclosures.terms_text(terms, issuer="Example Bank", time_zone="Eastern Time")
    assert message.cta == "Enroll now"


def test_an_issuer_outside_the_gsm_alphabet_makes_a_text_that_doesn_t_fit_and_is_refused_not_cut() -> None:
    case = next(case for case in every_case() if case.option.offer_type == "statement_credit")
    terms = terms_of(case, partners_of(case)[:4], date(2026, 9, 13))
    composed = made("sms", terms, issuer="Banka Čačak")
    assert isinstance(composed.message, SmsMessage)
    assert (composed.message.encoding, composed.message.segments > 3) == ("UCS-2", True)
    assert composed.message.text.endswith("HELP for help.")
    report = judged(subject_of("sms", case, terms, composed))
    assert "sms_length" in {item.clause_id for item in report.violations}
