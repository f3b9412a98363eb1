"""retrieve_policies: what a prompt should know of the policies. Enforcement never depends on it."""

from typing import Any, Final

from graph.deps import Deps
from graph.state import PolicyExtract, RetrieveInput
from tools.errors import IndexUnavailable
from tools.subject import Scope

PROSE_CHARACTERS: Final = 400


async def retrieve_policies(state: RetrieveInput, *, deps: Deps) -> dict[str, Any]:
    """Unite the mandatory set (every policy in scope, by its brief) with the prose nearest in meaning."""
    view = state["view"]
    scope = Scope(domain=view.domain, card_type=view.card_type)
    degraded: list[str] = []
    prose: dict[str, str] = {}
    try:
        chunks = await deps.nearest_policies(view.domain, view.card_type)
        prose = {chunk.policy_id: chunk.text[:PROSE_CHARACTERS] for chunk in reversed(chunks)}
    except IndexUnavailable as error:
        degraded.append(f"retrieve_policies: {error}")
    extracts = tuple(
        PolicyExtract(policy_id=policy.id, brief=policy.front.brief, prose=prose.get(policy.id, ""))
        for policy in deps.rulebook.policies.in_scope(scope)
    )
    return {"policies": extracts, "degraded": degraded}
