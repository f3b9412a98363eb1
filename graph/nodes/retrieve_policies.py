"""retrieve_policies: what a prompt should know of the policies. Enforcement never depends on it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from graph.case import mandatory_of
from graph.deps import Deps
from graph.state import PolicyExtract, RetrieveInput
from tools.errors import IndexUnavailable
from tools.views import MemberView

PROSE_CHARACTERS: Final = 400
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


async def retrieve_policies(state: RetrieveInput, *, deps: Deps) -> dict[str, Any]:
    """Unite the mandatory set (every policy that covers an option of the menu) with the prose nearest in meaning."""
    view = state["view"]
    degraded: list[str] = []
    prose: dict[str, str] = {}
    try:
        chunks = await deps.nearest_policies(view)
        prose = {chunk.policy_id: chunk.text[:PROSE_CHARACTERS] for chunk in reversed(chunks)}
    except IndexUnavailable as error:
        degraded.append(f"retrieve_policies: {error}")
    return {"policies": extracts_of(view, deps, prose), "degraded": degraded}


def extracts_of(view: MemberView, deps: Deps, prose: Mapping[str, str] = _NOTHING) -> tuple[PolicyExtract, ...]:
    """Return the mandatory set as a prompt sees it, from memory: no index has a say in what belongs to it."""
    return tuple(
        PolicyExtract(policy_id=policy.id, brief=policy.brief, prose=prose.get(policy.id, ""))
        for policy in mandatory_of(view, deps)
    )
