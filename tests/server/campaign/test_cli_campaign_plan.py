import json

import pytest

from server.campaign.figures import Plan
from tests.conftest import ATTESTED
from tests.server.campaign.planted import on_ledger
from tests.server.campaign.sampled import NAME, sample_campaign, spec_of
from tests.server.commands import Offers


@pytest.fixture
def planning(offers: Offers, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Offers:
    """A campaign of 200 predictions that is to be planned, its budget too small for it."""
    for name, value in {
        "ATTESTATIONS": ATTESTED,
        "LLM_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENROUTER_API_KEY": "none",
        "OPENROUTER_MODEL": "scripted",
        "COPY_MODE": "select",
        "LLM_INPUT_USD_PER_MILLION": "2",
        "LLM_OUTPUT_USD_PER_MILLION": "8",
    }.items():
        monkeypatch.setenv(name, value)
    spec = spec_of(budget_usd="10.00")
    on_ledger(database_url, lambda database: sample_campaign(database, spec, members=200, predictions=200, unknown=2))
    return offers


def test_the_plan_names_who_is_held_back_what_it_costs_and_what_is_next(planning: Offers) -> None:
    ran = planning("campaign", "plan", NAME, "--json")
    assert ran.code == 0, ran.err
    plan = Plan.model_validate(json.loads(ran.out))
    assert plan.items == 202 == plan.open + sum(plan.skipped_by.values())
    assert plan.calls == sum(step.calls for step in plan.steps) and plan.calls_at_most >= plan.calls > 0
    assert plan.offers_usd_least < plan.offers_usd < plan.offers_usd_most
    assert plan.model_usd is not None and plan.model_usd_at_most is not None
    expected = sum(step.calls * (2 * step.tokens_in + 8 * step.tokens_out) for step in plan.steps) / 1_000_000
    assert plan.model_usd == pytest.approx(expected) and plan.model_usd_at_most > plan.model_usd
    assert plan.missing_usd == pytest.approx(plan.offers_usd + plan.model_usd - 10)
    shown = planning("campaign", "plan", NAME)
    assert shown.code == 0
    for words in (
        f"plan of campaign {NAME}",
        f"offers to make {plan.open:,}",
        f"user_not_found {plan.skipped_by['user_not_found']:,}",
        f"{plan.calls:,} expected, at most {plan.calls_at_most:,}",
        f"{plan.missing_usd:,.2f} too little",
        f"sample-ratio check p = {plan.holdout_p:.2g}",
        "taken for granted",
    ):
        assert words in shown.told
    told = " ".join(shown.err.split())
    assert f"{plan.missing_usd:,.2f} more than the 10.00 left of the budget" in told
    assert "held back as budget_exhausted" in told
    assert told.endswith(f"next: offers campaign run {NAME}")


def test_an_unknown_campaign_is_named_with_those_there_are(planning: Offers) -> None:
    ran = planning("campaign", "plan", "autumn")
    assert (ran.code, ran.out) == (1, "")
    assert f"there are {NAME}" in " ".join(ran.err.split())
