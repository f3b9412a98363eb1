"""The planted faults: by the check that must find them, each with its place."""

import re
from dataclasses import dataclass

from tests.tools.email_lint.mails import (
    Plant,
    Written,
    added,
    both,
    header,
    html,
    in_head,
    part_head,
    swapped,
    text,
)

HOST = "https://www.examplebank.example"
PRIVACY = "https://offers.examplebank.example/privacy"


@dataclass(frozen=True)
class Fault:
    """`at` is where it must be found: a header's name, what stands at the line and column, or "" for a whole part."""

    name: str
    plant: Plant
    part: str
    at: str = ""


def head(name: str, of: str, value: str | None) -> Fault:
    return Fault(name, header(of, value), "headers", of)


def whole(name: str, plant: Plant) -> Fault:
    return Fault(name, plant, "message")


def page(name: str, plant: Plant, at: str = "") -> Fault:
    return Fault(name, plant, "html", at)


def plain(name: str, plant: Plant, at: str = "") -> Fault:
    return Fault(name, plant, "text", at)


def with_plain(body: str = "", **changes: str) -> Plant:
    """Send the plain part with another head, and more behind it."""
    return lambda mail: mail.with_parts((part_head("plain", **changes), mail.text + body), mail.parts[1])


def behind(written: str) -> Plant:
    """Plant a line behind the plain part."""
    return text(lambda source: f"{source}\n{written}\n")


def hidden(style: str) -> Plant:
    return added(f'<p style="{style}">Not on Mondays</p>')


def terms(style: str) -> Plant:
    return added(f'<p style="{style}">Terms</p>')


def linked(url: str) -> Plant:
    """Lead the privacy link elsewhere, in both parts."""
    return both(swapped(PRIVACY, url))


def without(pattern: str, new: str = "") -> Plant:
    return html(lambda source: re.sub(pattern, new, source))


def two_dates(mail: Written) -> Written:
    return Written((("Date", "Mon, 23 Nov 2026 15:00:00 +0000"), *mail.headers), mail.parts)


def faint_in_the_dark(mail: Written) -> Written:
    rule = "<style>@media (prefers-color-scheme: dark){.x{color:#555 !important}}</style>"
    return in_head(rule)(added('<p class="x">Terms</p>')(mail))


