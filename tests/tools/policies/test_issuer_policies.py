import json
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tools.claims import claim_detectors
from tools.delivery.checks import DETECTORS as DELIVERY_DETECTORS
from tools.email.message_checks import DETECTORS as MESSAGE_DETECTORS
from tools.grounding import grounding_checks, grounding_detectors
from tools.hygiene import DETECTORS as HYGIENE_DETECTORS
from tools.policies import Attestation, Gate, JudgeFinding, PolicySet, covers, lint, load_policies
from tools.policies.schema import AttestClause, CodeClause
from tools.policies.standard import standard_message, standard_subject
from tools.report import SATISFIED
from tools.subject import Detector, Scope, Subject
from tools.vocabulary import DOMAINS

FOLDER = Path(__file__).parents[3] / "policies"
ATTESTED = {
    "account_standing": Attestation("Credit Operations", date(2999, 12, 31)),
    "complaint_rate": Attestation("Mail Operations", date(2999, 12, 31)),
    "sender_authentication": Attestation("Mail Operations", date(2999, 12, 31)),
}
LIMITS = {
    "points_multiplier_policy": {
        "max_multiplier": 5,
        "min_base_rate": 1,
        "min_minimum_spend": 50,
        "max_promotion_days": 92,
        "max_active_multiplier_offers": 3,
    },
    "travel_offer_policy": {"max_bonus_points": 50_000, "min_validity_days": 30, "max_validity_days": 60},
    "dining_offer_policy": {"max_multiplier": 4, "max_reward_cap_usd_spend": 25_000},
    "retail_offer_policy": {
        "max_percent_back": 20,
        "max_multiplier": 5,
        "min_minimum_spend": 25,
        "max_minimum_spend": 50,
    },
    "electronics_offer_policy": {
        "max_percent_back": 15,
        "max_multiplier": 4,
        "min_minimum_spend": 100,
        "max_minimum_spend": 200,
        "max_credits_per_year_usd": 500,
    },
    "business_services_offer_policy": {
        "max_multiplier": 5,
        "min_software_multiplier": 3,
        "max_software_multiplier": 4,
        "min_shipping_multiplier": 3,
        "max_shipping_multiplier": 3,
        "min_office_multiplier": 2,
        "max_office_multiplier": 3,
        "max_reward_cap_usd_spend": 50_000,
    },
    "entertainment_offer_policy": {
        "max_multiplier": 3,
        "max_statement_credit_usd": 20,
        "max_credits_per_year_usd": 300,
    },
    "compliance_policy": {
        "min_validity_days": 30,
        "max_validity_days": 60,
        "min_merchants": 2,
        "max_merchants": 4,
    },
    "frequency_policy": {
        "max_offers_per_month": 3,
        "min_days_between_category_offers": 7,
        "min_days_after_decline": 30,
        "max_high_value_offers_per_quarter": 1,
        "min_high_value_cost_usd": 50,
    },
    "eligibility_policy": {
        "min_average_monthly_spend_usd": 500,
        "min_account_age_days": 90,
        "min_confidence_score": 0.7,
    },
}


@cache
def detectors() -> dict[str, Detector]:
    names = {"Olive Garden": (), "Panera Bread": (), "Best Buy": (), "Target": ()}
    checks = grounding_checks(merchant_names=names, issuer="Example Bank")
    of_copy = (*grounding_detectors(checks), *claim_detectors(checks), *HYGIENE_DETECTORS)
    return {detector.name: detector for detector in (*of_copy, *MESSAGE_DETECTORS, *DELIVERY_DETECTORS)}


@cache
def policies() -> PolicySet:
    return load_policies(FOLDER, detectors=detectors())


class NothingFound:
    """A judge that has read the copy and found nothing."""

    def finding(self, subject: Subject, policy_id: str, clause_id: str) -> JudgeFinding:
        return JudgeFinding(violated=False)


def gate() -> Gate:
    return Gate(policies(), detectors(), attestations=ATTESTED, merchant_names=("Olive Garden", "Panera Bread"))


def test_they_load_and_every_example_comes_out_as_declared() -> None:
    assert [str(problem) for problem in lint(FOLDER, detectors=detectors())] == []


