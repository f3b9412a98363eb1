import pytest

from server.campaign.verify import Verdict, verify
from tests.server.campaign.planted import change, plant
from tests.tools.ledger.conftest import ZONE
from tools.database import Database
from tools.ledger.campaigns import Campaigns
from tools.ledger.cancelling import cancel


async def verified(database: Database, *, most: int = 3) -> Verdict:
    return await verify(database, (await Campaigns(database).listed())[0], most_per_month=most, zone=ZONE)


async def test_a_ledger_that_adds_up_says_so_with_what_was_found(database: Database) -> None:
    await plant(database)
    verdict = await verified(database)
    assert [line.name for line in verdict.lines if not line.ok] == [] and verdict.ok
    found = {line.name: line.found for line in verdict.lines}
    assert found["input"] == "12 rows, 10 items, 2 rejects"
    assert found["items"] == "2 open, 4 done, 1 dead, 3 skipped"
    assert found["costs"] == "21.00 USD of offers, 21.00 USD settled, 0 differ"
    assert found["in_use"] == "27.25 USD held, 27.25 USD counted"
    assert found["budget"] == "21.00 USD of 100.00 USD"
    assert found["usage"] == "3 tries recorded by cohorts, 4 accounted for"
    assert found["cohorts"] == "3 cohorts, 7 items in one, 0 differ"
    assert found["holdout"] == "1 members in it, 0 against it"
    assert found["caps"] == "4 members with offers, most 1 of 3, 0 above"
    assert verdict.summary.startswith(
        "campaign spring_travel: input 12 = rejected 2 + done 4 + dead 1 + skipped 3 + open 2; offers 4, 21.00 USD, "
    )
    assert verdict.summary.endswith(f": adds up ({len(verdict.lines)} checks)")


async def test_the_summary_is_the_same_again_and_another_when_an_offer_is_another(database: Database) -> None:
    await plant(database)
    before = await verified(database)
    assert (await verified(database)).summary == before.summary
    await change(database, "update offer set html_sha256 = 'feed' where prediction_key = 'k1'")
    after = await verified(database)
    assert after.ok and after.summary != before.summary


LOOSE_ITEM = "alter table offer_item drop constraint offer_item_status_check"

FAULTS: dict[str, tuple[str, ...]] = {
    "input": ("delete from campaign_reject where row_no = 11",),
    "items": (LOOSE_ITEM, "update offer_item set status = 'lost' where prediction_key = 'k10'"),
    "ended": ("update campaign set state = 'done' where campaign_id = :id",),
    "done": ("update offer_item set recommendation = 'no_offer_needed' where prediction_key = 'k1'",),
    "decisions": (
        "insert into decision (run_id, campaign_id, prediction_key, recommendation, record)"
        " values ('other', :id, 'k1', 'offer_generated', '{}')",
    ),
    "offers": ("update offer_item set status = 'dead', error_class = 'internal' where prediction_key = 'k1'",),
    "compliant": (
        "alter table offer drop constraint offer_compliant_check",
        "update offer set compliant = false where prediction_key = 'k2'",
    ),
    "runs": ("update offer_item set run_id = 'run1spring_travel' where prediction_key = 'k8'",),
    "skipped": ("update offer_item set recommendation = null where prediction_key = 'k6'",),
    "dead": ("update offer_item set error_class = null where status = 'dead'",),
    "costs": ("update offer set expected_cost_usd = 5.24 where prediction_key = 'k3'",),
    "in_use": ("update budget_use set used_usd = 27.26 where scope = 'day'",),
    "budget": (
        "alter table budget_use drop constraint budget_use_check",
        "update budget_use set most_usd = 20 where scope = 'campaign'",
        "update budget set limit_usd = 20 where scope = 'campaign'",
    ),
    "usage": ("delete from llm_usage where outcome = 'answered'",),
    "cohorts": ("update campaign_cohort set items = 3 where cohort_id = 1",),
    "holdout": ("update offer_item set in_holdout = true where prediction_key = 'k4'",),
    "caps": ("update offer set user_id = 'U1'", "update offer_item set user_id = 'U1' where status = 'done'"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_fails_its_line_and_no_other(database: Database, name: str) -> None:
    await plant(database)
    await change(database, *FAULTS[name])
    verdict = await verified(database)
    assert [line.name for line in verdict.lines if not line.ok] == [name]
    assert (verdict.ok, verdict.summary.endswith(f": DOES NOT ADD UP: {name}")) == (False, True)


async def test_every_check_has_a_fault_that_it_finds(database: Database) -> None:
    await plant(database)
    assert [line.name for line in (await verified(database)).lines] == list(FAULTS)


async def test_a_missing_offer_and_a_missing_decision_are_found(database: Database) -> None:
    await plant(database)
    await change(
        database, "delete from offer where prediction_key = 'k1'", "delete from decision where run_id like 'run1%'"
    )
    assert {line.name for line in (await verified(database)).lines if not line.ok} == {"done", "decisions", "costs"}


async def test_a_member_half_in_the_holdout_and_an_offer_months_apart(database: Database) -> None:
    await plant(database)
    await change(database, "update offer_item set user_id = 'U7' where prediction_key = 'k6'")
    assert [line.name for line in (await verified(database)).lines if not line.ok] == ["holdout"]
    await change(
        database,
        "update offer_item set user_id = 'U6' where prediction_key = 'k6'",
        *FAULTS["caps"],
        "update offer set issued_at = '2026-12-01T04:59Z' where prediction_key = 'k1'",  # November in New York
    )
    assert not (await verified(database)).ok
    await change(database, "update offer set issued_at = '2026-12-01T05:00Z' where prediction_key = 'k1'")
    assert (await verified(database)).ok


async def test_other_campaigns_are_left_out(database: Database) -> None:
    await plant(database)
    await change(database, *FAULTS["costs"], *FAULTS["cohorts"])
    await plant(database, name="second")
    assert (await verified(database)).ok


async def test_a_cancelled_campaign_adds_up(database: Database) -> None:
    campaign = await plant(database)
    assert await cancel(database, campaign.campaign_id) == 2
    verdict = await verified(database)
    found = {line.name: line.found for line in verdict.lines}
    assert verdict.ok
    assert found["skipped"] == "5 skipped (2 by cancelling), 0 without a reason"
    assert found["in_use"] == "21.00 USD held, 21.00 USD counted"
