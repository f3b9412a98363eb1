"""Check of how a mail is put together: RFC 2045, 2046 and 5322."""

from collections.abc import Iterator, Mapping
from typing import Final

from tools.email.checking import Case, detector, evidence, in_header
from tools.email.compiler import LONGEST_LINE
from tools.report import Evidence

_ORDER: Final = ("text/plain", "text/html")
"""A reader shows the last part it can, so the richer one stands last (RFC 2046, 5.1.4)."""
_CHARSETS: Final = frozenset({"utf-8", "us-ascii"})
_ENCODINGS: Final = frozenset({"7bit", "quoted-printable", "base64"})
"""8bit and binary arrive whole only where every relay on the way agrees to them."""


def _mime(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    mime = case.facts.mime
    if mime is None:
        yield evidence("message", "how the mail is put together isn't known")
        return
    for fault in mime.faults:
        yield evidence("message", fault)
    if (version := case.headers.get("mime-version", "1.0").strip()) != "1.0":
        yield in_header("MIME-Version", f"{version}: must be 1.0")
    if mime.kind != "multipart/alternative":
        yield in_header("Content-Type", f"{mime.kind}: must be multipart/alternative")
    kinds = tuple(part.kind for part in mime.parts)
    if kinds != _ORDER:
        yield evidence("message", _order_fault(kinds))
    for part in mime.parts:
        if part.kind.startswith("text/") and part.charset not in _CHARSETS:
            yield evidence("message", f"{part.kind}: charset {part.charset}; write utf-8")
        if part.encoding not in _ENCODINGS:
            yield evidence("message", f"{part.kind}: Content-Transfer-Encoding {part.encoding} may not arrive whole")
        if part.attached:
            yield evidence("message", f"{part.kind}: an attachment")
    if mime.longest_line > LONGEST_LINE:
        yield evidence(
            "message", f"line {mime.longest_at} of the mail has {mime.longest_line:,} octets, at most {LONGEST_LINE}"
        )


def _order_fault(kinds: tuple[str, ...]) -> str:
    for kind in _ORDER:
        if kinds.count(kind) != 1:
            return f"{kinds.count(kind)} parts of {kind}; one is needed"
    others = [kind for kind in kinds if kind not in _ORDER]
    return f"a part of {others[0]}" if others else "text/html stands before text/plain; the richer part comes last"


MIME: Final = (detector("message_mime", _mime, needs=["headers"]),)
"""The detector of a mail's construction."""
