"""The texts prompts share: `prompts/shared/*.md`, read once per look at the folder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.prompt_checks.characters import decoded
from tools.prompt_checks.faults import Fault

NAME: Final = re.compile(r"shared/[A-Za-z0-9][A-Za-z0-9_-]*\.md")


@dataclass(frozen=True, slots=True)
class SharedTexts:
    """The texts by the name an include gives them (`shared/reply.md`), where they stand, and what is wrong with them.

    `outside` are links that lead out of the folder: they are not read.
    """

    folder: Path
    texts: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    outside: frozenset[str] = frozenset()

    def path(self, name: str) -> Path:
        """Return the file of a shared text."""
        return self.folder / name


def read_shared(folder: Path) -> SharedTexts:
    """Read the shared texts of a prompts folder; there need be none."""
    inside = folder / "shared"
    home = inside.resolve()
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    outside: set[str] = set()
    for path in sorted(inside.glob("*.md")):
        name = f"shared/{path.name}"
        if not path.resolve().is_relative_to(home):
            outside.add(name)
            continue
        try:
            text, found = decoded(path.read_bytes(), path)
        except OSError as error:
            faults.append(Fault(path, 1, 1, "unreadable", f"can't be read ({error.strerror})", "mend its permissions"))
            continue
        if text.startswith("---\n"):
            found.append(
                Fault(path, 1, 1, "include-front-matter", "a shared text has front matter", "delete it: text alone")
            )
        texts[name] = text
        faults += found
    return SharedTexts(folder, texts, tuple(faults), frozenset(outside))
