import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.tools.policy_index.samples import DOCUMENTS, document
from tools.errors import IndexUnavailable, InputInvalid, SettingInvalid
from tools.policy_index import PolicyIndex, SyncReport

ALL = tuple(sorted(policy.policy_id for policy in DOCUMENTS))


async def ids(index: PolicyIndex, query: str, **scope: object) -> list[str]:
    found = await index.nearest(query, **{"domain": None, "k": 10, **scope})  # type: ignore[arg-type]
    return [chunk.policy_id for chunk in found]


async def test_a_first_sync_adds_all_and_a_second_finds_nothing_to_do(index: PolicyIndex) -> None:
    assert await index.sync(DOCUMENTS) == SyncReport(added=ALL)
    assert await index.sync(DOCUMENTS) == SyncReport(unchanged=ALL)
    status = await index.status()
    assert status.chunks == 6
    assert status.versions == dict.fromkeys(ALL, "1.0.0")
    assert status.embedding_model == "all-MiniLM-L6-v2"


async def test_the_nearest_by_meaning_comes_first(index: PolicyIndex) -> None:
    await index.sync(DOCUMENTS)
    (best,) = await index.nearest("a place to sleep", domain="Travel", k=1)
    assert (best.policy_id, best.section, best.text) == ("travel", "Hotels", "Rooms and stays.")
    assert (best.version, best.sha, best.position) == ("1.0.0", DOCUMENTS[1].sha, 1)


async def test_only_policies_in_scope_are_found(index: PolicyIndex) -> None:
    await index.sync(DOCUMENTS)
    assert sorted(await ids(index, "offer", domain="Dining")) == ["dining", "frequency"]
    assert sorted(await ids(index, "offer", domain="Business Services")) == ["frequency"]
    assert sorted(await ids(index, "offer", card_type="platinum")) == ["frequency", "platinum_only"]
    assert sorted(await ids(index, "offer", card_type="gold", channels=("online_only",))) == [
        "frequency",
        "online_only",
    ]


async def test_changed_and_removed_policies_follow(index: PolicyIndex) -> None:
    await index.sync(DOCUMENTS)
    assert await ids(index, "lobster", domain="Dining", k=1) == ["dining"]
    changed = document("frequency", "# Lobster\nLobster and other sea food.", version="2.0.0")
    report = await index.sync([changed, *(policy for policy in DOCUMENTS[1:] if policy.policy_id != "frequency")])
    assert report == SyncReport(
        updated=("frequency",), removed=("dining",), unchanged=("online_only", "platinum_only", "travel")
    )
    (best,) = await index.nearest("lobster", domain="Dining", k=1)
    assert (best.policy_id, best.version) == ("frequency", "2.0.0")


async def test_an_index_without_policies_answers_nothing(index: PolicyIndex) -> None:
    assert await index.sync([]) == SyncReport()
    assert await index.nearest("offer", domain="Dining") == ()


async def test_a_repeated_query_is_answered_from_memory(index: PolicyIndex, tmp_path: Path) -> None:
    await index.sync(DOCUMENTS)
    answers = await asyncio.gather(*(index.nearest("restaurants", domain="Dining") for _ in range(20)))
    (tmp_path / "chroma" / (await index.status()).collection).with_suffix(".state").unlink()
    assert await index.nearest("restaurants", domain="Dining") is answers[0]
    with pytest.raises(IndexUnavailable, match="never synced"):
        await index.nearest("another", domain="Dining")


async def test_an_index_that_was_never_synced_or_is_closed_is_unavailable(index: PolicyIndex) -> None:
    with pytest.raises(IndexUnavailable, match="never synced"):
        await index.nearest("offer", domain="Dining")
    await index.aclose()
    with pytest.raises(IndexUnavailable, match="closed"):
        await index.status()


async def test_two_documents_with_one_id_are_refused(index: PolicyIndex) -> None:
    with pytest.raises(InputInvalid, match="policy_id"):
        await index.sync([DOCUMENTS[0], DOCUMENTS[0]])


@pytest.mark.parametrize(("folder", "url"), [(False, None), (True, "http://127.0.0.1:1"), (False, "127.0.0.1:8000")])
def test_a_place_is_needed_and_only_one(tmp_path: Path, folder: bool, url: str | None) -> None:
    with pytest.raises(SettingInvalid, match="chroma_url is"):
        PolicyIndex(chroma_dir=tmp_path if folder else None, chroma_url=url, cache_dir=tmp_path)


