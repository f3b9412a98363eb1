"""A policy file as text: front matter and prose apart, and the line each value stands on."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from tools.errors import PolicyInvalid
from tools.yaml_lines import Lines, parse_yaml

_FENCE: Final = "---"
_ANCHOR: Final = re.compile(r"(?:^|[\s\[{,])&\w")


@dataclass(frozen=True, slots=True)
class Source:
    """What a file says before anything of it is checked."""

    path: Path
    data: dict[str, object]
    prose: str
    lines: Lines
    text: str


def policy_text(path: Path) -> str:
    """Return the text of a policy's file. Raises PolicyInvalid when it can't be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(path, 1, f"can't be read: {error}; a policy is a file of UTF-8 text") from error


def is_policy_file(text: str) -> bool:
    """Tell whether text is meant as a whole policy, front matter included, and not as prose alone."""
    return text.removeprefix("\ufeff").partition("\n")[0].rstrip() == _FENCE


def parse_source(text: str, path: Path) -> Source:
    """Take the text of a policy, Markdown with YAML front matter, apart; faults are told of `path`.

    Raises PolicyInvalid: it has no front matter or no prose, or its YAML is broken.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        raise PolicyInvalid(path, 1, f"a policy starts with a line {_FENCE!r} and its front matter")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        raise PolicyInvalid(path, len(lines), f"the front matter never ends; close it with a line {_FENCE!r}")
    prose = "\n".join(line.rstrip() for line in lines[end + 1 :]).strip()
    if not prose:
        raise PolicyInvalid(
            path, end + 1, "there is no prose below the front matter; say in words what the policy asks"
        )
    front = "\n".join(lines[1:end]) + "\n"
    if (anchor := _anchor(front)) is not None:
        # Aliases can hide what a clause says, and expand without end.
        reason = "a YAML anchor; write the value out at each place, or quote the text"
        raise PolicyInvalid(path, anchor.line + 2, reason, anchor.column + 1)
    data, where = parse_yaml(front, path, first_line=2)
    if not isinstance(data, dict):
        raise PolicyInvalid(path, 2, "the front matter must be `key: value` pairs")
    return Source(path, data, prose, where, text)


def _anchor(front: str) -> yaml.Mark | None:
    if _ANCHOR.search(front) is None:
        return None
    try:
        tokens = list(yaml.scan(front, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        # The parser says what is wrong, and where.
        return None
    return next((token.start_mark for token in tokens if isinstance(token, yaml.AnchorToken)), None)
