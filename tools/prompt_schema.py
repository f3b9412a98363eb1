"""A JSON schema printed for a prompt: what a model must answer, on one line and in few tokens."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel


def printed(schema: type[BaseModel] | Mapping[str, Any]) -> str:
    """Return a JSON schema or a pydantic model in the notation of TypeScript, limits in words.

    For example `{"option_id": "A" | "B", "merchant_ids": ["m1" | "m2", ...] (2 to 4, none twice), "body": string (at
    most 900 characters)}`; a key that may be missing ends in `?`.
    """
    root = schema if isinstance(schema, Mapping) else schema.model_json_schema()
    return _printed(root, root)


def _printed(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if (reference := schema.get("$ref")) is not None:
        return _printed(_found(reference, root), root)
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(_printed(each, root) for each in schema[key])
    match schema.get("type", "any"):
        case "object":
            return _object(schema, root)
        case "array":
            return f"[{_printed(schema.get('items', {}), root)}, ...]{_bounds(schema, 'Items', 'items')}"
        case "string":
            return f"string{_bounds(schema, 'Length', 'characters')}"
        case list() as kinds:
            return " | ".join(kinds)
        case kind:
            return str(kind)


def _object(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    fields = (
        f"{json.dumps(name)}{'' if name in required else '?'}: {_printed(value, root)}"
        for name, value in schema.get("properties", {}).items()
    )
    return f"{{{', '.join(fields)}}}"


def _bounds(schema: Mapping[str, Any], of: str, unit: str) -> str:
    least, most = schema.get(f"min{of}"), schema.get(f"max{of}")
    said: list[str] = []
    if least is not None and most is not None:
        said.append(f"{least} {unit}" if least == most else f"{least} to {most} {unit}")
    elif most is not None:
        said.append(f"at most {most} {unit}")
    elif least is not None:
        said.append(f"at least {least} {unit}")
    if schema.get("uniqueItems"):
        said.append("none twice")
    return f" ({', '.join(said)})" if said else ""


def _found(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    steps: Sequence[str] = reference.removeprefix("#/").split("/")
    found: Any = root
    for step in steps:
        found = found[step]
    return found  # type: ignore[no-any-return]
