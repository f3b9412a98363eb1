"""The Ray engine on a cluster of two nodes with one CPU each: the same offers as `local`, whatever dies."""

import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from graph.deps import Deps, open_deps
from graph.settings import Settings, handed_over
from server.campaign.engines.on_ray import ADDRESS
from server.campaign.run import Driver, Ran
from server.campaign.verify import verify
from tests.scripted_model import ScriptedModel
from tests.server.campaign.ran import NAME, members_of, planned, row, rows_of, run
from tests.server.conftest import created_database
from tools.errors import PartMissing
from tools.ledger.campaigns import Campaign, Campaigns

pytestmark = pytest.mark.e2e

ON_LOOPBACK = {"num_cpus": 1, "node_ip_address": "127.0.0.2", "include_dashboard": False}
"""Ray takes 127.0.0.1 in an address for this machine's name to others, and no other loopback address."""
AT_ONCE = 3
"""Calls one actor has in flight."""

OFFERS = (
    "select o.prediction_key, o.user_id, o.run_id, o.option_id, o.expected_cost_usd, o.start_date, o.end_date,"
    " o.html_sha256, k.key, k.record -> 'draft', k.record -> 'terms', k.record -> 'terms_text'"
    " from offer o join decision d using (run_id) join campaign_cohort k on k.campaign_id = o.campaign_id"
    " and k.cohort_id = d.cohort_id order by 1"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes on loopback, without dashboard and telemetry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        from ray.cluster_utils import Cluster

        nodes = Cluster(initialize_head=True, head_node_args=ON_LOOPBACK)
        nodes.add_node(**ON_LOOPBACK)
        yield nodes
        nodes.shutdown()


@pytest.fixture
def address(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The cluster as the engine finds it."""
    monkeypatch.setenv(ADDRESS, cluster.address)
    return str(cluster.address)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Few calls at once, so that a campaign takes a while."""
    return settings.model_copy(update={"llm_max_concurrency": AT_ONCE, "database_pool_size": 4})


async def individual(deps: Deps, folder: Path, members: int) -> Campaign:
    """Plan a campaign with a draft for each of so many members."""
    ids = await members_of(deps, gold=members, platinum=0)
    return await planned(deps, folder, [row(one) for one in ids], engine="ray", personalisation="individual")


async def on_ray(deps: Deps, campaign: Campaign) -> Ran:
    return await Driver(deps, campaign, workers=2).run()


async def verified(deps: Deps) -> str:
    campaign = await Campaigns(deps.database).named(NAME)
    verdict = await verify(deps.database, campaign, most_per_month=deps.settings.max_offers_per_month, zone=deps.zone)
    assert verdict.ok, verdict.summary
    return verdict.summary


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what a run has to come to."""
    async with asyncio.timeout(240):
        while not holds():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def another(deps: Deps, url: str, chroma: Path) -> AsyncIterator[Deps]:
    """The same services over another database."""
    plain = json.loads(handed_over(deps.settings)) | {"database_url": url, "chroma_dir": str(chroma)}
    opened = await open_deps(Settings(_env_file=None, **plain))
    await opened.sync_index()
    yield opened
    await opened.aclose()


def actors_of(node: Any) -> list[psutil.Process]:
    """Return a node's actors that are at work."""
    (raylet,) = node.all_processes["raylet"]
    children = psutil.Process(raylet.process.pid).children(recursive=True)
    return [one for one in children if "WorkerActor" in " ".join(one.cmdline())]


async def bounded(deps: Deps, script: ScriptedModel, *, needed: int, kills: int) -> None:
    """What was answered is never asked again; what was in flight at a death may be, and each call is accounted for.

    Members whose prompts are the same bytes share an answer, so that fewer than `needed` may be sent.
    """
    query = "select coalesce(sum(tries) filter (where outcome = %s), 0)::int, sum(tries)::int from llm_usage"
    ((answered, _),) = await rows_of(deps, query, "answered")
    ((lost, tries),) = await rows_of(deps, query, "sent")
    assert answered <= needed and lost <= kills * AT_ONCE and answered + lost == tries
    assert answered <= script.count <= tries


async def test_two_nodes_give_the_same_offers_as_this_process_byte_for_byte(
    deps: Deps, script: ScriptedModel, address: str, postgres_url: str, tmp_path: Path
) -> None:
    ids = await members_of(deps, gold=40, platinum=30)
    rows = [row(one, confidence_score=0.75 + place / 1000) for place, one in enumerate(ids)]
    rows += [row(one, domain="Dining") for one in ids[::3]]
    ran = await on_ray(deps, await planned(deps, tmp_path, rows, engine="ray", budget_usd="40"))
    assert ran.is_done
    sent = ran.campaign.sent_at  # links hold tokens of the second a campaign was created in
    calls = script.count
    with created_database(postgres_url) as url:
        async with another(deps, url, tmp_path / "chroma") as local:
            await members_of(local, gold=40, platinum=30)
            campaign = await planned(local, tmp_path, rows, budget_usd="40")
            await rows_of(local, "update campaign set sent_at = %s where name = %s returning 1", sent, NAME)
            assert (await run(local, replace(campaign, sent_at=sent))).is_done
            assert script.count == 2 * calls
            ours, theirs = await rows_of(deps, OFFERS), await rows_of(local, OFFERS)
            assert ours and ours == theirs
            assert await verified(deps) == await verified(local)


async def test_an_actor_and_a_node_are_killed_and_the_campaign_ends(
    deps: Deps, script: ScriptedModel, cluster: Any, address: str, tmp_path: Path
) -> None:
    campaign = await individual(deps, tmp_path, 60)
    script.latency = 0.2
    node = next(iter(cluster.worker_nodes))
    running = asyncio.create_task(on_ray(deps, campaign))
    try:
        await until(lambda: running.done() or (script.count >= 20 and bool(actors_of(cluster.head_node))))
        (actor,) = actors_of(cluster.head_node)
        os.kill(actor.pid, signal.SIGKILL)
        killed = script.count
        await until(lambda: running.done() or (script.count >= killed + 20 and bool(actors_of(cluster.head_node))))
        await asyncio.to_thread(cluster.remove_node, node, allow_graceful=False)
        assert not running.done() and script.count < 120
        assert (await running).is_done
    finally:
        running.cancel()
        cluster.add_node(**ON_LOOPBACK)
    assert await rows_of(deps, "select count(*)::int, count(distinct user_id)::int from offer") == [(60, 60)]
    await bounded(deps, script, needed=120, kills=2)
    await verified(deps)


async def test_without_ray_the_campaign_says_what_to_install(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    campaign = await individual(deps, tmp_path, 2)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PartMissing, match=r"pip install 'offergraph\[ray\]'"):
        await on_ray(deps, campaign)
    assert (await Campaigns(deps.database).named(NAME)).state == "paused"
