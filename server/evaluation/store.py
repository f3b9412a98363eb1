"""Evaluations on disk: a folder each, of `manifest.json` and one JSON result a line in `results.jsonl`."""

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from server.evaluation.records import CaseResult, Manifest
from tools.errors import InputInvalid

MANIFEST: Final = "manifest.json"
RESULTS: Final = "results.jsonl"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of the golden set under one version of the prompts. Results are in the order they were finished."""

    manifest: Manifest
    results: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """The evaluations of one folder. A process that is killed loses at most the result it was writing."""

    folder: Path

    def list(self) -> tuple[Manifest, ...]:
        """Return the manifests kept here, the latest first. Raises InputInvalid naming a file that can't be read."""
        found = [self._manifest(path.parent) for path in self.folder.glob(f"*/{MANIFEST}")]
        return tuple(sorted(found, key=lambda manifest: (manifest.started_at, manifest.eval_id), reverse=True))

    def find(self, eval_id: str) -> Manifest:
        """Return the manifest of an id, or of the only one that starts so. Raises InputInvalid for none or several."""
        known = self.list()
        exact = [manifest for manifest in known if manifest.eval_id == eval_id]
        found = exact or [manifest for manifest in known if eval_id and manifest.eval_id.startswith(eval_id)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(manifest.eval_id for manifest in found)
            raise InputInvalid(f"evaluation {eval_id!r} is one of several: {names}; give more of its id")
        raise InputInvalid(f"no evaluation {eval_id!r} in {self.folder}; `offers eval list` shows those kept")

    def load(self, eval_id: str) -> Evaluation:
        """Return an evaluation with its results. Raises InputInvalid when there is none, or a line is no result.

        A last line without its end is the trace of a killed process, not a result.
        """
        manifest = self.find(eval_id)
        path = self.folder / manifest.eval_id / RESULTS
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return Evaluation(manifest, tuple(_result(path, number, line) for number, line in enumerate(lines, 1)))

    def create(self, manifest: Manifest) -> None:
        """Keep a new evaluation. Raises InputInvalid when its id is taken."""
        folder = self.folder / manifest.eval_id
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            raise InputInvalid(f"evaluation {manifest.eval_id!r} exists already in {self.folder}") from error
        _replace(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")

    @contextmanager
    def held(self, eval_id: str) -> Iterator[None]:
        """Keep other processes from adding to an evaluation. Raises InputInvalid when one does.

        The hold ends with the process, however it ends.
        """
        with (self.folder / eval_id / MANIFEST).open("rb") as file:
            # Only `finish` puts another file in its place, as the last act of the holder.
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputInvalid(f"evaluation {eval_id} is being run by another process; wait for it") from error
            yield

    def append(self, eval_id: str, results: Iterable[CaseResult]) -> None:
        """Add results, each whole or not at all; what a killed process left of a line goes first."""
        path = self.folder / eval_id / RESULTS
        with path.open("a+b") as file:
            _drop_torn_line(file.fileno())
            file.write(b"".join(result.model_dump_json().encode() + b"\n" for result in results))
            file.flush()
            os.fsync(file.fileno())

    def finish(self, eval_id: str, at: datetime) -> Manifest:
        """Mark an evaluation as complete and return its manifest."""
        done = self.find(eval_id).model_copy(update={"finished_at": at})
        _replace(self.folder / done.eval_id / MANIFEST, done.model_dump_json(indent=2) + "\n")
        return done

    def _manifest(self, folder: Path) -> Manifest:
        path = folder / MANIFEST
        try:
            found = Manifest.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InputInvalid(f"{path} is no manifest of an evaluation: {_first(error)}; remove its folder") from error
        if found.eval_id != folder.name:  # the id names the folder that results are written to
            raise InputInvalid(f"{path} is of evaluation {found.eval_id!r}; call its folder so, or move it elsewhere")
        return found


def _result(path: Path, number: int, line: bytes) -> CaseResult:
    try:
        return CaseResult.model_validate_json(line)
    except ValidationError as error:
        raise InputInvalid(f"{path}:{number} is no result of a case: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"


def _drop_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    end = size
    while end and os.pread(descriptor, 1, end - 1) != b"\n":
        end -= 1
    if end < size:
        os.ftruncate(descriptor, end)


def _replace(path: Path, text: str) -> None:
    """Write a file that is there whole or as it was."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".", delete=False) as scratch:
        scratch.write(text)
        scratch.flush()
        os.fsync(scratch.fileno())
    Path(scratch.name).replace(path)
