"""The parts of a plan: waves, draws, cohorts, sample-ratio check."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from graph.case import candidates_of, mandatory_of, menu_of
from graph.deps import Deps
from graph.nodes.retrieve_policies import extracts_of
from server.campaign.cohorts import VIEW, Cohorts, Draws, cohort_key
from server.campaign.figures import sample_ratio_p
from server.campaign.waves import in_waves
from tests.tools.population.test_population import BASE, FACTS, LIMITS, SCHEMA, TODAY
from tools.analysis import analyze_ask
from tools.drafting import Brief, draft_ask
from tools.population import Ground, screened, with_signals
from tools.population.screening import USAGE
from tools.turns import week_of
from tools.variants import variants_for
from tools.views import MemberView
from tools.vocabulary import DOMAINS

GROUND = Ground({**LIMITS, "Travel": replace(BASE, max_offers_per_month=4)}, FACTS, True, (), TODAY)
MEMBER: dict[str, Any] = {
    "card_type": "Gold",
    "tenure_years": 6,
    "card_activation_date": date(2020, 4, 2),
    "opt_in_marketing": True,
    "preferred_domain_1": "Travel",
    "preferred_domain_2": "Dining",
    "total_spend_12m": 30_000.0,
    "spend_change_pct_90d": 0.0,
    "total_app_opens_90d": 63,
    "offer_clicks_90d": 9,
    "offers_shown_6m": 9,
    "historical_acceptance_rate": 0.4,
    "days_since_last_offer": 60,
    "offers_sent_this_month": 0,
    "last_offer_accepted": True,
    "last_offer_domain": "Retail",
}
PREDICTIONS = st.lists(
    st.tuples(
        st.sampled_from(["U1", "U2", "U3"]),
        st.sampled_from(DOMAINS),
        st.sampled_from([0.5, 0.9, 0.95, 1.0]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=14,
)


def framed(predictions: list[tuple[str, str, float, int]]) -> pl.DataFrame:
    given = [
        {"prediction_key": f"k{place:02}", "user_id": user, "domain": domain, "confidence": confidence}
        | MEMBER
        | {"offers_sent_this_month": sent, "in_holdout": False}
        for place, (user, domain, confidence, sent) in enumerate(predictions)
    ]
    own = {name: pl.String() for name in ("prediction_key", "user_id", "domain")} | {"confidence": pl.Float64()}
    schema = own | {name: SCHEMA[name] for name in MEMBER} | {"in_holdout": pl.Boolean()}
    usage = {name: default.cast(pl.Int64) if default.meta.eq(pl.lit(0)) else default for name, default in USAGE.items()}
    return with_signals(pl.DataFrame(given, schema=schema).with_columns(**usage), TODAY)


@settings(max_examples=30)
@given(PREDICTIONS)
def test_waves_are_what_taking_one_prediction_after_the_other_gives(
    predictions: list[tuple[str, str, float, int]],
) -> None:
    frame = framed(predictions)
    found = {row["prediction_key"]: row for row in in_waves(frame, GROUND).to_dicts()}
    assert len(found) == len(predictions)
    passed: dict[str, list[str]] = {}
    for row in sorted(
        frame.to_dicts(), key=lambda r: (r["user_id"], -r["confidence"], r["domain"], r["prediction_key"])
    ):
        before = passed.setdefault(row["user_id"], [])
        alone = frame.filter(prediction_key=row["prediction_key"]).with_columns(
            pending=pl.lit(len(before), pl.Int64), pending_in_domain=pl.lit(before.count(row["domain"]), pl.Int64)
        )
        (told,) = screened(alone, GROUND).to_dicts()
        mine = found[row["prediction_key"]]
        assert mine["reason"] == told["reason"]
        if told["reason"] is None:
            before.append(row["domain"])
            assert (mine["wave"], mine["detail"]) == (len(before), None)
        else:
            assert mine["wave"] is None and mine["detail"].startswith(f'{{"{told["reason"]}: {told[told["reason"]]}"')


@settings(max_examples=30)
@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=20), st.floats(0, 50))
def test_a_member_is_drawn_the_same_whoever_else_is_there(users: list[str], holdout: float) -> None:
    split = {"draft": {"b": 30.0, "c": 20.0}, "analyze": {"x": 50.0}}
    draws = Draws("spring", holdout=holdout, split=split)
    whole = {row["user_id"]: row for row in draws.of(pl.Series(users)).to_dicts()}
    assert whole.keys() == set(users)
    for user in users:
        (alone,) = draws.of(pl.Series([user])).to_dicts()
        assert alone == whole[user]
        arms = {prompt: alone[f"arm_{prompt}"] for prompt in split if alone[f"arm_{prompt}"]}
        assert arms == variants_for({}, split, campaign="spring", user_id=user)


def test_the_holdout_has_about_its_share_and_the_check_says_so() -> None:
    draws = Draws("spring", holdout=10, split={}).of(pl.Series([f"USER_{n}" for n in range(20_000)]))
    held = int(draws["in_holdout"].sum())
    chance = sample_ratio_p(held, 20_000, percent=10)
    assert chance is not None and chance > 0.01
    assert chance == pytest.approx(stats.chisquare([held, 20_000 - held], [2_000, 18_000]).pvalue)
    off = sample_ratio_p(1_700, 20_000, percent=10)
    assert off == pytest.approx(stats.chisquare([1_700, 18_300], [2_000, 18_000]).pvalue) and off is not None
    assert off < 1e-10
    assert sample_ratio_p(0, 0, percent=10) is None and sample_ratio_p(0, 10, percent=0) is None


def rows_of(views: list[MemberView], *, use_llm: bool = True, arm: str = "") -> pl.DataFrame:
    rows = [
        {VIEW[name]: value for name, value in view.model_dump().items()}
        | {"prediction_key": f"k{place}", "use_llm": use_llm, "arm_draft": arm}
        for place, view in enumerate(views)
    ]
    return pl.DataFrame(rows)


def views_of(deps: Deps, most: int) -> list[MemberView]:
    found = [
        MemberView(
            domain=domain,
            card_type=card_type,
            strategy=strategy,
            spend_trend=trend,
            engagement=engagement,
            domain_interest="other",
            tenure_band="new",
        )
        for domain, card_type, strategy in deps.rulebook.menus.menus
        for trend in ("stable", "increasing")
        for engagement in ("low", "high")
    ]
    return found[:: max(1, len(found) // most)]


@pytest.mark.parametrize("mode", ["select", "compose"])
def test_all_members_of_a_cohort_have_the_same_prompts_and_others_have_not(deps: Deps, mode: Any) -> None:
    views = views_of(deps, 24)
    cohorts = Cohorts({"draft": {"b": 10.0}}, individual=False)
    numbered, new = cohorts.of(rows_of([*views, *reversed(views)]))
    again, none = cohorts.of(rows_of(views))
    assert none.is_empty() and len(new) == len(views)
    prompts: dict[int, set[str]] = {}
    for row in pl.concat([numbered, again]).to_dicts():
        view = MemberView.model_validate({name: row[column] for name, column in VIEW.items()})
        prompts.setdefault(row["cohort"], set()).add(json.dumps(rendered(view, deps, mode)))
    assert {len(found) for found in prompts.values()} == {1}
    assert len({next(iter(found)) for found in prompts.values()}) == len(views)
    views_by_number = {row["cohort"]: json.loads(row["view"]) for row in new.to_dicts()}
    for row in numbered.to_dicts():
        assert views_by_number[row["cohort"]] == {name: row[column] for name, column in VIEW.items()}


def rendered(view: MemberView, deps: Deps, mode: Any) -> list[Any]:
    """Return the messages of both prompts, as the cohort's run asks them."""
    seed = f"spring\0{view.digest()}"
    menu = menu_of(view, deps)
    brief = Brief(
        mode=mode,
        view=view,
        menu=menu,
        candidates=candidates_of(view, menu, "spring 2026-12", deps),
        policies=extracts_of(view, deps),
        hypotheses=[],
        violations=(),
        excluded=frozenset(),
        cohort=seed,
        week=week_of(date(2026, 12, 1)),
        last=None,
    )
    assert {extract.policy_id for extract in brief.policies} == {policy.id for policy in mandatory_of(view, deps)}
    prompts, hypotheses = deps.rulebook.prompts, deps.rulebook.hypotheses.applicable(view)
    analysis = analyze_ask(prompts.named("analyze"), view, mode=mode, applicable=hypotheses, cohort=seed)
    return [draft_ask(prompts.named("draft"), brief, deps.rulebook.blocks).messages, analysis.messages]


def test_what_a_prompt_depends_on_makes_the_key_and_nothing_else(deps: Deps) -> None:
    views = views_of(deps, 6)
    keys: Counter[str] = Counter()
    for use_llm in (True, False):
        for arm in ("", "b"):
            cohorts = Cohorts({"draft": {"b": 10.0}}, individual=False)
            keys.update(cohorts.of(rows_of(views, use_llm=use_llm, arm=arm))[1]["key"].to_list())
    assert len(keys) == 4 * len(views) and set(keys.values()) == {1}
    assert cohort_key(views[0].model_dump(), {"draft": "b"}, use_llm=False) in keys
    single, cohort = Cohorts({"draft": {"b": 10.0}}, individual=True).of(rows_of([views[0]] * 3))
    assert single["cohort"].to_list() == [0, 1, 2] and cohort["key"].n_unique() == 3
    assert cohort_key(views[0].model_dump(), {}, use_llm=True, prediction_key="k1") in set(cohort["key"])
