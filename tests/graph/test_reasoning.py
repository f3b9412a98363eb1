"""The analyst's reasoning is told from the decision record alone; neither it nor an offer's worth goes further."""

import re
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.deps import Deps
from graph.reasoning import Grounds, reasoning
from graph.rulebook import Rulebook, load_rulebook
from graph.settings import load_settings
from graph.state import Analysis, LoopEnd, LoopReason
from tests.conftest import Decide
from tests.members import PROFILE, add_members
from tests.tools.offer_content import Case, cases, long_named_terms, menus
from tools.cardmembers import Cardmember
from tools.drafting import Brief, draft_ask
from tools.drafts import Copy, Draft
from tools.economics import outlook
from tools.report import ClauseResult, ComplianceReport
from tools.signals import archetype, insights, read_signals
from tools.terms import Menu
from tools.views import Engagement, MemberView, SpendTrend
from tools.vocabulary import STRATEGIES, CopySource, Strategy

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)*")
SHAPES: dict[Strategy, dict[str, Any]] = {
    "persuadable": {"historical_acceptance_rate": 0.33},
    "sure_thing": {"historical_acceptance_rate": 0.8},
    "lost_cause": {"historical_acceptance_rate": 0.1, "total_app_opens_90d": 3},
}
"""Members of each strategy, as changes to the profile of the tests."""


def grounds(case: Case, **changes: Any) -> Grounds:
    member = Cardmember("USER_1", **(PROFILE | {"card_type": case.card_type.capitalize()} | SHAPES[case.strategy]))
    signals = read_signals(member, PROFILE["last_offer_date"])
    view = signals.view(case.domain)
    assert view is not None and view.strategy == case.strategy
    terms = next(terms for of, terms in long_named_terms() if of == case)
    text = Copy(subject="a", preheader="b", headline="c", body="d", cta="e")
    return Grounds.model_validate(
        {
            "analysis": Analysis(
                insights=insights(signals, case.domain),
                spending_trends={"spend_trend_90d": signals.spend_trend, "category": view.domain_interest},
                engagement_metrics={"engagement": signals.engagement, "tenure": signals.tenure_band},
                offer_performance={"acceptance": signals.acceptance, "strategy": view.strategy},
                quality=signals.quality,
            ),
            "view": view,
            "menu": menus().menu_for(case.domain, case.card_type, case.strategy),
            "draft": Draft(source="blocks", option_id=terms.option_id, merchant_ids=(), text=text, block_ids={}),
            "terms": terms,
            "report": report("travel_offer_policy", "GRD-05"),
            **changes,
        }
    )


def report(*policies: str) -> ComplianceReport:
    results = tuple(
        ClauseResult(policy_id=policy, policy_version="1.0.0", clause_id="c", kind="cel", stage="terms",
                     depends_on=("terms",), result="pass", severity="block")
        for policy in policies
    )  # fmt: skip
    return ComplianceReport(verdict="pass", results=results, violations=(), policy_set_sha="0", stages_run=("terms",),
                            judge="skipped", elapsed_ms=0)  # fmt: skip


