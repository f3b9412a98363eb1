"""An offer that many share is judged once, then by what reads the member: the report is that of judging it whole."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gate.test_remembered import CHANGES, bases, book, report
from tools.policies.clauses import STAGES
from tools.policies.gate import breaks_for_nobody
from tools.report import SATISFIED, Stage
from tools.subject import Subject

BEFORE_MESSAGE: tuple[Stage, ...] = STAGES[:-1]

SHARED = ["nothing", "a digit of the body", "the headline", "a claim in the body", "a claim in the terms", "a merchant",
          "the blocks", "a late day"]  # fmt: skip
"""Changes of what all members of a cohort share."""

FACTS: dict[str, st.SearchStrategy[Any]] = {
    "card_type": st.sampled_from(["basic", "gold", "platinum"]),
    "annual_fee": st.sampled_from([0.0, 250.0]),
    "opt_in_marketing": st.booleans(),
    "email_opt_out": st.booleans(),
    "offers_this_month": st.integers(0, 4),
    "days_since_category_offer": st.sampled_from([0, 6, 7, 99_999]),
    "days_since_category_decline": st.sampled_from([0, 29, 30, 99_999]),
    "high_value_offers_quarter": st.integers(0, 2),
    "active_multiplier_offers": st.integers(0, 4),
    "credits_this_year_usd": st.sampled_from([0.0, 190.0, 200.0, 5_000.0]),
    "average_monthly_spend_usd": st.sampled_from([499.99, 500.0, 2_000.0]),
    "account_age_days": st.sampled_from([0, 89, 90, 365, 4_000]),
    "confidence_score": st.sampled_from([0.0, 0.69, 0.7, 1.0]),
    "offer_flag": st.sampled_from([0, 1]),
    "region": st.sampled_from(["US-WEST", "US-TERRITORIES"]),
}
PERSONAL: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["Wei Chen", "Offer Valid", "Grace View"]),
    "location": st.sampled_from(["Chicago, IL", "Wilmington, DE"]),
    "persona": st.sampled_from(["Foodie", "offer", "Travel Enthusiast"]),
    "segment": st.sampled_from(["Premium", "Mass Market"]),
    "credit_limit": st.sampled_from([18_250.0, 7.0, 25.0, 50.0]),
    "total_spend_12m": st.sampled_from([23_452.6, 7.0, 100.0]),
    "tenure_years": st.integers(0, 20),
}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    base=st.integers(0, 100),
    shared=st.sampled_from(SHARED),
    members=st.lists(
        st.tuples(st.fixed_dictionaries({}, optional=FACTS), st.fixed_dictionaries({}, optional=PERSONAL)),
        min_size=1,
        max_size=3,
    ),
    with_message=st.booleans(),
)
def test_judging_for_a_member_is_judging_the_whole_offer(
    base: int, shared: str, members: list[tuple[dict[str, Any], dict[str, Any]]], with_message: bool
) -> None:
    subject = CHANGES[shared](bases()[base % len(bases())])
    stages = STAGES if with_message else BEFORE_MESSAGE
    if not with_message:
        subject = replace(subject, message=None)
    gate = replace(book().gate)
    for_nobody = gate.check(replace(subject, member={}, personal={}), stages=stages)
    for facts, personal in members:
        theirs: Subject = replace(subject, member=facts, personal=personal)
        told = gate.for_member(for_nobody, theirs)
        assert told.model_dump(exclude={"elapsed_ms"}) == report(replace(book().gate), theirs, stages)


def test_a_clause_the_shared_report_lacks_is_run() -> None:
    subject = bases()[0]
    gate = replace(book().gate)
    shared = gate.check(replace(subject, member={}, personal={}), stages=BEFORE_MESSAGE)
    cut = shared.model_copy(update={"results": shared.results[: len(shared.results) // 2], "violations": ()})
    assert gate.for_member(cut, subject).model_dump(exclude={"elapsed_ms"}) == report(gate, subject, BEFORE_MESSAGE)


def test_what_a_member_must_not_get_is_found_though_everybody_else_may_have_it() -> None:
    subject = replace(bases()[0], message=None)
    gate = replace(book().gate)
    shared = gate.check(replace(subject, member={}, personal={}), stages=BEFORE_MESSAGE)
    assert gate.for_member(shared, subject).verdict == "pass"
    out = replace(subject, member={**subject.member, "email_opt_out": True, "opt_in_marketing": False})
    told = gate.for_member(shared, out)
    assert told.verdict == "violate"
    assert ("SPAM-05", "not_opted_out") in {(one.policy_id, one.clause_id) for one in told.violations}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    base=st.integers(0, 100),
    shared=st.sampled_from(SHARED),
    facts=st.fixed_dictionaries({}, optional=FACTS),
    sound=st.booleans(),
)
def test_of_an_offer_that_passes_for_nobody_a_members_own_clauses_decide_alone(
    base: int, shared: str, facts: dict[str, Any], sound: bool
) -> None:
    subject = replace(CHANGES[shared](bases()[base % len(bases())]), message=None)
    gate = replace(book().gate)
    for_nobody = gate.check(replace(subject, member={}, personal={}), stages=BEFORE_MESSAGE)
    theirs = subject if sound else replace(subject, member={**subject.member, **facts})
    whole = gate.check(theirs, stages=BEFORE_MESSAGE)
    own = [one for one in whole.results if "member" in one.depends_on and one.severity != "warn"]
    holds = all(one.result in SATISFIED for one in own)
    passes = gate.for_member(for_nobody, theirs).verdict == "pass"
    if gate.shared_passes(for_nobody, subject.scope):
        assert passes is holds
    else:
        broken = {(one.policy_id, one.clause_id) for one in for_nobody.results if breaks_for_nobody(one)}
        kept = {(one.policy_id, one.clause_id) for one in own if one.result in SATISFIED}
        assert not passes or broken <= kept  # only what this member may be told, and others may not


def test_an_offer_passes_for_nobody_by_a_whole_report_of_this_set_alone() -> None:
    subject = replace(bases()[0], message=None, member={}, personal={})
    gate = replace(book().gate)
    report = gate.check(subject, stages=BEFORE_MESSAGE)
    assert report.verdict != "pass" and gate.shared_passes(report, subject.scope)
    assert not gate.shared_passes(report.model_copy(update={"results": report.results[1:]}), subject.scope)
    assert not gate.shared_passes(report.model_copy(update={"policy_set_sha": "0" * 64}), subject.scope)
    assert not gate.shared_passes(gate.check(subject, stages=("terms",)), subject.scope)
    assert not gate.shared_passes(report, subject.scope, stages=STAGES)
    assert not gate.shared_passes(report, replace(subject.scope, delivery="sms"))


def test_a_digit_in_the_copy_is_told_though_the_clause_reads_members_too() -> None:
    subject = replace(CHANGES["a digit of the body"](bases()[0]), message=None, member={}, personal={})
    gate = replace(book().gate)
    report = gate.check(subject, stages=BEFORE_MESSAGE)
    (numbers,) = [one for one in report.results if (one.policy_id, one.clause_id) == ("GRD-01", "numbers_grounded")]
    assert (numbers.result, "member" in numbers.depends_on) == ("violate", True)
    assert not gate.shared_passes(report, subject.scope)
