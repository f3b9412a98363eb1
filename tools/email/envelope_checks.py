"""Checks of headers, footer, size and leftovers: CAN-SPAM, RFC 8058 and the mailbox providers' rules."""

import re
from collections.abc import Iterator, Mapping
from email.errors import HeaderParseError
from email.headerregistry import AddressHeader
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from tools.email.brand import is_address, link_fault
from tools.email.checking import Case, detector, evidence, number
from tools.email.colour import contrast
from tools.email.theme import LEAST_CONTRAST
from tools.report import Evidence

_ONE_CLICK: Final = "List-Unsubscribe=One-Click"
_REQUIRED: Final = (
    *("From", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Feedback-ID"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_THREAD: Final = re.compile(r"\s*(?:re|fwd?|aw|wg)\s*:", re.IGNORECASE)
_MESSAGE_ID: Final = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@([a-z0-9.-]+)>")
_FEEDBACK: Final = re.compile(r"[A-Za-z0-9_.-]*:[A-Za-z0-9_.-]*:[A-Za-z0-9_.-]*:[A-Za-z0-9]{5,15}")
_LIST_URL: Final = re.compile(r"<([^<>]*)>")
_OPT_OUT: Final = re.compile(r"unsubscribe\b|opt[- ]out\b")
_STOPS: Final = (
    r"(?:unsubscrib\w*|opt(?:ing)?[- ]?out|stop (?:these|our|all|the)?\s?(?:offer |marketing )?e?mails?|be removed)"
)
_HARD_WAY: Final = re.compile(
    rf"(?:log|sign)(?:ging|ing)?[ -]?in (?:to your account )?(?:first )?(?:to|and|before you) {_STOPS}"
    rf"|(?:call|phone|visit a|visit any|write to|fax) [^.!?]{{0,40}}{_STOPS}"
    rf"|{_STOPS}[^.!?]{{0,30}} (?:call|phone|visit a branch|log in|sign in)\b"
    r"|provide your (?:account|card)|(?:mail|write|send) .{0,20}(?:request|letter)"
    rf"|fee (?:to|for|applies to) {_STOPS}"
    rf"|{_STOPS}[^.!?]{{0,30}} (?:fee|charge|survey|account number|card number|date of birth)\b"
)
_SIGN_IN: Final = re.compile(r"/(?:log|sign)-?in\b|[?&](?:login|returnto|auth)=")
_LEAST_OPT_OUT_PX: Final = 10
_ADVERTISEMENT: Final = re.compile(r"this is an advertisement\b|advertisement[.:]|promotional email\b")
"""These three read lower-case text."""
_LEFTOVER: Final = re.compile(
    r"\{\{|\}\}|\{%|%\}|\$\{|\{[a-z_][a-z0-9_]*\}|\[(?:name|first name|merchant|amount|date|link|url|company|offer)\]"
    r"|\[[A-Z][A-Z_ ]+\]|%%\w+%%|\*\|\w+\|\*|<<\w+>>|[Ll]orem ipsum|TODO\b|TBD\b|undefined\b|NaN\b"
    r"|Hi ,|Hi (?:None|null)\b"
)
_MAX_BYTES: Final = 80 * 1024
"""Gmail clips at 102,400 bytes and hides what follows; this leaves room for what relays add."""


def _headers(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    headers = {name.lower(): value for name, value in case.facts.headers.items()}
    for name in _REQUIRED:
        if not headers.get(name.lower(), "").strip():
            yield evidence("headers", f"{name}: missing")
    for name, value in case.facts.headers.items():
        if _CONTROL.search(value):
            yield evidence("headers", f"{name}: holds a control character or stands twice")
    yield from _sender(case, headers)
    subject = headers.get("subject", "")
    if _THREAD.match(subject):
        yield evidence("headers", f"Subject: {subject}: poses as a reply or a forwarded message")
    written = case.subject.text.get("subject")
    if subject and written is not None and subject != written:
        yield evidence("headers", f"Subject: {subject}: isn't the checked subject")
    if not headers.get("content-type", "multipart/alternative").startswith("multipart/alternative"):
        yield evidence("headers", f"Content-Type: {headers['content-type']}: must be multipart/alternative")
    if not _FEEDBACK.fullmatch(headers.get("feedback-id", ":::sender")):
        yield evidence(
            "headers", f"Feedback-ID: {headers['feedback-id']}: must be a:b:c:sender, sender 5 to 15 letters"
        )
    if "date" in headers and not _is_date(headers["date"]):
        yield evidence("headers", f"Date: {headers['date']}: isn't a date with a zone")


def _one_click(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """RFC 8058: the exact Post header beside an https URI of this mail that asks for no sign-in."""
    headers = {name.lower(): value for name, value in case.facts.headers.items()}
    post, listed = headers.get("list-unsubscribe-post", ""), headers.get("list-unsubscribe", "")
    if post != _ONE_CLICK:
        yield evidence("headers", f"List-Unsubscribe-Post: {post or 'missing'}: must be {_ONE_CLICK}")
    urls = [url for url in _LIST_URL.findall(listed) if url.startswith("https://")]
    if case.facts.unsubscribe_url not in urls:
        yield evidence("headers", f"List-Unsubscribe: {listed or 'missing'}: doesn't hold this mail's https link")
    for url in urls:
        if link_fault(url, case.facts.allowed_hosts) or _SIGN_IN.search(url.lower()):
            yield evidence("headers", f"List-Unsubscribe: {url}: must be a page of the issuer that needs no sign-in")


def _sender(case: Case, headers: Mapping[str, str]) -> Iterator[Evidence]:
    for name in ("From", "Reply-To", "To"):
        value = headers.get(name.lower(), "")
        if not value:
            continue
        people = _addresses(value)
        if len(people) != 1 or not is_address(people[0][1]):
            yield evidence("headers", f"{name}: {value}: must be one plain address")
        elif name != "To" and not _is_own(people[0][1].rpartition("@")[2], case.facts.allowed_hosts):
            yield evidence("headers", f"{name}: {value}: isn't on the issuer's own domain")
        elif name == "From" and case.facts.issuer.casefold() not in people[0][0].casefold():
            yield evidence("headers", f"From: {value}: the display name doesn't name {case.facts.issuer}")
    message_id = headers.get("message-id", "")
    found = _MESSAGE_ID.fullmatch(message_id)
    if message_id and not (found and _is_own(found[1], case.facts.allowed_hosts)):
        yield evidence("headers", f"Message-ID: {message_id}: must be <id@issuer's domain>")


@lru_cache(maxsize=256)
def _addresses(value: str) -> tuple[tuple[str, str], ...]:
    """Return (display name, address) of each address in a header's value."""
    try:
        header = SMTP.header_factory("From", value)
    except (HeaderParseError, ValueError, IndexError):
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
    return "." in parent and (domain == parent or domain.endswith(f".{parent}"))


def _is_date(value: str) -> bool:
    try:
        return parsedate_to_datetime(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _opt_out(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    url = case.facts.unsubscribe_url
    links = [link for link in case.document.named("a") if url and link.tag.attributes.get("href") == url]
    if not any(_OPT_OUT.search(case.document.text_in(link).lower()) for link in links):
        yield evidence("html", "no visible link that says unsubscribe and leads to this mail's opt-out")
    lines = case.facts.text.splitlines()
    if not any(url and url in line and _OPT_OUT.search(line.replace(url, "").lower()) for line in lines):
        yield evidence("text", "no line that says unsubscribe and holds this mail's opt-out link")
    runs = [run for link in links for run in case.document.runs if run.inside(link)]
    for look in (run.light for run in runs):
        if look.size < _LEAST_OPT_OUT_PX:
            yield evidence("html", f"the opt-out link is {look.size:g}px, at least {_LEAST_OPT_OUT_PX}px")
        if not look.unread and (ratio := contrast(look.ink, look.ground)) < LEAST_CONTRAST:
            yield evidence("html", f"the opt-out link has contrast {ratio:.2f}:1, at least {LEAST_CONTRAST}")


def _opt_out_simple(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    for field, text in case.parts:
        if found := _HARD_WAY.search(text.lower()):
            yield evidence(field, found[0])


def _ad_identified(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    for field, text in case.parts:
        if not _ADVERTISEMENT.search(text.lower()):
            yield evidence(field, "nothing says that this is an advertisement")


def _postal_address(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    address = " ".join(case.facts.postal_address.split())
    for field, text in case.parts:
        if not address or address not in text:
            yield evidence(field, f"the postal address is missing: {address}")


def _size(case: Case, params: Mapping[str, object]) -> Iterator[Evidence]:
    most = number(params, "max_bytes", _MAX_BYTES)
    size = len(case.facts.html.encode())
    if size >= most:
        yield evidence("html", f"{size:,} bytes; under {most:,.0f} are allowed")
    for field, text in (("html", case.facts.html), ("text", case.facts.text)):
        if not text.strip():
            yield evidence(field, "this part is empty")


def _placeholders(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    links = [value for link in case.document.named("a") if (value := link.tag.attributes.get("href"))]
    subject = case.facts.headers.get("Subject", "")
    titles = " ".join((*case.document.parsed.titles, *links))
    hidden = " ".join(run.text for run in case.document.runs if run.light.hidden)
    for field, text in (*case.parts, ("headers", subject), ("html", titles), ("html", hidden)):
        for found in _LEFTOVER.finditer(text):
            yield evidence(field, found[0])


ENVELOPE: Final = (
    detector("message_headers", _headers),
    detector("message_opt_out", _opt_out),
    detector("message_opt_out_simple", _opt_out_simple),
    detector("message_one_click", _one_click),
    detector("message_ad_identified", _ad_identified),
    detector("message_postal_address", _postal_address),
    detector("message_size", _size, params=frozenset({"max_bytes"})),
    detector("message_no_placeholders", _placeholders),
)
"""Detectors of the envelope, the footer and leftovers."""