def test_ids_and_numbers_are_the_issuer_s() -> None:
    assert {policy.id: policy.limits for policy in policies().active if policy.id in LIMITS} == LIMITS


def test_every_detector_is_used() -> None:
    used = {
        active.clause.detector
        for policy in policies().active
        for active in policy.clauses
        if isinstance(active.clause, CodeClause)
    }
    assert used == set(detectors())


@pytest.mark.parametrize("policy_id", sorted(LIMITS))
def test_prose_is_long_enough_to_be_found_and_short_enough_to_be_read(policy_id: str) -> None:
    policy = policies().get(policy_id)
    assert policy is not None
    assert 150 <= len(policy.prose.split()) <= 300
    assert len(policy.brief.split()) <= 30


def test_every_clause_but_attestations_has_both_kinds_of_example() -> None:
    for policy in policies().active:
        for active in policy.clauses:
            if not isinstance(active.clause, AttestClause):
                assert active.clause.examples.violating
                assert active.clause.examples.conforming
            assert active.clause.fix_hint


def test_honest_copy_passes_all_stages_with_every_clause_run() -> None:
    subject = replace(standard_subject(), message=standard_message())
    stages = ("member", "terms", "copy", "message")
    report = replace(gate(), judge=NothingFound()).check(subject, stages=stages)
    assert report.violations == ()
    assert (report.verdict, report.judge) == ("pass", "ran")
    assert covers(report, gate().required(subject.scope, stages))


def test_without_a_judge_honest_copy_that_nobody_approved_lacks_the_judge_s_word_and_nothing_else() -> None:
    report = gate().check(standard_subject())
    assert (report.verdict, report.judge) == ("unknown", "unavailable")
    kinds = {(item.kind, item.error_code) for item in report.results if item.result not in SATISFIED}
    assert kinds == {("judge", "judge_unavailable")}


@pytest.mark.parametrize(
    ("fact", "clause"),
    [
        ("account_standing", "account_current"),
        ("complaint_rate", "complaint_rate_low"),
        ("sender_authentication", "sender_authenticated"),
    ],
)
def test_without_a_fact_that_only_a_person_knows_every_offer_is_held(fact: str, clause: str) -> None:
    others = {name: attestation for name, attestation in ATTESTED.items() if name != fact}
    report = replace(gate(), attestations=others).check(standard_subject(), stages=("member",))
    assert report.verdict == "unknown"
    assert [violation.clause_id for violation in report.violations] == [clause]


@pytest.mark.parametrize("fact", sorted(set(standard_subject().member) - {"annual_fee", "region"}))
def test_a_decision_fact_that_is_missing_holds_the_offer(fact: str) -> None:
    subject = standard_subject()
    member = {name: value for name, value in subject.member.items() if name != fact}
    assert gate().check(replace(subject, member=member)).verdict != "pass"


@pytest.mark.parametrize(
    ("name", "domain", "offer_type", "limit"),
    [
        ("max_multiplier", "Dining", "points_multiplier", 4),
        ("max_multiplier", "Travel", "points_multiplier", 5),
        ("max_multiplier", "Entertainment", "points_multiplier", 3),
        ("min_minimum_spend", "Retail", "points_multiplier", 50),
        ("min_minimum_spend", "Retail", "statement_credit", 25),
        ("min_minimum_spend", "Electronics", "points_multiplier", 100),
        ("max_percent_back", "Electronics", "cashback", 15),
        ("max_percent_back", "Travel", "cashback", None),
        ("max_validity_days", "Retail", "cashback", 60),
        ("max_credits_per_year_usd", "Entertainment", "statement_credit", 300),
    ],
)
def test_menus_get_the_stricter_limit(name: str, domain: str, offer_type: str, limit: float | None) -> None:
    assert domain in DOMAINS
    assert policies().limit(name, Scope(domain=domain, offer_type=offer_type)) == limit


def test_the_sha_is_the_same_for_every_load() -> None:
    again = load_policies(FOLDER, detectors=detectors(), run_examples=False)
    assert again.sha == policies().sha
    assert len(json.dumps(again.sha)) == 66
