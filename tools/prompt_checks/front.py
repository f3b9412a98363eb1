"""The front matter of a prompt file, checked key by key."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from tools.columns import ALL_COLUMNS
from tools.errors import PolicyInvalid
from tools.prompt_checks.faults import Fault, near
from tools.prompt_header import PromptHeader
from tools.prompt_steps import REPLY_SCHEMA, Step
from tools.yaml_lines import Lines, parse_yaml

FRONT: Final = re.compile(r"\A---\n(.*?)^---[ ]*\n", re.DOTALL | re.MULTILINE)
PERSONAL: Final = frozenset(column.name for column in ALL_COLUMNS) | {
    "address",
    "birth_date",
    "birthday",
    "customer",
    "ethnicity",
    "first_name",
    "income",
    "last_name",
    "member",
    "phone",
    "sex",
    "surname",
}
"""Names of what is known of a cardmember; none of them reaches a template but as a field of the view."""

_KEYS: Final = tuple(field.alias or name for name, field in PromptHeader.model_fields.items())
_ADVICE: Final = {
    "temperature": ("temperature-range", "write a number from 0 to 2"),
    "max_tokens": ("max-tokens-range", "write a whole number from 1 to 8000"),
    "name": ("wrong-name", "write the step's name, as the file is called"),
    "version": ("bad-value", 'write it in quotes: "1.0.0"'),
    "purpose": ("bad-value", "say in one line what the prompt is for"),
    "variables": ("bad-value", "list the variables: [view, mode]"),
    "schema": ("wrong-schema", "name the step's output schemas"),
    "examples": ("bad-example", "give each offer type good, bad, why and shows (POLICY/clause)"),
}


def read_front(text: str, path: Path, name: str, step: Step) -> tuple[PromptHeader | None, Lines | None, list[Fault]]:
    """Return the front matter, where its values stand, and its faults; no header when it can't be used."""
    found = FRONT.match(text)
    if found is None:
        remedy = "begin with a line `---`, the keys, and a line `---`"
        return None, None, [Fault(path, 1, 1, "no-front-matter", "starts with no front matter", remedy)]
    try:
        value, lines = parse_yaml(found[1], path, first_line=2)
    except PolicyInvalid as error:
        reason, _, remedy = error.reason.partition("; ")
        return (
            None,
            None,
            [Fault(path, error.line, error.column, "front-matter-yaml", reason, remedy or "correct it there")],
        )
    try:
        header = PromptHeader.model_validate(value if value is not None else {})
    except ValidationError as error:
        return None, lines, [_explained(item, lines, path) for item in error.errors()]
    return header, lines, [*_named(header, lines, path, name, step), *_declared(header, lines, path, step)]


def _explained(item: Any, lines: Lines, path: Path) -> Fault:
    loc: Sequence[str | int] = item["loc"]
    key = ".".join(str(part) for part in loc) or "front matter"
    line, column = lines.place(*loc) if loc else (1, 1)
    if item["type"] == "missing":
        line, column = lines.place(*loc[:-1]) if len(loc) > 1 else (1, 1)
        return Fault(path, line, column, "missing-key", f"{key} is missing", f"add `{loc[-1]}: ...`")
    if item["type"] == "extra_forbidden":
        known = _KEYS if len(loc) == 1 else ("good", "bad", "why", "shows")
        return Fault(path, line, column, "unknown-key", f"{key} is no key", near(str(loc[-1]), known))
    code, remedy = _ADVICE.get(str(loc[0]) if loc else "", ("bad-value", f"allowed keys: {', '.join(_KEYS)}"))
    return Fault(path, line, column, code, f"{key} is {item['input']!r}: {item['msg']}", remedy)


def _named(header: PromptHeader, lines: Lines, path: Path, name: str, step: Step) -> Iterator[Fault]:
    if header.name != name:
        remedy = f"write {name!r}, as the file is called"
        yield Fault(path, *lines.place("name"), "wrong-name", f"name is {header.name!r}", remedy)
    if "examples" not in step.variables and header.examples:
        remedy = "delete them: only the step `draft` shows examples from its front matter"
        yield Fault(path, *lines.place("examples"), "unknown-key", "examples are never shown", remedy)
    for index, schema in enumerate(header.schemas):
        if schema not in step.schemas:
            place = lines.place("schema", index)
            yield Fault(
                path, *place, "wrong-schema", f"{schema!r} is no schema the step sends", near(schema, step.schemas)
            )
    if missing := [schema for schema in step.schemas if schema not in header.schemas]:
        message = f"schema doesn't name {', '.join(missing)}, which the step sends"
        yield Fault(path, *lines.place("schema"), "wrong-schema", message, f"add {missing[0]}")


def _declared(header: PromptHeader, lines: Lines, path: Path, step: Step) -> Iterator[Fault]:
    given = {*step.variables, REPLY_SCHEMA}
    for index, variable in enumerate(header.variables):
        place = lines.place("variables", index)
        if variable in header.variables[:index]:
            yield Fault(path, *place, "duplicate-variable", f"{variable} is declared twice", "delete one")
        elif variable not in given and variable in PERSONAL:
            yield Fault(path, *place, "protected-field", f"{variable} never reaches a prompt", "use a field of `view`")
        elif variable not in given:
            message = f"{variable} is declared, but the step doesn't provide it"
            yield Fault(path, *place, "unknown-variable", message, near(variable, given))
    for variable in sorted(step.variables.keys() - set(header.variables)):
        place = lines.place("variables")
        message = f"{variable} is provided by the step, but not declared"
        yield Fault(path, *place, "missing-variable", message, f"add {variable} to variables, and use it")
