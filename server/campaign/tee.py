"""The text of a file, and the hash of the very bytes it was read from."""

import hashlib
import io
from typing import Final

READ_BYTES: Final = 1 << 20


class Tee(io.RawIOBase):
    """A raw file that hashes and counts what is read of it. Closing it closes the text on it, and not the file."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__()
        self._raw = raw
        self._hash = hashlib.sha256()
        self._text: io.TextIOWrapper | None = None
        self.read_bytes = 0

    @property
    def sha256(self) -> str:
        """Return the hash of what was read so far."""
        return self._hash.hexdigest()

    def text(self, *, newline: str) -> io.TextIOWrapper:
        """Return the file as UTF-8, without a byte order mark. A byte that is none becomes a lone surrogate."""
        buffered = io.BufferedReader(self, READ_BYTES)
        self._text = io.TextIOWrapper(buffered, encoding="utf-8-sig", errors="surrogateescape", newline=newline)
        return self._text

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io hands in memoryviews alone
        """Read into the buffer; return how many bytes came."""
        count = self._raw.readinto(buffer) or 0
        self._hash.update(buffer[:count])
        self.read_bytes += count
        return count


def not_utf8(raw: str, line: int) -> str | None:
    """Say that a line of such a text is not UTF-8, with the byte; None for one that is."""
    if raw.isascii():
        return None
    try:
        raw.encode()
    except UnicodeEncodeError as error:
        byte = ord(raw[error.start]) & 0xFF
        return f"line {line}: not UTF-8 (byte 0x{byte:02x} at character {error.start + 1}); save the file as UTF-8"
    return None
