"""The policies hold for any issuer: their examples name a fictional one, the offers name the real one."""

from graph.rulebook import load_rulebook
from graph.settings import load_settings
from tests.gate.offers import compliant_offers, open_book
from tools.policies.clauses import STAGES
from tools.policies.standard import ISSUER
from tools.vocabulary import OFFER_TYPES

BRAND = {
    "brand_issuer": "First Meridian Trust",
    "brand_sender_name": "First Meridian Trust",
    "brand_sender_address": "cards@mail.firstmeridian.example",
    "brand_reply_to": "cards@mail.firstmeridian.example",
    "brand_site": "https://offers.firstmeridian.example",
    "brand_allowed_hosts": "offers.firstmeridian.example,www.firstmeridian.example",
    "brand_postal_address": "First Meridian Trust, 5 Harbor Road, Boston, MA 02110",
}


def test_the_policies_load_under_another_name() -> None:
    settings = load_settings(_env_file=None, **BRAND)
    assert load_rulebook(settings).policies.sha == load_rulebook(load_settings(_env_file=None)).policies.sha


def test_offers_of_another_issuer_pass_and_name_nobody_else() -> None:
    book = open_book(**BRAND)
    offers = compliant_offers(book, turns=1)[::5]
    for offer in offers:
        subject = offer.with_message
        report = book.gate.check(subject, stages=STAGES)
        assert report.verdict == "pass", (offer.name, report.violations)
        assert BRAND["brand_issuer"] in subject.text["terms"] and ISSUER not in offer.message.html
    assert {offer.terms.offer_type for offer in offers} == set(OFFER_TYPES)
