"""Say where a text file stops being UTF-8."""

from pathlib import Path

from tools.errors import InputInvalid


def not_utf8(path: Path) -> InputInvalid:
    """Return the error for a file that failed to decode, naming the line and the byte, and what to do."""
    with path.open("rb") as binary:
        if binary.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return InputInvalid(f"{path.name}: the file is UTF-16; save it as UTF-8")
        binary.seek(0)
        for number, line in enumerate(binary, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                byte = line[error.start]
                return InputInvalid(
                    f"{path.name}: line {number}: byte 0x{byte:02x} at position {error.start + 1} is not UTF-8; "
                    "save the file as UTF-8 (it may be Windows-1252)"
                )
    return InputInvalid(f"{path.name}: the file is not UTF-8; save it as UTF-8")
