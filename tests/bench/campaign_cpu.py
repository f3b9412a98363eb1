"""What a campaign costs in CPU: drafting per cohort, deciding per offer, in this process and in PostgreSQL."""

import os
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from graph.deps import Deps
from server.campaign.allotting import allot
from server.campaign.plan import plan
from server.campaign.working import Worker
from tests.bench.figures import Figure, bounded, cpu_of, per
from tests.bench.parts import Parts, scripted_model
from tests.server.campaign.sampled import NAME, sample_campaign, spec_of
from tools.ledger.campaigns import Campaigns

MEMBERS: Final = 4_000

_ALIKE: Final = "update offer_item set domain = 'Travel'"
"""A campaign of a million has hundreds of members to a cohort."""

_RENAMED: Final = """
update cardmember set card_type = 'Gold', tenure_years = 5, name = initcap(translate(
    substr(md5((right(user_id, 6)::int %% %s)::text), 1, 7), '0123456789', 'aeioulnrst')) || ' Roe'
"""
"""Forty members to a first name: as in a list of a million, most pairs of draft and name are new."""


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Plan a campaign, draft its cohorts and decide its members with one worker."""
    members = MEMBERS // 4 if quick else MEMBERS
    with scripted_model(latency_s=0) as model_url:
        async with parts.services(model_url) as deps:
            return await _measured(
                deps, members, int((parts.folder / "postgres/postmaster.pid").read_text().split()[0])
            )


async def _measured(deps: Deps, members: int, postmaster: int) -> Sequence[Figure]:
    campaigns = Campaigns(deps.database)
    campaign = await sample_campaign(deps.database, spec_of(), members=members, predictions=members)
    async with deps.database.connection() as connection:
        await connection.execute(_RENAMED.encode(), (max(1, members // 40),))
        await connection.execute(_ALIKE.encode())
    made = await plan(campaign, deps)
    await campaigns.move(campaign.campaign_id, "running", only_from=("planned",))
    worker = Worker(deps, await campaigns.named(NAME))
    drafted = await _spent(worker._draft, postmaster)
    await allot(deps.database, await campaigns.named(NAME), model_usd=Decimal(0))
    decided = await _spent(worker.work, postmaster)
    offers = (await campaigns.counts(campaign.campaign_id)).offers
    return (
        bounded(f"drafting one of {made.cohorts} cohorts, this process", per(drafted[0], made.cohorts), aim=50),
        bounded("the same, PostgreSQL", per(drafted[1], made.cohorts), aim=50),
        bounded(f"one of {offers} offers, this process", per(decided[0], offers), aim=2),
        bounded("the same, PostgreSQL", per(decided[1], offers), aim=2),
    )


async def _spent(work: Callable[[], Awaitable[object]], postmaster: int) -> tuple[float, float]:
    """Return the CPU seconds of this process and of PostgreSQL while `work` runs."""
    before = _server_cpu(postmaster)
    here = await cpu_of(work)
    return here, _server_cpu(postmaster) - before


def _server_cpu(postmaster: int) -> float:
    """Return the CPU seconds of a server: of those processes that have ended, too."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    ticks = sum(_ticks(postmaster)) + sum(sum(_ticks(int(child))[:2]) for child in children)
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> tuple[int, int, int, int]:
    """Return the clock ticks of a process: user, system, and those of its ended children."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0, 0, 0
    user, system, of_user, of_system = map(int, fields[11:15])
    return user, system, of_user, of_system