@given(st.sampled_from(list(cases())), st.sampled_from(get_args(CopySource)), st.integers(0, 3))
@settings(max_examples=60)
def test_every_number_told_is_one_of_the_record(case: Case, source: CopySource, attempts: int) -> None:
    told_from = grounds(case, attempts=attempts, review="approve" if attempts else None)
    draft = told_from.draft.model_copy(update={"source": source})
    told_from = told_from.model_copy(update={"draft": draft})
    terms, menu = told_from.terms, told_from.menu
    assert menu.basis is not None and terms.incremental_value_usd is not None
    by_cost = sorted(menu.options, key=lambda option: (option.expected_cost_usd, option.option_id))
    recorded = [
        terms.expected_cost_usd, terms.incremental_value_usd,
        abs(terms.incremental_value_usd - terms.expected_cost_usd),
        terms.reward_value or 0, [option.option_id for option in by_cost].index(terms.option_id) + 1, len(by_cost),
        outlook(terms, menu.basis).take_up * 100, menu.basis.take_up_without * 100, attempts,
    ]  # fmt: skip
    text = reasoning(told_from)
    bare = text.replace(menu.basis.version, "").replace("GRD-05", "")
    assert menu.basis.version in text
    for number in NUMBER.findall(bare):
        said = Decimal(number.replace(",", ""))
        assert any(abs(said - Decimal(value)) < Decimal("0.051") for value in recorded), (number, text)
    for line in told_from.analysis.insights:
        assert line in text
    assert terms.option_id in text
    assert "GRD-05 and travel_offer_policy" in text
    assert ("a person approved it" in text) is (attempts > 0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_why_a_strategy_was_taken_is_what_the_bands_say(strategy: Strategy) -> None:
    words = {"persuadable": "gets what tips the choice", "sure_thing": "thanked cheaply", "lost_cause": "small probe"}
    case = next(case for case in cases() if case.strategy == strategy)
    told_from = grounds(case)
    trend: SpendTrend = told_from.view.spend_trend
    engagement: Engagement = told_from.view.engagement
    acceptance = told_from.analysis.offer_performance["acceptance"]
    assert archetype(trend, engagement, acceptance) == strategy
    told = reasoning(told_from)
    assert [name for name, said in words.items() if said in told] == [strategy]


def test_an_option_the_budget_put_in_place_of_the_drafted_one_is_told() -> None:
    case = next(iter(cases()))
    told_from = grounds(case)
    drafted = told_from.draft.model_copy(update={"option_id": "travel_points_far_gold"})
    told = reasoning(told_from.model_copy(update={"draft": drafted}))
    assert re.search(rf"\({case.option.option_id}, step \d of 6 by cost, in place of travel_points_far_gold\)", told)


@pytest.mark.parametrize("reason", get_args(LoopReason))
def test_why_there_is_a_fallback_is_told(reason: LoopReason) -> None:
    told_from = grounds(next(iter(cases())), attempts=2, loop_end=LoopEnd(reason=reason, detail="d"))
    fallback = told_from.draft.model_copy(update={"source": "fallback"})
    told = reasoning(told_from.model_copy(update={"draft": fallback}))
    assert re.search(r"Copy: approved blocks chosen by code, after 2 by the model: [a-z -]+\.$", told)


def test_a_record_from_before_values_were_modelled_tells_its_cost_alone() -> None:
    told_from = grounds(next(iter(cases())))
    menu = told_from.menu.model_copy(update={"basis": None})
    terms = told_from.terms.model_copy(update={"incremental_value_usd": None})
    told = reasoning(told_from.model_copy(update={"menu": menu, "terms": terms}))
    assert "expected to cost" in told
    assert "to add" not in told


async def test_the_record_alone_gives_the_reasoning_again_and_the_member_gets_none_of_it(
    run_one: Decide, deps: Deps
) -> None:
    await add_members(deps.database, "USER_SURE", **SHAPES["sure_thing"])
    outcome = await run_one("USER_SURE")
    assert outcome.offer is not None
    found = await deps.records.read(outcome.run_id)
    assert found is not None
    record = found[0]
    assert reasoning(Grounds.model_validate(record)) == outcome.offer.reasoning
    assert "thanked cheaply" in outcome.offer.reasoning

    version = record["menu"]["basis"]["version"]
    assert version == deps.rulebook.menus.version
    menu = Menu.model_validate(record["menu"])
    chosen = menu.option(record["terms"]["option_id"])
    assert chosen is not None and menu.basis is not None
    priced = (Decimal(record["terms"]["expected_cost_usd"]), Decimal(record["terms"]["incremental_value_usd"]))
    assert priced == outlook(chosen, menu.basis)[1:]

    again = await run_one("USER_SURE")
    assert again.replayed and again.offer is not None
    assert again.offer.reasoning == outcome.offer.reasoning
    for part in (outcome.email_html or "", outcome.offer.terms_and_conditions, outcome.offer.offer_description):
        for inference in (*record["analysis"]["insights"], "sure thing", "thanked", "take-up", "expected to"):
            assert inference.lower() not in part.lower()


# What an offer costs and is worth is for the record: no prompt changes with it.


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(load_settings(_env_file=None))


@pytest.mark.parametrize("mode", ["select", "compose"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_prompt_changes_with_costs_values_and_assumptions(rulebook: Rulebook, strategy: Strategy, mode: Any) -> None:
    view = MemberView(
        domain="Dining", card_type="gold", strategy=strategy, spend_trend="stable", engagement="medium",
        domain_interest="other", tenure_band="established",
    )  # fmt: skip

    def prompt(menu: Menu) -> list[tuple[str, str]]:
        brief = Brief(
            mode=mode, view=view, menu=menu, policies=(), hypotheses=(), violations=(), excluded=frozenset(),
            candidates=rulebook.catalogue.candidates("Dining", campaign="c", view_digest="v", channels={"any"}),
            cohort="c",
        )  # fmt: skip
        return list(draft_ask(rulebook.prompts.pick("draft", {}), brief, rulebook.blocks).messages)

    menu = rulebook.menus.menu_for("Dining", "gold", strategy)
    options = tuple(
        option.model_copy(update={"expected_cost_usd": Decimal("77.31"), "incremental_value_usd": Decimal("88.42")})
        for option in menu.options
    )
    assert prompt(menu) == prompt(menu.model_copy(update={"options": options, "basis": None}))


def test_no_clause_can_read_what_an_offer_is_worth() -> None:
    for case, terms in long_named_terms():
        assert terms.incremental_value_usd == case.option.incremental_value_usd
        assert not {name for name in terms.facts() if "value_usd" in name} - {"point_value_usd"}
