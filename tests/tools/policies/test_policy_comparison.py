from pathlib import Path
from typing import Any

import pytest

from tests.tools.policies.written import clause, write_policy
from tools.policies.comparison import Change, PolicyChange, PolicyText, compare
from tools.policies.load import read_text


def policy(folder: Path, *clauses: dict[str, Any], **front: Any) -> dict[str, PolicyText]:
    path = write_policy(folder, *clauses, **front)
    return {path.stem: read_text(path.read_text(encoding="utf-8"), path)}


def changes(folder: Path, old: dict[str, Any], new: dict[str, Any], **front: Any) -> list[tuple[str, str]]:
    """Return what differs between a policy with one clause and with another, and which way; versions as they should."""
    (change,) = compare(policy(folder / "a", old), policy(folder / "b", new, version="1.1.0", **front))
    assert (change.kind, change.versions) == ("changed", ("1.0.0", "1.1.0"))
    return [(one.effect, one.what) for one in change.changes]


def test_equal_policies_differ_in_nothing(tmp_path: Path) -> None:
    assert compare(policy(tmp_path / "a", clause()), policy(tmp_path / "b", clause())) == ()


@pytest.mark.parametrize(
    ("old", "new", "effect", "what"),
    [
        ({}, {"forbid": [r"\bunlimited\b", "free"]}, "stricter", "forbid: + free"),
        ({"forbid": [r"\bunlimited\b", "free"]}, {}, "looser", "forbid: - free"),
        ({}, {"unless": ["not"]}, "looser", "unless: + not"),
        ({"unless": ["not"]}, {"unless": ["not"], "within": "any"}, "looser", "within: sentence -> any"),
        ({}, {"when": "offer.reward_value > 1.0"}, "looser", "when: nothing -> offer.reward_value > 1.0"),
        ({"when": "offer.reward_value > 1.0"}, {}, "stricter", "when: offer.reward_value > 1.0 -> nothing"),
        ({"fields": ["body"]}, {"fields": ["body", "cta"]}, "stricter", "fields: + cta"),
        ({"forbid": [], "require": ["a"], "fields": ["body"]},
         {"forbid": [], "require": ["a"], "fields": ["body", "cta"]}, "looser", "fields: + cta"),
        ({}, {"severity": "warn"}, "looser", "severity: block -> warn"),
        ({}, {"severity": "fix"}, "", "severity: block -> fix"),
        ({"severity": "warn"}, {"severity": "fix"}, "stricter", "severity: warn -> fix"),
        ({}, {"message": "Else."}, "", "message: It is wrong. -> Else."),
    ],
)  # fmt: skip
def test_what_changed_in_a_clause_and_which_way(
    tmp_path: Path, old: dict[str, Any], new: dict[str, Any], effect: str, what: str
) -> None:
    assert changes(tmp_path, clause("pattern", **old), clause("pattern", **new)) == [(effect, what)]


def test_an_expression_is_shown_and_not_judged(tmp_path: Path) -> None:
    found = changes(tmp_path, clause(check="offer.reward_value <= 5.0"), clause(check="offer.reward_value <= 4.0"))
    assert found == [("", "check: offer.reward_value <= 5.0 -> offer.reward_value <= 4.0")]


@pytest.mark.parametrize(
    ("front", "effect", "what"),
    [
        ({"limits": {"max_multiplier": 4}}, "stricter", "limit max_multiplier: 5 -> 4"),
        ({"limits": {"max_multiplier": 6}}, "looser", "limit max_multiplier: 5 -> 6"),
        ({"limits": {"max_multiplier": 5, "min_x": 2}}, "stricter", "limit min_x: new, 2"),
        ({"limits": {}}, "looser", "limit max_multiplier: taken out, was 5"),
        ({"scope": {"domains": ["Dining"]}}, "looser", "applies to domains: all -> Dining"),
        ({"status": "retired"}, "looser", "status: active -> retired"),
        ({"brief": "Another rule."}, "", "brief: A rule. -> Another rule."),
    ],
)
def test_what_changed_in_the_policy_and_which_way(
    tmp_path: Path, front: dict[str, Any], effect: str, what: str
) -> None:
    assert changes(tmp_path, clause(), clause(), **front) == [(effect, what)]


def test_policies_and_clauses_that_come_and_go(tmp_path: Path) -> None:
    one = policy(tmp_path / "a", clause(), policy_id="one")
    two = policy(tmp_path / "b", clause(), clause("attest"), policy_id="two")
    more = Change("a_cel", "cel, terms, block: It is wrong.", "stricter")
    both = compare(one, two)
    assert both[0] == PolicyChange("one", "removed", ("1.0.0", None), (Change(more.clause, more.what, "looser"),))
    assert (both[1].policy_id, both[1].kind, both[1].changes[0]) == ("two", "added", more)
    (changed,) = compare(two, policy(tmp_path / "c", clause(), policy_id="two", version="2.0.0"))
    assert changed.changes == (Change("a_attest", "taken out, was attest, block: It is wrong.", "looser"),)


def test_a_change_under_the_same_version_is_told(tmp_path: Path) -> None:
    (change,) = compare(policy(tmp_path / "a", clause()), policy(tmp_path / "b", clause(message="Else.")))
    assert change.changes[0].what.startswith("version: still 1.0.0; raise it")
