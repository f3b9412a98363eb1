"""Reading a file of predictions: as many items out as rows in, whatever is in them."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from graph.schemas import OfferInput
from tools.errors import InputInvalid

FIELDS: Final = tuple(OfferInput.model_fields)
REQUIRED: Final = tuple(name for name, field in OfferInput.model_fields.items() if field.is_required())
FLAGS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read_predictions(path: Path) -> list[Any]:
    """Return the predictions of a .json, .jsonl or .csv file in their order; unknown fields are dropped.

    JSON may be the `ml_output` body of a scoring job, a list, or one prediction. A row that can't be a prediction stays
    in its place as it is, to become a typed error. Raises InputInvalid when the file as a whole can't be read.
    """
    match path.suffix.lower():
        case ".json":
            return _from_document(_parse(_text(path), path))
        case ".jsonl":
            lines = enumerate(_text(path).split("\n"), start=1)
            return [known(parse_line(line, path, number)) for number, line in lines if line.strip()]
        case ".csv":
            return _from_csv(_text(path), path)
        case other:
            raise InputInvalid(
                f"{path.name}: can't read predictions from {other or 'a file without suffix'}; "
                "use .json, .jsonl or .csv"
            )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputInvalid(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise InputInvalid(f"{path}: can't be read ({error.strerror})") from error


def _parse(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputInvalid(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise InputInvalid(f"{path}: not a prediction file: {error}") from error


def parse_line(line: str, path: Path, number: int) -> Any:
    """Return what a line of JSON says; for one that is no JSON, words that say so."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return f"{path.name}, line {number}: not JSON"


def _from_document(document: Any) -> list[Any]:
    envelope = document if isinstance(document, dict) else {}
    inner = envelope["ml_output"] if isinstance(envelope.get("ml_output"), dict) else envelope
    items = document if isinstance(document, list) else inner.get("predictions", [document])
    if not isinstance(items, list):
        raise InputInvalid(f"predictions is {type(items).__name__}; expected a list of predictions")
    insights = envelope.get("use_llm_insights")
    extra = {"use_llm_insights": insights} if isinstance(insights, bool) else {}
    return [known(item, extra) for item in items]


def _from_csv(text: str, path: Path) -> list[Any]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if missing := [name for name in REQUIRED if name not in header]:
            raise InputInvalid(
                f"{path.name}: the header lacks {', '.join(missing)}; "
                f"expected {', '.join(REQUIRED)} and, if known, {', '.join(n for n in FIELDS if n not in REQUIRED)}"
            )
        return [cells(header, row) for row in reader if row]
    except csv.Error as error:
        raise InputInvalid(f"{path.name}, line {reader.line_num}: not CSV: {error}") from error


def cells(header: list[str], row: list[str]) -> Any:
    """Return a row of CSV as a prediction's fields, empty cells left out; for one of another length, words."""
    if len(row) != len(header):
        return f"{','.join(row)} ({len(row)} cells for {len(header)} columns)"
    filled = [(name, value.strip()) for name, value in zip(header, row, strict=True) if name in _READ_AS]
    return {name: _READ_AS[name](value) for name, value in filled if value}


def _flag(value: str) -> Any:
    return FLAGS.get(value.casefold(), value)


def _number(value: str) -> Any:
    try:
        return float(value)
    except ValueError:
        return value


def _whole(value: str) -> Any:
    number = _number(value)
    return int(number) if isinstance(number, float) and number.is_integer() else number


_READ_AS: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(FIELDS, str),
    "confidence_score": _number,
    "offer_flag": _whole,
    "use_llm_insights": _flag,
}


def known(item: Any, extra: Mapping[str, Any] | None = None) -> Any:
    """Return an object's fields that a prediction has; anything else as it is."""
    if not isinstance(item, dict):
        return item
    return {**(extra or {}), **{name: value for name, value in item.items() if name in FIELDS}}
