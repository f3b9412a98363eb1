"""The set in force is the one that was asked for: each rule with its basis and severity, and tests of its own."""

from functools import cache
from typing import Final

import pytest

from graph.rulebook import load_rulebook
from graph.settings import load_settings
from tools.policies import PolicySet
from tools.policies.policy_set import Policy
from tools.policies.schema import AttestClause, Basis
from tools.report import Severity

EXAMPLES: Final = 3
RULES: Final[dict[tuple[Basis, Severity], dict[str, tuple[int, ...]]]] = {
    ("law", "block"): {
        "REGZ": (1, 2, 3, 4, 5, 6, 7, 8, 12),
        "UDAAP": (1, 2, 3, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 21),
        "ECOA": (2, 3, 5),
        "PRIV": (5,),
        "SPAM": (1, 2, 3, 4, 5, 6, 7, 8),
        "FREE": (1, 2),
        "ENDR": (1, 2),
    },
    ("law", "fix"): {"REGZ": (9, 11), "UDAAP": (7, 12, 19, 20)},
    ("guidance", "block"): {"REGZ": (10,), "UDAAP": (4, 5)},
    ("policy", "block"): {
        "ECOA": (1, 4, 6),
        "PRIV": (1, 2, 3, 4),
        "GRD": (1, 2, 3, 4, 5, 6),
        "SEC": (1, 2, 3, 4, 5),
    },
    ("policy", "fix"): {"ECOA": (7,), "MBOX": (5, 7), "FMT": (1, 2)},
    ("mailbox", "block"): {"MBOX": (1, 2, 6)},
    ("mailbox", "fix"): {"MBOX": (3, 4)},
}
"""Every rule by basis and severity, as the facts state them."""
COUNTS: Final = {
    **{"REGZ": 12, "UDAAP": 21, "ECOA": 7, "PRIV": 5, "SPAM": 8, "MBOX": 7},
    **{"FREE": 2, "ENDR": 2, "GRD": 6, "SEC": 5, "FMT": 2},
}
ISSUER: Final = {
    *(f"{domain}_offer_policy" for domain in ("travel", "dining", "electronics", "business_services", "retail")),
    *("entertainment_offer_policy", "points_multiplier_policy", "compliance_policy"),
    *("frequency_policy", "eligibility_policy"),
}
DELIVERY: Final = {f"DLV-{number:02}" for number in range(1, 5)}
"""What holds for push, SMS and in-app messages alone."""
KINDS: Final = {
    f"{family}-{number:02}": kind
    for kind, families in RULES.items()
    for family, numbers in families.items()
    for number in numbers
}


@cache
def policies() -> PolicySet:
    return load_rulebook(load_settings(_env_file=None)).policies


def policy(policy_id: str) -> Policy:
    found = policies().get(policy_id)
    assert found is not None
    return found


def test_every_rule_and_every_policy_of_the_issuer_is_in_force_and_nothing_else() -> None:
    assert set(KINDS) == {f"{family}-{number:02}" for family, count in COUNTS.items() for number in range(1, count + 1)}
    assert {one.id for one in policies().active} == set(KINDS) | ISSUER | DELIVERY
    assert len(KINDS) == 77 and len(ISSUER) == 10


@pytest.mark.parametrize("rule", sorted(KINDS))
def test_a_rule_keeps_its_basis_and_severity(rule: str) -> None:
    assert {(policy(rule).front.basis, active.clause.severity) for active in policy(rule).clauses} == {KINDS[rule]}


@pytest.mark.parametrize("policy_id", sorted([*KINDS, *ISSUER, *DELIVERY]))
def test_every_clause_that_is_not_attested_is_shown_by_three_violating_and_three_conforming_examples(
    policy_id: str,
) -> None:
    few = {
        active.clause.id: (len(active.clause.examples.violating), len(active.clause.examples.conforming))
        for active in policy(policy_id).clauses
        if not isinstance(active.clause, AttestClause)
        and min(len(active.clause.examples.violating), len(active.clause.examples.conforming)) < EXAMPLES
    }
    assert few == {}