async def test_another_model_gets_another_index(index: PolicyIndex, tmp_path: Path) -> None:
    await index.sync(DOCUMENTS)
    (tmp_path / "model").mkdir()
    other = PolicyIndex(chroma_dir=tmp_path / "chroma", embedding_model=str(tmp_path / "model"), cache_dir=tmp_path)
    with pytest.raises(IndexUnavailable, match="never synced"):
        await other.nearest("restaurants", domain="Dining")
    await other.aclose()


def change(statement: str) -> Callable[[Path], None]:
    def run(database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(statement)

    return run


def spoil_bytes(database: Path) -> None:
    database.write_bytes(b"garbage" * 2000)


def cut_off(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:20_000])


def empty_folder(database: Path) -> None:
    for path in sorted(database.parent.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(change("delete from embeddings where id = 1"), id="an entry is lost"),
        pytest.param(change("delete from embedding_metadata"), id="metadata are lost"),
        pytest.param(
            change("update embedding_metadata set string_value = 'edited' where key = 'version'"), id="metadata differ"
        ),
        pytest.param(change("delete from embeddings_queue"), id="vectors are lost"),
        pytest.param(change("delete from segments"), id="segments are lost"),
        pytest.param(change("drop table embeddings"), id="a table is lost"),
        pytest.param(spoil_bytes, id="garbage"),
        pytest.param(cut_off, id="cut off"),
        pytest.param(empty_folder, id="empty folder"),
    ],
)
@pytest.mark.parametrize("new_process", [False, True], ids=["open while it happens", "opened afterwards"])
async def test_the_next_sync_repairs_a_spoiled_index(
    tmp_path: Path, vectors: Path, spoil: Callable[[Path], None], new_process: bool
) -> None:
    index = PolicyIndex(chroma_dir=tmp_path / "chroma", cache_dir=vectors)
    await index.sync(DOCUMENTS)
    before = await index.nearest("restaurants", domain="Dining", k=2)
    if new_process:
        await index.aclose()
        index = PolicyIndex(chroma_dir=tmp_path / "chroma", cache_dir=vectors)
    spoil(tmp_path / "chroma" / "policy-index" / "chroma.sqlite3")
    report = await index.sync(DOCUMENTS)
    assert report.added or report.updated or report.rebuilt
    assert await index.nearest("restaurants", domain="Dining", k=2) == before
    assert await index.sync(DOCUMENTS) == SyncReport(unchanged=ALL)
    await index.aclose()


async def test_a_rebuild_is_announced(index: PolicyIndex, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await index.sync(DOCUMENTS)
    spoil_bytes(tmp_path / "chroma" / "policy-index" / "chroma.sqlite3")
    with caplog.at_level(logging.WARNING):
        report = await index.sync(DOCUMENTS)
    assert report == SyncReport(added=ALL, rebuilt=True)
    assert f"{tmp_path / 'chroma'} is not whole and built anew" in caplog.text


async def test_a_query_on_a_spoiled_index_is_unavailable_until_the_next_sync(tmp_path: Path, vectors: Path) -> None:
    first = PolicyIndex(chroma_dir=tmp_path / "chroma", cache_dir=vectors)
    await first.sync(DOCUMENTS)
    await first.aclose()
    spoil_bytes(tmp_path / "chroma" / "policy-index" / "chroma.sqlite3")
    index = PolicyIndex(chroma_dir=tmp_path / "chroma", cache_dir=vectors)
    for _ in range(2):
        with pytest.raises(IndexUnavailable, match="query failed"):
            await index.nearest("restaurants", domain="Dining")
    assert (await index.sync(DOCUMENTS)).rebuilt
    assert await ids(index, "restaurants", domain="Dining", k=1) == ["dining"]
    await index.aclose()


async def test_a_folder_that_cant_be_made_is_unavailable_not_rebuilt(tmp_path: Path, vectors: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    index = PolicyIndex(chroma_dir=tmp_path / "file" / "chroma", cache_dir=vectors)
    with pytest.raises(IndexUnavailable, match="CHROMA_DIR"):
        await index.sync(DOCUMENTS)
    await index.aclose()


async def test_after_many_rewrites_every_chunk_is_still_found(tmp_path: Path, vectors: Path) -> None:
    index = PolicyIndex(chroma_dir=tmp_path / "chroma", cache_dir=vectors)
    for version in ("first", "second") * 4:
        policies = [document(f"p{n}", f"# Section {n}\nText {version} {n}", version=version) for n in range(40)]
        report = await index.sync(policies)
        assert len(report.added if report.rebuilt else report.updated or report.added) == 40
        found = [await index.nearest(f"Section {n}\nText {version} {n}", domain=None, k=1) for n in range(40)]
        assert [chunk.policy_id for (chunk,) in found] == [policy.policy_id for policy in policies]
    await index.aclose()
