"""Where the index lives: a folder or a Chroma server. Opens it, locks it, erases it, and marks whether it is whole."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from tools.errors import IndexUnavailable, SettingInvalid

if TYPE_CHECKING:
    from chromadb.api.client import Client

LOCK_TIMEOUT_S: Final = 120.0
"""Another process may be embedding all policies for the first time."""

State = Literal["never_synced", "syncing", "clean"]


class Location:
    """A folder (`chroma_dir`) or a server (`chroma_url`), one of the two. Touches only names of its own in a folder."""

    def __init__(self, *, chroma_dir: Path | None, chroma_url: str | None, cache_dir: Path) -> None:
        if (chroma_dir is None) == (chroma_url is None):
            raise SettingInvalid(
                f"chroma_dir is {str(chroma_dir)!r} and chroma_url is {chroma_url!r}; give exactly one of them"
            )
        if chroma_url is not None and (
            urlsplit(chroma_url).scheme not in ("http", "https") or not urlsplit(chroma_url).hostname
        ):
            raise SettingInvalid(f"chroma_url is {chroma_url!r}; allowed: http(s)://host[:port]")
        self.name = chroma_url or str(chroma_dir)
        self._url = chroma_url
        self._root = chroma_dir or cache_dir / f"chroma-{hashlib.sha256(self.name.encode()).hexdigest()[:12]}"
        self._data = self._root / "policy-index"

    @property
    def is_folder(self) -> bool:
        """Whether this process opens the index's files itself."""
        return self._url is None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep out other processes of this machine. Raises IndexUnavailable when one doesn't finish."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._root / "policy-index.lock", timeout=LOCK_TIMEOUT_S)
            lock.acquire()
        except Timeout as error:
            raise IndexUnavailable(
                f"{lock.lock_file} has been held by another process for {LOCK_TIMEOUT_S:.0f} s"
            ) from error
        except OSError as error:
            raise IndexUnavailable(f"{self._root} can't be written ({error}); choose another CHROMA_DIR") from error
        try:
            yield
        finally:
            lock.release()

    def open(self) -> "Client":
        """Return a new client, telemetry off. Raises Chroma's errors. Hold the lock: opening creates and migrates."""
        os.environ["ANONYMIZED_TELEMETRY"] = "False"  # read when chromadb is imported
        import chromadb
        from chromadb.api.shared_system_client import SharedSystemClient
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        settings = Settings(anonymized_telemetry=False)
        if self._url is None:
            try:
                return cast("Client", chromadb.PersistentClient(path=str(self._data), settings=settings))
            except (ChromaError, ValueError, AttributeError):
                SharedSystemClient.clear_system_cache()  # else a failed opening is handed out again for this path
                raise
        parts = urlsplit(self._url)
        ssl = parts.scheme == "https"
        port = parts.port or (443 if ssl else 8000)
        return cast("Client", chromadb.HttpClient(host=str(parts.hostname), port=port, ssl=ssl, settings=settings))

    def erase(self, collection: str) -> None:
        """Remove the index, which is derived data: the folder's files, or the server's collection. Hold the lock."""
        if self._url is None:
            shutil.rmtree(self._data, ignore_errors=True)
            return
        client = self.open()
        if collection in {known.name for known in client.list_collections()}:
            client.delete_collection(collection)

    def read_mark(self, collection: str) -> tuple[State, str]:
        """Return the collection's state and a token that changes with every change made by any process."""
        try:
            mark = json.loads(self._mark(collection).read_text())
        except FileNotFoundError:
            return "never_synced", ""
        except (OSError, ValueError):
            return "syncing", ""
        clean = isinstance(mark, dict) and mark.get("state") == "clean"
        return ("clean", str(mark.get("token", ""))) if clean else ("syncing", "")

    def read_manifest(self, collection: str) -> dict[str, str] | None:
        """Return the hash of each entry as the last whole sync left it; None when that isn't known."""
        try:
            mark = json.loads(self._mark(collection).read_text())
        except (OSError, ValueError):
            return None
        entries = mark.get("entries") if isinstance(mark, dict) and mark.get("state") == "clean" else None
        return {str(entry): str(sha) for entry, sha in entries.items()} if isinstance(entries, dict) else None

    def write_mark(self, collection: str, state: State, entries: Mapping[str, str] | None = None) -> str:
        """Store the state, and the hash of each entry of a whole index, atomically; return the new token."""
        token = uuid.uuid4().hex
        path = self._mark(collection)
        draft = path.with_suffix(f".{token}")
        try:
            draft.write_text(json.dumps({"state": state, "token": token, "entries": entries}))
            draft.replace(path)
        except OSError as error:
            raise IndexUnavailable(f"{path} can't be written ({error}); choose another CHROMA_DIR") from error
        return token

    def _mark(self, collection: str) -> Path:
        return self._root / f"{collection}.state"
