"""Files for whoever sends the mail: an offer's JSON, HTML, text and `.eml`, written whole and off the request path."""

import asyncio
import logging
import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from tools.email.message import Message
from tools.errors import InputInvalid

_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_logger = logging.getLogger(__name__)


def export_folder(output_dir: Path, *, run_id: str, sent_at: datetime) -> Path:
    """Return the folder of one run: by UTC day, then by 256 shards, so that no folder holds a million files."""
    if not _RUN_ID.fullmatch(run_id):
        raise InputInvalid(f"run_id: {run_id!r} can't name a file; use letters, digits, '.', '_' and '-'")
    return output_dir / f"{sent_at.astimezone(UTC):%Y-%m-%d}" / sha256(run_id.encode()).hexdigest()[:2]


async def export_offer(output_dir: Path, *, run_id: str, output_json: bytes | str, message: Message) -> list[Path]:
    """Write the four files of one run and return their paths, the JSON last: whoever finds it finds the others.

    Each appears under its name only when complete, and a repeat replaces it. OSError when the disk refuses.
    """
    return await asyncio.to_thread(_write_all, output_dir, run_id, output_json, message)


def _write_all(output_dir: Path, run_id: str, output_json: bytes | str, message: Message) -> list[Path]:
    folder = export_folder(output_dir, run_id=run_id, sent_at=message.sent_at)
    folder.mkdir(parents=True, exist_ok=True)
    contents = (
        ("html", message.html.encode()),
        ("txt", message.text.encode()),
        ("eml", message.eml),
        ("json", output_json.encode() if isinstance(output_json, str) else output_json),
    )
    return [_write(folder / f"{run_id}.{suffix}", content) for suffix, content in contents]


def _write(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return path


@dataclass(frozen=True, slots=True)
class _Job:
    run_id: str
    output_json: bytes | str
    message: Message


@dataclass(frozen=True, slots=True)
class ExportHealth:
    """Counts since the start. `last_error` is the newest failure in words, empty when there was none."""

    written: int
    failed: int
    waiting: int
    last_error: str


class Exporter:
    """Writes exports behind a bounded queue. A failure is logged and counted, never raised into the offer's path.

    Use it as an async context manager, or call `aclose`: what was accepted is written before it returns.
    """

    def __init__(self, output_dir: Path, *, workers: int = 2, capacity: int = 1000) -> None:
        if workers < 1 or capacity < 1:
            raise InputInvalid(f"workers, capacity: {workers}, {capacity}; both must be at least 1")
        self._output_dir = output_dir
        self._worker_count = workers
        self._room = asyncio.Semaphore(capacity)
        self._queue: asyncio.Queue[_Job] = asyncio.Queue()
        self._workers: set[asyncio.Task[None]] = set()
        self._closed = False
        self._written = 0
        self._failed = 0
        self._last_error = ""

    async def __aenter__(self) -> "Exporter":
        """Return the exporter; its workers start with the first submission."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.aclose()

    async def hand_over(self, *, run_id: str, output_json: bytes | str, message: Message) -> bool:
        """Queue one offer's files without waiting; return False, counted as failed, when full or closed.

        For callers that have recorded the offer already: nothing about files may change their answer any more. A
        replay of the offer hands its files over again.
        """
        if self._closed or self._room.locked():
            self._failed += 1
            self._last_error = "the exporter had closed" if self._closed else "the queue of exports was full"
            _logger.error("run %s: files not written: %s", run_id, self._last_error)
            return False
        await self.submit(run_id=run_id, output_json=output_json, message=message)  # there is room: doesn't wait
        return True

    def holds(self, *, run_id: str, sent_at: datetime) -> bool:
        """Return whether the files of a run are there; the JSON is written last."""
        return (export_folder(self._output_dir, run_id=run_id, sent_at=sent_at) / f"{run_id}.json").exists()

    async def submit(self, *, run_id: str, output_json: bytes | str, message: Message) -> None:
        """Queue one offer's files; wait while the queue is full. Once closed: InputInvalid, and nothing is queued."""
        export_folder(self._output_dir, run_id=run_id, sent_at=message.sent_at)
        await self._room.acquire()
        if self._closed:
            self._room.release()
            raise InputInvalid(f"run_id: {run_id} was submitted after the exporter had closed")
        self._queue.put_nowait(_Job(run_id, output_json, message))
        while len(self._workers) < self._worker_count:
            self._start_worker()

    async def drain(self) -> None:
        """Wait until all that was accepted is written or counted as failed."""
        await self._queue.join()

    async def aclose(self) -> None:
        """Refuse new work, write what waits, and stop the workers."""
        self._closed = True
        await self._queue.join()
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    @property
    def failed(self) -> int:
        """How many exports failed since the start."""
        return self._failed

    def health(self) -> ExportHealth:
        """Return the counts for a health report."""
        return ExportHealth(self._written, self._failed, self._queue.qsize(), self._last_error)

    def _start_worker(self) -> None:
        worker = asyncio.create_task(self._work(), name="exporter")
        self._workers.add(worker)
        worker.add_done_callback(self._on_worker_end)

    def _on_worker_end(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if worker.cancelled() or not (error := worker.exception()):
            return
        self._count_failure("a worker", error)
        if self._queue.qsize():
            self._start_worker()

    def _count_failure(self, what: str, error: BaseException) -> None:
        self._failed += 1
        self._last_error = f"{what}: {error}"
        _logger.error("export of %s failed: %s", what, error)

    async def _work(self) -> None:
        while True:
            job = await self._queue.get()
            try:
                await export_offer(
                    self._output_dir, run_id=job.run_id, output_json=job.output_json, message=job.message
                )
                self._written += 1
            except (OSError, ValueError) as error:
                self._count_failure(f"run {job.run_id}", error)
            finally:
                self._room.release()
                self._queue.task_done()
