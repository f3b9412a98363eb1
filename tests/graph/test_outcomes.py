"""Every prediction gets exactly one typed outcome: who is held back, why, and what a repeat gets."""

import asyncio
from datetime import date
from typing import Any, get_args

import pytest

from graph.build import Graph
from graph.context import Context
from graph.deps import Deps
from graph.replay import CHANGED, ERASED
from graph.run import decide
from graph.schemas import SUPPRESSED, OfferInput, Recommendation
from graph.settings import Settings
from tests.conftest import Decide
from tests.members import add_members
from tests.scripted_model import Default, Hang, Latency, ScriptedModel
from tools.vocabulary import SuppressionReason

ISSUE = Context(mode="issue")


def test_every_reason_has_its_recommendation() -> None:
    assert set(SUPPRESSED) == set(get_args(SuppressionReason))
    assert set(SUPPRESSED.values()) <= set(get_args(Recommendation))


@pytest.mark.parametrize(
    ("reason", "member", "prediction"),
    [
        ("marketing_opt_out", {"opt_in_marketing": False}, {}),
        ("marketing_opt_out", {"opt_in_marketing": None}, {}),
        ("low_confidence", {}, {"confidence_score": 0.6999}),
        ("monthly_cap", {"offers_sent_this_month": 3}, {}),
        ("category_cooldown", {"days_since_last_offer": 6, "last_offer_domain": "Travel"}, {}),
        ("category_cooldown", {"days_since_last_offer": 6, "last_offer_domain": None}, {}),
        (
            "decline_cooldown",
            {"days_since_last_offer": 29, "last_offer_domain": "Travel", "last_offer_accepted": False},
            {},
        ),
        ("spend_floor", {"total_spend_12m": 5999.99}, {}),
        ("account_age", {"card_activation_date": "2026-11-01", "tenure_years": 0}, {}),
        (
            "sleeping_dog",
            {
                "total_app_opens_90d": 3,
                "offer_clicks_90d": 0,
                "spend_change_pct_90d": -0.4,
                "historical_acceptance_rate": 0.1,
                "last_offer_accepted": False,
                "last_offer_domain": None,
            },
            {},
        ),
        ("data_quality", {"offers_sent_this_month": None}, {}),
        ("data_quality", {"total_spend_12m": None}, {}),
        ("data_quality", {"card_type": None}, {}),
        ("data_quality", {"days_since_last_offer": None}, {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_member_is_held_back_with_the_reason_and_no_model_call(
    run_one: Decide, deps: Deps, script: ScriptedModel, reason: str, member: dict[str, Any], prediction: dict[str, Any]
) -> None:
    await add_members(deps.database, "USER_X", **member)
    outcome = await run_one("USER_X", **prediction)
    assert outcome.recommendation == f"suppressed_{reason}"
    assert outcome.suppression is not None and outcome.suppression.reason == reason
    assert outcome.suppression.detail[0].startswith(f"{reason}: ")
    assert (outcome.success, outcome.offer, outcome.email_html) == (False, None, None)
    assert script.count == 0


async def test_the_limits_themselves_let_a_member_through(run_one: Decide, deps: Deps) -> None:
    await add_members(
        deps.database,
        "USER_X",
        offers_sent_this_month=2,
        days_since_last_offer=7,
        last_offer_domain="Travel",
        total_spend_12m=6000,
    )
    outcome = await run_one("USER_X", confidence_score=0.7)
    assert outcome.recommendation == "offer_generated"


async def test_all_reasons_stand_in_the_detail_and_the_first_of_the_contract_is_the_reason(
    run_one: Decide, deps: Deps
) -> None:
    await add_members(deps.database, "USER_X", opt_in_marketing=False, offers_sent_this_month=3, total_spend_12m=100)
    outcome = await run_one("USER_X", confidence_score=0.1)
    assert outcome.suppression is not None
    reasons = [line.split(":")[0] for line in outcome.suppression.detail]
    assert reasons == ["marketing_opt_out", "low_confidence", "monthly_cap", "spend_floor"]


async def test_an_unattested_account_standing_holds(deps: Deps, settings: Settings, script: ScriptedModel) -> None:
    from graph.build import build_graph
    from graph.deps import open_deps

    unattested = await open_deps(settings.model_copy(update={"attestations": {}}))
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    outcome = await decide(raw, build_graph(unattested), ISSUE, deadline_s=30)
    await unattested.aclose()
    assert outcome.recommendation == "suppressed_account_status_unknown"
    assert script.count == 0


async def test_an_unknown_member_and_an_unneeded_offer_are_outcomes_of_their_own(run_one: Decide) -> None:
    assert (await run_one("USER_NOBODY")).recommendation == "user_not_found"
    assert (await run_one(offer_flag=0)).recommendation == "no_offer_needed"


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"user_id": "U", "domain": "Gambling", "confidence_score": 0.9}, "domain is 'Gambling'"),
        ({"user_id": "U", "domain": "Travel", "confidence_score": 1.1}, "confidence_score is 1.1"),
        ({"user_id": "U", "domain": "Travel", "confidence_score": float("nan")}, "confidence_score"),
        ({"user_id": "", "domain": "Travel", "confidence_score": 0.9}, "user_id is ''"),
        ({"domain": "Travel", "confidence_score": 0.9}, "user_id Field required"),
        ({"user_id": "U", "domain": "Travel", "confidence_score": 0.9, "age": 44}, "age is 44"),
        ({"user_id": "U", "domain": "Travel", "confidence_score": 0.9, "offer_flag": 2}, "offer_flag is 2"),
        (None, "the prediction is None"),
        ("x", "the prediction is 'x'"),
        ([], "the prediction is []"),
    ],
)
async def test_invalid_input_is_an_outcome_that_names_field_and_value(graph: Graph, raw: Any, named: str) -> None:
    outcome = await decide(raw, graph, ISSUE, deadline_s=30)
    assert (outcome.recommendation, outcome.error_code) == ("error", "invalid_input")
    assert named in (outcome.error or "")


