"""What `tests/tools/test_partner_shares.py` counts is what the graph chooses and lists."""

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest
from langgraph.runtime import Runtime

from graph.case import flight_of
from graph.context import Context
from graph.deps import Deps
from graph.nodes.fall_back import fall_back
from graph.rulebook import Rulebook, load_rulebook
from graph.settings import load_settings
from graph.state import OfferState, Run
from tests.sampled import sampled_views
from tests.tools.test_partner_shares import FALLBACK, candidates, chosen, listed
from tools.drafting import Brief, draft_ask
from tools.views import MemberView

FLIGHT = "online 2026-11"
VIEWS = sorted(sampled_views(), key=MemberView.digest)[::40]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(load_settings(_env_file=None))


async def test_the_fallback_names_the_first_three_of_the_cohort_s_order(rulebook: Rulebook) -> None:
    runtime = cast(Runtime[Context], SimpleNamespace(context=Context(mode="issue")))
    deps = cast(Deps, SimpleNamespace(rulebook=rulebook))
    for view in VIEWS:
        menu = rulebook.menus.menu_for(view.domain, view.card_type, view.strategy)
        values = {"view": view, "week": 0, "menu": menu, "candidates": candidates(view, FLIGHT), "history": []}
        state = cast(OfferState, values)
        draft = (await fall_back(state, runtime, deps=deps))["draft"]
        assert draft.merchant_ids == tuple(merchant.merchant_id for merchant in chosen(view, FLIGHT, FALLBACK))


def test_a_model_is_shown_the_candidates_in_the_cohort_s_order(rulebook: Rulebook) -> None:
    for view in VIEWS:
        menu = rulebook.menus.menu_for(view.domain, view.card_type, view.strategy)
        brief = Brief(
            mode="select", view=view, menu=menu, candidates=candidates(view, FLIGHT), policies=(), hypotheses=(),
            violations=(), excluded=frozenset(), cohort=f"online\0{view.digest()}",
        )  # fmt: skip
        ask: Any = draft_ask(rulebook.prompts.pick("draft", {}), brief, rulebook.blocks)
        order = [merchant.merchant_id for merchant in listed(view, FLIGHT)]
        assert _enums(ask.schema).count(order) >= 1


def test_the_ring_turns_with_the_month_and_only_then() -> None:
    def flight(day: date) -> str:
        return flight_of(
            Run(
                run_id="r", prediction_key="p", campaign_id=1, campaign="online", mode="issue", send_date=day,
                started_at=0, deadline_s=60, max_revisions=2,
            )
        )  # fmt: skip

    assert flight(date(2026, 11, 1)) == flight(date(2026, 11, 30)) == FLIGHT
    assert len({flight(date(2026, month, 9)) for month in range(1, 13)}) == 12


def _enums(schema: Any) -> list[list[str]]:
    if isinstance(schema, list):
        return [found for item in schema for found in _enums(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["enum"]] if "enum" in schema else []
    return own + [found for item in schema.values() for found in _enums(item)]
