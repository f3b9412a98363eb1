from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.tools.policies.written import DETECTORS, clause, write_policy
from tools.policies import PolicySet, load_policies
from tools.subject import Scope


def load(folder: Path) -> PolicySet:
    return load_policies(folder, detectors=DETECTORS, run_examples=False)


def sha_of(folder: Path, *clauses: dict[str, Any], **front: Any) -> str:
    write_policy(folder, *clauses, **front)
    return load(folder).sha


@pytest.mark.parametrize(
    "front",
    [
        {"version": "1.0.1"},
        {"effective": date(2026, 1, 6)},
        {"owner": "Complianc"},
        {"brief": "A rule"},
        {"scope": {"domains": ["Dining"]}},
        {"limits": {"max_multiplier": 5.01}},
        {"limits": {}},
        {"basis": "law"},
    ],
)
def test_the_sha_changes_with_anything_a_policy_says(tmp_path: Path, front: dict[str, Any]) -> None:
    assert sha_of(tmp_path) != sha_of(tmp_path, **front)


@pytest.mark.parametrize(
    "change",
    [
        {"check": "offer.reward_value <= 5.5"},
        {"when": "true"},
        {"severity": "fix"},
        {"message": "It's wrong."},
        {"fix_hint": ""},
        {"id": "another"},
        {"examples": {"violating": ["a"], "conforming": [{}]}},
    ],
)
def test_the_sha_changes_with_anything_a_clause_says(tmp_path: Path, change: dict[str, Any]) -> None:
    assert sha_of(tmp_path, clause()) != sha_of(tmp_path, clause(**change))


def test_the_sha_changes_with_the_prose_and_not_with_layout(tmp_path: Path) -> None:
    path = write_policy(tmp_path)
    before = load(tmp_path).sha
    text = path.read_text()
    path.write_text(text.replace("owner: Compliance", 'owner:   "Compliance"  # who answers') + "\n\n")
    assert load(tmp_path).sha == before
    path.write_text(text.replace("true things", "true thing"))
    assert load(tmp_path).sha != before


def test_the_sha_does_not_depend_on_the_order_of_files(tmp_path: Path) -> None:
    for name in ("a_rule", "b_rule"):
        write_policy(tmp_path, policy_id=name)
    policies = load(tmp_path).policies
    assert PolicySet.of(policies).sha == PolicySet.of(reversed(policies)).sha
    assert PolicySet.of(policies).sha != PolicySet.of(policies[:1]).sha


def test_a_draft_leaves_the_sha_alone_until_it_is_active(tmp_path: Path) -> None:
    write_policy(tmp_path)
    before = load(tmp_path).sha
    write_policy(tmp_path, policy_id="next_rule", status="draft")
    assert load(tmp_path).sha == before
    write_policy(tmp_path, policy_id="next_rule")
    assert load(tmp_path).sha != before


def test_a_policy_applies_where_its_scope_says(tmp_path: Path) -> None:
    write_policy(tmp_path, policy_id="all_rule")
    write_policy(tmp_path, policy_id="dining_rule", scope={"domains": ["Dining", "Travel"]})
    write_policy(tmp_path, policy_id="gold_rule", scope={"domains": ["Dining"], "card_types": ["gold"]})
    write_policy(tmp_path, policy_id="online_rule", scope={"channels": ["online_only"]})
    write_policy(tmp_path, policy_id="points_rule", scope={"offer_types": ["points_multiplier"]})
    policies = load(tmp_path)

    def ids(scope: Scope) -> list[str]:
        return [policy.id for policy in policies.in_scope(scope)]

    assert ids(Scope()) == ["all_rule"]
    assert ids(Scope("Retail", "gold", "any", "cashback")) == ["all_rule"]
    assert ids(Scope("Dining", "basic")) == ["all_rule", "dining_rule"]
    assert ids(Scope("Dining", "gold")) == ["all_rule", "dining_rule", "gold_rule"]
    assert ids(Scope("Travel", "gold", "online_only", "points_multiplier")) == [
        "all_rule",
        "dining_rule",
        "online_rule",
        "points_rule",
    ]
    assert policies.get("gold_rule") is not None
    assert policies.get("silver_rule") is None


def test_the_stricter_limit_wins_among_policies_in_scope(tmp_path: Path) -> None:
    write_policy(tmp_path, policy_id="all_rule", limits={"max_multiplier": 5, "min_minimum_spend": 50})
    write_policy(
        tmp_path,
        policy_id="dining_rule",
        scope={"domains": ["Dining"]},
        limits={"max_multiplier": 4, "min_minimum_spend": 25},
    )
    write_policy(tmp_path, policy_id="old_rule", status="retired", limits={"max_multiplier": 1})
    policies = load(tmp_path)
    assert policies.limit("max_multiplier", Scope()) == 5
    assert policies.limit("max_multiplier", Scope("Dining")) == 4
    assert policies.limit("min_minimum_spend", Scope("Dining")) == 50
    assert policies.limit("max_percent_back", Scope("Dining")) is None


def test_what_a_clause_depends_on_is_derived_from_what_it_reads(tmp_path: Path) -> None:
    write_policy(
        tmp_path,
        clause(id="offer_only"),
        clause(id="limit_only", check="limits.max_multiplier < 6.0"),
        clause(id="member_too", when="member.card_type == 'gold'"),
        clause(id="member_only", stage="member", check="member.offers_this_month < 3"),
        clause(id="dated", check="send_date <= offer.end_date"),
        clause("pattern", id="copy_only"),
        clause("pattern", id="terms_only", stage="terms", fields=["terms"]),
        clause("pattern", id="triggered", when="has(offer.reward_cap)"),
        clause("code", id="coded", detector="fails"),
        clause("judge", id="judged"),
        clause("attest", id="attested"),
    )
    found = {active.clause.id: active.depends_on for active in load(tmp_path).policies[0].clauses}
    assert found == {
        "offer_only": ("terms",),
        "limit_only": ("terms",),
        "member_too": ("member", "terms"),
        "member_only": ("member",),
        "dated": ("terms",),
        "copy_only": ("copy",),
        "terms_only": ("terms",),
        "triggered": ("terms", "copy"),
        "coded": ("terms", "copy"),
        "judged": ("terms", "copy"),
        "attested": ("member",),
    }