async def test_a_repeated_prediction_gets_the_recorded_outcome(
    run_one: Decide, script: ScriptedModel, settings: Settings
) -> None:
    first = await run_one()
    calls = script.count
    again = await run_one()
    assert (first.replayed, again.replayed) == (False, True)
    assert again.model_dump(exclude={"replayed"}) == first.model_dump(exclude={"replayed"})
    assert again.email_html == first.email_html is not None
    assert script.count == calls


async def test_the_same_prediction_at_once_is_decided_once(run_one: Decide, deps: Deps) -> None:
    outcomes = await asyncio.gather(*(run_one() for _ in range(12)))
    assert {outcome.run_id for outcome in outcomes} == {outcomes[0].run_id}
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 11
    async with deps.database.connection() as connection:
        cursor = await connection.execute("select count(*) from offer")
        assert await cursor.fetchone() == (1,)


async def test_one_member_never_gets_more_than_the_cap_however_many_ask_at_once(run_one: Decide, deps: Deps) -> None:
    await add_members(deps.database, "USER_X", offers_sent_this_month=1)
    domains = ["Travel", "Dining", "Electronics", "Business Services", "Retail", "Entertainment"]
    outcomes = await asyncio.gather(*(run_one("USER_X", domain=domain) for domain in domains))
    got = sorted(outcome.recommendation for outcome in outcomes)
    assert got == ["offer_generated"] * 2 + ["suppressed_monthly_cap"] * 4


async def test_a_preview_writes_nothing(run_one: Decide, deps: Deps, settings: Settings) -> None:
    outcome = await run_one(context=Context())
    assert (outcome.recommendation, outcome.mode) == ("offer_generated", "preview")
    assert await deps.usage.flush()
    async with deps.database.connection() as connection:
        for table in ("offer_item", "decision", "offer", "reservation", "completion", "llm_usage"):
            cursor = await connection.execute(f"select count(*) from {table}")
            assert await cursor.fetchone() == (0,), table
    await deps.exporter.drain()
    assert not settings.output_dir.exists()
    await run_one(domain="Dining")
    assert await deps.usage.flush()
    async with deps.database.connection() as connection:
        cursor = await connection.execute("select sum(tries) from llm_usage where outcome = 'answered'")
        assert await cursor.fetchone() == (2,)  # an issuing run's are counted


async def test_a_dead_runs_claim_is_taken_over_once_its_lease_ends(run_one: Decide, deps: Deps) -> None:
    outcome = await run_one()
    async with deps.database.connection() as connection:
        await connection.execute("delete from offer")
        await connection.execute(
            "update offer_item set status = 'pending', owner = 'dead', reserves = true,"
            " lease_until = now() - interval '1 second'"
        )
    again = await run_one()
    assert (again.recommendation, again.replayed) == ("offer_generated", False)
    assert again.run_id != outcome.run_id


async def test_what_is_exported_is_what_was_returned(run_one: Decide, deps: Deps, settings: Settings) -> None:
    outcome = await run_one()
    await deps.exporter.drain()
    files = {path.suffix: path for path in settings.output_dir.rglob(f"{outcome.run_id}.*")}
    assert set(files) == {".html", ".txt", ".eml", ".json"}
    assert files[".html"].read_text(encoding="utf-8") == outcome.email_html
    assert outcome.run_id in files[".json"].read_text(encoding="utf-8")


async def test_an_erased_person_is_greeted_by_the_fallback(run_one: Decide, deps: Deps) -> None:
    first = await run_one()
    assert first.email_html is not None and "Wei" in first.email_html
    async with deps.database.connection() as connection:
        await connection.execute("delete from decision_person")
    again = await run_one()
    assert again.email_html is not None and "Wei" not in again.email_html and "Hi Cardmember" in again.email_html
    assert again.offer is not None
    assert again.offer.policy_compliance_notes[-1] == ERASED


