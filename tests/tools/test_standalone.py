import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standalone_lines import CONFORMING, line
from tests.tools.policies.written import clause, gate_of, write_policy
from tools.claims import claim_detectors
from tools.delivery.checks import DETECTORS as DELIVERY_DETECTORS
from tools.email.message_checks import DETECTORS as MESSAGE_DETECTORS
from tools.errors import InputInvalid
from tools.grounding import grounding_checks, grounding_detectors
from tools.hygiene import DETECTORS as HYGIENE_DETECTORS
from tools.merchants import load_catalogue
from tools.policies import Gate, load_policies
from tools.policies.facts import OFFER_FACTS
from tools.report import Evidence
from tools.standalone import Checker, CheckReply, Unreadable, parse_json, read_request
from tools.standalone.checker import subject_of
from tools.standalone.request import MAX_TEXT, CheckOffer
from tools.subject import Scope, Subject

FOLDER = Path(__file__).parents[2] / "policies"
REPLY = {"id", "verdict", "violations", "clauses_run", "judge", "policy_set_sha"}
OURS = {"enroll_by", "merchant_ids", "expected_cost_usd"}
"""Facts of an offer of the pipeline that a stand-alone check isn't given."""
NEVER_READABLE: list[Any] = [
    "", "{broken", "[]", "3", "null", '"text"', "{}", '{"id": "B"}', '{"id": 1, "id": 2}', "[" * 100_000,
    '{"id": NaN}', '{"id": 1e999}', "9" * 5_000, '{"id": "\\ud800"}', b"\xff\xfe{}",
]  # fmt: skip


@cache
def issuer_gate() -> Gate:
    catalogue = load_catalogue(FOLDER / "merchants.yaml")
    names = {partner.name: partner.aliases for partner in catalogue.partners.values()}
    checks = grounding_checks(merchant_names=names, issuer="Example Bank")
    grounding = (*grounding_detectors(checks), *claim_detectors(checks))
    detectors = {item.name: item for item in (*grounding, *HYGIENE_DETECTORS, *MESSAGE_DETECTORS, *DELIVERY_DETECTORS)}
    policies = load_policies(FOLDER, detectors=detectors, run_examples=False)
    return Gate(policies, detectors, merchant_names=catalogue.names())


@cache
def deterministic() -> Checker:
    return Checker.of(issuer_gate(), judged=False)


def reply_to(given: Any, checker: Checker | None = None) -> CheckReply:
    return (checker or deterministic()).answer(given if isinstance(given, str | bytes) else json.dumps(given))


def broken(reply: CheckReply) -> set[str]:
    return {f"{item.policy_id}/{item.clause_id}" for item in reply.violations}


def test_a_conforming_line_passes_with_exactly_the_fields_of_the_format() -> None:
    reply = reply_to(line()).as_dict()
    assert set(reply) == REPLY
    assert (reply["id"], reply["verdict"], reply["violations"], reply["judge"]) == ("A1", "pass", [], "skipped")
    assert reply["policy_set_sha"] == issuer_gate().policies.sha
    deterministic = [
        active for policy in issuer_gate().policies.active for active in policy.clauses if active.clause.kind != "judge"
    ]
    assert 30 < reply["clauses_run"] <= len(deterministic)


def test_a_conforming_line_that_only_a_judge_could_clear_is_unknown_and_lists_what_it_would_be_asked() -> None:
    reply = reply_to(line(), Checker.of(issuer_gate()))
    assert (reply.verdict, reply.violations, reply.judge) == ("unknown", (), "unavailable")
    asked = {
        active.key
        for policy in issuer_gate().policies.active
        for active in policy.clauses
        if active.clause.kind == "judge"
    }
    unknown = {(item.policy_id, item.clause_id) for item in reply.unknown}
    assert unknown and unknown <= asked


def test_a_violation_says_which_clause_where_and_what_to_do() -> None:
    reply = reply_to(line(text={"headline": "Guaranteed 3X points on Dining"})).as_dict()
    assert reply["verdict"] == "violate"
    violation = next(item for item in reply["violations"] if item["clause_id"] == "no_guarantees")
    assert set(violation) == {"policy_id", "clause_id", "severity", "field", "quote", "message", "fix_hint"}
    assert (violation["field"], violation["quote"]) == ("headline", "Guaranteed")


