"""The `.eml`: one mail with both parts, written so that the same inputs give the same bytes."""

import logging
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from tools.email import tokens
from tools.email.brand import Brand, is_address
from tools.email.compiler import LONGEST_LINE
from tools.errors import TemplateFault

_POLICY = SMTP.clone(cte_type="7bit")
_UNFOLDED = _POLICY.clone(max_line_length=LONGEST_LINE)
"""For writing: a List-Unsubscribe longer than a usual line would be folded into encoded words that no mailbox reads."""

_ONE_CLICK: Final = "List-Unsubscribe=One-Click"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers say besides the brand. `to` is an address or None; `feedback` is `domain:type:kind`."""

    run_id: str
    sent_at: datetime
    to: str | None
    subject: str
    feedback: str
    unsubscribe_url: str


def write_eml(brand: Brand, envelope: Envelope, *, html: str, text: str, secret: bytes) -> bytes:
    """Return the mail as bytes with CRLF, every line plain ASCII.

    An address that isn't a plain one counts as none, with a warning in the log. TemplateFault when a header can't be
    written.
    """
    nonce = tokens.derive("message", tokens.claim_of(envelope.run_id, envelope.sent_at), secret=secret).hex()
    mail = EmailMessage(policy=_POLICY)
    try:
        mail["From"] = Address(brand.sender_name, addr_spec=brand.sender_address)
        mail["Reply-To"] = Address(addr_spec=brand.reply_to)
        if envelope.to and is_address(envelope.to):
            mail["To"] = Address(addr_spec=envelope.to)
        elif envelope.to:
            _logger.warning("run %s: the member's email is not a plain address, so the .eml has no To", envelope.run_id)
        mail["Subject"] = envelope.subject
        mail["Date"] = format_datetime(envelope.sent_at)
        mail["Message-ID"] = f"<{envelope.run_id}.{nonce[:24]}@{brand.sender_address.rpartition('@')[2]}>"
        mail["List-Unsubscribe"] = f"<{envelope.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = _ONE_CLICK
        # Mailbox providers count complaints by it, so it names neither member nor run.
        mail["Feedback-ID"] = f"{envelope.feedback}:{brand.feedback_sender}"
        mail.set_content(text, cte="quoted-printable")
        longest = max(len(line) for line in html.split("\n"))
        mail.add_alternative(html, subtype="html", cte="7bit" if longest <= LONGEST_LINE else "quoted-printable")
        mail.set_boundary(f"=_{nonce[24:56]}")
        return mail.as_bytes(policy=_UNFOLDED)
    except (MessageError, ValueError, LookupError) as error:
        raise TemplateFault(f"run {envelope.run_id}: the .eml can't be written: {error}") from error
