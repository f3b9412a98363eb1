"""How long a text message is: septets of the GSM 7-bit alphabet, UCS-2 units, and the segments a carrier bills.

Source: 3GPP TS 23.038 (GSM 03.38) section 6.2.1 for the alphabet and its extension table, 3GPP TS 23.040 section
9.2.3.24 for concatenation, whose header takes 6 of the 140 octets of each segment.
"""

from dataclasses import dataclass
from typing import Final, Literal

Encoding = Literal["GSM-7", "UCS-2"]

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Characters of one septet."""
EXTENSION: Final = frozenset("^{}\\[~]|€\f")
"""Characters of two septets: an escape and a code, which one segment must hold together."""

_SINGLE: Final[dict[Encoding, int]] = {"GSM-7": 160, "UCS-2": 70}
_JOINED: Final[dict[Encoding, int]] = {"GSM-7": 153, "UCS-2": 67}


@dataclass(frozen=True, slots=True)
class SmsLength:
    """A text as a carrier counts it: `units` are septets for GSM-7 and 16-bit units for UCS-2."""

    encoding: Encoding
    units: int
    segments: int


def sms_length(text: str) -> SmsLength:
    """Return encoding, units and segments. One character outside the alphabet makes the whole text UCS-2."""
    encoding: Encoding = "GSM-7" if all(char in BASIC or char in EXTENSION for char in text) else "UCS-2"
    widths = [_width(char, encoding) for char in text]
    units = sum(widths)
    if units <= _SINGLE[encoding]:
        return SmsLength(encoding, units, 1)
    segments, room = 0, 0
    for width in widths:
        if width > room:  # the two halves of one character never stand in two segments
            segments, room = segments + 1, _JOINED[encoding]
        room -= width
    return SmsLength(encoding, units, segments)


def _width(char: str, encoding: Encoding) -> int:
    if encoding == "GSM-7":
        return 2 if char in EXTENSION else 1
    return 2 if ord(char) > 0xFFFF else 1
