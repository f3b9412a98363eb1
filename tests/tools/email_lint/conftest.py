from collections.abc import Callable
from datetime import UTC, datetime, time

import pytest

from graph.brand import brand_of
from tests.gate.offers import SEND_DATE, Book, Compliant, compliant_offers, open_book
from tests.tools.email_lint.mails import Written
from tools.email.brand import Brand
from tools.email.message import Mailer, Message, Person
from tools.email_lint import Linter

Mailed = Callable[..., Message]


@pytest.fixture(scope="session")
def book() -> Book:
    return open_book()


@pytest.fixture(scope="session")
def linter(book: Book) -> Linter:
    return Linter(book.gate)


@pytest.fixture(scope="session")
def brand(book: Book) -> Brand:
    return brand_of(book.settings)


@pytest.fixture(scope="session")
def offers(book: Book) -> tuple[Compliant, ...]:
    """One compliant offer for each domain and offer type."""
    every = compliant_offers(book, turns=1)
    return tuple({(each.terms.domain, each.terms.offer_type): each for each in every}.values())


@pytest.fixture(scope="session")
def mailed(book: Book) -> Mailed:
    """Build an offer's mail as the product does."""

    def build(offer: Compliant, person: Person, mailer: Mailer = book.mailer) -> Message:
        return mailer.render(
            run_id=offer.name,
            copy=offer.copy,
            terms=offer.terms,
            terms_text=offer.subject.text["terms"],
            person=person,
            sent_at=datetime.combine(SEND_DATE, time(15), UTC),
        )

    return build


@pytest.fixture(scope="session")
def good(offers: tuple[Compliant, ...], mailed: Mailed) -> Written:
    """A mail that no check has anything against, taken apart."""
    offer = next(each for each in offers if each.terms.offer_type == "statement_credit" and each.terms.minimum_spend)
    return Written.of(mailed(offer, Person("Amara", "amara@mail.example")).eml)
