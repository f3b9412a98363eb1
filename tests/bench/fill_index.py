"""Embed the policies into a data folder: `python -m tests.bench.fill_index FOLDER`. It imports torch."""

import asyncio
import sys
from pathlib import Path

from graph.deps import open_deps
from tests.bench.parts import Parts


async def main(folder: Path) -> None:
    """Bring the index up to date; no database and no model is asked."""
    deps = await open_deps(Parts("", folder).settings("postgresql://unused", "http://unused"))
    try:
        await deps.sync_index()
    finally:
        await deps.aclose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
