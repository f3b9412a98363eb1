"""YAML files read with the line of every value, so that a refusal can say where to look."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tools.errors import PolicyInvalid

ModelT = TypeVar("ModelT", bound=BaseModel)
Key = str | int

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Lines:
    """Line numbers (1-based) of the values of one YAML document, by their path of keys and list positions."""

    def __init__(self, lines: Mapping[tuple[Key, ...], int]) -> None:
        self._lines = lines

    def at(self, *path: Key) -> int:
        """Return the line of the value at that path, or of the nearest value above it that exists."""
        for length in range(len(path), 0, -1):
            if (line := self._lines.get(path[:length])) is not None:
                return line
        return 1


def read_yaml(path: Path) -> tuple[object, Lines]:
    """Read one YAML document and its line numbers.

    Raises PolicyInvalid for a file that can't be read, for broken YAML and for a key written twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(path, 1, f"can't be read: {error}") from error
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path, *, first_line: int = 1) -> tuple[object, Lines]:
    """Parse YAML text of `path` that starts at `first_line`. Raises PolicyInvalid as `read_yaml` does."""
    loader = _LOADER(text)
    lines: dict[tuple[Key, ...], int] = {}
    try:
        root = loader.get_single_node()
        if root is not None:
            _note(root, (), lines, path, first_line)
        value = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PolicyInvalid(path, first_line + (mark.line if mark else 0), f"broken YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise PolicyInvalid(path, first_line, f"broken YAML: {error}") from error
    finally:
        loader.dispose()
    return value, Lines(lines)


def read_model(path: Path, model: type[ModelT]) -> tuple[ModelT, Lines]:
    """Read a YAML file as `model`. Raises PolicyInvalid with the line and the field of the first fault."""
    value, lines = read_yaml(path)
    try:
        return model.model_validate(value), lines
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"]) or "the file"
        raise PolicyInvalid(path, lines.at(*first["loc"]), f"{where}: {first['msg']}") from error


def _note(
    node: yaml.Node, path: tuple[Key, ...], lines: dict[tuple[Key, ...], int], file: Path, first_line: int
) -> None:
    lines[path] = node.start_mark.line + first_line
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            if inner in lines:
                raise PolicyInvalid(file, key.start_mark.line + first_line, f"key '{key.value}' is written twice")
            _note(value, inner, lines, file, first_line)
            lines[inner] = key.start_mark.line + first_line
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note(value, (*path, index), lines, file, first_line)
