"""A draft that was sent back, made up to see the prompt of the next one: approved copy, criticised by clauses named."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from langgraph.runtime import Runtime

from graph.context import Context
from graph.deps import Deps
from graph.nodes.fall_back import fall_back
from graph.state import OfferState
from tools.draft_parts import PARTS, opened
from tools.errors import InputInvalid
from tools.policies import PolicySet
from tools.report import Violation

QUOTED: Final = 6
"""Words of a criticised text that are quoted."""


async def sent_back(
    state: OfferState, criticised: Mapping[str, str], runtime: Runtime[Context], deps: Deps
) -> dict[str, Any]:
    """Return what a run's state holds after such a draft; `criticised` gives a clause (POLICY/clause) to each part.

    Raises InputInvalid for a part or clause there is none of.
    """
    spoken = (await fall_back(state, runtime, deps=deps))["draft"]
    select = deps.copy_mode == "select"
    draft = spoken.model_copy(
        update={"source": "blocks", "block_ids": spoken.block_ids} if select else {"source": "model", "block_ids": None}
    )
    feedback = tuple(_violations(criticised, draft.text.fields(), deps.rulebook.policies))
    named = {field: block for field, block in (draft.block_ids or {}).items() if field in opened(feedback)}
    return {"draft": draft, "feedback": feedback, "criticised": tuple(named.values()), "attempts": 1}


def _violations(criticised: Mapping[str, str], texts: Mapping[Any, str], policies: PolicySet) -> Iterable[Violation]:
    for part, name in criticised.items():
        if part not in PARTS:
            raise InputInvalid(f"--redraft names the part {part!r}: allowed are {', '.join(PARTS)}")
        policy_id, _, clause_id = name.partition("/")
        policy = policies.get(policy_id)
        clauses = {} if policy is None else {clause.id: clause for clause in policy.front.clauses}
        if clause_id not in clauses:
            known = f"{policy_id} has {', '.join(clauses)}" if clauses else f"there is no policy {policy_id!r}"
            raise InputInvalid(f"--redraft names the clause {name!r}: {known}; write POLICY/clause")
        clause = clauses[clause_id]
        yield Violation(
            policy_id=policy_id,
            clause_id=clause_id,
            severity=clause.severity,
            message=clause.message,
            field=part,
            quote=" ".join(texts.get(part, "").split()[:QUOTED]),
            fix_hint=clause.fix_hint,
        )
