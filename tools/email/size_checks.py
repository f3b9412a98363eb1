"""Check of a message's size: what is beyond a mailbox's limit isn't shown."""

from collections.abc import Iterator, Mapping
from typing import Final

from tools.email.checking import Case, detector, evidence, number
from tools.report import Evidence

_MAX_BYTES: Final = 80 * 1024
"""Leaves room below Gmail's limit for what relays and link tools add."""
_GMAIL_CLIPS: Final = 102_400
"""Bytes of HTML; Gmail hides what follows."""


def _size(case: Case, params: Mapping[str, object]) -> Iterator[Evidence]:
    most = number(params, "max_bytes", _MAX_BYTES)
    size = len(case.facts.html.encode())
    if size >= most:
        clipped = f"; Gmail hides what is behind the first {_GMAIL_CLIPS:,}" if size >= _GMAIL_CLIPS else ""
        yield evidence("html", f"{size:,} bytes; under {most:,.0f} are allowed{clipped}")
    for part, text in case.parts:
        if not text:
            yield evidence(part, "this part is empty")


SIZES: Final = (detector("message_size", _size, params=frozenset({"max_bytes"})),)
"""The detector of size."""
