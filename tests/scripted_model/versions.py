"""Which version of a prompt file a request was rendered from, told by the plain text that only one of them holds."""

import re
from pathlib import Path

import yaml

FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
MARKS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\n", re.DOTALL)
SHORTEST = 6
"""Characters of plain text below which a piece says nothing of where it comes from."""


class Versions:
    """The versions of one prompt in a folder: `draft` and `draft@b`. Files are read at each question, since people
    edit them while the endpoint runs."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._pieces: dict[Path, tuple[int, frozenset[str]]] = {}

    def of(self, text: str) -> str:
        """Return the version whose own text a rendered prompt holds most of; the plain one where nothing differs."""
        paths = [self._folder / f"{self._name}.md", *sorted(self._folder.glob(f"{self._name}@*.md"))]
        known = {path.stem: self._read(path) for path in paths if path.exists()}
        if not known:
            return self._name
        common = frozenset.intersection(*known.values())
        squeezed = " ".join(text.split())

        def score(version: str) -> tuple[int, int]:
            own = [piece in squeezed for piece in known[version] - common]
            return sum(own) - own.count(False), -len(version)

        return max(known, key=score)

    def _read(self, path: Path) -> frozenset[str]:
        stamp = path.stat().st_mtime_ns
        if path not in self._pieces or self._pieces[path][0] != stamp:
            self._pieces[path] = (stamp, _pieces(path.read_text(encoding="utf-8")))
        return self._pieces[path][1]


def _pieces(source: str) -> frozenset[str]:
    front = FRONT.match(source)
    body = source[front.end() :] if front else source
    head = yaml.safe_load(front[1]) if front else {}
    examples = [text for shown in (head.get("examples") or {}).values() for text in (shown["good"], shown["bad"])]
    pieces = (" ".join(piece.split()) for piece in [*MARKS.split(body), *examples])
    return frozenset(piece for piece in pieces if len(piece) >= SHORTEST)
