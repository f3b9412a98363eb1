"""Edits of a prompts folder, as people, editors and accidents make them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

PROMPTS = Path(__file__).parents[1] / "prompts"


def text_of(name: str) -> str:
    """Return a prompt file as it is delivered."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8")


def note(folder: Path, n: int, *, name: str = "draft") -> None:
    """Save a good edit by renaming a whole file over the old one."""
    path, scratch = folder / f"{name}.md", folder / f"{name}.md.tmp"
    scratch.write_text(f"{text_of(name)}\nNote {n}.\n", encoding="utf-8")
    if path.is_dir():
        path.rmdir()
    scratch.replace(path)


def put(path: Path, text: str | bytes | None) -> None:
    """Write in place, or leave nothing in the file's place."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    elif text is None or path.is_symlink():
        path.unlink(missing_ok=True)
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def locked(path: Path) -> None:
    """Leave a file that can't be opened: by its mode, and where root may read all the same, by a link to itself."""
    put(path, None)
    put(path, text_of("judge"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        put(path, None)
        path.symlink_to(path.name)


def directory(path: Path) -> None:
    """Leave a folder where the file was."""
    put(path, None)
    path.mkdir()


DRAFT = text_of("draft")
BROKEN: dict[str, Callable[[Path], object]] = {
    "broken YAML": lambda at: put(at / "draft.md", DRAFT.replace("name: draft", "name: [draft", 1)),
    "YAML with a control character": lambda at: put(at / "draft.md", DRAFT.replace("name: draft", "name: \x07", 1)),
    "an impossible date": lambda at: put(at / "draft.md", DRAFT.replace("name: draft", "name: 2026-13-45", 1)),
    "unknown variable": lambda at: put(at / "draft.md", f"{DRAFT}\n{{{{ shoe_size }}}}\n"),
    "unclosed tag": lambda at: put(at / "draft.md", f"{DRAFT}\n{{% if menu %}}\n"),
    "unclosed braces": lambda at: put(at / "analyze.md", f"{text_of('analyze')}\n{{{{ view\n"),
    "half a file": lambda at: put(at / "judge.md", text_of("judge")[: len(text_of("judge")) // 3]),
    "empty file": lambda at: put(at / "analyze.md", ""),
    "no UTF-8": lambda at: put(at / "draft.md", DRAFT.encode() + b"\xff\xfe"),
    "nested without end": lambda at: put(at / "draft.md", f"{DRAFT}\n{{{{ {'(' * 5000} }}}}\n"),
    "deleted": lambda at: put(at / "judge.md", None),
    "locked": lambda at: locked(at / "judge.md"),
    "a folder in its place": lambda at: directory(at / "draft.md"),
    "a broken variant": lambda at: put(at / "draft@b.md", "---\n"),
}
HARMLESS: dict[str, Callable[[Path], object]] = {
    "touched": lambda at: os.utime(at / "README.md"),
    "an editor's own files": lambda at: (put(at / ".draft.md.swp", "x"), put(at / "draft.md~", "x")),
    "an editor's lock": lambda at: (put(at / ".#draft.md", None), (at / ".#draft.md").symlink_to("nobody@nowhere")),
    "prose": lambda at: put(at / "README.md", "Another README."),
    "a new variant": lambda at: put(at / "draft@b.md", f"{DRAFT}\nB.\n"),
    "a variant less": lambda at: put(at / "draft@b.md", None),
}


def restore(folder: Path) -> None:
    """Put every delivered file back, each as a whole, and take others away."""
    delivered = {path.relative_to(PROMPTS) for path in PROMPTS.rglob("*.md")}
    for path in [*folder.iterdir(), *(folder / name for name in delivered)]:
        name = path.relative_to(folder)
        if name not in delivered and path.name != "shared":
            put(path, None)
        elif name in delivered:
            if path.is_dir():
                path.rmdir()
            shutil.copy(PROMPTS / name, path.with_suffix(".tmp"))
            path.with_suffix(".tmp").replace(path)
