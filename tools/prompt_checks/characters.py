"""The bytes of a prompt file: what an editor may leave in them that a model would read."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from tools.prompt_checks.faults import Fault


def decoded(raw: bytes, path: Path) -> tuple[str, list[Fault]]:
    """Return a file's text with line feeds, without a byte order mark, and what is wrong with its characters."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(raw[: error.start].decode("utf-8", errors="replace"))
        return raw.decode("utf-8", errors="replace"), [
            Fault(path, line, column, "not-utf8", f"byte 0x{raw[error.start]:02x} is no UTF-8", "save it as UTF-8")
        ]
    faults = list(_faults(text, path))
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), faults


def _faults(text: str, path: Path) -> Iterator[Fault]:
    if text.startswith("\ufeff"):
        yield Fault(path, 1, 1, "byte-order-mark", "starts with a byte order mark", "save it as UTF-8 without BOM")
    if (at := text.find("\r")) >= 0:
        yield Fault(
            path, *_place(text[:at]), "carriage-return", "lines end in CRLF or CR", "save it with LF line endings"
        )
    for at, char in enumerate(text):
        if char in "\n\r" or (at == 0 and char == "\ufeff") or unicodedata.category(char) not in ("Cc", "Cf", "Co"):
            continue
        remedy = "use spaces" if char == "\t" else "delete it"
        yield Fault(
            path, *_place(text[:at]), "control-character", f"holds U+{ord(char):04X}, which nobody sees", remedy
        )


def _place(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")
