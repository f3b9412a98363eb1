"""A change of what a prompt says shows in a review, byte for byte."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from graph.deps import Deps
from tests.golden.prompt_bytes import CASES, FOLDER, UPDATE, difference, open_desk, rendered


@pytest.fixture(scope="module")
async def desk(data_dir: Path) -> AsyncIterator[Deps]:
    opened = await open_desk(data_dir)
    yield opened
    await opened.aclose()


@pytest.fixture(scope="module")
async def now(desk: Deps) -> Mapping[str, str]:
    return await rendered(desk)


@pytest.mark.parametrize("name", CASES)
def test_a_prompt_is_what_its_file_says(now: Mapping[str, str], name: str) -> None:
    changed = difference(name, now[name])
    assert not changed, f"the prompt says something else now; if that is meant, run {UPDATE}\n{changed}"


def test_a_changed_word_shows_as_a_line_that_went_and_one_that_came(now: Mapping[str, str]) -> None:
    told = difference("draft_compose_travel", now["draft_compose_travel"].replace("warm and plain", "loud", 1))
    lines = [line for line in told.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert lines == [
        "-Write one short marketing email to a card issuer's member: warm and plain, for eighth-grade readers.",
        "+Write one short marketing email to a card issuer's member: loud, for eighth-grade readers.",
    ]


def test_every_prompt_has_a_case_and_every_file_a_prompt(desk: Deps) -> None:
    prompts = {case.step if case.variant is None else f"{case.step}@{case.variant}" for case in CASES.values()}
    assert prompts == set(desk.rulebook.prompts.digests)
    assert {path.stem for path in FOLDER.glob("*")} == set(CASES)


def test_no_file_holds_a_carriage_return_or_ends_a_line_in_space() -> None:
    for path in FOLDER.glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "\r" not in text and text.endswith("\n") and not text.endswith("\n\n"), path.name
