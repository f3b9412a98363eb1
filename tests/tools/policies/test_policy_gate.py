import logging
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.policies.written import DETECTORS, clause, gate_of, write_policy
from tools.policies import Attestation, Gate, JudgeFinding, PolicySet, covers, load_policies
from tools.policies.clauses import question_sha
from tools.policies.standard import SEND_DATE, standard_message, standard_subject
from tools.report import SATISFIED, ComplianceReport, Evidence, verdict_of
from tools.subject import Scope, Subject
from tools.vocabulary import COPY_FIELDS

SUBJECT = standard_subject()
STAGES = ("member", "terms", "copy")
BROKEN: list[dict[str, Any]] = [
    clause(check="offer.promo_months < 3 || has(offer.promo_months)"),
    clause(check="member.recency_days < 30", stage="member"),
    clause(check="offer.reward_value * 2 < 100.0"),
    clause(check="has(offer.base_rate) && (offer.base_rate == 2.0 ? true : offer.reward_value)"),
    clause(when="member.recency_days < 30", check="true"),
    clause(check="days_between(offer.start_date, offer.offer_type) > 0"),
    clause("code", detector="fails"),
    clause("code", detector="answers_nonsense"),
    clause("pattern", when="member.region == 1 || member.recency_days > 1"),
    clause("judge"),
    clause("attest"),
    clause("code", stage="message", detector="reads_message"),
]


def only(report: ComplianceReport) -> tuple[str, str | None]:
    (result,) = report.results
    return result.result, result.error_code


def test_a_clause_that_holds_passes(tmp_path: Path) -> None:
    report = gate_of(tmp_path, clause()).check(SUBJECT)
    assert (report.verdict, only(report), report.violations) == ("pass", ("pass", None), ())
    assert (report.stages_run, report.judge) == (STAGES, "skipped")
    assert report.elapsed_ms >= 0


def test_a_broken_clause_says_what_where_and_how_to_mend_it(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, clause(check="has(member.card_type) && offer.reward_value < 3.0"))
    report = gate.check(SUBJECT)
    (violation,) = report.violations
    assert report.verdict == "violate"
    assert (violation.policy_id, violation.clause_id, violation.severity) == ("house_policy", "a_cel", "block")
    assert (violation.field, violation.quote) == ("offer.reward_value", "3.0")
    assert (violation.message, violation.fix_hint) == ("It is wrong.", "Do better.")
    assert report.results[0].evidence == (
        Evidence(field="offer.reward_value", quote="3.0"),
        Evidence(field="member.card_type"),
    )


def test_no_member_value_and_no_internal_cost_is_quoted(tmp_path: Path) -> None:
    check = "has(offer.expected_cost_usd) && offer.expected_cost_usd < 1.0 && member.total_spend_12m < 1.0"
    subject = replace(SUBJECT, member={"total_spend_12m": 18420.5})
    report = gate_of(tmp_path, clause(check=check)).check(subject)
    assert report.verdict == "violate"
    assert "18420" not in report.model_dump_json()
    assert "9.5" not in report.model_copy(update={"elapsed_ms": 0.0}).model_dump_json()


def test_a_trigger_that_is_false_makes_a_clause_not_applicable(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, clause(when="offer.offer_type == 'cashback'", check="offer.reward_value < 0.0"))
    report = gate.check(SUBJECT)
    assert (report.verdict, only(report)) == ("pass", ("not_applicable", None))


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: str(broken.get("check") or broken["kind"]))
def test_what_cannot_be_evaluated_is_unknown_and_never_passes(tmp_path: Path, broken: dict[str, Any]) -> None:
    gate = gate_of(tmp_path, clause(id="fine"), broken)
    report = gate.check(SUBJECT, stages=(*STAGES, "message"))
    result = next(result for result in report.results if result.clause_id == broken["id"])
    assert (report.verdict, result.result) == ("unknown", "unknown")
    assert result.error_code
    (violation,) = report.violations
    assert violation.message.startswith("Could not be evaluated: ")
    assert violation.message.endswith("What the clause guards against: It is wrong.")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    broken=st.sampled_from(BROKEN),
    others=st.lists(st.sampled_from(["cel", "pattern", "code"]), max_size=4),
    severity=st.sampled_from(["block", "fix"]),
    place=st.integers(0, 4),
)
def test_no_company_of_passing_clauses_lets_an_erring_one_pass(
    tmp_path: Path, broken: dict[str, Any], others: list[str], severity: str, place: int
) -> None:
    clauses = [clause(kind, id=f"fine_{index}") for index, kind in enumerate(others)]
    clauses.insert(place, {**broken, "severity": severity})
    report = gate_of(tmp_path, *clauses).check(SUBJECT, stages=(*STAGES, "message"))
    assert report.verdict == "unknown"
    assert verdict_of(report.results) == "unknown"
    assert len(report.results) == len(clauses)


