"""The message stage of the gate: its detectors, and the facts they read from a built message."""

import hashlib
from typing import Final

from tools.email.brand import Brand
from tools.email.contrast_checks import CONTRAST
from tools.email.footer_checks import FOOTER
from tools.email.header_checks import HEADERS
from tools.email.hidden_check import HIDDEN
from tools.email.link_checks import LINKS
from tools.email.message import Message
from tools.email.mime_check import MIME
from tools.email.parity_check import PARITY
from tools.email.rates_link_check import RATES
from tools.email.reading import Mail, read_mail
from tools.email.size_checks import SIZES
from tools.email.structure_checks import STRUCTURE
from tools.email.unsubscribe_checks import UNSUBSCRIBE
from tools.errors import TemplateFault
from tools.subject import Detector, MessageFacts

DETECTORS: Final[tuple[Detector, ...]] = (
    *HEADERS,
    *MIME,
    *UNSUBSCRIBE,
    *FOOTER,
    *SIZES,
    *LINKS,
    *HIDDEN,
    *CONTRAST,
    *STRUCTURE,
    *PARITY,
    *RATES,
)
"""Every check of stage message."""


def message_facts(message: Message, brand: Brand, run_id: str) -> MessageFacts:
    """Return what the detectors judge, read back from the bytes that would be sent.

    TemplateFault when the `.eml` isn't of this run or its parts differ from the message's own HTML and text.
    """
    mail = read_mail(message.eml)
    if mail.html is None or mail.text is None or len(mail.mime.parts) != 2:
        raise TemplateFault(f"run {run_id}: the .eml has not the two parts text and HTML")
    sha = hashlib.sha256(mail.html.encode()).hexdigest()
    if (mail.text, mail.html) != (message.text, message.html) or sha != message.html_sha256:
        raise TemplateFault(f"run {run_id}: the .eml read back differs from the message it was made of")
    if not mail.headers.get("Message-ID", "").startswith(f"<{run_id}."):
        raise TemplateFault(f"run {run_id}: the .eml is of another run: {mail.headers.get('Message-ID')}")
    return facts_of(mail, brand, unsubscribe_url=message.unsubscribe_url)


def facts_of(mail: Mail, brand: Brand, *, unsubscribe_url: str) -> MessageFacts:
    """Return what the detectors judge of a mail that a brand sends. A part the mail hasn't is named in `lacks`."""
    parts = {"html": mail.html, "text": mail.text}
    return MessageFacts(
        html=mail.html or "",
        text=mail.text or "",
        headers=mail.headers,
        unsubscribe_url=unsubscribe_url,
        postal_address=brand.postal_address,
        issuer=brand.issuer,
        allowed_hosts=brand.allowed_hosts,
        mime=mail.mime,
        lacks=frozenset(name for name in ("html", "text") if parts[name] is None),
    )
