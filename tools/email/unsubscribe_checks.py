"""Checks that a reader can stop the mail: RFC 8058, RFC 2369, 15 USC 7704(a)(3) and 16 CFR 316.5."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from tools.email.brand import is_address, link_fault
from tools.email.checking import Case, detector, evidence, in_header
from tools.email.document import Run
from tools.email.theme import LEAST_CONTRAST
from tools.report import Evidence

_ONE_CLICK: Final = "List-Unsubscribe=One-Click"
_COVERED: Final = frozenset({"list-unsubscribe", "list-unsubscribe-post"})
_SIGNED: Final = re.compile(r";\s*h\s*=\s*([^;]*)")
LIST_URL: Final = re.compile(r"<([^<>]*)>")
_LIST_FORM: Final = re.compile(r"\s*<\s*[^<>\s,]+\s*>(?:\s*,\s*<\s*[^<>\s,]+\s*>)*\s*(?:\([^()]*\)\s*)?")
_LIST_HEADERS: Final = (
    *("List-Unsubscribe", "List-Help", "List-Subscribe", "List-Post", "List-Owner", "List-Archive"),
)
OPT_OUT: Final = re.compile(r"unsubscribe\b|opt[- ]out\b")
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
_LEAST_PX: Final = 10
_SIGN_IN: Final = re.compile(r"/(?:log|sign)-?in\b|[?&](?:login|returnto|auth)=")


def _one_click(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """RFC 8058: the exact Post header beside an https URI of this mail that asks for no sign-in, both signed."""
    post, listed = case.headers.get("list-unsubscribe-post", ""), case.headers.get("list-unsubscribe", "")
    if post != _ONE_CLICK:
        yield in_header("List-Unsubscribe-Post", f"{post or 'missing'}: must be {_ONE_CLICK}")
    urls = [url for url in LIST_URL.findall(listed) if url.startswith("https://")]
    if case.facts.unsubscribe_url not in urls:
        yield in_header("List-Unsubscribe", f"{listed or 'missing'}: doesn't hold this mail's https link")
    for url in urls:
        if link_fault(url, case.facts.allowed_hosts) or _SIGN_IN.search(url.lower()):
            yield in_header("List-Unsubscribe", f"{url}: must be a page of the issuer that needs no sign-in")
    if signature := case.headers.get("dkim-signature"):
        signed = _SIGNED.search(f";{signature}")
        covered = {name.strip().lower() for name in signed[1].split(":")} if signed else set()
        if missing := sorted(_COVERED - covered):
            yield in_header("DKIM-Signature", f"h= doesn't cover {' and '.join(missing)} (RFC 8058, section 4)")


def _list_headers(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    """RFC 2369: each list header holds URIs in angle brackets, separated by commas, of a scheme a mailbox can use."""
    for name in _LIST_HEADERS:
        value = case.headers.get(name.lower(), "")
        if not value or (name == "List-Post" and value.strip().upper().startswith("NO")):
            continue
        if not _LIST_FORM.fullmatch(value):
            yield in_header(name, f"{value}: must be <URI>, <URI> (RFC 2369, section 2)")
        for url in LIST_URL.findall(value):
            address = url.strip().partition("?")[0].removeprefix("mailto:")
            if url.strip().startswith("mailto:"):
                if not is_address(address):
                    yield in_header(name, f"{url}: {address or 'nothing'} is not a plain address")
            elif not url.strip().startswith("https://"):
                yield in_header(name, f"{url}: neither https nor mailto")


def _opt_out(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    url = case.facts.unsubscribe_url
    if "html" not in case.facts.lacks:
        links = [link for link in case.document.named("a") if url and link.tag.attributes.get("href") == url]
        if not any(OPT_OUT.search(case.document.text_in(link).lower()) for link in links):
            start = links[0].start if links else None
            yield evidence("html", "no visible link that says unsubscribe and leads to this mail's opt-out", start)
        yield from _legible(case, [run for link in links for run in case.document.runs_in(link)])
    if "text" not in case.facts.lacks:
        lines = case.facts.text.splitlines()
        if not any(url and url in line and OPT_OUT.search(line.replace(url, "").lower()) for line in lines):
            found = case.facts.text.find(url) if url else -1
            at = found if found >= 0 else None
            yield evidence("text", "no line that says unsubscribe and holds this mail's opt-out link", at)


def _opt_out_simple(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    for part, text in case.parts:
        if found := _HARD_WAY.search(text.lower()):
            yield case.at(part, text[found.start() : found.end()], found.start())


def _legible(case: Case, runs: list[Run]) -> Iterator[Evidence]:
    for run in runs:
        look = run.light
        if look.size < _LEAST_PX:
            yield evidence(
                "html", f"{run.text}: the opt-out link is {look.size:g}px, at least {_LEAST_PX}px", run.start
            )
        if not look.unread and (ratio := look.contrast) < LEAST_CONTRAST:
            what = f"the opt-out link has contrast {ratio:.2f}:1, at least {LEAST_CONTRAST}"
            yield evidence("html", f"{run.text}: {what}", run.start)


UNSUBSCRIBE: Final = (
    detector(
        "message_one_click",
        _one_click,
        needs=["headers"],
        unseen="whether the sender's DKIM signature covers both headers, unless the mail is signed already",
    ),
    detector("message_list_headers", _list_headers, needs=["headers"]),
    detector("message_opt_out", _opt_out, unseen="whether the opt-out page answers, for 30 days"),
    detector("message_opt_out_simple", _opt_out_simple),
)
"""Detectors of how the mail can be stopped."""
