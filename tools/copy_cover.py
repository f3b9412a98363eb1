"""Which judge clauses approved copy must cover to need no judge, and which blocks don't yet."""

from collections.abc import Collection, Iterable
from functools import lru_cache

from tools.copy_blocks import BlockScope, CopyBlocks
from tools.policies.clauses import ActiveClause
from tools.policies.policy_set import Policy, PolicySet
from tools.policies.schema import PolicyScope
from tools.report import Stage
from tools.subject import Scope

BEFORE_MESSAGE: tuple[Stage, ...] = ("member", "terms", "copy")


@lru_cache(maxsize=1024)
def required_cover(policies: PolicySet, scope: Scope) -> frozenset[str]:
    """Return the active judge clauses that hold an offer of this scope, as approvals name them."""
    return frozenset(clause.approval for clause in policies.clauses(scope, BEFORE_MESSAGE) if _holds(clause))


def unapproved_by(policies: Iterable[Policy], blocks: CopyBlocks) -> dict[str, tuple[str, ...]]:
    """Return each judge clause of these policies, as approvals name it, with the blocks not approved for it.

    Only blocks that may be used where the policy applies are named, and clauses that every block covers are left out.
    Statuses don't matter: give active policies to see what is open, a draft to see what activating it would unapprove.
    """
    found: dict[str, tuple[str, ...]] = {}
    for policy in policies:
        near = [block for block in blocks.blocks if may_meet(policy.scope, block.scope)]
        for clause in policy.clauses:
            if _holds(clause) and (
                missing := tuple(block.id for block in near if clause.approval not in blocks.covered(block.id))
            ):
                found[clause.approval] = missing
    return found


def may_meet(policy: PolicyScope, block: BlockScope) -> bool:
    """Tell whether an email may exist that both the policy and the block are for."""
    if not policy.has_email:
        return False
    pairs: tuple[tuple[Collection[str], Collection[str]], ...] = (
        (policy.domains, block.domains),
        (policy.card_types, block.card_types),
        (policy.channels, block.channels),
        (policy.offer_types, block.offer_types),
    )
    return all(not one or not other or set(one) & set(other) for one, other in pairs)


def _holds(clause: ActiveClause) -> bool:
    return clause.clause.kind == "judge" and clause.clause.severity != "warn" and clause.clause.stage != "message"