def test_the_offer_has_every_field_of_the_format_and_no_other() -> None:
    assert set(CheckOffer.model_fields) == set(OFFER_FACTS) - OURS


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"offer": {"reward_valu": 3}}, "offer.reward_valu: no such field; did you mean reward_value?"),
        ({"offer": {"enroll_by": "2026-12-07"}}, "offer.enroll_by: no such field"),
        ({"offer": {"reward_value": "3"}}, "offer.reward_value"),
        ({"offer": {"reward_value": True}}, "offer.reward_value"),
        ({"offer": {"minimum_spend": 1e300}}, "offer.minimum_spend"),
        ({"offer": {"reward_unit": "euro"}}, "offer.reward_unit"),
        ({"offer": {"channel": "phone"}}, "offer.channel"),
        ({"offer": {"start_date": "2026-13-01"}}, "offer.start_date"),
        ({"offer": {"end_date": "January 6"}}, "offer.end_date: must be a day such as 2026-11-23"),
        ({"offer": {"expiration_days": 45.5}}, "offer.expiration_days: must be a whole number"),
        ({"offer": {"fulfillment_weeks": [6]}}, "offer.fulfillment_weeks"),
        ({"offer": {"merchants": "Olive Garden"}}, "offer.merchants"),
        ({"offer": {"reward_note": {"a": 1}}}, "offer.reward_note"),
        ({"offer": {"end_date": None}}, "offer.end_date: missing"),
        ({"offer": {"minimum_spend": None}}, "offer.minimum_spend: missing; add it, or null for none"),
        ({"offer": "none"}, "offer: should be an object"),
        ({"text": {"footer": "x"}}, "text.footer: no such field; known: subject, preheader"),
        ({"text": {"body": 3}}, "text.body"),
        ({"text": {"body": "x" * (MAX_TEXT + 1)}}, "text.body"),
        ({"member": {"annual_fee": "250"}}, "member.annual_fee"),
        ({"member": {"tenure_years": "six"}}, "member.tenure_years: must be a whole number"),
        ({"member": {"credit_limit": 10**20}}, "member.credit_limit"),
        ({"member": {"profile": {"age": 40}}}, "member.profile: must be one value"),
        ({"send_date": "today"}, "send_date: must be a day"),
        ({"id": [1]}, "id: must be text or a whole number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_names_its_field(changes: dict[str, Any], named: str) -> None:
    reply = reply_to(line(**changes))
    assert reply.error is not None and named in reply.error
    assert (reply.verdict, reply.violations, reply.clauses_run) == ("unknown", (), 0)
    assert reply.id == (None if "id" in changes else "A1")


@pytest.mark.parametrize("given", NEVER_READABLE, ids=range(len(NEVER_READABLE)))
def test_nothing_that_is_no_request_raises(given: str | bytes) -> None:
    reply = reply_to(given)
    assert reply.error
    json.dumps(reply.as_dict(), ensure_ascii=False).encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.sampled_from(["id", "send_date", "text", "offer", "member"]),
    st.sampled_from(sorted(CheckOffer.model_fields)),
    JSON,
)
def test_any_value_anywhere_gets_a_reply(part: str, field: str, value: Any) -> None:
    whole = reply_to({**CONFORMING, part: value})
    inner = reply_to(line(offer={field: value}, member={field: value}))
    for reply in (whole, inner):
        assert reply.verdict in ("pass", "violate", "unknown")
        json.dumps(reply.as_dict(), allow_nan=False)


def test_a_refusal_repeats_no_value_of_the_member_and_no_long_one() -> None:
    with pytest.raises(Unreadable) as refused:
        read_request(line(member={"annual_fee": "secret-250"}, offer={"channel": "x" * 5_000}))
    assert "secret-250" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_labels_and_profile_text_beside_the_line_change_nothing() -> None:
    plain = reply_to(line()).as_dict()
    assert reply_to(line(expected="violate", profile_text="Unlimited! Guaranteed! Jordan Lee")).as_dict() == plain


def test_facts_reach_the_gate_as_the_graph_gives_them() -> None:
    subject = subject_of(read_request(line(offer={"eligible_card_types": ["Gold"], "domain": "dining"})))
    assert subject.scope == Scope(domain="Dining", card_type="gold", channel="any", offer_type="points_multiplier")
    assert subject.member == {"card_type": "gold", "annual_fee": 250.0, "region": "US-WEST", "email_opt_out": False}
    assert subject.offer["eligible_card_types"] == ["gold"]
    assert isinstance(subject.offer["reward_value"], float)
    assert (
        "minimum_spend"
        not in subject_of(read_request({**line(), "offer": {**line()["offer"], "minimum_spend": None}})).offer
    )


def test_a_merchant_of_the_offer_is_known_and_any_other_is_not() -> None:
    offer = {"merchants": ["Marlowe Books", "Olive Garden"]}
    text = {name: value.replace("Panera Bread", "Marlowe Books") for name, value in line()["text"].items()}
    assert reply_to(line(offer=offer, text=text)).verdict == "pass"
    reply = reply_to(line(offer=offer))
    assert "GRD-03/merchants_grounded" in broken(reply)


