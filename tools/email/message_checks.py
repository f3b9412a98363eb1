"""The message stage of the gate: its detectors, and the facts they read from a built message."""

import email
import hashlib
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message as ParsedMail
from typing import Final

from tools.email.brand import Brand
from tools.email.envelope_checks import ENVELOPE
from tools.email.link_checks import LINKS
from tools.email.look_checks import LOOK
from tools.email.message import Message
from tools.email.parity_check import PARITY
from tools.email.rates_link_check import RATES
from tools.errors import TemplateFault
from tools.subject import Detector, MessageFacts

DETECTORS: Final[tuple[Detector, ...]] = (*ENVELOPE, *LINKS, *LOOK, *PARITY, *RATES)
"""Every check of stage message."""


def message_facts(message: Message, brand: Brand, run_id: str) -> MessageFacts:
    """Return what the detectors judge, read back from the bytes that would be sent.

    TemplateFault when the `.eml` isn't of this run or its parts differ from the message's own HTML and text.
    """
    mail = email.message_from_bytes(message.eml)
    parts = mail.get_payload()
    if not isinstance(parts, list) or len(parts) != 2:
        raise TemplateFault(f"run {run_id}: the .eml has not the two parts text and HTML")
    text, html = (_content(part, run_id) for part in parts if isinstance(part, ParsedMail))
    if (text, html) != (message.text, message.html) or hashlib.sha256(html.encode()).hexdigest() != message.html_sha256:
        raise TemplateFault(f"run {run_id}: the .eml read back differs from the message it was made of")
    headers: dict[str, str] = {}
    for name, value in mail.items():
        # A header that stands twice is joined by a break, which no header may hold: the header check finds it.
        headers[name] = f"{headers[name]}\n{value}" if name in headers else _decoded(value)
    if not headers.get("Message-ID", "").startswith(f"<{run_id}."):
        raise TemplateFault(f"run {run_id}: the .eml is of another run: {headers.get('Message-ID')}")
    return MessageFacts(
        html=html,
        text=text,
        headers=headers,
        unsubscribe_url=message.unsubscribe_url,
        postal_address=brand.postal_address,
        issuer=brand.issuer,
        allowed_hosts=brand.allowed_hosts,
    )


def _content(part: ParsedMail, run_id: str) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        raise TemplateFault(f"run {run_id}: a part of the .eml can't be decoded")
    return payload.decode(part.get_content_charset("utf-8")).replace("\r\n", "\n")


def _decoded(value: str) -> str:
    unfolded = value.replace("\r\n", "").replace("\n", "")
    try:
        return str(make_header(decode_header(unfolded))) if "=?" in unfolded else unfolded
    except (MessageError, LookupError, UnicodeDecodeError) as error:
        raise TemplateFault(f"a header can't be read back: {unfolded[:80]}: {error}") from error
