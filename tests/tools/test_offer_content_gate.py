from functools import cache

from tests.tools.offer_content import POLICIES, SEND_DATE, blocks, catalogue, disclosures, long_named_terms, menus
from tools.claims import claim_detectors
from tools.delivery.checks import DETECTORS as DELIVERY_DETECTORS
from tools.drafts import Copy
from tools.email.message_checks import DETECTORS as MESSAGE_DETECTORS
from tools.grounding import grounding_checks, grounding_detectors
from tools.hygiene import DETECTORS as HYGIENE_DETECTORS
from tools.menus import load_menus
from tools.policies.gate import Gate
from tools.policies.load import load_policies
from tools.slots import FilledCopy, fill
from tools.subject import Scope, Subject


@cache
def gate() -> Gate:
    aliases = {partner.name: partner.aliases for partner in catalogue().partners.values()}
    checks = grounding_checks(merchant_names=aliases, issuer="Example Bank")
    of_copy = (*grounding_detectors(checks), *claim_detectors(checks), *HYGIENE_DETECTORS)
    detectors = {detector.name: detector for detector in (*of_copy, *MESSAGE_DETECTORS, *DELIVERY_DETECTORS)}
    return Gate(
        policies=load_policies(POLICIES, detectors=detectors, run_examples=False),
        detectors=detectors,
        merchant_names=catalogue().names(),
        blocks=blocks().covers,
    )


def test_menus_keep_the_limits_of_the_policies_in_force() -> None:
    assert load_menus(POLICIES / "ladders.yaml", gate().policies.limit).menus == menus().menus


def test_every_option_passes_every_terms_and_copy_clause_with_every_block_that_suits_it() -> None:
    for case, terms in long_named_terms():
        suitable = blocks().blocks_for(
            case.option, domain=case.domain, strategy=case.strategy, card_type=case.card_type
        )
        legal = disclosures().terms_text(terms, issuer="Example Bank", time_zone="America/New_York")
        for turn in range(max(map(len, suitable.values()))):
            chosen = {field: group[turn % len(group)] for field, group in suitable.items()}
            filled = fill(Copy.model_validate({field: block.text for field, block in chosen.items()}), terms)
            assert isinstance(filled, FilledCopy)
            subject = Subject(
                text={**filled.fields, "terms": legal},
                offer=terms.facts(),
                send_date=SEND_DATE,
                scope=Scope(case.domain, case.card_type, terms.channel, terms.offer_type),
                member={"card_type": case.card_type, "annual_fee": 250.0, "region": "US-TERRITORIES"},
                approved={field: block.id for field, block in chosen.items()},
            )
            report = gate().check(subject, stages=("terms", "copy"))
            assert not report.violations, (case.option.option_id, report.violations[0])
            assert report.verdict == "pass"
