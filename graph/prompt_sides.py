"""Versions of a prompt to compare: a file of the prompts folder, any other file, or the folder at a git revision."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from graph.rulebook import PROMPTS
from tools.errors import InputInvalid, PromptInvalid
from tools.prompt_files import Prompt, PromptSet, load_prompts

AllOf = Callable[[str], dict[str, str] | None]
"""Gives the texts of the prompts folder at a git revision, by path within it; None where git knows none."""
FORMS: Final = "a prompt (draft), a variant (draft@b), a file, or one of them at a git revision (draft:HEAD~1)"


@dataclass(frozen=True, slots=True)
class Side:
    """One version of a prompt among the others of its time."""

    label: str
    prompt: Prompt
    prompts: PromptSet


def side(given: str, folder: Path, at_revision: AllOf) -> Side:
    """Return the version that `given` names. Raises InputInvalid, or PromptInvalid for a file that can't be used."""
    name, colon, revision = given.partition(":")
    if colon:
        texts = at_revision(revision)
        if texts is None:
            raise InputInvalid(f"{given!r}: git knows no revision {revision!r} of {folder}; allowed: {FORMS}")
        with _written(texts) as then:
            try:
                return _of(given, name, load_prompts(then, needed=PROMPTS))
            except PromptInvalid as error:  # its path is of a scratch folder
                raise PromptInvalid(Path(f"{error.path.name}:{revision}"), error.line, error.reason) from error
    known = load_prompts(folder, needed=PROMPTS)
    if name in known.digests:
        return _of(given, name, known)
    path = Path(given)
    if not path.is_file():
        raise InputInvalid(f"{given!r}: no such prompt; there are {', '.join(known.digests)}; allowed: {FORMS}")
    if path.resolve().parent == folder.resolve():
        return _of(given, path.stem, known)
    step = path.stem.partition("@")[0]
    if step not in PROMPTS:
        raise InputInvalid(f"{given!r}: its name says no step; call it {' or '.join(f'{each}.md' for each in PROMPTS)}")
    with TemporaryDirectory() as scratch:
        beside = Path(scratch) / "prompts"
        shutil.copytree(folder, beside)
        shutil.copyfile(path, beside / f"{step}.md")
        return _of(given, step, load_prompts(beside, needed=PROMPTS))


def _of(label: str, name: str, prompts: PromptSet) -> Side:
    if name not in prompts.digests:
        raise InputInvalid(f"{label!r}: no prompt {name!r} there; there are {', '.join(prompts.digests)}")
    return Side(label, prompts.named(name), prompts)


@contextmanager
def _written(texts: dict[str, str]) -> Iterator[Path]:
    with TemporaryDirectory() as scratch:
        for name, text in texts.items():
            path = Path(scratch) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield Path(scratch)
