"""What one member costs when many are fetched at once."""

import asyncio
from collections.abc import Sequence
from statistics import median

from tests.bench.figures import Figure, against, bounded, cpu_of, per
from tests.bench.parts import Parts, add_cohorts, scripted_model

MEMBERS = 500
AIM_MS = 0.05


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Compare concurrent `MemberLoader.load` calls with one `select … = any` for the same ids."""
    rounds = 5 if quick else 30
    loaded, queried = [], []
    with scripted_model(latency_s=0) as url:
        async with parts.services(url) as deps:
            ids = [raw["user_id"] for raw in await add_cohorts(deps.database, MEMBERS, prefix="FETCH")]
            pool = await deps.database.pool()

            async def load() -> None:
                await asyncio.gather(*map(deps.members.load, ids))

            async def query() -> None:
                async with pool.connection() as connection:
                    cursor = await connection.execute("select * from cardmember where user_id = any(%s)", [ids])
                    await cursor.fetchall()

            for _ in range(rounds):
                loaded.append(per(await cpu_of(load), MEMBERS))
                queried.append(per(await cpu_of(query), MEMBERS))
    ms = median(loaded)
    return (
        bounded("CPU per member, 500 loads at once", ms, aim=AIM_MS),
        against("the same", ms, median(queried), "one bare query, rows left as tuples"),
    )
