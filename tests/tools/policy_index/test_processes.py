"""What other processes do to the index: start warm, sync at once, die half-way, change it, serve it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.tools.policy_index.samples import DOCUMENTS, document
from tools.errors import IndexUnavailable
from tools.policy_index import PolicyIndex, SyncReport

ROOT = Path(__file__).resolve().parents[3]
ALL = tuple(sorted(policy.policy_id for policy in DOCUMENTS))
PROGRAM = """
import asyncio, json, sys
from dataclasses import asdict
from pathlib import Path
from tests.tools.policy_index.samples import DOCUMENTS
from tools.policy_index import PolicyIndex

async def main(folder, cache):
    assert not {"torch", "chromadb"} & set(sys.modules), "the import must stay light"
    index = PolicyIndex(chroma_dir=Path(folder), cache_dir=Path(cache))
    report = asdict(await index.sync(DOCUMENTS))
    (best,) = await index.nearest("restaurants", domain="Dining", k=1)
    await index.aclose()
    heavy = sorted({"torch", "transformers", "sentence_transformers"} & set(sys.modules))
    print(json.dumps({"report": report, "best": best.policy_id, "heavy": heavy}))

asyncio.run(main(*sys.argv[1:]))
"""


def start(folder: Path, cache: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), str(cache)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process: "subprocess.Popen[str]") -> dict[str, object]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return dict(json.loads(out.splitlines()[-1]))


def wait_until_syncing(folder: Path) -> None:
    end = monotonic() + 60
    while not any('"syncing"' in path.read_text() for path in folder.glob("*.state")):
        assert monotonic() < end, "the sync never began"
        sleep(0.005)


async def test_a_warm_start_never_imports_torch(index: PolicyIndex, tmp_path: Path, vectors: Path) -> None:
    await index.sync(DOCUMENTS)
    await index.nearest("restaurants", domain="Dining", k=1)
    warm = answer(start(tmp_path / "chroma", vectors))
    assert warm["heavy"] == []
    assert warm["best"] == "dining"
    assert warm["report"]["unchanged"] == list(ALL)  # type: ignore[index]


async def test_a_lost_index_is_built_again_from_cached_vectors_without_torch(
    index: PolicyIndex, tmp_path: Path, vectors: Path
) -> None:
    await index.sync(DOCUMENTS)
    await index.nearest("restaurants", domain="Dining", k=1)
    rebuilt = answer(start(tmp_path / "new", vectors))
    assert rebuilt["heavy"] == []
    assert rebuilt["report"]["added"] == list(ALL)  # type: ignore[index]


async def test_two_processes_may_sync_at_once(index: PolicyIndex, tmp_path: Path, vectors: Path) -> None:
    await index.sync(DOCUMENTS)  # only so that the vectors are cached
    await index.nearest("restaurants", domain="Dining", k=1)
    both = [answer(process) for process in [start(tmp_path / "shared", vectors) for _ in range(2)]]
    assert [one["best"] for one in both] == ["dining", "dining"]
    assert sorted(len(one["report"]["added"]) for one in both) == [0, len(ALL)]  # type: ignore[index]


async def test_a_sync_killed_half_way_is_not_trusted_and_repaired(tmp_path: Path, vectors: Path) -> None:
    folder = tmp_path / "chroma"
    process = start(folder, tmp_path / "cold-cache")
    wait_until_syncing(folder)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    index = PolicyIndex(chroma_dir=folder, cache_dir=vectors)
    with pytest.raises(IndexUnavailable, match="interrupted"):
        await index.nearest("restaurants", domain="Dining")
    await index.sync(DOCUMENTS)
    (best,) = await index.nearest("restaurants", domain="Dining", k=1)
    assert best.policy_id == "dining"
    assert await index.sync(DOCUMENTS) == SyncReport(unchanged=ALL)
    await index.aclose()


async def test_an_index_changed_by_another_process_is_refused_until_synced(tmp_path: Path, vectors: Path) -> None:
    changed = document("frequency", "# Lobster\nLobster and other sea food.", version="2.0.0")
    index = PolicyIndex(chroma_dir=tmp_path / "chroma", cache_dir=vectors)
    await index.sync([changed])
    await index.nearest("lobster", domain=None, k=1)
    answer(start(tmp_path / "chroma", vectors))
    with pytest.raises(IndexUnavailable, match="changed by another process"):
        await index.nearest("how often", domain="Dining", k=1)
    await index.sync(DOCUMENTS)
    assert [chunk.policy_id for chunk in await index.nearest("how often", domain="Dining", k=1)] == ["frequency"]
    await index.aclose()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("chroma")
    process = subprocess.Popen(
        [program, "run", "--path", tmp_path / "served", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = monotonic() + 60
        while monotonic() < end and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


async def test_a_chroma_server_does_the_same(server: str, vectors: Path) -> None:
    index = PolicyIndex(chroma_url=server, cache_dir=vectors)
    assert await index.sync(DOCUMENTS) == SyncReport(added=ALL)
    assert await index.sync(DOCUMENTS) == SyncReport(unchanged=ALL)
    found = await index.nearest("restaurants", domain="Dining", k=10)
    assert [chunk.policy_id for chunk in found] == ["dining", "frequency"]
    assert (await index.status()).location == server
    await index.aclose()


async def test_a_server_that_isnt_there_is_unavailable(vectors: Path) -> None:
    index = PolicyIndex(chroma_url="http://127.0.0.1:9", cache_dir=vectors)
    with pytest.raises(IndexUnavailable, match=r"http://127\.0\.0\.1:9: sync failed"):
        await index.sync(DOCUMENTS)
    await index.aclose()