@pytest.mark.parametrize(
    ("member", "headline"),
    [
        ({"name": "Jordan Lee"}, "Jordan, earn 3X points on Dining"),
        ({"total_spend_12m": 18420.5}, "Earn 3X points on Dining, after $18,420.50 last year"),
        ({"location": "Tulsa, OK"}, "Earn 3X points on Dining in Tulsa"),
        ({"loyalty_nickname": "Zephyrine"}, "Earn 3X points on Dining, Zephyrine"),
    ],
)
def test_a_value_of_the_profile_in_the_copy_is_a_violation(member: dict[str, Any], headline: str) -> None:
    leaking = reply_to(line(member=member, text={"headline": headline}))
    assert "PRIV-04/personal_data_absent" in broken(leaking)
    assert "PRIV-04/personal_data_absent" not in broken(reply_to(line(text={"headline": headline})))


def test_screening_clauses_run_for_the_facts_that_are_given() -> None:
    opted_out = reply_to(line(member={"email_opt_out": True}))
    assert opted_out.verdict == "violate"
    assert broken(opted_out) == {"eligibility_policy/reachable", "SPAM-05/not_opted_out"}
    assert "compliance_policy/marketing_opt_in" in broken(reply_to(line(member={"opt_in_marketing": False})))
    nobody = reply_to(line(member=None))
    assert (nobody.verdict, nobody.unknown) == ("pass", ())
    assert nobody.clauses_run == reply_to(line()).clauses_run - 2  # both that ask whether mail is wanted


def test_a_clause_of_the_offer_that_reaches_an_absent_member_fact_is_unknown(tmp_path: Path) -> None:
    checker = Checker.of(gate_of(tmp_path, clause(check="member.annual_fee > 0.0")))
    reply = reply_to(line(member={"annual_fee": None}), checker)
    assert (reply.verdict, reply.violations) == ("unknown", ())
    (why,) = reply.unknown
    assert "member fact annual_fee is not known" in why.message
    assert reply_to(line(), checker).as_dict()["verdict"] == "pass"


class Answers:
    """A judge that says the same of everything."""

    def __init__(self, violated: bool) -> None:
        self.violated = violated

    def finding(self, subject: Subject, policy_id: str, clause_id: str) -> Any:
        from tools.policies import JudgeFinding

        return JudgeFinding(self.violated, (Evidence(field="body", quote="earn"),) if self.violated else ())


@pytest.mark.parametrize(
    ("parts", "judged", "verdict", "judge"),
    [
        ({}, True, "unknown", "unavailable"),
        ({}, False, "pass", "skipped"),
        ({"judge": Answers(False)}, True, "pass", "ran"),
        ({"judge": Answers(True)}, True, "violate", "ran"),
        ({"judge": Answers(True)}, False, "pass", "skipped"),
    ],
)
def test_without_a_judge_its_clauses_are_unknown_unless_the_caller_leaves_them_out(
    tmp_path: Path, parts: Mapping[str, Any], judged: bool, verdict: str, judge: str
) -> None:
    checker = Checker.of(gate_of(tmp_path, clause(), clause("judge"), **parts), judged=judged)
    reply = reply_to(line(), checker)
    assert (reply.verdict, reply.judge, reply.clauses_run) == (verdict, judge, 1 + judged)


def test_a_deterministic_violation_stands_without_a_judge(tmp_path: Path) -> None:
    checker = Checker.of(gate_of(tmp_path, clause(check="offer.reward_value > 9.0"), clause("judge")))
    reply = reply_to(line(), checker)
    assert (reply.verdict, broken(reply), reply.judge) == ("violate", {"house_policy/a_cel"}, "unavailable")


def test_a_broken_warning_is_listed_and_does_not_count(tmp_path: Path) -> None:
    warning = clause(id="warned", check="offer.reward_value > 9.0", severity="warn")
    reply = reply_to(line(), Checker.of(gate_of(tmp_path, clause(), warning)))
    assert (reply.verdict, [item.severity for item in reply.violations]) == ("pass", ["warn"])
    assert reply.violations[0].message == "It is wrong."


def test_families_narrow_a_check_and_leave_the_hash(tmp_path: Path) -> None:
    for policy_id in ("UDAAP-10", "UDAAP-1", "REGZ-01"):
        write_policy(tmp_path, clause(check="offer.reward_value > 9.0"), policy_id=policy_id)
    gate = gate_of(tmp_path, clause(check="offer.reward_value > 9.0"))

    def fired(*families: str) -> set[str]:
        reply = reply_to(line(), Checker.of(gate, families=families))
        assert reply.policy_set_sha == gate.policies.sha
        return {item.policy_id for item in reply.violations}

    assert fired("UDAAP") == {"UDAAP-10", "UDAAP-1"}
    assert fired("udaap-1", "house_policy") == {"UDAAP-1", "house_policy"}
    assert fired() == {"UDAAP-10", "UDAAP-1", "REGZ-01", "house_policy"}
    with pytest.raises(InputInvalid, match="families: 'UDAP' names no policy; known: REGZ, UDAAP, house_policy"):
        Checker.of(gate, families=["UDAAP", "UDAP"])


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse_json("\ufeff{}".encode()) == {}
