"""Compliant offers as the product makes them, from the issuer's own folder: the bases that plants are put on.

Deterministic: the same folder gives the same offers, day, merchants and messages included.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from graph.brand import brand_of
from graph.deps import screening_limits
from graph.gate import detectors_of, with_texts
from graph.settings import Settings, load_settings
from tests.members import PROFILE
from tools.braces import fill_text
from tools.cardmembers import Cardmember
from tools.copy_blocks import Block, CopyBlocks, load_copy_blocks
from tools.delivery.composer import compose
from tools.delivery.texts import DeliveryTexts, load_delivery_texts
from tools.disclosures import Disclosures, load_disclosures
from tools.drafts import Copy
from tools.email.message import Mailer, Person
from tools.email.message_checks import message_facts
from tools.email.received import load_received
from tools.menus import Menus, load_menus
from tools.merchants import Catalogue, load_catalogue
from tools.offer_terms import terms_from
from tools.policies import Attestation, Gate, load_policies
from tools.policies.clauses import STAGES
from tools.policies.schema import AttestClause
from tools.report import Stage
from tools.screening import Case, Usage
from tools.signals import read_signals
from tools.slots import renderings
from tools.subject import MessageFacts, Scope, Subject
from tools.terms import Menu, MenuOption, Merchant, OfferTerms
from tools.vocabulary import COPY_FIELDS, DELIVERY_CHANNELS, CardType, CopyField, Domain, Strategy

POLICIES: Final = Path(__file__).parents[2] / "policies"
SEND_DATE: Final = date(2026, 11, 23)
"""The day plants' bases are sent on."""
FOREVER: Final = date(2999, 12, 31)
BEFORE_MESSAGE: Final[tuple[Stage, ...]] = ("member", "terms", "copy")
_NOON: Final = time(15, tzinfo=UTC)


@dataclass(frozen=True)
class Book:
    """What is read from a policies folder to make and judge offers."""

    settings: Settings
    gate: Gate
    catalogue: Catalogue
    menus: Menus
    blocks: CopyBlocks
    disclosures: Disclosures
    deliveries: DeliveryTexts
    mailer: Mailer


@dataclass(frozen=True)
class Compliant:
    """One offer that no clause should have anything against. `subject` has no message; `message` builds it."""

    book: Book
    name: str
    strategy: Strategy
    copy: Copy
    terms: OfferTerms
    subject: Subject

    @cached_property
    def message(self) -> MessageFacts:
        """The offer's email, as the product builds it."""
        return self.message_with({})

    def message_with(self, text: dict[str, str]) -> MessageFacts:
        """Return the email with these copy fields or terms in the place of its own. TemplateFault when it can't be."""
        copy = Copy.model_validate(self.copy.fields() | {name: text[name] for name in COPY_FIELDS if name in text})
        sent = datetime.combine(self.subject.send_date, _NOON)
        message = self.book.mailer.render(
            run_id=self.name,
            copy=copy,
            terms=self.terms,
            terms_text=text.get("terms", self.subject.text["terms"]),
            person=Person(),
            sent_at=sent,
        )
        return message_facts(message, self.book.mailer.brand, self.name)

    def filled(self, text: str) -> str:
        """Return `text` with the slots this offer has filled in; any other brace stays, since it may be the plant."""
        values = renderings(self.terms) | {"first_name": "Cardmember"}
        for name, value in values.items():
            if value is not None and f"{{{name}}}" in text:
                text = text.replace(f"{{{name}}}", value)
        return text

    @property
    def with_message(self) -> Subject:
        """The subject with its email."""
        return replace(self.subject, message=self.message)

    @property
    def whole(self) -> tuple[Subject, tuple[Stage, ...]]:
        """All that would leave, and the stages of the gate that judge it: only an email has a message."""
        if self.subject.scope.delivery == "email":
            return self.with_message, STAGES
        return self.subject, BEFORE_MESSAGE


