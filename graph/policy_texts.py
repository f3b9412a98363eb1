"""Policies as the ledger keeps them, and as lists show them."""

from typing import Final

from tools.ledger.versions import LoadedSet, PolicyText
from tools.policies.policy_set import Policy, PolicySet

PREVIEW_CHARACTERS: Final = 100
"""Of a policy's prose, in lists."""


def loaded_set(policies: PolicySet) -> LoadedSet:
    """Return a policy set as the ledger keeps it: each active policy by hash, and the texts that files hold."""
    return LoadedSet(
        sha=policies.sha,
        members=tuple((policy.id, policy.version, policy.sha) for policy in policies.active),
        files=tuple(policy_text(policy) for policy in policies.active if policy.origin == "file"),
    )


def policy_text(policy: Policy) -> PolicyText:
    """Return one version of a policy as the ledger keeps it."""
    return PolicyText(
        policy_id=policy.id,
        version=policy.version,
        sha=policy.sha,
        content=policy.text,
        type=policy.type,
        domain=domains_of(policy),
        preview=policy.prose[:PREVIEW_CHARACTERS],
        note=policy.note,
        by=policy.front.approved_by,
    )


def domains_of(policy: Policy) -> str:
    """Return where a policy applies, as lists of policies say it."""
    return ", ".join(policy.scope.domains) or "all"
