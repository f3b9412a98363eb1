"""YAML files read with the place of every value, so that a refusal can say where to look: line and column, from 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tools.errors import PolicyInvalid

ModelT = TypeVar("ModelT", bound=BaseModel)
Key = str | int
Place = tuple[int, int]
"""Line and column, both from 1."""
Written = tuple[int, int, str]
"""A text of the document: where it starts and ends in the source, and what it says."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONGEST_STEP: Final = 80
"""Characters that folds, indents and quotes put between two characters of a value at most."""
_ESCAPED: Final = {"x": 2, "u": 4, "U": 8}
"""Digits behind the letter of an escape that names a character by number."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the values of one YAML document stand, by their path of keys and list positions.

    A value is placed at its key, an item of a list where it starts. `written` are the spans of texts in `source`.
    """

    places: Mapping[tuple[Key, ...], Place]
    written: Mapping[tuple[Key, ...], Written]
    source: str
    first_line: int = 1

    def at(self, *path: Key) -> int:
        """Return the line of the value at that path, or of the nearest value above it that exists."""
        return self.place(*path)[0]

    def place(self, *path: Key, offset: int | None = None) -> Place:
        """Return line and column of the value at that path, or of the nearest value above it that exists.

        With `offset`, those of that character of a text, as the file writes it.
        """
        if offset is not None and (written := self.written.get(path)) is not None:
            return self._place_of(_written_at(self.source, written, offset))
        for length in range(len(path), 0, -1):
            if (place := self.places.get(path[:length])) is not None:
                return place
        return 1, 1

    def _place_of(self, index: int) -> Place:
        before = self.source[:index]
        return self.first_line + before.count("\n"), index - before.rfind("\n")


@dataclass(frozen=True, slots=True)
class _Text:
    """A file's text. Its place is told in faults, and changes nothing about what it says."""

    text: str
    path: Path = field(compare=False)


def read_yaml(path: Path) -> tuple[object, Lines]:
    """Read one YAML document and the places of its values.

    Raises PolicyInvalid for a file that can't be read, for broken YAML and for a key written twice.
    """
    return parse_yaml(_read(path), path)


def parse_yaml(text: str, path: Path, *, first_line: int = 1) -> tuple[object, Lines]:
    """Parse YAML text of `path` that starts at `first_line`. Raises PolicyInvalid as `read_yaml` does."""
    loader = _LOADER(text)
    places: dict[tuple[Key, ...], Place] = {}
    written: dict[tuple[Key, ...], Written] = {}
    try:
        root = loader.get_single_node()
        if root is not None:
            _note(root, (), places, written, path, first_line)
        value = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column + 1) if mark else (0, 1)
        raise PolicyInvalid(
            path, first_line + line, f"broken YAML: {error.problem}; correct it there", column
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise PolicyInvalid(path, first_line, f"broken YAML: {error}") from error
    except RecursionError as error:
        raise PolicyInvalid(path, first_line, "broken YAML: nested too deeply; write it flat") from error
    finally:
        loader.dispose()
    return value, Lines(places, written, text, first_line)


def read_model(path: Path, model: type[ModelT]) -> tuple[ModelT, Lines]:
    """Read a YAML file as `model`, which is frozen: the same text gives the same model.

    Raises PolicyInvalid with the place and the field of the first fault.
    """
    return _modelled(_Text(_read(path), path), model)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(path, 1, f"can't be read: {error}") from error


# Models and lines don't change once made, and a fault is raised, so not remembered.
@lru_cache(maxsize=64)
def _modelled(written: _Text, model: type[ModelT]) -> tuple[ModelT, Lines]:
    path = written.path
    value, lines = parse_yaml(written.text, path)
    try:
        return model.model_validate(value), lines
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"]) or "the file"
        line, column = lines.place(*first["loc"])
        raise PolicyInvalid(path, line, f"{where}: {first['msg']}", column) from error


def _note(
    node: yaml.Node,
    path: tuple[Key, ...],
    places: dict[tuple[Key, ...], Place],
    written: dict[tuple[Key, ...], Written],
    file: Path,
    first_line: int,
) -> None:
    places[path] = _place(node.start_mark, first_line)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            place = _place(key.start_mark, first_line)
            if inner in places:
                raise PolicyInvalid(file, place[0], f"key '{key.value}' is written twice", place[1])
            _note(value, inner, places, written, file, first_line)
            places[inner] = place
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note(value, (*path, index), places, written, file, first_line)
    else:
        written[path] = node.start_mark.index, node.end_mark.index, str(node.value)


def _place(mark: yaml.Mark, first_line: int) -> Place:
    return mark.line + first_line, mark.column + 1


def _written_at(source: str, written: Written, offset: int) -> int:
    """Return where in the source a character of a text stands: quotes, escapes, folds and indents are passed over."""
    start, end, value = written
    index = start
    for char in value[:offset]:
        wanted = "\n " if char in "\n " else char
        step = source[index : min(index + _LONGEST_STEP, end)]
        found = next((at for at, one in enumerate(step) if one in wanted), None)
        if found is None:
            if (escape := step.find("\\")) < 0:
                return start
            found = escape + 1 + _ESCAPED.get(step[escape + 1 : escape + 2], 0)
        index += found + 1
    last = value[offset : offset + 1]
    return next((at for at in range(index, min(index + _LONGEST_STEP, end)) if source[at] == last), index)
