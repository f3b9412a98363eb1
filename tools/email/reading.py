"""A mail read back from its bytes: headers, the two parts, and how they are put together."""

import email
import re
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message as ParsedMail
from typing import Final

from tools.subject import Mime, MimePart

_STRAY_EQUALS: Final = re.compile(r"=(?![0-9A-F]{2}|[ \t]*(?:\r?\n|$))")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `html` and `text` are its first parts of that type, None where it has none; line breaks are LF.

    A header that stands twice has its values joined by a line break, which no header may hold.
    """

    headers: dict[str, str]
    html: str | None
    text: str | None
    mime: Mime


def read_mail(source: bytes) -> Mail:
    """Read a mail. Never raises: what can't be decoded is replaced and listed in `mime.faults`."""
    parsed = email.message_from_bytes(source)
    faults: list[str] = []
    headers: dict[str, str] = {}
    for name, raw in parsed.items():
        value = _decoded(name, raw, faults)
        headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    leaves = [part for part in parsed.walk() if not part.is_multipart()]
    contents = [(part.get_content_type(), _content(part, faults)) for part in leaves]
    for part in parsed.walk():
        faults += (f"{type(defect).__name__}: {defect}" for defect in part.defects)
    longest, at = _longest(source)
    mime = Mime(parsed.get_content_type(), tuple(map(_described, leaves)), longest, at, tuple(faults))
    first = {kind: content for kind, content in reversed(contents)}
    return Mail(headers, first.get("text/html"), first.get("text/plain"), mime)


def _described(part: ParsedMail) -> MimePart:
    return MimePart(
        kind=part.get_content_type(),
        charset=(part.get_content_charset() or "us-ascii").lower(),
        encoding=str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower(),
        attached=part.get_content_disposition() == "attachment" or part.get_filename() is not None,
    )


def _content(part: ParsedMail, faults: list[str]) -> str:
    kind, encoding = part.get_content_type(), str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    raw = part.get_payload()
    if not isinstance(raw, str):
        return ""
    if encoding in ("7bit", "quoted-printable") and not raw.isascii():
        faults.append(f"{kind}: bytes above 127 in a part sent as {encoding}")
    if encoding == "quoted-printable" and (stray := _STRAY_EQUALS.search(raw)):
        faults.append(f"{kind}: {raw[stray.start() : stray.start() + 12]!r} is no quoted-printable")
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        content = payload.decode(charset)
    except (LookupError, UnicodeDecodeError) as error:
        if kind.startswith("text/"):
            faults.append(f"{kind}: isn't {charset}: {error}")
        content = payload.decode("utf-8", "replace")
    return content.replace("\r\n", "\n")


def _decoded(name: str, raw: object, faults: list[str]) -> str:
    unfolded = str(raw).replace("\r\n", "").replace("\n", "")
    if not unfolded.isascii() or not isinstance(raw, str):
        faults.append(f"{name}: holds bytes that are no ASCII and no encoded word")
    if "=?" not in unfolded:
        return unfolded
    try:
        return str(make_header(decode_header(unfolded)))
    except (MessageError, LookupError, UnicodeDecodeError, ValueError) as error:
        faults.append(f"{name}: can't be read back: {error}")
        return unfolded


def _longest(source: bytes) -> tuple[int, int]:
    """Return the length of the longest line in octets and its number from 1."""
    lengths = [len(line.rstrip(b"\r")) for line in source.split(b"\n")]
    longest = max(lengths)
    return longest, lengths.index(longest) + 1
