"""Why you got this: the member's explanation, reviewed, and the same whatever was concluded about the member."""

from dataclasses import fields
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.members import PROFILE
from tests.tools.offer_content import POLICIES, SEND_DATE, catalogue, menus
from tools.cardmembers import Cardmember
from tools.drafts import Copy
from tools.email.brand import Brand
from tools.email.message import Mailer, Message, Person
from tools.email.received import Received, load_received
from tools.errors import PolicyInvalid
from tools.offer_terms import terms_from
from tools.signals import insights, read_signals
from tools.vocabulary import CARD_TYPES, DOMAINS

SECRET = b"sixteen bytes or more"
OTHER: dict[str, Any] = {
    "name": "Amara Okafor", "age": 71, "gender": "M", "location": "Miami, FL", "segment": "Mass", "tenure_years": 19,
    "annual_fee": 0, "credit_limit": 99000, "card_activation_date": date(2007, 1, 2), "email_open_rate": 0.9,
    "customer_lifecycle_stage": "at_risk", "churn_risk_score": 0.93, "preferred_domain_1": "Retail",
    "preferred_domain_2": "Entertainment", "persona": "Saver", "total_transactions_12m": 900,
    "total_spend_12m": 91000.0,
    "avg_transaction_amount": 101.1, "recency_days": 1, "frequency_30d": 80, "monetary_30d": 9999.0,
    "spend_change_pct_30d": -0.5, "spend_change_pct_90d": 0.4, "days_engaged_90d": 90, "total_app_opens_90d": 3,
    "offer_views_90d": 0, "offer_clicks_90d": 0, "avg_session_duration_sec": 20, "engagement_change_pct_30d": -0.9,
    "offers_shown_6m": 20, "offers_accepted_6m": 1, "historical_acceptance_rate": 0.05, "days_since_last_offer": 90,
    "offers_sent_this_month": 1, "last_offer_accepted": False, "last_offer_domain": "Travel",
    "last_offer_date": date(2026, 9, 1),
}  # fmt: skip
"""Another member than the profile's in every column but the card type and the consent that both need."""


@pytest.fixture(scope="module")
def received() -> Received:
    return load_received(POLICIES / "received.yaml")


def message_for(member: Cardmember, domain: Any, received: Received) -> Message:
    view = read_signals(member, SEND_DATE).view(domain)
    assert view is not None
    menu = menus().menu_for(domain, view.card_type, view.strategy)
    option = menu.options[-1]
    merchants = catalogue().candidates(
        domain, campaign="c", view_digest=view.digest(), channels={one.channel for one in menu.options}
    )
    return Mailer(Brand(), token_secret=SECRET, received=received).render(
        run_id="run-1",
        copy=Copy(subject="An offer", preheader="For you", headline="An offer", body="A body.", cta="See it"),
        terms=terms_from(option, merchants[:2], domain=domain, card_type=view.card_type, send_date=SEND_DATE),
        terms_text="Terms.",
        person=Person((member.name or "").split()[0]),
        sent_at=datetime(2026, 8, 15, 12, tzinfo=UTC),
    )


def test_two_members_alike_in_card_and_domain_alone_read_the_same_words(received: Received) -> None:
    one, other = Cardmember("USER_1", **PROFILE), Cardmember("USER_2", **(PROFILE | OTHER))
    same = {item.name for item in fields(Cardmember) if getattr(one, item.name) == getattr(other, item.name)}
    assert same <= {"card_type", "opt_in_marketing", "email"}
    signals = [read_signals(member, SEND_DATE) for member in (one, other)]
    assert signals[0].archetype != signals[1].archetype
    for domain in DOMAINS:
        found = [message_for(member, domain, received) for member in (one, other)]
        assert found[0].text != found[1].text  # strategy, so menu and offer, differ
        sentence = "You received it because you have a Gold Card and chose to get our offers by email."
        for message in found:
            assert message.text.count(sentence) == message.html.count(sentence) == 1
            starts = ("This is an advertisement", "Why you got this")
            told = [line for line in message.text.splitlines() if line.startswith(starts)]
            assert told == ["This is an advertisement from Example Bank.", f"Why you got this: {sentence}"]


def test_the_sentence_shows_nothing_that_is_concluded_of_a_member(received: Received) -> None:
    conclusions = {"spend", "often", "prefer", "interest", "recent", "habit", "persuad", "loyal", "activ", "based on"}
    assert not [word for word in conclusions if word in received.text.lower()]
    for card_type, domain in product(CARD_TYPES, DOMAINS):
        member = Cardmember("USER_1", **(PROFILE | {"card_type": card_type.capitalize()}))
        view = read_signals(member, SEND_DATE).view(domain)
        assert view is not None
        menu = menus().menu_for(domain, card_type, view.strategy)
        terms = terms_from(
            menu.options[0], catalogue().candidates(
                domain, campaign="c", view_digest="v", channels={one.channel for one in menu.options}
            )[:2], domain=domain, card_type=card_type, send_date=SEND_DATE,
        )  # fmt: skip
        line, card = received.line(terms), card_type.capitalize()
        assert line == f"You received it because you have a {card} Card and chose to get our offers by email."
        for told in insights(read_signals(member, SEND_DATE), domain):
            assert told not in line


def test_the_sentence_is_part_of_what_names_a_mailer(received: Received) -> None:
    mailers = [Mailer(Brand(), token_secret=SECRET, received=of) for of in (received, Received("Other words."))]
    assert mailers[0].sha != mailers[1].sha
    assert mailers[0].template_sha == mailers[1].template_sha


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You got it because you like {merchants}.", "unknown slot {merchants}; known are card_type, domain"),
        ("You got it as one of 100 members.", "a digit or a brace"),
        ("", "at least 1 character"),
    ],
)
def test_a_sentence_that_could_tell_more_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "received.yaml"
    path.write_text(f'version: "1.0.0"\napproved_by: A\napproved_at: 2026-01-05\ntext: "{text}"\n', encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=words) as caught:
        load_received(path)
    assert caught.value.line == 4
