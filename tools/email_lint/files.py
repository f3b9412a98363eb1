"""A file to lint: a mail (.eml) or its HTML alone, turned into what the message checks read."""

import re
from dataclasses import dataclass
from typing import Final

from tools.email.brand import Brand
from tools.email.document import read_document
from tools.email.message_checks import facts_of
from tools.email.reading import Mail, read_mail
from tools.email.unsubscribe_checks import LIST_URL, OPT_OUT
from tools.subject import MessageFacts

MOST_BYTES: Final = 10 * 1024 * 1024
"""A larger file is refused: no mailbox takes it, and reading it would only cost time."""
MOST_READ: Final = 256 * 1024
"""Bytes of HTML, of text and of headers that are read: some times what mailboxes show, so that checks end in time."""
_HEADER: Final = re.compile(rb"[!-9;-~]{1,76}:")
_MBOX: Final = re.compile(rb"From [^\n]*\n")
_TAG: Final = re.compile(r"<[a-zA-Z!]")
_URL: Final = re.compile(r"https://\S+")


class Unreadable(ValueError):
    """A file is neither a mail nor HTML, or can't be decoded; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Given:
    """One file as the checks see it. `is_mail` tells a mail from HTML alone."""

    name: str
    is_mail: bool
    facts: MessageFacts


def read_file(name: str, content: bytes, brand: Brand) -> Given:
    """Return what the checks read of a file. What it is goes by its name, and by its first line where that doesn't say.

    Raises:
        Unreadable: it is empty, too large, neither a mail nor HTML, or not UTF-8.
    """
    content = _MBOX.sub(b"", content, count=1) if content.startswith(b"From ") else content
    if not content.strip():
        raise Unreadable("is empty; give an .eml or .html file")
    if len(content) > MOST_BYTES:
        raise Unreadable(f"has over {MOST_BYTES:,} bytes; no mailbox takes it")
    lowered = name.lower()
    if lowered.endswith((".html", ".htm")) or not (lowered.endswith(".eml") or _HEADER.match(content)):
        return Given(name, False, _of_html(content, brand))
    if not _HEADER.match(content):
        raise Unreadable("doesn't begin with a header such as 'From: ...'; if it is HTML alone, name it .html")
    head = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]
    _fits("its headers", head)
    try:
        mail = read_mail(content)
    except RecursionError as error:
        raise Unreadable("its parts are nested too deep; build one multipart/alternative") from error
    for part, written in (("its HTML", mail.html), ("its text", mail.text)):
        _fits(part, (written or "").encode("utf-8", "replace"))
    return Given(name, True, facts_of(mail, brand, unsubscribe_url=_opt_out_of(mail)))


def _fits(part: str, content: bytes) -> None:
    if len(content) > MOST_READ:
        raise Unreadable(
            f"can't be read whole: {part}, {len(content):,} bytes; at most {MOST_READ:,} are, so shorten it"
        )


def _of_html(content: bytes, brand: Brand) -> MessageFacts:
    _fits("its HTML", content)
    try:
        html = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Unreadable(f"isn't UTF-8 text (byte {error.start + 1}); save it as UTF-8") from error
    if not _TAG.search(html):
        raise Unreadable("holds no HTML tag and doesn't begin with a header; give an .eml or .html file")
    return MessageFacts(
        html=html,
        text="",
        headers={},
        unsubscribe_url=_linked(html),
        postal_address=brand.postal_address,
        issuer=brand.issuer,
        allowed_hosts=brand.allowed_hosts,
        lacks=frozenset(("headers", "text")),
    )


def _opt_out_of(mail: Mail) -> str:
    """Return the address that this mail's opt-out must lead to: its header's, else what says unsubscribe in a part."""
    headers = {name.lower(): value for name, value in mail.headers.items()}
    listed = [url for url in LIST_URL.findall(headers.get("list-unsubscribe", "")) if url.startswith("https://")]
    return (listed[0] if listed else "") or _linked(mail.html or "") or _written(mail.text or "")


def _linked(html: str) -> str:
    document = read_document(html)
    links = (link for link in document.named("a") if OPT_OUT.search(document.text_in(link).lower()))
    found = (link.tag.attributes.get("href", "") for link in links)
    return next((url for url in found if url.startswith("https://")), "")


def _written(text: str) -> str:
    lines = (line for line in text.splitlines() if OPT_OUT.search(_URL.sub(" ", line).lower()))
    return next((found[0] for line in lines if (found := _URL.search(line))), "")
