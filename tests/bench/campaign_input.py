"""A campaign's members and predictions: drawn once, kept as Parquet, and copied to a database as they are."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from tools.columns import NAMES
from tools.database import Database
from tools.frames import frame_into
from tools.sample.members import CHUNK, iter_members
from tools.sample.predictions import sample_predictions

SEED: Final = 7
_PREDICTED_FOR: Final = ("user_id", "preferred_domain_1", "preferred_domain_2")


class Input:
    """Sample members in a folder, and a prediction for each. `most` is how many there are at all."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        folder.mkdir(exist_ok=True)

    async def draw(self) -> None:
        """Draw the members, 20,000 at a time: about 35 s of CPU per million."""
        await asyncio.to_thread(self._draw)

    def _draw(self) -> None:
        for number, frame in enumerate(iter_members(self._most, seed=SEED)):
            address = pl.col("user_id").str.to_lowercase() + pl.lit("@example.com")
            frame.with_columns(email=address).write_parquet(self._folder / f"members_{number:04}.parquet")

    def predictions(self, members: int) -> Path:
        """Write the predictions for the first so many members, in no order, and return the file."""
        path = self._folder / f"predictions_{members}.parquet"
        if not path.exists():
            keys = pl.concat([frame.select(_PREDICTED_FOR) for frame in self._members(members)])
            sample_predictions(keys, n=members, seed=SEED).write_parquet(path)
        return path

    async def load(self, database: Database, members: int) -> None:
        """Copy the first so many members into a database's export, and let queries be planned for them."""
        async with database.connection() as connection:
            await connection.execute("set local statement_timeout = 0")
            frames = self._members(members)
            while (frame := await asyncio.to_thread(next, frames, None)) is not None:
                await frame_into(connection, "cardmember", frame.select(*NAMES, "email"))
            await connection.execute("analyze cardmember")

    def _members(self, members: int) -> Iterator[pl.DataFrame]:
        left = members
        for path in sorted(self._folder.glob("members_*.parquet")):
            if left <= 0:
                return
            yield pl.read_parquet(path).head(left)
            left -= CHUNK
