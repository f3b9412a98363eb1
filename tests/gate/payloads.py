"""The injection payloads of `injections.yaml`, and what copy that holds one is refused for."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

FILE: Final = Path(__file__).with_name("injections.yaml")
REFUSED: Final = (
    "order",
    "foreign",
    "turn",
    "chat_template",
    "breakout",
    "markup",
    "template",
    "link",
    "sql",
    "log",
    "terminal",
    "header",
    "formula",
    "path",
    "hidden",
    "encoded",
    "tool",
    "verdict",
    "policy",
    "approval",
    "extraction",
)
"""Kinds that copy is refused for by a rule of content security, wherever it holds them."""
TELLING: Final = 12
"""Letters of a payload in a row that no text shows by chance."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One text that tries to be more than text."""

    id: str
    kind: str
    text: str


@cache
def payloads() -> tuple[Payload, ...]:
    """Return all payloads, in the file's order."""
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))["payloads"]
    return tuple(Payload(row["id"], row["kind"], row["text"] * row.get("repeat", 1)) for row in rows)


def of_kinds(*kinds: str) -> tuple[Payload, ...]:
    """Return the payloads of these kinds."""
    return tuple(payload for payload in payloads() if payload.kind in kinds)


def shows(payload: Payload, text: str) -> bool:
    """Tell whether a text holds a telling piece of a payload, or one of its characters that steer a reader."""
    pieces = {payload.text[at : at + TELLING] for at in range(0, min(len(payload.text), 400), TELLING)}
    return any(len(piece) == TELLING and piece in text for piece in pieces)
