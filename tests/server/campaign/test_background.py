import asyncio

import pytest

from server.campaign import background
from server.campaign.background import Background
from server.campaign.steering import CampaignRefused
from tools.errors import DatabaseUnavailable


async def test_what_fails_at_once_is_raised_and_what_ends_is_told() -> None:
    at_work = Background()

    async def fail() -> None:
        raise CampaignRefused("no")

    async def end() -> int:
        return 5

    with pytest.raises(CampaignRefused, match="no"):
        await at_work.start(2, fail(), name="spring", what="run")
    assert await at_work.start(2, end(), name="spring", what="run")


async def test_one_piece_of_work_at_a_time_for_each_campaign(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "PATIENCE_S", 0.0)
    at_work, let_go = Background(), asyncio.Event()

    async def work() -> None:
        await let_go.wait()
        raise DatabaseUnavailable("it is away")

    assert not await at_work.start(2, work(), name="spring", what="run")
    with pytest.raises(CampaignRefused, match=r"campaign spring can't be planned: .* see /campaigns/spring"):
        await at_work.start(2, work(), name="spring", what="planned")
    assert not await at_work.start(3, work(), name="autumn", what="run")
    let_go.set()
    await at_work.settled()
    assert sorted(record.getMessage() for record in caplog.records) == [
        "campaign autumn: it is away",
        "campaign spring: it is away",
    ]
    assert at_work.faults == {2: "it is away", 3: "it is away"}
    await at_work.start(2, asyncio.sleep(0), name="spring", what="run")
    assert at_work.faults == {3: "it is away"}


async def test_closing_cancels_what_runs_and_waits_until_it_has_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PATIENCE_S", 0.0)
    at_work, paused = Background(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            paused.append("spring")

    await at_work.start(2, work(), name="spring", what="run")
    await asyncio.sleep(0)
    await at_work.aclose()
    assert paused == ["spring"]
