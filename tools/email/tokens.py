"""Tokens in links: derived, unguessable, and readable again by the server that made them."""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from tools.errors import SettingInvalid

LinkPurpose = Literal["offer", "preferences", "unsubscribe"]

RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""A run id that a header and a token can hold."""

_SHORTEST_SECRET = 16
_LONGEST_TOKEN = 300


@dataclass(frozen=True, slots=True)
class LinkClaim:
    """What a valid token says: the run whose mail held it, and when that was sent (UTC, whole seconds)."""

    run_id: str
    sent_at: datetime


def check_secret(secret: bytes) -> None:
    """Raise SettingInvalid for a secret under 16 bytes."""
    if len(secret) < _SHORTEST_SECRET:
        raise SettingInvalid(f"token_secret: {len(secret)} bytes are too few; give at least {_SHORTEST_SECRET}")


def mint(purpose: LinkPurpose, *, run_id: str, sent_at: datetime, secret: bytes) -> str:
    """Return the url-safe token of one link: run and second in the open, HMAC-SHA256 over both and the purpose."""
    claim = claim_of(run_id, sent_at)
    return f"{_b64(claim)}.{_b64(derive(purpose, claim, secret=secret))}"


def read(purpose: LinkPurpose, token: str, *, secret: bytes) -> LinkClaim | None:
    """Return what the token says if this secret made it for this purpose, else None."""
    claim_text, _, mac_text = token.partition(".")
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        return None
    try:
        claim = base64.b64decode(claim_text + "=" * (-len(claim_text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if _b64(claim) != claim_text:
        return None  # one link, one token: nothing else is one written otherwise
    if not hmac.compare_digest(mac_text, _b64(derive(purpose, claim, secret=secret))):
        return None
    run_id, _, seconds = claim.decode().partition("\n")
    return LinkClaim(run_id, datetime.fromtimestamp(int(seconds), UTC))


def claim_of(run_id: str, sent_at: datetime) -> bytes:
    """Return run and second as the bytes that tokens are derived from."""
    return f"{run_id}\n{int(sent_at.timestamp())}".encode()


def derive(purpose: str, claim: bytes, *, secret: bytes) -> bytes:
    """Return 32 bytes that only the holder of the secret can derive from these two."""
    return hmac.digest(secret, purpose.encode() + b"\0" + claim, hashlib.sha256)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
