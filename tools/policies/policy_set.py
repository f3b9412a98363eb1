"""The policies in force: looked up by scope, summed up in one hash, never changed after loading."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from tools.policies.clauses import ActiveClause
from tools.policies.pattern import Expressions, PatternTest
from tools.policies.schema import AttestClause, FrontMatter, PolicyScope
from tools.report import Stage
from tools.subject import Scope

Origin = Literal["file", "database"]
"""Where a policy in force lives: in the policies folder, or as an approved version in the ledger."""

NO_MACHINE_CLAUSE: Final = "no machine clause: judge"
"""How a policy is listed that only a judge, or approved copy, can answer for."""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One policy: front matter, prose, and its clauses compiled. `text` is what its file or its version holds."""

    front: FrontMatter
    prose: str
    path: Path
    clauses: tuple[ActiveClause, ...]
    sha: str
    text: str = ""
    origin: Origin = "file"

    @property
    def id(self) -> str:
        """The policy's id, which is its file's name."""
        return self.front.id

    @property
    def version(self) -> str:
        """The version, which results and approvals name."""
        return self.front.version

    @property
    def type(self) -> str:
        """The issuer's own kind of policy, such as offer or compliance."""
        return self.front.type

    @property
    def brief(self) -> str:
        """The one line that goes into prompts."""
        return self.front.brief

    @property
    def scope(self) -> PolicyScope:
        """Where the policy applies."""
        return self.front.scope

    @property
    def limits(self) -> Mapping[str, float]:
        """The policy's numbers, which its clauses and the menus read."""
        return self.front.limits

    @property
    def is_active(self) -> bool:
        """Whether the policy is enforced. Drafts and retired policies are loaded and checked, not enforced."""
        return self.front.status == "active"

    @property
    def note(self) -> str:
        """What a list says of the policy beside its facts; empty for most."""
        return NO_MACHINE_CLAUSE if all(item.clause.kind == "judge" for item in self.clauses) else ""

    def applies(self, scope: Scope) -> bool:
        """Tell whether the policy covers that scope. What a scope leaves open, only policies open to all cover."""
        return _covers(self.front.scope, scope)


@dataclass(frozen=True, slots=True, eq=False)
class PolicySet:
    """All policies of a folder, by id. `sha` changes with anything an active policy says, not with order or layout."""

    policies: tuple[Policy, ...]
    sha: str

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> "PolicySet":
        """Return the set of these policies: the same one for the very same policies."""
        return _set_of(tuple(sorted(policies, key=lambda policy: policy.id)))

    @property
    def active(self) -> tuple[Policy, ...]:
        """The policies that are enforced."""
        return _active(self)

    @property
    def expressions(self) -> Expressions:
        """The patterns of the active clauses, compiled into one at the first use."""
        return _expressions(self)

    def get(self, policy_id: str) -> Policy | None:
        """Return the policy of that id, whatever its status."""
        return _by_id(self).get(policy_id)

    def in_scope(self, scope: Scope) -> tuple[Policy, ...]:
        """Return the active policies that cover the scope, by id."""
        return _in_scope(self, scope)

    def in_any_scope(self, scopes: Iterable[Scope]) -> tuple[Policy, ...]:
        """Return the active policies that cover one of the scopes, by id."""
        return _in_any_scope(self, frozenset(scopes))

    def clauses(self, scope: Scope, stages: Iterable[Stage]) -> tuple[ActiveClause, ...]:
        """Return every active clause of the scope and stages, in order of policy id and file."""
        return _clauses(self, scope, frozenset(stages))

    def keys(self, scope: Scope, stages: Iterable[Stage]) -> frozenset[tuple[str, str]]:
        """Return policy and clause id of every active clause of the scope and stages."""
        return _keys(self, scope, frozenset(stages))

    def attested(self) -> frozenset[str]:
        """Return the facts that an active policy of the email asks a person for."""
        return _attested(self)

    def limit(self, name: str, scope: Scope) -> float | None:
        """Return the strictest limit of that name in scope: the least of a `max_`, the greatest of a `min_` limit.

        None when no active policy in scope sets it. Menus follow it, so that they offer nothing a clause refuses.
        """
        return _limit(self, name, scope)


