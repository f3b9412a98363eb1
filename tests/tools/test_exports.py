import asyncio
import json
import logging
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from tools.email.message import Message
from tools.errors import InputInvalid
from tools.exports import Exporter, export_folder, export_offer

SENT_AT = datetime(2026, 5, 4, 23, 30, tzinfo=UTC)


def message(text: str = "Hello\n") -> Message:
    return Message(
        subject="Hello",
        html=f"<p>{text}</p>\n",
        text=text,
        eml=b"Subject: Hello\r\n\r\nHello\r\n",
        html_sha256=sha256(text.encode()).hexdigest(),
        unsubscribe_url="https://offers.examplebank.example/unsubscribe/t",
        sent_at=SENT_AT,
    )


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def test_an_offer_becomes_four_files_in_its_days_shard(tmp_path: Path) -> None:
    paths = await export_offer(tmp_path, run_id="run-1", output_json='{"a": "é"}', message=message())
    shard = sha256(b"run-1").hexdigest()[:2]
    assert {path.parent for path in paths} == {tmp_path / "2026-05-04" / shard}
    assert [path.name for path in paths] == ["run-1.html", "run-1.txt", "run-1.eml", "run-1.json"]
    assert [path.read_bytes() for path in paths] == [
        b"<p>Hello\n</p>\n",
        b"Hello\n",
        b"Subject: Hello\r\n\r\nHello\r\n",
        '{"a": "é"}'.encode(),
    ]
    assert files(tmp_path) == {path.name for path in paths}


async def test_a_repeat_replaces_the_files(tmp_path: Path) -> None:
    await export_offer(tmp_path, run_id="run-1", output_json=b"1", message=message())
    paths = await export_offer(tmp_path, run_id="run-1", output_json=b"2", message=message("Bye\n"))
    assert len(files(tmp_path)) == 4
    assert paths[1].read_text() == "Bye\n"
    assert paths[3].read_bytes() == b"2"


@pytest.mark.parametrize("run_id", ["", "../etc/passwd", "a/b", ".hidden", "a\x00b", "x" * 101])
async def test_a_run_id_that_can_not_name_a_file_is_refused(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(InputInvalid, match="run_id"):
        await export_offer(tmp_path, run_id=run_id, output_json=b"", message=message())
    assert files(tmp_path) == set()


async def test_a_failed_write_leaves_no_half_file(tmp_path: Path) -> None:
    folder = export_folder(tmp_path, run_id="run-1", sent_at=SENT_AT)
    (folder / "run-1.html").mkdir(parents=True)
    with pytest.raises(OSError, match=r"run-1\.html"):
        await export_offer(tmp_path, run_id="run-1", output_json=b"", message=message())
    assert files(tmp_path) == set()


async def test_all_that_was_submitted_is_written_when_the_exporter_closes(tmp_path: Path) -> None:
    async with Exporter(tmp_path, workers=3, capacity=4) as exporter:
        for number in range(40):
            await exporter.submit(run_id=f"run-{number}", output_json=json.dumps({"n": number}), message=message())
        assert exporter.health().waiting <= 4
    assert exporter.health().written == 40
    assert exporter.health().failed == exporter.failed == 0
    assert len([name for name in files(tmp_path) if name.endswith(".json")]) == 40
    with pytest.raises(InputInvalid, match="closed"):
        await exporter.submit(run_id="late", output_json=b"", message=message())


async def test_a_failure_is_logged_and_counted_and_the_rest_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = export_folder(tmp_path, run_id="run-bad", sent_at=SENT_AT)
    (blocked / "run-bad.html").mkdir(parents=True)
    exporter = Exporter(tmp_path, workers=1)
    with caplog.at_level(logging.ERROR):
        await exporter.submit(run_id="run-bad", output_json=b"", message=message())
        await exporter.submit(run_id="run-good", output_json=b"", message=message())
        await exporter.drain()
    health = exporter.health()
    assert (health.written, health.failed, health.waiting) == (1, 1, 0)
    assert "run-bad" in health.last_error
    assert "run-bad" in caplog.text
    assert "run-good.json" in files(tmp_path)
    await exporter.aclose()


async def test_a_caller_who_waits_for_room_learns_that_it_closed(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path, workers=1, capacity=1)
    submissions = [
        asyncio.create_task(exporter.submit(run_id=f"run-{number}", output_json=b"", message=message()))
        for number in range(5)
    ]
    await asyncio.sleep(0)
    await exporter.aclose()
    answers = await asyncio.gather(*submissions, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, InputInvalid)]
    assert len(refused) + exporter.health().written == 5
    assert len([name for name in files(tmp_path) if name.endswith(".json")]) == exporter.health().written


async def test_closing_an_exporter_that_never_worked_is_fine(tmp_path: Path) -> None:
    await Exporter(tmp_path).aclose()
    with pytest.raises(InputInvalid, match="workers"):
        Exporter(tmp_path, workers=0)