def test_a_failing_detector_is_logged_with_its_clause(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        report = gate_of(tmp_path, clause("code", detector="fails")).check(SUBJECT)
    assert only(report) == ("unknown", "policy_error")
    assert "house_policy/a_code could not be evaluated" in caplog.text
    assert "the detector broke" in caplog.text
    assert "the detector broke" not in report.model_dump_json()


def test_a_detector_missing_from_the_gate_is_unknown(tmp_path: Path) -> None:
    gate = replace(gate_of(tmp_path, clause("code")), detectors={})
    assert only(gate.check(SUBJECT)) == ("unknown", "policy_error")


def test_an_unknown_member_fact_is_named_and_a_reached_one_only(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, clause(stage="member", check="member.offer_flag == 0 || member.recency_days < 30"))
    report = gate.check(SUBJECT)
    assert only(report) == ("unknown", "fact_unknown")
    assert "the member fact recency_days is not known" in report.violations[0].message
    assert gate.check(replace(SUBJECT, member={"offer_flag": 0})).verdict == "pass"


@pytest.mark.parametrize("value", ["3", True, float("nan"), float("inf"), [3], {"x": 3}, object()])
def test_a_fact_of_the_wrong_kind_is_unknown(tmp_path: Path, value: object) -> None:
    gate = gate_of(tmp_path, clause(check="!(offer.reward_value > 5.0)"))
    report = gate.check(replace(SUBJECT, offer={**SUBJECT.offer, "reward_value": value}))
    assert only(report) == ("unknown", "policy_error")


def test_amounts_counts_and_cards_are_taken_as_people_write_them(tmp_path: Path) -> None:
    check = (
        "offer.reward_value * 2.0 == 6.0 && has(offer.expiration_days) && offer.expiration_days + 1 == 46"
        " && member.card_type == 'gold' && has(offer.eligible_card_types) && 'gold' in offer.eligible_card_types"
    )
    offer = {**SUBJECT.offer, "reward_value": 3, "expiration_days": 45.0, "eligible_card_types": ("Gold",)}
    subject = replace(SUBJECT, offer=offer, member={"card_type": "Gold"})
    assert gate_of(tmp_path, clause(check=check)).check(subject).verdict == "pass"


def test_a_warning_is_reported_and_never_decides(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, clause(id="fine"), clause(check="offer.reward_value < 1.0", severity="warn"))
    report = gate.check(SUBJECT)
    assert [result.result for result in report.results] == ["pass", "violate"]
    assert (report.verdict, report.violations) == ("pass", ())
    only_warnings = gate_of(tmp_path, clause(severity="warn"))
    assert only_warnings.check(SUBJECT).verdict == "unknown"


def test_an_empty_set_passes_nothing() -> None:
    report = Gate(PolicySet.of([]), {}).check(SUBJECT)
    assert (report.verdict, report.results) == ("unknown", ())


def test_violate_outranks_unknown(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, clause("judge"), clause(check="offer.reward_value < 1.0"))
    report = gate.check(SUBJECT)
    assert report.verdict == "violate"
    assert [violation.clause_id for violation in report.violations] == ["a_judge", "a_cel"]


def test_every_clause_of_scope_and_stages_has_exactly_one_result(tmp_path: Path) -> None:
    write_policy(tmp_path, clause(), clause("pattern"), policy_id="all_rule")
    write_policy(tmp_path, clause(), policy_id="travel_rule", scope={"domains": ["Travel"]})
    write_policy(tmp_path, clause(), policy_id="draft_rule", status="draft")
    gate = Gate(load_policies(tmp_path, detectors=DETECTORS, run_examples=False), DETECTORS)
    report = gate.check(SUBJECT)
    required = gate.required(SUBJECT.scope, STAGES)
    assert required == {("all_rule", "a_cel"), ("all_rule", "a_pattern")}
    assert covers(report, required)
    assert gate.required(Scope("Travel"), ("terms",)) == {("all_rule", "a_cel"), ("travel_rule", "a_cel")}
    assert not covers(report, gate.required(Scope("Travel"), STAGES))
    assert not covers(gate.check(SUBJECT, stages=("terms",)), required)
    assert not covers(report.model_copy(update={"results": report.results * 2}), required)
    assert not covers(report.model_copy(update={"results": ()}), required)
    assert report.policy_set_sha == gate.policies.sha


def test_an_attestation_holds_until_its_last_day(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, clause("attest"), attestations={"account_standing": Attestation("Kim", SEND_DATE)})
    assert only(gate.check(SUBJECT)) == ("attested", None)
    assert gate.check(SUBJECT).verdict == "pass"
    late = gate.check(replace(SUBJECT, send_date=SEND_DATE + timedelta(days=1)))
    assert only(late) == ("unknown", "attestation_ended")
    assert "account_standing ended on 2026-11-23" in late.violations[0].message
    assert only(gate_of(tmp_path, clause("attest")).check(SUBJECT)) == ("unknown", "not_attested")


class Found:
    def __init__(self, finding: JudgeFinding | None) -> None:
        self._finding = finding

    def finding(self, subject: Subject, policy_id: str, clause_id: str) -> JudgeFinding | None:
        return self._finding


COVERED = {"block": frozenset({f"house_policy/a_judge@1.0.0#{question_sha('Does the copy shame the reader?')}"})}
APPROVED = replace(SUBJECT, approved=dict.fromkeys(COPY_FIELDS, "block"))


def test_approved_copy_needs_no_judge(tmp_path: Path) -> None:
    report = gate_of(tmp_path, clause("judge"), blocks=COVERED).check(APPROVED)
    assert (report.verdict, only(report), report.judge) == ("pass", ("approved", None), "approved_copy")


@pytest.mark.parametrize(
    ("subject", "covered"),
    [
        (SUBJECT, COVERED),
        (APPROVED, {}),
        (APPROVED, {"block": frozenset({"house_policy/a_judge@0.9.0"})}),
        (
            APPROVED,
            {"block": frozenset({f"house_policy/other@1.0.0#{question_sha('Does the copy shame the reader?')}"})},
        ),
        (replace(APPROVED, approved={**APPROVED.approved, "body": "own"}), COVERED),
        (replace(APPROVED, approved={"body": "block"}), COVERED),
    ],
)
def test_copy_that_is_not_wholly_approved_waits_for_a_judge(
    tmp_path: Path, subject: Subject, covered: dict[str, frozenset[str]]
) -> None:
    report = gate_of(tmp_path, clause("judge"), blocks=covered).check(subject)
    assert (only(report), report.judge) == (("unknown", "judge_unavailable"), "unavailable")


def test_a_judge_can_pass_and_add_a_violation_but_clear_none(tmp_path: Path) -> None:
    guilty = Found(JudgeFinding(True, (Evidence(field="body", quote="shame"),)))
    clear = Found(JudgeFinding(False))
    assert only(gate_of(tmp_path, clause("judge"), judge=clear).check(SUBJECT)) == ("pass", None)
    assert gate_of(tmp_path, clause("judge"), judge=clear).check(SUBJECT).judge == "ran"
    report = gate_of(tmp_path, clause("judge"), judge=guilty, blocks=COVERED).check(APPROVED)
    assert (report.verdict, report.violations[0].quote) == ("violate", "shame")
    both = gate_of(tmp_path, clause("judge"), clause(check="offer.reward_value < 1.0"), judge=clear)
    assert both.check(SUBJECT).verdict == "violate"
    silent = gate_of(tmp_path, clause("judge"), judge=Found(None)).check(SUBJECT)
    assert (only(silent), silent.judge) == (("unknown", "judge_unavailable"), "unavailable")


def test_nothing_to_judge_is_unknown(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, clause("pattern"), clause(check="!has(offer.firm_offer)"))
    assert gate.check(replace(SUBJECT, text={"body": " "})).verdict == "unknown"
    assert gate.check(replace(SUBJECT, offer={})).verdict == "unknown"
    message = gate_of(tmp_path, clause("code", stage="message", detector="reads_message"))
    assert only(message.check(SUBJECT, stages=("message",))) == ("unknown", "fact_unknown")
    built = replace(SUBJECT, message=standard_message())
    assert message.check(built, stages=("message",)).verdict == "pass"


def test_detectors_get_the_parameters_of_their_clause(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, clause("code", params={"word": "Enroll"}))
    report = gate.check(SUBJECT)
    assert (report.verdict, report.violations[0].quote) == ("violate", "Enroll")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    value=st.one_of(st.none(), st.integers(-10, 10), st.floats(), st.text(max_size=3), st.booleans()),
    sent=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    body=st.text(max_size=40),
)
def test_a_pass_means_that_every_binding_result_is_satisfied(
    tmp_path: Path, value: object, sent: date, body: str
) -> None:
    gate = gate_of(
        tmp_path,
        clause(check="offer.reward_value >= 1.0 && offer.reward_value <= limits.max_multiplier"),
        clause(id="dated", check="days_between(send_date, offer.end_date) >= 0"),
        clause("pattern", forbid=["[a-f]{3}"]),
        clause("attest"),
        attestations={"account_standing": Attestation("Kim", date(2027, 1, 1))},
    )
    offer = {**SUBJECT.offer, "reward_value": value}
    report = gate.check(replace(SUBJECT, offer=offer, send_date=sent, text={**SUBJECT.text, "body": body}))
    assert covers(report, gate.required(SUBJECT.scope, STAGES))
    satisfied = all(result.result in SATISFIED for result in report.results)
    assert (report.verdict == "pass") == satisfied
    if satisfied:
        assert isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 5


def test_without_an_offer_only_message_clauses_that_read_none_are_judged(tmp_path: Path) -> None:
    alone = replace(SUBJECT, text={}, offer={}, message=standard_message())
    reads_message = clause("code", stage="message", detector="reads_message", id="of_message")
    reads_terms = clause(stage="message", check='text.terms != ""', id="of_terms")
    reads_offer = clause(stage="message", check="has(offer.minimum_spend)", id="of_offer")
    report = gate_of(tmp_path, reads_message, reads_terms, reads_offer).check(alone, stages=("message",))
    results = {each.clause_id: (each.result, each.error_code) for each in report.results}
    assert results["of_terms"] == results["of_offer"] == ("unknown", "fact_unknown")
    assert results["of_message"][0] in ("pass", "violate")
    assert report.verdict != "pass"
