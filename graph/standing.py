"""The policies in force, for who only looks: nothing is noted in the ledger, and no graph is built."""

import asyncio

from graph.deps import Deps, with_rulebook
from graph.rulebook import rulebook_with
from tools.ledger.versions import read_epoch, read_standing


async def under_policies_in_force(deps: Deps) -> Deps:
    """Return the same services under the policies that the database holds, as a server on it has them.

    Raises DatabaseUnavailable, and PolicyInvalid for a version that can't be enforced.
    """
    async with deps.database.statement() as connection:
        if await read_epoch(connection) == deps.rulebook.epoch:
            return deps
        standing = await read_standing(connection)
    return with_rulebook(deps, await asyncio.to_thread(rulebook_with, deps.rulebook, standing))