def open_book(folder: Path = POLICIES) -> Book:
    """Read a policies folder. Whatever may be attested is: the suite itself shows that nothing else would pass.

    Raises PolicyInvalid, with file and line.
    """
    settings = load_settings(_env_file=None, policies_dir=folder)
    catalogue = load_catalogue(folder / "merchants.yaml")
    blocks = load_copy_blocks(folder / "copy")
    detectors = detectors_of(settings.brand_issuer, catalogue)
    deliveries = load_delivery_texts(folder / "delivery")
    policies = load_policies(folder, detectors=detectors, run_examples=False)
    clauses = [clause for policy in policies.active for clause in policy.front.clauses]
    gate = Gate(
        policies=policies,
        detectors=detectors,
        attestations={
            clause.attested_by: Attestation("the mutation suite", FOREVER)
            for clause in clauses
            if isinstance(clause, AttestClause)
        },
        merchant_names=catalogue.names(),
        blocks=blocks.covers,
    )
    return Book(
        settings=settings,
        gate=with_texts(gate, deliveries),
        catalogue=catalogue,
        menus=load_menus(folder / "ladders.yaml", policies.limit),
        blocks=blocks,
        disclosures=load_disclosures(folder / "disclosures.yaml"),
        deliveries=deliveries,
        mailer=Mailer(
            brand_of(settings),
            token_secret=b"mutation-suite-mutation-suite-00",
            received=load_received(folder / "received.yaml"),
        ),
    )


def compliant_offers(book: Book, *, turns: int, send_date: date = SEND_DATE, spread_days: int = 0) -> list[Compliant]:
    """Return `turns` offers for every option of every menu, each with other merchants and other approved blocks.

    With `spread_days` the days they are sent on differ, up to so many after the first.
    """
    return list(_offers(book, turns, send_date, spread_days))


def delivered(offers: Sequence[Compliant]) -> Iterator[Compliant]:
    """Yield each offer as push, SMS and in-app message, as the product makes them; `copy` stays the email's."""
    for offer in offers:
        book = offer.book
        for channel in DELIVERY_CHANNELS:
            composed = compose(
                channel,
                offer.terms,
                offer.subject.text["terms"],
                texts=book.deliveries,
                issuer=book.settings.brand_issuer,
                site=book.settings.brand_site,
                allowed_hosts=frozenset(book.settings.brand_allowed_hosts),
            )
            subject = replace(
                offer.subject,
                text=composed.copy,
                approved=composed.approved,
                delivery=composed.facts,
                scope=replace(offer.subject.scope, delivery=channel),
            )
            yield replace(offer, name=f"{offer.name}-{channel}", subject=subject)


def _offers(book: Book, turns: int, send_date: date, spread_days: int) -> Iterator[Compliant]:
    count = 0
    for (domain, card_type, strategy), menu in book.menus.menus.items():
        for option in menu.options:
            suitable = book.blocks.blocks_for(option, domain=domain, strategy=strategy, card_type=card_type)
            for turn in range(turns):
                day = send_date + timedelta(days=count % (spread_days + 1))
                chosen = {field: group[turn % len(group)] for field, group in suitable.items()}
                merchants = _merchants(book, domain, menu, turn)
                terms = terms_from(option, merchants, domain=domain, card_type=card_type, send_date=day)
                yield offer_of(book, f"clean-{count:05}", chosen, terms, (card_type, strategy, option, menu, day))
                count += 1


def _merchants(book: Book, domain: Domain, menu: Menu, turn: int) -> tuple[Merchant, ...]:
    channels = {one.channel for one in menu.options}
    found = book.catalogue.candidates(domain, campaign="gate", view_digest=str(turn), channels=channels)
    return found[: 2 + turn % 3]


def offer_of(
    book: Book,
    name: str,
    blocks: Mapping[CopyField, Block],
    terms: OfferTerms,
    case: tuple[CardType, Strategy, MenuOption, Menu, date],
) -> Compliant:
    """Return the offer of these blocks and terms; `case` is card type, strategy, option, menu and day sent."""
    card_type, strategy, _, menu, day = case
    values = renderings(terms) | {"first_name": "Cardmember"}
    copy = Copy.model_validate({field: fill_text(block.text, values) for field, block in blocks.items()})
    zone = book.settings.brand_time_zone_name
    legal = book.disclosures.terms_text(terms, issuer=book.settings.brand_issuer, time_zone=zone)
    member = Cardmember("USER_GATE", **(PROFILE | {"card_type": card_type.capitalize()}))
    screened = Case(
        member=member,
        signals=read_signals(member, day),
        usage=Usage(),
        limits=screening_limits(book.gate.policies, book.settings, terms.domain),
        domain=terms.domain,
        confidence=0.9,
        menu=menu,
        candidates=len(terms.merchants),
        account_standing_attested=True,
        today=day,
    )
    subject = Subject(
        text={str(field): text for field, text in copy.fields().items()} | {"terms": legal},
        offer=terms.facts(),
        send_date=day,
        scope=Scope(terms.domain, card_type, terms.channel, terms.offer_type),
        member=screened.facts(),
        personal={key: value for key, value in asdict(member).items() if value is not None},
        approved={field: block.id for field, block in blocks.items()},
    )
    return Compliant(book, name, strategy, copy, terms, subject)
