"""Who sends the mail: names, addresses, links and the hosts they may point to."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.errors import SettingInvalid

TOKEN: Final = "{token}"
"""Where a link template takes its token."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_INNER = re.compile(r"//([^/?#&\s]*\.[^/?#&\s]*)")
_FEEDBACK = re.compile(r"[A-Za-z0-9]{5,15}")


@dataclass(frozen=True, slots=True)
class Brand:
    """The issuer as its mail shows it; `Brand()` is the fictional Example Bank.

    Link templates are https URLs on `allowed_hosts`. `{token}` in one is replaced by an unguessable token of that link
    and run; the unsubscribe and preferences links need it. `feedback_sender` is the last part of `Feedback-ID`.
    SettingInvalid names the field that can't be used.
    """

    issuer: str = "Example Bank"
    sender_name: str = "Example Bank Offers"
    sender_address: str = "offers@mail.examplebank.example"
    reply_to: str = "offers@mail.examplebank.example"
    postal_address: str = "Example Bank, 100 Main Street, Wilmington, DE 19801"
    offer_url: str = "https://offers.examplebank.example/o/{token}"
    preferences_url: str = "https://offers.examplebank.example/preferences/{token}"
    unsubscribe_url: str = "https://offers.examplebank.example/unsubscribe/{token}"
    privacy_url: str = "https://www.examplebank.example/privacy"
    allowed_hosts: frozenset[str] = frozenset({"offers.examplebank.example", "www.examplebank.example"})
    time_zone: str = "America/New_York"
    feedback_sender: str = "examplebank"

    def __post_init__(self) -> None:
        """Refuse what would break a header, a link or the footer."""
        for name in ("issuer", "sender_name", "postal_address"):
            value = getattr(self, name)
            if not _LINE.fullmatch(value):
                raise SettingInvalid(f"{name}: {value!r} is not one line of text; write it without breaks")
            if "=?" in value:
                raise SettingInvalid(f"{name}: {value!r} has '=?', which mail programs decode; write it without")
        for name in ("sender_address", "reply_to"):
            if not is_address(getattr(self, name)):
                raise SettingInvalid(f"{name}: {getattr(self, name)!r} is not a plain address; write name@host")
        for host in self.allowed_hosts:
            if not _HOST.fullmatch(host):
                raise SettingInvalid(f"allowed_hosts: {host!r} is not a lower-case host name without scheme or port")
        for name in ("offer_url", "preferences_url", "unsubscribe_url", "privacy_url"):
            if reason := link_fault(getattr(self, name).replace(TOKEN, "token"), self.allowed_hosts):
                raise SettingInvalid(f"{name}: {getattr(self, name)!r} {reason}")
        for name in ("preferences_url", "unsubscribe_url"):
            if TOKEN not in getattr(self, name):
                raise SettingInvalid(f"{name}: {getattr(self, name)!r} names no member; put {TOKEN} into its path")
        if not _FEEDBACK.fullmatch(self.feedback_sender):
            raise SettingInvalid(f"feedback_sender: {self.feedback_sender!r} must be 5 to 15 letters or digits")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingInvalid(f"time_zone: {self.time_zone!r} is no IANA zone such as America/New_York") from error


def is_address(value: str) -> bool:
    """Tell whether this is one plain ASCII mail address, without display name or comment."""
    return len(value) <= 254 and bool(_ADDRESS.fullmatch(value)) and ".." not in value


def link_fault(url: str, allowed_hosts: frozenset[str]) -> str | None:
    """Return what is wrong with a link, or None for https on an allowed host without user, port or odd characters."""
    if not re.fullmatch(r"[\x21-\x7e]+", url) or re.search(r"[\"'<>\\^`{|}]", url):
        return "has characters a link must not have"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme != "https":
        return "is not https"
    if parts.username is not None or parts.password is not None or port is not None:
        return "carries a user or a port"
    host = parts.hostname or ""
    if any(label.startswith("xn--") for label in host.split(".")):
        return "has a punycode host"
    if host not in allowed_hosts or parts.netloc != host:
        return f"points to a host outside allowed_hosts ({', '.join(sorted(allowed_hosts))})"
    if any(inner not in allowed_hosts for inner in _INNER.findall(unquote(unquote(url.partition("//")[2])))):
        return "carries an address outside allowed_hosts, where a redirect could lead"
    return None