async def test_a_key_counts_per_member_and_names_one_prediction(run_one: Decide) -> None:
    first, other = await asyncio.gather(
        run_one("USER_GOLD", idempotency_key="order-1"), run_one("USER_PLATINUM", idempotency_key="order-1")
    )
    assert (first.user_id, first.replayed, other.user_id, other.replayed) == (
        "USER_GOLD",
        False,
        "USER_PLATINUM",
        False,
    )
    reused = await run_one("USER_GOLD", idempotency_key="order-1", domain="Dining")
    assert (reused.recommendation, reused.error_code) == ("error", "invalid_input")
    assert (reused.error or "").startswith("idempotency_key")
    assert (await run_one("USER_GOLD", idempotency_key="order-1")).replayed


def test_predictions_that_differ_never_share_a_key_and_one_instant_has_one_key() -> None:
    def key(**fields: Any) -> str:
        base = {"user_id": "A", "domain": "Travel", "confidence_score": 0.9}
        return OfferInput.model_validate(base | fields).prediction_key(date(2026, 11, 22))

    different = [
        {},
        {"user_id": "B"},
        {"domain": "Dining"},
        {"pred_version": "1"},
        {"user_id": "A\x1fTravel\x1f1"},
        {"prediction_timestamp": "2026-11-23"},
        {"idempotency_key": "k"},
        {"idempotency_key": "k", "user_id": "B"},
    ]
    assert len({key(**fields) for fields in different}) == len(different)
    assert key(prediction_timestamp="2026-01-01T00:00:00Z") == key(prediction_timestamp="2025-12-31T19:00:00-05:00")


async def test_a_cancelled_run_leaves_its_prediction_to_the_next(
    graph: Graph, deps: Deps, script: ScriptedModel
) -> None:
    script.reply("*", Latency(0.5, Default()))
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    run = asyncio.create_task(decide(raw, graph, ISSUE, deadline_s=60, deps=deps))
    while not script.calls:
        await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    again = await asyncio.wait_for(decide(raw, graph, ISSUE, deadline_s=60), timeout=30)
    assert (again.recommendation, again.replayed) == ("offer_generated", False)


async def test_a_repeat_keeps_its_outcome_when_the_brand_changed_since(run_one: Decide, settings: Settings) -> None:
    from graph.build import build_graph
    from graph.deps import open_deps

    first = await run_one()
    moved = await open_deps(settings.model_copy(update={"brand_postal_address": "Example Bank, 1 New St, Dover"}))
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    again = await decide(raw, build_graph(moved), ISSUE, deadline_s=30)
    await moved.aclose()
    assert (again.recommendation, again.replayed, again.run_id) == ("offer_generated", True, first.run_id)
    assert again.email_html is None and again.offer is not None
    assert again.offer.policy_compliance_notes[-1] == CHANGED


async def test_a_repeat_writes_files_that_are_gone(run_one: Decide, deps: Deps, settings: Settings) -> None:
    outcome = await run_one()
    await deps.exporter.drain()
    for path in settings.output_dir.rglob(f"{outcome.run_id}.*"):
        path.unlink()
    await run_one()
    await deps.exporter.drain()
    html = next(settings.output_dir.rglob(f"{outcome.run_id}.html")).read_text(encoding="utf-8")
    assert html == outcome.email_html


async def test_an_unknown_prompt_variant_is_refused(run_one: Decide) -> None:
    outcome = await run_one(context=Context(mode="issue", prompt_variants={"draft": "nope"}))
    assert (outcome.error_code, (outcome.error or "").split(":")[0]) == ("invalid_input", "prompt_variants")


async def test_a_hanging_model_leaves_time_for_the_fallback(graph: Graph, deps: Deps, script: ScriptedModel) -> None:
    script.reply("*", Hang())
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    outcome = await decide(raw, graph, Context(mode="issue", run_deadline_s=5), deadline_s=60, deps=deps)
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "fallback")


async def test_an_erased_persons_email_is_not_repeated_in_bytes_that_were_never_checked(
    run_one: Decide, settings: Settings, deps: Deps
) -> None:
    from graph.build import build_graph
    from graph.deps import open_deps

    await run_one()
    async with deps.database.connection() as connection:
        await connection.execute("delete from decision_person")
    moved = await open_deps(settings.model_copy(update={"brand_postal_address": "Example Bank, 1 New St, Dover"}))
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    again = await decide(raw, build_graph(moved), ISSUE, deadline_s=30)
    await moved.aclose()
    assert (again.recommendation, again.replayed, again.email_html) == ("offer_generated", True, None)
    assert again.offer is not None and again.offer.policy_compliance_notes[-1] == CHANGED


async def test_a_run_whose_own_record_cant_be_read_still_ends_with_an_outcome(deps: Deps) -> None:
    async with deps.database.connection() as connection:
        await connection.execute(
            "insert into decision (run_id, campaign_id, prediction_key, recommendation, record)"
            " values ('run-unreadable', 1, 'k', 'error', '{}')"
        )
    raw = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}
    context = Context(mode="issue", run_id="run-unreadable")
    broken: Any = None  # no graph at all: the fault that gets past every handler
    outcome = await asyncio.wait_for(decide(raw, broken, context, deadline_s=5, deps=deps), timeout=10)
    assert (outcome.recommendation, outcome.error_code, outcome.run_id) == ("error", "internal", "run-unreadable")
