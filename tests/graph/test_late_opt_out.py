"""A member who opts out while their offer is made gets none, and the run says so itself."""

import asyncio
from decimal import Decimal

from graph.deps import Deps
from graph.settings import Settings
from tests.conftest import Decide
from tests.scripted_model import Default, Latency, ScriptedModel
from tests.tools.ledger.rows import in_use, kept, rows
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.opt_outs import OptOuts, Recipient

READER = Recipient("USER_GOLD", "earlier-run")


async def test_an_opt_out_while_the_model_writes_is_the_runs_outcome_and_its_repeats(
    run_one: Decide, deps: Deps, script: ScriptedModel, settings: Settings
) -> None:
    await Budgets(deps.database, zone=deps.zone).change("online", {BudgetKey("campaign"): Decimal(100)})
    script.reply("*", Latency(0.2, Default()))
    deciding = asyncio.create_task(run_one())
    while not script.calls:
        await asyncio.sleep(0.01)
    await OptOuts(deps.database, zone=deps.zone).stop(READER, source="one_click")
    output = await deciding
    assert (output.recommendation, output.success) == ("suppressed_marketing_opt_out", False)
    assert output.suppression is not None and (output.offer, output.email_html) == (None, None)
    assert output.suppression.detail == ("marketing_opt_out: the member is on the suppression list",)
    again = await run_one()
    assert (again.replayed, again.model_copy(update={"replayed": False})) == (True, output)
    assert await rows(deps.database, "select count(*) from offer") == [(0,)]
    (record, first_name, email) = await deps.records.read(output.run_id) or ({}, "", "")
    assert (first_name, email, record["screening"]["usage"]["suppressed"]) == (None, None, True)
    assert record["report"]["verdict"] == "pass"  # an offer was made, and why it was not issued is told
    assert (await in_use(deps.database), await kept(deps.database)) == ({"": Decimal(0)}, True)
    assert not list(settings.output_dir.rglob("*.eml"))
