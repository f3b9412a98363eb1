"""A line or a body read as a request; what can't be read is told by field, with the remedy."""

import difflib
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from tools.policies.facts import MEMBER_FACTS, FactKind, typed
from tools.standalone.request import (
    LARGEST,
    MAX_TEXT,
    CheckMember,
    CheckOffer,
    CheckRequest,
    CheckText,
    Fault,
    Unreadable,
)

_SHOWN: Final = 60
"""Characters of a value that a refusal repeats."""
_DIGITS: Final = 30
_LISTS: Final = frozenset({"merchants", "exclusions", "eligible_card_types", "fulfillment_weeks"})
_PARTS: Final[dict[str, type[BaseModel]]] = {"text": CheckText, "offer": CheckOffer, "member": CheckMember}
_KINDS: Final[dict[FactKind, str]] = {
    "number": "a number",
    "count": "a whole number",
    "flag": "true or false",
    "text": "text",
    "word": "text",
}


def parse_json(given: str | bytes) -> Any:
    """Return JSON as Python objects.

    Raises:
        Unreadable: it is no UTF-8 or no JSON, names a key twice, or holds a number or a character that JSON has not.
    """
    try:
        text = given.decode("utf-8-sig") if isinstance(given, bytes) else given
        value = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_real, parse_int=_integer
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise Unreadable((((), f"not JSON: {error.msg}, at character {error.pos + 1}"),)) from error
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise Unreadable((((), f"not UTF-8 text: {error.reason}; write whole characters"),)) from error
    except RecursionError as error:
        raise Unreadable((((), "nested too deeply; write one plain object"),)) from error
    except ValueError as error:
        raise Unreadable((((), f"not JSON: {error}"),)) from error
    return value


def read_request(given: object) -> CheckRequest:
    """Return the object as a request.

    Raises:
        Unreadable: a field is missing, unknown or of the wrong kind; it names every one.
    """
    if not isinstance(given, dict):
        raise Unreadable((((), "one JSON object is wanted: {id, send_date, text, offer, member}"),))
    own = given.get("id")
    own = own if isinstance(own, str | int) and not isinstance(own, bool) else None
    try:
        request = CheckRequest.model_validate(given)
    except ValidationError as error:
        raise Unreadable(tuple(map(_fault, error.errors(include_url=False))), given_id=own) from error
    if faults := _member_faults(request.member.model_dump(exclude_none=True)):
        raise Unreadable(faults, given_id=own)
    return request


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice[:_SHOWN]!r} is written twice; keep one")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _real(digits: str) -> float:
    if math.isfinite(number := float(digits)):
        return number
    raise ValueError(f"{digits[:_SHOWN]} is too large a number")


def _integer(digits: str) -> int:
    if len(digits) <= _DIGITS:
        return int(digits)
    raise ValueError(f"{digits[:_SHOWN]} is too large a number")


def _member_faults(member: Mapping[str, object]) -> tuple[Fault, ...]:
    """Say which member values can't be used, and why; values are not repeated."""
    wrong = typed(member, MEMBER_FACTS)[1]
    faults: dict[str, str] = {name: f"must be {_KINDS.get(MEMBER_FACTS[name], 'of its kind')}" for name in wrong}
    for name, value in member.items():
        if not isinstance(value, str | int | float | bool):
            faults[name] = "must be one value: text, a number, true or false"
        elif not isinstance(value, str) and abs(value) >= LARGEST:
            faults[name] = "is too large a number"
        elif isinstance(value, str) and len(value) > MAX_TEXT:
            faults[name] = f"has more than {MAX_TEXT:,} characters"
    return tuple((("member", name[:_SHOWN]), why) for name, why in sorted(faults.items()))


def _fault(item: Mapping[str, Any]) -> Fault:
    place = tuple(item["loc"])
    reason = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if item["type"] == "missing":
        return place, "missing; add it" + (
            ", or null for none" if place[-1] in ("reward_value", "minimum_spend") else ""
        )
    if item["type"] == "extra_forbidden":
        known = _PARTS[str(place[0])].model_fields
        near = difflib.get_close_matches(str(place[-1])[:_SHOWN], known, n=1)
        known_names = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        return (*place[:-1], str(place[-1])[:_SHOWN]), f"no such field; {known_names}"
    if item["type"] in ("model_type", "dict_type"):
        reason = "should be an object"
    elif item["type"] == "string_pattern_mismatch":
        reason = "must be a day such as 2026-11-23"
    elif item["type"] in ("too_long", "string_too_long"):
        reason = _too_long(place, item["ctx"])
    shown = "" if place[:1] in (("member",), ("text",)) else f", got {_short(item['input'])}"
    return place, f"{reason}{shown}"


def _too_long(place: tuple[str | int, ...], limits: Mapping[str, Any]) -> str:
    what = "names" if place[-1] in _LISTS else "characters"
    return f"has more than {limits['max_length']:,} {what}; send fewer"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
