"""A valid instance of a JSON schema, chosen by a key: the same key gives the same instance on every machine."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def sample(schema: Schema, *, key: str, texts: Mapping[str, str] | None = None, text: str = "text") -> Any:
    """Return an instance of the schema. Raises ValueError for a keyword or pattern it can't satisfy.

    Enums and branches follow a hash of the key and the place. A free string is `texts[property name]`, else `text`,
    made to fit its length. Arrays hold as few items as allowed (one when the schema sets no least number), all
    different as long as their enum lasts.
    """
    return _Sampler(schema, key, texts or {}, text).at(schema, "$", "")


class _Sampler:
    def __init__(self, root: Schema, key: str, texts: Mapping[str, str], text: str) -> None:
        self._root, self._key, self._texts, self._text = root, key, texts, text

    def at(self, schema: Schema, place: str, name: str) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._pick(schema["enum"], place)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self.at(self._pick(schema[union], place), place, name)
        match schema.get("type", "object" if "properties" in schema else "string"):
            case "object":
                properties = schema.get("properties", {})
                return {child: self.at(part, f"{place}.{child}", child) for child, part in properties.items()}
            case "array":
                return self._array(schema, place, name)
            case "string":
                return self._string(schema, place, name)
            case "integer":
                return round(self._number(schema, place, step=1))
            case "number":
                return self._number(schema, place, step=0.5)
            case "boolean":
                return bool(self._hash(place) % 2)
            case "null":
                return None
            case list() as types:
                return self.at({**schema, "type": self._pick(types, place)}, place, name)
            case other:
                raise ValueError(f"{place}: type {other!r} can't be sampled")

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            target: Any = self._root
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            schema = {**target, **{word: value for word, value in schema.items() if word != "$ref"}}
        for part in schema.get("allOf", ()):
            inner = self._resolved(part)
            merged = {**schema.get("properties", {}), **inner.get("properties", {})}
            schema = {**inner, **schema, **({"properties": merged} if merged else {})}
        return schema

    def _array(self, schema: Schema, place: str, name: str) -> list[Any]:
        if "prefixItems" in schema:
            return [self.at(part, f"{place}[{n}]", name) for n, part in enumerate(schema["prefixItems"])]
        most = schema.get("maxItems")
        size = schema.get("minItems", 1 if most is None else min(1, most))
        items = self._resolved(schema.get("items", {}))
        choices = list(items.get("enum", ()))
        if choices and size <= len(choices):
            return [choices.pop(self._hash(f"{place}[{n}]") % len(choices)) for n in range(size)]
        return [self.at(items, f"{place}[{n}]", name) for n in range(size)]

    def _string(self, schema: Schema, place: str, name: str) -> str:
        if schema.get("format") == "date":
            return "2026-01-01"
        text = self._texts.get(name, self._text)
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        while len(text) < least:
            text = f"{text} {text or 'x'}"
        text = text if most is None else text[:most]
        if "pattern" in schema and not re.search(schema["pattern"], text):
            raise ValueError(f"{place}: no text for pattern {schema['pattern']!r}; give one in texts[{name!r}]")
        return text

    def _number(self, schema: Schema, place: str, *, step: float) -> float:
        low = schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else schema.get("minimum")
        high = schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else schema.get("maximum")
        if low is None:
            low = 0 if high is None or high >= 0 else high - 10
        if high is None:
            high = low + 10
        return float(low + self._hash(place) % (int((high - low) / step) + 1) * step)

    def _pick(self, choices: Any, place: str) -> Any:
        return choices[self._hash(place) % len(choices)]

    def _hash(self, place: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self._key}\0{place}".encode()).digest()[:8])
