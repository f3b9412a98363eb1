"""Edits of a prompts folder: good ones count at the next look, others never do, whatever an editor leaves behind."""

import asyncio
import logging
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph.prompt_watch import PromptWatch
from graph.rulebook import read_prompts
from tests.prompt_edits import BROKEN, DRAFT, HARMLESS, PROMPTS, note, put, restore
from tools.errors import PromptInvalid
from tools.prompt_files import PromptSet

QUICK_S = 0.01
LONG_S = 10.0


class Watched:
    """A watch over a folder, and what it adopted."""

    def __init__(self, folder: Path, *, settle_s: float = QUICK_S) -> None:
        self.folder, self.adopted, self.reads = folder, [], 0
        self.prompts = read_prompts(folder)
        self.watch = PromptWatch(folder, self.prompts, read=self.read, adopt=self.adopt, settle_s=settle_s)

    def read(self, folder: Path) -> PromptSet:
        self.reads += 1
        return read_prompts(folder)

    async def adopt(self, prompts: PromptSet) -> None:
        self.prompts = prompts
        self.adopted.append(prompts.digests)

    async def look(self) -> tuple[dict[str, str], str]:
        await self.watch.look()
        return self.prompts.digests, self.watch.condition


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A prompts folder that a test may change."""
    return Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))


@pytest.fixture
def watched(folder: Path) -> Watched:
    """A watch over that folder."""
    return Watched(folder)


EDITS = st.one_of(
    st.sampled_from([*BROKEN, *HARMLESS, "mended"]), st.integers(min_value=1, max_value=3).map(lambda n: f"good {n}")
)


@settings(max_examples=10)
@example(edits=["good 1", *BROKEN, "mended", *HARMLESS, "good 2", "good 2"])
@given(edits=st.lists(EDITS, max_size=8))
def test_after_any_edits_the_last_good_folder_is_in_use_and_a_fault_is_named(edits: list[str]) -> None:
    async def run(folder: Path) -> None:
        watched = Watched(folder)
        good = watched.prompts.digests
        for edit in edits:
            if edit.startswith("good "):
                note(folder, int(edit.removeprefix("good ")))
            elif edit == "mended":
                restore(folder)
            else:
                (BROKEN | HARMLESS)[edit](folder)
            try:
                good, broken = read_prompts(folder).digests, None
            except Exception as error:  # whatever the reader says of it
                broken = error
            used, condition = await watched.look()
            assert used == good, edit
            assert (condition == "ok") is (broken is None), (edit, condition)
            if isinstance(broken, PromptInvalid):
                assert condition == f"{broken.path}:{broken.line}: {broken.reason}"

    with tempfile.TemporaryDirectory() as made:
        asyncio.run(run(Path(shutil.copytree(PROMPTS, Path(made) / "prompts"))))


@pytest.mark.parametrize("edit", BROKEN)
async def test_a_broken_edit_is_told_once_with_its_place_until_it_is_mended(
    folder: Path, watched: Watched, edit: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "graph.prompt_watch")
    delivered = watched.prompts.digests
    assert await watched.look() == (delivered, "ok")
    BROKEN[edit](folder)
    looks = [await watched.look() for _ in range(5)]
    assert {str(digests) for digests, _ in looks} == {str(delivered)}
    (condition,) = {said for _, said in looks}
    assert condition.startswith(f"{folder}/") and condition.split(":")[1].isdigit()
    assert [record.message for record in caplog.records] == [f"prompts: {condition}; the last good version is in use"]
    restore(folder)
    assert await watched.look() == (delivered, "ok")
    assert watched.adopted == []
    assert caplog.messages[1:] == ["prompts: mended, as they were"]


async def test_a_line_of_the_file_is_named(folder: Path, watched: Watched) -> None:
    put(folder / "draft.md", f"{DRAFT}\n{{% if menu %}}\n")
    _, condition = await watched.look()
    where, line, _ = condition.split(":", 2)
    assert where == str(folder / "draft.md")
    assert int(line) >= DRAFT.count("\n")


async def test_a_look_at_a_folder_nobody_edited_reads_no_prompt(folder: Path, watched: Watched) -> None:
    await watched.look()
    before = watched.reads
    for path in folder.glob("*.md"):
        path.touch()
    assert (await watched.look())[1] == "ok"
    assert (watched.reads, watched.adopted) == (before, [])


async def test_an_edit_is_seen_though_size_and_clock_of_the_file_stand_still(
    folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns() + 60_000_000_000  # ahead, so that a slow test proves the same
    coarse = (str(folder / "draft.md"), 1, 1, 1, now)  # a file system that counts in seconds
    monkeypatch.setattr("graph.prompt_watch._stamp", lambda _: (coarse,))
    for n in range(1, 4):
        (folder / "draft.md").write_text(f"{DRAFT}\nNote {n}.\n", encoding="utf-8")
        assert (await watched.look())[0] == read_prompts(folder).digests
        assert (await watched.look())[1] == "ok"  # the bytes are known now
    assert len(watched.adopted) == 3


async def test_callers_of_the_moment_share_a_look_that_starts_after_they_asked(folder: Path, watched: Watched) -> None:
    note(folder, 1)
    await asyncio.gather(*(watched.look() for _ in range(200)))
    assert watched.adopted == [read_prompts(folder).digests]
    assert watched.reads == 1


async def test_a_save_during_a_look_counts_for_who_asks_after_it(folder: Path) -> None:
    adopting, go_on = asyncio.Event(), asyncio.Event()
    adopted: list[PromptSet] = []

    async def adopt(prompts: PromptSet) -> None:
        adopting.set()
        await go_on.wait()
        adopted.append(prompts)

    watch = PromptWatch(folder, read_prompts(folder), read=read_prompts, adopt=adopt)
    note(folder, 1)
    first = asyncio.create_task(watch.look())
    await adopting.wait()
    note(folder, 2)
    second = asyncio.create_task(watch.look())
    go_on.set()
    await asyncio.gather(first, second)
    assert [prompts.digests["draft"] for prompts in adopted][-1] == read_prompts(folder).digests["draft"]
    assert len(adopted) == 2


@pytest.mark.parametrize(
    ("name", "between"), [("draft", None), ("draft", ""), ("draft", "---\nname: dr"), ("draft@b", None)]
)
async def test_a_save_in_several_steps_is_waited_for_and_is_no_fault(
    folder: Path, name: str, between: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    put(folder / "draft@b.md", f"{DRAFT}\nB.\n")
    watched, seen = Watched(folder, settle_s=LONG_S), asyncio.Event()
    loop = asyncio.get_running_loop()
    await watched.look()

    def read(at: Path) -> PromptSet:
        loop.call_soon_threadsafe(seen.set)
        return read_prompts(at)

    watched.watch._read = read
    put(folder / f"{name}.md", between)
    looking = asyncio.create_task(watched.look())
    await seen.wait()  # it saw the file as the editor left it between two steps
    put(folder / f"{name}.md", f"{DRAFT}\nSaved.\n")
    used, condition = await looking
    assert (used, condition) == (read_prompts(folder).digests, "ok")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_variant_that_is_deleted_is_gone_at_the_next_look_and_a_new_one_is_there(
    folder: Path, watched: Watched
) -> None:
    put(folder / "draft@b.md", f"{DRAFT}\nB.\n")
    assert "draft@b" in (await watched.look())[0]
    put(folder / "draft@b.md", None)
    assert await watched.look() == (read_prompts(PROMPTS).digests, "ok")


async def test_a_folder_that_vanishes_is_a_fault_and_its_return_the_end_of_it(folder: Path, watched: Watched) -> None:
    delivered = watched.prompts.digests
    away = folder.rename(folder.with_name("away"))
    used, condition = await watched.look()
    assert used == delivered and "analyze.md:1: can't be read" in condition
    away.rename(folder)
    assert await watched.look() == (delivered, "ok")