FAULTS: dict[str, tuple[Fault, ...]] = {
    # 15 USC 7704(a)(1), RFC 5322: who writes, what about, when
    "SPAM-01/message_headers": (
        head("no From", "From", None),
        head("a stranger's From", "From", "Example Bank <a@evil.example>"),
        head("a From that hides who it is", "From", "Alerts <a@mail.examplebank.example>"),
        head("replies go elsewhere", "Reply-To", "a@evil.example"),
        head("no Date", "Date", None),
        head("no date", "Date", "tomorrow"),
        head("no Message-ID", "Message-ID", None),
        head("a Message-ID without domain", "Message-ID", "<1>"),
        Fault("two dates", two_dates, "headers", "Date"),
        head("a Feedback-ID without sender", "Feedback-ID", "dining:offer"),
    ),
    "SPAM-01/message_subject": (
        head("a false reply", "Subject", "RE: your Card and your offer"),
        head("a false reply in look-alike letters", "Subject", "=?utf-8?b?UtC1OiB5b3VyIENhcmQgYW5kIHlvdXIgb2ZmZXI=?="),
        head("a false alarm", "Subject", "Urgent: your account is on hold"),
        head("a false forward in brackets", "Subject", "[Fwd: your Card and your offer]"),
    ),
    "FMT-01/message_subject_length": (
        head("a short subject", "Subject", "For you"),
        head("a long subject", "Subject", "A new offer for your Card " * 4),
    ),
    # RFC 8058, RFC 2369
    "MBOX-01/message_one_click": (
        head("only a mailbox to unsubscribe", "List-Unsubscribe", "<mailto:stop@mail.examplebank.example>"),
        head("no List-Unsubscribe", "List-Unsubscribe", None),
        head("no one-click header", "List-Unsubscribe-Post", None),
        head("another one-click header", "List-Unsubscribe-Post", "List-Unsubscribe=One-click"),
        head(
            "a signature that leaves both out", "DKIM-Signature", "v=1; d=mail.examplebank.example; h=From:Subject; b=x"
        ),
    ),
    "MBOX-01/message_list_headers": (
        head("an address without brackets", "List-Help", f"{HOST}/help"),
        head("a list header over http", "List-Help", "<http://www.examplebank.example/help>"),
    ),
    # RFC 2045, 2046: how the mail is put together
    "MBOX-05/message_mime": (
        whole("HTML before text", lambda mail: mail.with_parts(*reversed(mail.parts))),
        whole("no text part", lambda mail: mail.with_parts(mail.parts[1])),
        head("not alternatives", "Content-Type", 'multipart/mixed; boundary="=_part"'),
        whole(
            "an attachment",
            lambda mail: mail.with_parts(*mail.parts, ("Content-Type: application/pdf; name=a.pdf", "%PDF")),
        ),
        whole("an old character set", with_plain(charset="iso-8859-1")),
        whole("8bit", with_plain(encoding="8bit")),
        whole("bytes that 7bit can't hold", with_plain("Merci à vous.\n", encoding="7bit")),
        whole("a line too long", with_plain("so " * 400, encoding="7bit")),
        head("no MIME version 1.0", "MIME-Version", "1"),
    ),
    # CAN-SPAM: footer, opt-out
    "SPAM-07/message_postal_address": (
        page("no postal address in the HTML", html(swapped("100 Main Street", "Main Street"))),
        plain("no postal address in the text", text(swapped("100 Main Street", "Main Street"))),
    ),
    "SPAM-06/message_ad_identified": (
        page("no word of advertising", both(swapped("This is an advertisement", "This is a note"))),
    ),
    "SPAM-03/message_opt_out": (
        page("no opt-out in the HTML", html(swapped(">Unsubscribe", ">Stay with us")), "<a "),
        plain("no opt-out in the text", text(swapped("Unsubscribe from offer emails:", "Link:")), "https://"),
    ),
    "SPAM-04/message_opt_out_simple": (
        plain("an opt-out by phone", behind("Call us to opt out."), "Call us"),
        page("an opt-out behind a sign-in", added("<p>Log in to unsubscribe.</p>"), "Log in"),
    ),
    # size, leftovers
    "MBOX-04/message_size": (page("more than 80 KB", in_head("\n" * 82_000)),),
    "SEC-04/message_no_placeholders": (
        page("a slot", added("<p>Dear {first_name}</p>"), "{first_name}"),
        plain("a merge tag in the text", behind("Dear *|FNAME|*"), "*|FNAME|*"),
        head("a template mark in the subject", "Subject", "A new offer for {{ name }}"),
    ),
    # hosts of links and pictures, what runs or tracks
    "SEC-02/message_links_allowed": (
        page("a plain http link", linked(PRIVACY.replace("https", "http")), "<a "),
        page("a stranger's link", linked("https://examplebank.evil.example/privacy"), "<a "),
        page("a punycode link", linked("https://www.xn--exmplebank-x4a.example/privacy"), "<a "),
        page("a stranger's picture", added('<img alt="" src="https://cdn.evil.example/a.png">'), "<img "),
        page("a picture over http", added('<img alt="" src="http://www.examplebank.example/a.png">'), "<img "),
    ),
    "SEC-02/message_link_texts_honest": (
        page("a link that shows another host", html(swapped(">Privacy notice<", ">partner.example<")), "<a "),
    ),
    "SEC-02/message_no_tracking": (
        page("a tracking pixel", added(f'<img alt="" width="1" height="1" src="{HOST}/open.gif">'), "<img "),
    ),
    "SEC-01/message_no_active_content": (
        page("a script", added("<script>x()</script>"), "<script>"),
        page("a form", added("<form></form>"), "<form>"),
        page("a frame", added("<iframe></iframe>"), "<iframe>"),
        page("a style sheet from elsewhere", in_head('<style>@import "x.css";</style>'), "@import"),
        page("an event handler", added('<p onclick="x()">Dine</p>'), "<p onclick"),
    ),
    # hidden text
    "MBOX-06/message_no_hidden_text": (
        page("text not displayed", hidden("display:none"), "Not on"),
        page("text of no size", hidden("font-size:0"), "Not on"),
        page("text in its ground's colour", hidden("color:#fff;background:#fefefe"), "Not on"),
        page("text off the screen", hidden("text-indent:-999px"), "Not on"),
        page("see-through text", hidden("color:rgba(0,0,0,0)"), "Not on"),
        plain("an invisible character", behind("No\u200bmore"), "\u200b"),
        page("a comment", added("<!-- cheap pills -->"), "<!--"),
    ),
    # WCAG
    "MBOX-07/message_contrast": (
        page("faint text", terms("color:#949494 !important;background:#fff !important"), "Terms"),
        page("text faint in the dark only", faint_in_the_dark, "Terms"),
        page("half-transparent text", terms("color:rgba(20,20,20,.5) !important;background:#fff !important"), "Terms"),
        page("large text that is faint", terms("font-size:24px;color:#999;background:#fff"), "Terms"),
    ),
    "MBOX-07/message_dark_scheme": (
        page("no dark colours", html(swapped('name="supported-color-schemes"', 'name="colours"'))),
    ),
    "MBOX-07/message_text_size": (page("small print", terms("font-size:9px"), "Terms"),),
    "MBOX-07/message_language_and_title": (
        page("no language", without(r' lang="en"', ""), "<html"),
        page("no title", without(r"<title>.*?</title>", "<title></title>"), "<title>"),
    ),
    "MBOX-07/message_headings": (
        page("a heading left out", added("<h2>Terms</h2><h5>Returns</h5>"), "<h5>"),
        page("two main headings", added("<h1>Terms</h1>"), "<h1>Terms"),
    ),
    "MBOX-07/message_alternatives": (page("a picture without words", added(f'<img src="{HOST}/a.png">'), "<img "),),
    "MBOX-07/message_link_texts": (
        page("a link that says nothing", html(swapped(">Privacy notice<", ">Click here<")), "<a "),
    ),
    "MBOX-07/message_tables": (
        page("a table without role", added("<table><tr><td>Dine</td></tr></table>"), "<table>"),
    ),
    "MBOX-07/message_well_formed": (
        page("an id twice", added('<p id="a">Dine</p><p id="a">again</p>'), '<p id="a">again'),
        page("an open tag", added("<div>Dine"), "<div>Dine"),
    ),
    # the same facts in both parts
    "MBOX-05/message_parts_agree": (
        page("another amount in the text", text(lambda source: re.sub(r"\$\d+", "$77", source, count=1))),
        plain("another year in the HTML", added("<p>Until January 3, 2031.</p>")),
        page("a link in the HTML only", added(f'<p><a href="{HOST}/more">Conditions</a></p>'), "<a "),
        plain("a link in the text only", behind(f"{HOST}/more"), f"{HOST}/more"),
    ),
}
