"""The golden set: invented members and the predictions to draft for, in files, so that every run sees the same."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tools.cardmembers import Cardmember, member_of
from tools.columns import ALL_COLUMNS, Column, Kind
from tools.errors import InputInvalid
from tools.vocabulary import Domain, SuppressionReason

SETTING: Final = "golden.json"
CASES: Final = "cases.jsonl"
MEMBERS: Final = "members.csv"


class GoldenSetting(BaseModel):
    """What all cases share. The first day of the offers is fixed: weeks and months turn lists in a prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    send_date: date


class GoldenCase(BaseModel):
    """One prediction, why it is in the set, and what becomes of it before any model is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    user_id: str
    domain: Domain
    confidence: float = Field(ge=0, le=1)
    kind: str = Field(description="regular, or the name of what is tricky about it.")
    why: str
    expect: Literal["drafts"] | SuppressionReason = Field(description="drafts, or why policy holds the member back.")


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """The cases in their order, any first N of which are a fair sample, and the members by user_id.

    As `Members` it stands in for the issuer's table. `sha` names the bytes of all its files.
    """

    folder: Path
    sha: str
    send_date: date
    cases: tuple[GoldenCase, ...]
    members: Mapping[str, Cardmember]

    async def load(self, user_id: str) -> Cardmember | None:
        """Return a member of the set."""
        return self.members.get(user_id)


def load_golden(folder: Path) -> GoldenSet:
    """Read a golden set. Raises InputInvalid, with file and line, for what is missing or wrong, and says what to do."""
    held = {name: _bytes(folder, name) for name in (SETTING, CASES, MEMBERS)}
    try:
        setting = GoldenSetting.model_validate_json(held[SETTING])
    except ValidationError as error:
        raise InputInvalid(f"{folder / SETTING}: {_first(error)}") from error
    if not held[CASES].strip():
        raise InputInvalid(f"{folder / CASES} holds no case; write one a line, or `python -m tests.golden` draws them")
    cases = tuple(_case(folder, number, line) for number, line in enumerate(held[CASES].splitlines(), 1))
    members = _members(folder / MEMBERS, _text(folder / MEMBERS, held[MEMBERS]))
    seen: set[str] = set()
    for number, case in enumerate(cases, 1):
        if case.case_id in seen:
            raise InputInvalid(f"{folder / CASES}:{number}: case_id {case.case_id!r} is used twice; give it another")
        if case.user_id not in members:
            raise InputInvalid(f"{folder / CASES}:{number}: user_id {case.user_id!r} is not in {MEMBERS}; add the row")
        seen.add(case.case_id)
    sha = sha256(b"\0".join(held.values())).hexdigest()
    return GoldenSet(folder=folder, sha=sha, send_date=setting.send_date, cases=cases, members=members)


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise InputInvalid(
            f"no golden set: {folder / name} can't be read ({error.strerror}); it is in a checkout of the project"
            " (tests/golden), not in an installed package: name its folder with --golden DIR"
        ) from error


def _text(path: Path, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputInvalid(f"{path}:{line}: byte 0x{raw[error.start]:02x} is no UTF-8; save it as UTF-8") from error


def _case(folder: Path, number: int, line: bytes) -> GoldenCase:
    try:
        return GoldenCase.model_validate_json(line)
    except ValidationError as error:
        raise InputInvalid(f"{folder / CASES}:{number}: {_first(error)}") from error


def _members(path: Path, text: str) -> dict[str, Cardmember]:
    rows = csv.DictReader(text.splitlines())
    names = [column.name for column in ALL_COLUMNS]
    if rows.fieldnames is None or list(rows.fieldnames) != names:
        raise InputInvalid(f"{path}:1: the columns are {rows.fieldnames}; needed: {', '.join(names)}")
    members = {}
    for row in rows:
        values = [_value(path, rows.line_num, column, row[column.name]) for column in ALL_COLUMNS]
        member = member_of(*values)
        members[member.user_id] = member
    return members


_READERS: Final[Mapping[Kind, TypeAdapter[Any]]] = {
    Kind.TEXT: TypeAdapter(str),
    Kind.INTEGER: TypeAdapter(int),
    Kind.NUMBER: TypeAdapter(float),
    Kind.DATE: TypeAdapter(date),
    Kind.BOOLEAN: TypeAdapter(bool),
}


def _value(path: Path, line: int, column: Column, text: str | None) -> Any:
    """Read a value as the query of the issuer's table does: an empty one is unknown."""
    if text is None or text == "":
        return None
    try:
        return _READERS[column.kind].validate_strings(text)
    except ValidationError as error:
        raise InputInvalid(f"{path}:{line}: {column.name} is {text!r}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"
