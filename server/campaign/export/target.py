"""Where an export goes: built beside its place, and put there whole or not at all."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tools.errors import InputInvalid

Form = Literal["parquet", "jsonl"]

FORMS: Final[dict[str, Form]] = {".parquet": "parquet", ".jsonl": "jsonl"}
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Target:
    """A folder, or one file with its companions beside it. `form` is that of the offers."""

    path: Path
    form: Form
    is_file: bool

    @classmethod
    def of(cls, path: Path, *, form: Form = "parquet", trees: bool = False) -> "Target":
        """Read what `--to` means. `trees`: mails are wanted, which need a folder. Raises InputInvalid."""
        suffix = path.suffix.lower()
        if suffix not in FORMS:
            if path.exists() and not path.is_dir():
                raise InputInvalid(
                    f"--to {path}: it is a file; give a folder, or a file that ends in .parquet or .jsonl"
                )
            return cls(path, form, is_file=False)
        if path.is_dir():
            raise InputInvalid(f"--to {path}: there is a folder of that name; choose another one")
        if trees:
            raise InputInvalid(f"--to {path}: --eml and --html need a folder, not one file")
        return cls(path, FORMS[suffix], is_file=True)

    def name(self, part: str) -> str:
        """Return the name of a part: `offers`, `suppressed` or `manifest`."""
        names = {"offers": f"offers.{self.form}", "suppressed": "suppressed.csv", "manifest": MANIFEST}
        if not self.is_file:
            return names[part]
        return self.path.name if part == "offers" else f"{self.path.stem}.{names[part]}"

    def places(self) -> tuple[Path, ...]:
        """Return what the export writes at its place."""
        if not self.is_file:
            return (self.path,)
        return tuple(self.path.with_name(self.name(part)) for part in ("offers", "suppressed", "manifest"))

    def manifest(self) -> bytes | None:
        """Return the manifest of what is there, or None."""
        place = self.path.with_name(self.name("manifest")) if self.is_file else self.path / MANIFEST
        return place.read_bytes() if place.is_file() else None

    def occupied(self) -> bool:
        """Tell whether something is there already."""
        if self.is_file:
            return any(place.exists() for place in self.places())
        return self.path.is_dir() and any(self.path.iterdir())

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Lend a folder to build in; it is gone at the end, unless `publish` moved it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        folder = self.path.parent / f".{self.path.name}.{secrets.token_hex(6)}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, draft: Path) -> None:
        """Put what was built in its place. What was there is gone only once the new is there."""
        if self.is_file:
            for place in self.places():  # the manifest last: it vouches for the others
                os.replace(draft / place.name, place)
            return
        old = None
        if self.path.exists():
            old = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}.old")
            os.replace(self.path, old)
        os.replace(draft, self.path)
        if old is not None:
            shutil.rmtree(old)


def digest(path: Path) -> str:
    """Return a file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
