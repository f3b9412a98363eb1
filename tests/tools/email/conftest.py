from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tools.drafts import Copy
from tools.email.brand import Brand
from tools.email.message import Mailer, Message, Person
from tools.email.message_checks import message_facts
from tools.subject import Subject
from tools.terms import Merchant, OfferTerms
from tools.vocabulary import MerchantType, OfferType

RUN_ID = "7f3c2a10-9d1e-4f2a-8c55-0b6a1d2e3f40"
SECRET = b"a secret of thirty-two bytes....."
SENT_AT = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
TERMS_TEXT = (
    "Offer valid May 4, 2026 through June 17, 2026, 11:59 p.m. Eastern Time. Enroll by May 25, 2026 where needed.\n"
    "Gift cards, cash advances, fees and balance transfers do not count. One offer per Cardmember.\n"
    "If an eligible purchase is returned, we may take back the reward. Issued by Example Bank."
)


def merchant(merchant_id: str, name: str, merchant_type: MerchantType) -> Merchant:
    return Merchant(
        merchant_id=merchant_id, merchant_name=name, merchant_category="Partner", merchant_type=merchant_type
    )


def offer(**own: object) -> OfferTerms:
    shared: dict[str, object] = {
        "option_id": "option",
        "expiration_days": 45,
        "expected_cost_usd": Decimal("4.20"),
        "start_date": date(2026, 5, 4),
        "end_date": date(2026, 6, 17),
        "eligible_card_types": ("gold",),
        "requires_enrollment": True,
        "enroll_by": date(2026, 5, 25),
        "merchants": (merchant("m1", "Marlowe's Table", "in-store"), merchant("m2", "Harvest & Vine", "both")),
    }
    return OfferTerms.model_validate(shared | own)


OFFERS: dict[OfferType, OfferTerms] = {
    "points_multiplier": offer(
        offer_type="points_multiplier",
        reward_value=Decimal(4),
        reward_unit="X_points",
        base_rate=Decimal(1),
        minimum_spend=Decimal(50),
        reward_cap=Decimal(1500),
        reward_cap_unit="usd_spend",
        fulfillment_weeks=(8, 12),
        domain="Dining",
    ),
    "statement_credit": offer(
        offer_type="statement_credit",
        reward_value=Decimal(25),
        reward_unit="usd",
        minimum_spend=Decimal(150),
        fulfillment_weeks=(6, 8),
        channel="online_only",
        domain="Electronics",
    ),
    "cashback": offer(
        offer_type="cashback",
        reward_value=Decimal(10),
        reward_unit="percent",
        minimum_spend=Decimal("49.50"),
        reward_cap=Decimal(100),
        reward_cap_unit="usd",
        fulfillment_weeks=(8, 8),
        domain="Retail",
    ),
    "discount": offer(
        offer_type="discount",
        reward_value=Decimal("12.5"),
        reward_unit="percent",
        requires_enrollment=False,
        enroll_by=None,
        domain="Business Services",
    ),
    "exclusive_access": offer(
        offer_type="exclusive_access", reward_value=None, reward_unit="none", domain="Entertainment"
    ),
}

COPY = Copy(
    subject="A new offer for your Card is here",
    preheader="Have a look before June 17, 2026 and make the most of it.",
    headline="Something good for your evenings",
    body="Two partners you may already know have something for you.\n\nPay with your Card and enjoy it.",
    cta="See your offer",
)


@pytest.fixture(scope="session")
def brand() -> Brand:
    return Brand()


@pytest.fixture(scope="session")
def mailer(brand: Brand) -> Mailer:
    return Mailer(brand, token_secret=SECRET)


@pytest.fixture(scope="session")
def offers() -> dict[OfferType, OfferTerms]:
    return OFFERS


@pytest.fixture(scope="session")
def copy_text() -> Copy:
    return COPY


@pytest.fixture(scope="session")
def run_id() -> str:
    return RUN_ID


@pytest.fixture(scope="session")
def build(mailer: Mailer) -> Callable[..., Message]:
    """Render a message; keywords replace single inputs, `offer_type` picks the terms."""

    def render(offer_type: OfferType = "points_multiplier", **own: object) -> Message:
        inputs: dict[str, object] = {
            "run_id": RUN_ID,
            "copy": COPY,
            "terms": OFFERS[offer_type],
            "terms_text": TERMS_TEXT,
            "person": Person("Amara", "amara@mail.example"),
            "sent_at": SENT_AT,
        }
        using = own.pop("mailer", mailer)
        assert isinstance(using, Mailer)
        return using.render(**(inputs | own))  # type: ignore[arg-type]

    return render


@pytest.fixture(scope="session")
def judged(build: Callable[..., Message], brand: Brand) -> Callable[..., Subject]:
    """Render a message and wrap it as the gate sees it."""

    def subject(offer_type: OfferType = "points_multiplier", **own: object) -> Subject:
        message = build(offer_type, **own)
        copy = own.get("copy", COPY)
        assert isinstance(copy, Copy)
        return Subject(
            text=copy.model_dump() | {"terms": str(own.get("terms_text", TERMS_TEXT))},
            offer=OFFERS[offer_type].facts(),
            send_date=SENT_AT.date(),
            message=message_facts(message, brand, RUN_ID),
        )

    return subject