def policy_sha(front: FrontMatter, prose: str) -> str:
    """Return the hash of all a policy says; comments, quoting and key order of its file don't matter."""
    said = front.model_dump(mode="json")
    examples = [one for clause in said["clauses"] for side in clause["examples"].values() for one in side]
    for part in (said["scope"], *examples):
        if not part["delivery"]:
            del part["delivery"]  # a policy that doesn't speak of delivery keeps the hash it had before one could
    return _digest([said, prose])


# What is remembered here goes by identity. A process that loads the same texts again gets the same policies, so it gets
# all that was worked out for them as well.
@lru_cache(maxsize=16)
def _set_of(ordered: tuple[Policy, ...]) -> PolicySet:
    return PolicySet(ordered, _digest([[policy.id, policy.sha] for policy in ordered if policy.is_active]))


@lru_cache(maxsize=16)
def _active(policies: PolicySet) -> tuple[Policy, ...]:
    return tuple(policy for policy in policies.policies if policy.is_active)


@lru_cache(maxsize=16)
def _by_id(policies: PolicySet) -> Mapping[str, Policy]:
    return {policy.id: policy for policy in reversed(policies.policies)}


@lru_cache(maxsize=16)
def _attested(policies: PolicySet) -> frozenset[str]:
    return frozenset(
        active.clause.attested_by
        for policy in policies.active
        if policy.scope.has_email  # what only another channel asks for holds that channel back, not the member
        for active in policy.clauses
        if isinstance(active.clause, AttestClause)
    )


@lru_cache(maxsize=16)
def _expressions(policies: PolicySet) -> Expressions:
    tests = (clause.pattern for policy in policies.active for clause in policy.clauses)
    return _together(tuple(test for test in tests if test is not None))


@lru_cache(maxsize=16)
def _together(tests: tuple[PatternTest, ...]) -> Expressions:
    # Sets that differ in clauses of other kinds share it, such as that of a check which leaves the judge out.
    return Expressions(tests)


@lru_cache(maxsize=4096)
def _limit(policies: PolicySet, name: str, scope: Scope) -> float | None:
    values = [policy.front.limits[name] for policy in policies.in_scope(scope) if name in policy.front.limits]
    if not values:
        return None
    return min(values) if name.startswith("max_") else max(values)


@lru_cache(maxsize=1024)
def _in_scope(policies: PolicySet, scope: Scope) -> tuple[Policy, ...]:
    return tuple(policy for policy in policies.active if policy.applies(scope))


@lru_cache(maxsize=1024)
def _in_any_scope(policies: PolicySet, scopes: frozenset[Scope]) -> tuple[Policy, ...]:
    return tuple(policy for policy in policies.active if any(policy.applies(scope) for scope in scopes))


@lru_cache(maxsize=2048)
def _clauses(policies: PolicySet, scope: Scope, stages: frozenset[Stage]) -> tuple[ActiveClause, ...]:
    return tuple(
        clause for policy in policies.in_scope(scope) for clause in policy.clauses if clause.clause.stage in stages
    )


@lru_cache(maxsize=2048)
def _keys(policies: PolicySet, scope: Scope, stages: frozenset[Stage]) -> frozenset[tuple[str, str]]:
    return frozenset(clause.key for clause in policies.clauses(scope, stages))


def _covers(where: PolicyScope, scope: Scope) -> bool:
    return (
        (not where.domains or scope.domain in where.domains)
        and (not where.card_types or scope.card_type in where.card_types)
        and (not where.channels or scope.channel in where.channels)
        and (not where.offer_types or scope.offer_type in where.offer_types)
        and (not where.delivery or scope.delivery in where.delivery)
    )


def _digest(content: object) -> str:
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
