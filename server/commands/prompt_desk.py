"""The services that commands on prompts look through: they ask no model by themselves, and change nothing shared."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graph.deps import Deps
    from graph.settings import Settings


@asynccontextmanager
async def prompt_desk(settings: "Settings", *, database: bool, prose: bool) -> "AsyncIterator[Deps]":
    """Open the services, with `database` under the policies in force there, else under those of the folder.

    With `prose` prompts get the policies' prose, out of an index made for this command alone: the configured one may be
    a server's, in step with other policies. Where that fails, a prompt's notes say so.
    """
    from graph.deps import open_deps
    from graph.standing import under_policies_in_force
    from tools.errors import IndexUnavailable

    with TemporaryDirectory(prefix="offergraph-") as scratch:
        deps = await open_deps(settings.model_copy(update={"chroma_dir": Path(scratch), "chroma_url": None}))
        try:
            if database:
                deps = await under_policies_in_force(deps)
            if prose:
                with suppress(IndexUnavailable):
                    await deps.sync_index()
            yield deps
        finally:
            await asyncio.shield(deps.aclose())
