"""From the start of a process to its first compliant offer."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

from graph.deps import open_deps
from tests.bench.figures import Figure, against
from tests.bench.parts import Parts, add_cohorts, environment, scripted_model


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Time a cold process (it embeds the policies), then warm ones, which must not import torch."""
    rounds = 1 if quick else 5
    parts = replace(parts, folder=parts.folder / "start")  # a data folder that nobody has filled yet
    with scripted_model(latency_s=0) as model_url, parts.database() as database_url:
        deps = await open_deps(parts.settings(database_url, model_url))
        await add_cohorts(deps.database, 1, prefix="FIRST")
        await deps.aclose()

        def offer() -> bool:
            said = json.loads(parts.first_offer(database_url, model_url))
            assert said["recommendation"] == "offer_generated", said
            return bool(said["torch"])

        _, first_ms = _timed(offer)
        warm, imports = [], []
        for _ in range(rounds):
            warm.append(_timed(offer))
            imports.append(_timed(_import_langgraph)[1])
    assert not any(torch for torch, _ in warm), "a warm start imported torch"
    base = median(imports)
    to = "python -c 'import langgraph.graph'"
    return (
        against("process start to first offer, warm, no torch", median(ms for _, ms in warm), base, to),
        against("the first start on this data folder", first_ms, base, to),
    )


def _timed(work: Callable[[], bool]) -> tuple[bool, float]:
    started = time.perf_counter()
    told = work()
    return told, (time.perf_counter() - started) * 1000


def _import_langgraph() -> bool:
    subprocess.run([sys.executable, "-c", "import langgraph.graph"], env=environment(), check=True)
    return False
