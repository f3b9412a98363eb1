"""A whole process from start to its first offer: `python -m tests.bench.first_offer FOLDER DATABASE_URL MODEL_URL`."""

import asyncio
import json
import sys
from pathlib import Path

from graph.build import build_graph
from graph.context import Context
from graph.deps import open_deps
from graph.run import decide
from tests.bench.parts import Parts


async def main(folder: Path, database_url: str, model_url: str) -> None:
    """Preview one offer and print what came of it, and whether torch was imported for it."""
    settings = Parts("", folder).settings(database_url, model_url)
    deps = await open_deps(settings)
    await deps.sync_index()
    raw = {"user_id": "FIRST_00000", "domain": "Travel", "confidence_score": 0.9}
    outcome = await decide(raw, build_graph(deps), Context(), deadline_s=settings.run_deadline_s)
    await deps.aclose()
    print(json.dumps({"recommendation": outcome.recommendation, "torch": "torch" in sys.modules}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
