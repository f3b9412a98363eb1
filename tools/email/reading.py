"""A mail read back from its bytes: headers, the two parts, and how they are put together."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message as ParsedMail
from typing import Final

from tools.subject import Mime, MimePart

_ADDRESSED: Final = frozenset({"from", "sender", "reply-to", "to", "cc"})
"""Headers whose structure stands before their encoded words are read (RFC 2047, section 5)."""
_UNWORDED: Final = ("list-", "message-id", "date", "feedback-id", "mime-version", "content-", "dkim-")
"""Headers that take no encoded word: what one holds reaches machines as it is (RFC 2047, section 5)."""
_HIDING: Final = re.compile(r"[<>@,:;\"\\()]")
_LONGEST_VALUE: Final = 8_192
"""Characters of a header that are read."""
_STRAY_EQUALS: Final = re.compile(r"=(?![0-9A-F]{2}|[ \t]*(?:\r?\n|$))")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `html` and `text` are its first parts of that type, None where it has none; line breaks are LF.

    A header that stands twice, in whatever case, has its values joined by a line break, which no header may hold.
    """

    headers: dict[str, str]
    html: str | None
    text: str | None
    mime: Mime


def read_mail(source: bytes) -> Mail:
    """Read a mail: what can't be decoded is replaced and listed in `mime.faults`.

    RecursionError for parts nested some hundred deep.
    """
    parsed = email.message_from_bytes(source)
    faults: list[str] = []
    headers: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for given, raw in parsed.items():
        value = _decoded(given, raw, faults)
        name = spelled.setdefault(given.lower(), given)
        headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    leaves = [part for part in parsed.walk() if not part.is_multipart()]
    contents = [(part.get_content_type(), _content(part, faults)) for part in leaves]
    faults += _nested(parsed)
    for part in parsed.walk():
        faults += (f"{type(defect).__name__}: {defect}" for defect in part.defects)
    longest, at = _longest(source)
    mime = Mime(parsed.get_content_type(), tuple(map(_described, leaves)), longest, at, tuple(faults))
    first = {kind: content for kind, content in reversed(contents)}
    return Mail(headers, first.get("text/html"), first.get("text/plain"), mime)


def _nested(parsed: ParsedMail) -> Iterator[str]:
    """Yield each part that holds parts: a mailbox shows them, and others, otherwise than one beside the other."""
    containers = (part for part in parsed.walk() if part.is_multipart() and part is not parsed)
    return (f"{part.get_content_type()} inside {parsed.get_content_type()}" for part in containers)


def _described(part: ParsedMail) -> MimePart:
    return MimePart(
        kind=part.get_content_type(),
        charset=(part.get_content_charset() or "us-ascii").lower(),
        encoding=str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower(),
        attached=part.get_content_disposition() == "attachment" or _is_named(part),
    )


def _is_named(part: ParsedMail) -> bool:
    """Tell whether a part has a file name, without reading it."""
    named = (part.get_param("filename", header="content-disposition"), part.get_param("name"))
    return any(name is not None for name in named)


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
    except (LookupError, ValueError) as error:  # some codecs refuse with a bare UnicodeError
        if kind.startswith("text/"):
            faults.append(f"{kind}: isn't {charset}: {error}")
        content = payload.decode("utf-8", "replace")
    return content.replace("\r\n", "\n")


def _decoded(name: str, raw: object, faults: list[str]) -> str:
    unfolded = str(raw).replace("\r\n", "").replace("\n", "")
    if len(unfolded) > _LONGEST_VALUE:
        faults.append(f"{name}: {len(unfolded):,} characters, at most {_LONGEST_VALUE:,} are read")
        unfolded = unfolded[:_LONGEST_VALUE]
    if not unfolded.isascii() or not isinstance(raw, str):
        faults.append(f"{name}: holds bytes that are no ASCII and no encoded word")
    if "=?" not in unfolded or name.lower().startswith(_UNWORDED):
        return unfolded
    try:
        decoded = [(str(make_header([word])), word[1]) for word in decode_header(unfolded)]
        if name.lower() in _ADDRESSED and any(charset and _HIDING.search(word) for word, charset in decoded):
            faults.append(f"{name}: an encoded word that poses as an address")
            return unfolded
        return str(make_header(decode_header(unfolded)))
    except (MessageError, LookupError, ValueError) as error:
        faults.append(f"{name}: can't be read back: {error}")
        return unfolded


def _longest(source: bytes) -> tuple[int, int]:
    """Return the length of the longest line in octets and its number from 1."""
    lengths = [len(line.rstrip(b"\r")) for line in source.split(b"\n")]
    longest = max(lengths)
    return longest, lengths.index(longest) + 1
