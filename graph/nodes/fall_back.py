"""fall_back: code chooses an option and approved blocks, by cohort and week; the gate checks them like any draft."""

from typing import Any

from langgraph.runtime import Runtime

from graph.context import Context, context_of
from graph.deps import Deps
from graph.state import OfferState
from tools.drafting import MERCHANTS
from tools.drafts import Draft
from tools.terms import MenuOption
from tools.turns import in_turn


async def fall_back(state: OfferState, runtime: Runtime[Context], *, deps: Deps) -> dict[str, Any]:
    """Keep the option that was paid for, else the last draft's if it is on the menu, else the menu's cheapest."""
    return {"draft": fallback_of(state, deps, seed=context_of(runtime).campaign)}


def fallback_of(state: OfferState, deps: Deps, *, seed: str) -> Draft:
    """Return the fallback of a run; `seed` turns blocks and merchants, with the view and the week."""
    view, menu = state["view"], state["menu"]
    cohort = f"{seed}\0{view.digest()}"
    option = _option(state)
    merchants = in_turn(state["candidates"], cohort, state["week"], key=lambda merchant: merchant.merchant_id)
    text, block_ids = deps.rulebook.blocks.fallback_copy(
        option,
        domain=menu.domain,
        strategy=view.strategy,
        card_type=menu.card_type,
        cohort_hash=cohort,
        week=state["week"],
        avoid=_failed_blocks(state),
    )
    chosen = tuple(merchant.merchant_id for merchant in merchants[: MERCHANTS[0] + 1])
    return Draft(source="fallback", option_id=option.option_id, merchant_ids=chosen, text=text, block_ids=block_ids)


def _failed_blocks(state: OfferState) -> frozenset[str]:
    drafts = [attempt.draft for attempt in state["history"]]
    return frozenset(block_id for draft in drafts if draft is not None for block_id in (draft.block_ids or {}).values())


def _option(state: OfferState) -> MenuOption:
    menu, money = state["menu"], state.get("money")
    if money is not None and (paid := menu.option(money.option_id)) is not None:
        return paid
    for attempt in reversed(state["history"]):
        if attempt.draft is not None and (option := menu.option(attempt.draft.option_id)) is not None:
            return option
    return min(menu.options, key=lambda option: (option.expected_cost_usd, option.option_id))
