"""Prompts that follow their folder: a saved edit counts for the next run, and a broken one never does.

A look is cheap (file states, no contents) unless something was saved. What can't be used as it is may be a save in the
middle, so it is looked at again for a moment; if it stays like that it is a fault, told once, and the last good
version of all prompts goes on being served.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from tools.errors import OfferGraphError
from tools.prompt_files import PromptSet

SETTLE_S: Final = 0.25
"""Seconds that bytes which can't be used, or lack a file there was, must stand before they count as an edit."""
RESTLESS: Final = 4
"""Times `SETTLE_S` that a look waits for a folder that keeps changing; the next look goes on from there."""
POLL_S: Final = 0.02
PATIENCE_S: Final = 10.0
"""Seconds a run waits for a look; after that the folder hangs, and runs go on with what they have."""
RACY_NS: Final = 2_000_000_000
"""A file changed less than this before a look may change again without its state telling: the next look reads it."""
KEPT_SUFFIX: Final = ".md"

Stamp = tuple[tuple[str, int, int, int, int], ...]
Adopt = Callable[[PromptSet], Awaitable[None]]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a look found: the folder's bytes by name, with the prompts in them or the fault they have."""

    sha: str
    prompts: PromptSet | None = None
    fault: str | None = None


class PromptWatch:
    """Looks at a folder of prompts and hands each good new version to `adopt`; `prompts` is the one in use."""

    def __init__(
        self,
        folder: Path,
        prompts: PromptSet,
        *,
        read: Callable[[Path], PromptSet],
        adopt: Adopt,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._folder, self._read, self._adopt, self._settle_s = folder, read, adopt, settle_s
        self._prompts = prompts
        self._stamp: Stamp | None = None
        self._sha: str | None = None
        self._fault: str | None = None
        self._running: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._began = float("inf")

    @property
    def condition(self) -> str:
        """Return "ok", or with file and line why the folder's prompts are not the ones in use."""
        if self._hangs():
            return f"{self._folder}: no answer for {PATIENCE_S:g} s; the prompts read last are in use"
        return self._fault or "ok"

    async def look(self) -> None:
        """Take over what was saved before this call; callers of the moment share one look. Raises nothing."""
        if self._hangs():
            return
        if self._waiting is None:  # a look under way may have passed a file before it was saved
            self._waiting = asyncio.create_task(self._turn(self._running))
            self._waiting.add_done_callback(_told)
        await asyncio.wait({self._waiting}, timeout=PATIENCE_S)

    async def aclose(self) -> None:
        """Stop looking."""
        for task in (self._waiting, self._running):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _hangs(self) -> bool:
        return time.monotonic() - self._began > PATIENCE_S

    async def _turn(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._running, self._waiting = self._waiting, None
        self._began = time.monotonic()
        try:
            await self._follow()
        finally:
            self._began = float("inf")

    async def _follow(self) -> None:
        first, seen_since, last = 0.0, 0.0, None
        while (sight := await asyncio.to_thread(self._examine, last)) is not None:
            now = time.monotonic()
            if last is None:
                first = seen_since = now
            elif sight.sha != last.sha:
                if now - first >= RESTLESS * self._settle_s:
                    return
                seen_since = now
            last = sight
            if self._is_whole(sight) or now - seen_since >= self._settle_s:
                await self._take(sight)
                return
            await asyncio.sleep(POLL_S)

    def _is_whole(self, sight: _Sight) -> bool:
        """Return whether the bytes are good and lack no file: editors may move a file away before they write it."""
        return sight.prompts is not None and set(self._prompts.digests) <= set(sight.prompts.digests)

    async def _take(self, sight: _Sight) -> None:
        if sight.prompts is None:
            self._sha, self._fault = sight.sha, sight.fault
            _logger.warning("prompts: %s; the last good version is in use", sight.fault)
            return
        before = self._prompts.digests
        if sight.prompts.digests != before:
            await self._adopt(sight.prompts)
            self._prompts = sight.prompts
            _logger.info("prompts: %s", _changes(before, sight.prompts.digests))
        elif self._fault is not None:
            _logger.info("prompts: mended, as they were")
        self._sha, self._fault = sight.sha, None

    def _examine(self, last: _Sight | None) -> _Sight | None:
        """Return what the folder holds, or None when that is known; file work, for a thread."""
        began = time.time_ns()
        stamp = _stamp(self._folder)
        if stamp == self._stamp:
            return None
        sha = _sha(self._folder)
        if sha == self._sha:
            changed = max((ctime for *_, ctime in stamp), default=0)
            self._stamp = stamp if changed < began - RACY_NS else None
            return None
        self._stamp = None
        if last is not None and sha == last.sha:
            return last
        try:
            sight = _Sight(sha, prompts=self._read(self._folder))
        except OfferGraphError as error:
            sight = _Sight(sha, fault=str(error))
        except Exception as error:  # a file can't be foreseen: whatever it does to its reader, no run may fail by it
            sight = _Sight(sha, fault=f"{self._folder}:1: can't be read: {type(error).__name__}: {error}")
        return sight if _sha(self._folder) == sha else _Sight(f"{sha} moving {began}", fault="being written")


def _stamp(folder: Path) -> Stamp:
    """Return the state of every prompt file, without reading one."""
    return tuple(_states(folder))


def _states(folder: Path) -> Iterator[tuple[str, int, int, int, int]]:
    for path in _files(folder):
        try:
            state = path.stat()
        except OSError:
            yield str(path), 0, 0, 0, 0
        else:
            yield str(path), state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _sha(folder: Path) -> str:
    digest = sha256()
    for path in _files(folder):
        try:
            said = path.read_bytes()
        except OSError as error:
            said = f"\0{error.errno}".encode()
        digest.update(f"{path}\0{len(said)}\0".encode(errors="surrogateescape") + said)
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    """Return the prompt files, those of `shared/` included; hidden ones are editors' own."""
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(root, name) for name in names if name.endswith(KEPT_SUFFIX) and not name.startswith(".")]
    return sorted(found)


def _changes(before: dict[str, str], after: dict[str, str]) -> str:
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return ", ".join(f"{name} {before.get(name, 'new')} -> {after.get(name, 'gone')}" for name in names)


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _logger.error("the prompts could not be looked at", exc_info=error)
