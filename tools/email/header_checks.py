"""Checks of the headers that say who writes, what about and when: CAN-SPAM, RFC 5322 and Feedback-ID."""

import re
from collections.abc import Iterator, Mapping
from email.errors import HeaderParseError
from email.headerregistry import AddressHeader
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from tools.email.brand import is_address
from tools.email.checking import Case, detector, in_header, number
from tools.folding import fold
from tools.report import Evidence

_REQUIRED: Final = (
    *("From", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Feedback-ID"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_THREAD: Final = re.compile(r"[\s\[(]*(?:re|fwd?|aw|wg|tr|sv|antw)\s*(?:[\[(]\d+[\])])?\s*[:\]]", re.IGNORECASE)
_ALARM: Final = re.compile(
    r"\burgent\b|\b(?:action|response|verification|payment)\s+(?:is\s+)?required\b|\b(?:final|last)\s+(?:notice|warning)\b"
    r"|\b(?:account|card|security|fraud|payment|login|password)\s+(?:alert|warning|suspen\w+|locked|blocked|on\s+hold)\b"
    r"|\bpayment\s+(?:due|declined|failed|overdue)\b|\brefunds?\b|\b(?:you(?:'ve|\s+have)?\s+won|winners?)\b"
    r"|\b(?:verify|confirm|restore|unlock)\s+your\b|\bstatement\s+is\s+(?:ready|available)\b",
    re.IGNORECASE,
)
"""Subjects of notices and prizes, which no offer has. Copy is held to more than this (SPAM-02)."""
_MESSAGE_ID: Final = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@([a-z0-9.-]+)>")
_PUBLIC: Final = re.compile(r"[a-z]{2,3}\.[a-z]{2}|(?:gov|edu|com|net|org|info)\.[a-z]{2,3}")
"""Shapes of suffixes under which strangers register their domains, such as co.uk and com.au."""
_FEEDBACK: Final = re.compile(r"[A-Za-z0-9_.-]*:[A-Za-z0-9_.-]*:[A-Za-z0-9_.-]*:[A-Za-z0-9]{5,15}")


def _headers(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    headers = case.headers
    for name in _REQUIRED:
        if not headers.get(name.lower(), "").strip():
            yield in_header(name, "missing")
    for name, value in case.facts.headers.items():
        if _CONTROL.search(value):
            yield in_header(name, "holds a control character or stands twice")
    yield from _sender(case, headers)
    if not _FEEDBACK.fullmatch(headers.get("feedback-id", ":::sender")):
        yield in_header("Feedback-ID", f"{headers['feedback-id']}: must be a:b:c:sender, sender 5 to 15 letters")
    if headers.get("date") and not _is_date(headers["date"]):
        yield in_header("Date", f"{headers['date']}: isn't a date with a zone")


def _sender(case: Case, headers: Mapping[str, str]) -> Iterator[Evidence]:
    for name in ("From", "Sender", "Reply-To", "To"):
        value = headers.get(name.lower(), "")
        if not value:
            continue
        people = _addresses(value)
        if len(people) != 1 or not is_address(people[0][1]):
            yield in_header(name, f"{value}: must be one plain address")
        elif name != "To" and not _is_own(people[0][1].rpartition("@")[2], case.facts.allowed_hosts):
            yield in_header(name, f"{value}: isn't on the issuer's own domain")
        elif "@" in people[0][0]:
            yield in_header(name, f"{value}: the display name poses as an address")
        elif name == "From" and case.facts.issuer.casefold() not in people[0][0].casefold():
            yield in_header(name, f"{value}: the display name doesn't name {case.facts.issuer}")
    message_id = headers.get("message-id", "")
    found = _MESSAGE_ID.fullmatch(message_id)
    if message_id and not (found and _is_own(found[1], case.facts.allowed_hosts)):
        yield in_header("Message-ID", f"{message_id}: must be <id@issuer's domain>")


@lru_cache(maxsize=256)
def _addresses(value: str) -> tuple[tuple[str, str], ...]:
    """Return (display name, address) of each address in a header's value."""
    try:
        header = SMTP.header_factory("From", value)
    except (HeaderParseError, ValueError, IndexError, RecursionError):  # comments may be nested without end
        return ()
    if not isinstance(header, AddressHeader):
        return ()
    return tuple((address.display_name, address.addr_spec) for address in header.addresses)


def _is_own(domain: str, hosts: frozenset[str]) -> bool:
    """Tell whether a mail domain is an allowed host, lies under one, or is the domain that one lies in."""
    return any(
        domain == host or domain.endswith(f".{host}") or ("." in domain and _shares_parent(domain, host))
        for host in hosts
    )


def _shares_parent(domain: str, host: str) -> bool:
    parent = host.partition(".")[2]
    return "." in parent and not _PUBLIC.fullmatch(parent) and (domain == parent or domain.endswith(f".{parent}"))


def _is_date(value: str) -> bool:
    try:
        return parsedate_to_datetime(value).tzinfo is not None
    except (TypeError, ValueError, OverflowError):
        return False


def _subject(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    subject = case.headers.get("subject", "")
    read = fold(subject).text
    if _THREAD.match(read):
        yield in_header("Subject", f"{subject}: poses as a reply or a forwarded message")
    if alarm := _ALARM.search(read):
        yield in_header("Subject", f"{subject}: {alarm[0]!r} poses as a notice")
    written = case.subject.text.get("subject")
    if subject and written is not None and subject != written:
        yield in_header("Subject", f"{subject}: isn't the checked subject")


def _subject_length(case: Case, params: Mapping[str, object]) -> Iterator[Evidence]:
    subject = case.headers.get("subject", "").strip()
    least, most = number(params, "min_characters", 15), number(params, "max_characters", 70)
    if subject and not least <= len(subject) <= most:
        yield in_header("Subject", f"{subject}: {len(subject)} characters; {least:g} to {most:g} are read whole")


HEADERS: Final = (
    detector("message_headers", _headers, needs=["headers"]),
    detector(
        "message_subject",
        _subject,
        needs=["headers"],
        depends_on=("copy", "message"),
        unseen="whether the subject is the one that was checked",
    ),
    detector(
        "message_subject_length",
        _subject_length,
        needs=["headers"],
        params=frozenset({"min_characters", "max_characters"}),
    ),
)
"""Detectors of who writes and what about."""
