import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tools.email.brand import Brand
from tools.email.message import Message
from tools.email.message_checks import DETECTORS, message_facts
from tools.errors import InputInvalid, TemplateFault
from tools.report import Evidence
from tools.subject import MessagePart, MimePart, Subject
from tools.vocabulary import OFFER_TYPES, OfferType

Judged = Callable[..., Subject]

HEADERS = "message_headers"
OPT_OUT = "message_opt_out"
SIMPLE = "message_opt_out_simple"
ONE_CLICK = "message_one_click"
AD = "message_ad_identified"
POSTAL = "message_postal_address"
SIZE = "message_size"
PARITY = "message_parts_agree"
LINKS = "message_links_allowed"
HIDDEN = "message_no_hidden_text"
SUBJECT = "message_subject"
SUBJECT_LENGTH = "message_subject_length"
MIME = "message_mime"
LIST_HEADERS = "message_list_headers"
SHOWS = "message_shows_offer"
ACTIVE = "message_no_active_content"
HONEST = "message_link_texts_honest"
TRACKING = "message_no_tracking"
NAMED = "message_language_and_title"
HEADINGS = "message_headings"
ALTS = "message_alternatives"
LINK_TEXTS = "message_link_texts"
TABLES = "message_tables"
CONTRAST = "message_contrast"
DARK = "message_dark_scheme"
TEXT_SIZE = "message_text_size"
WELL_FORMED = "message_well_formed"
PLACEHOLDERS = "message_no_placeholders"

LAST_PARAGRAPH = '<p style="margin:0;">Example Bank, 100 Main Street'
"""Where extra markup is put: before the postal address, in the footer."""


def findings(subject: Subject) -> dict[str, tuple[Evidence, ...]]:
    found = {each.name: tuple(each.run(subject, {})) for each in DETECTORS}
    return {name: evidence for name, evidence in found.items() if evidence}


def with_html(subject: Subject, change: Callable[[str], str]) -> Subject:
    assert subject.message is not None
    changed = change(subject.message.html)
    assert changed != subject.message.html
    return replace(subject, message=replace(subject.message, html=changed))


def with_text(subject: Subject, change: Callable[[str], str]) -> Subject:
    assert subject.message is not None
    changed = change(subject.message.text)
    assert changed != subject.message.text
    return replace(subject, message=replace(subject.message, text=changed))


def with_header(subject: Subject, name: str, value: str | None) -> Subject:
    assert subject.message is not None
    headers = {key: kept for key, kept in subject.message.headers.items() if key != name}
    if value is not None:
        headers[name] = value
    return replace(subject, message=replace(subject.message, headers=headers))


def added(markup: str) -> Callable[[str], str]:
    return lambda html: html.replace(LAST_PARAGRAPH, markup + LAST_PARAGRAPH, 1)


def swapped(old: str, new: str, count: int = -1) -> Callable[[str], str]:
    return lambda source: source.replace(old, new, count)


@pytest.mark.parametrize("offer_type", OFFER_TYPES)
def test_a_clean_message_of_each_offer_type_has_no_finding(judged: Judged, offer_type: OfferType) -> None:
    assert findings(judged(offer_type)) == {}


def test_both_schemes_are_judged(judged: Judged) -> None:
    subject = judged()
    for light, dark in (("#516072", "#a9b7c8"), ("#14202e", "#eef2f7")):
        assert "(light)" in findings(with_html(subject, swapped(light, "#a0a0a0")))[CONTRAST][0].quote
        assert "(dark)" in findings(with_html(subject, swapped(dark, "#444444")))[CONTRAST][0].quote


@dataclass(frozen=True)
class Fault:
    name: str
    detector: str
    plant: Callable[[Subject], Subject]
    part: str = "html"
    also: str = ""
    """The detector that must find it too: a part that differs from the other one differs from the offer."""


def header(name: str, value: str | None) -> Callable[[Subject], Subject]:
    return lambda subject: with_header(subject, name, value)


def html(change: Callable[[str], str]) -> Callable[[Subject], Subject]:
    return lambda subject: with_html(subject, change)


def text(change: Callable[[str], str]) -> Callable[[Subject], Subject]:
    return lambda subject: with_text(subject, change)


def both(change: Callable[[str], str]) -> Callable[[Subject], Subject]:
    return lambda subject: with_text(with_html(subject, change), change)


def mime(**changes: object) -> Callable[[Subject], Subject]:
    def plant(subject: Subject) -> Subject:
        assert subject.message is not None and subject.message.mime is not None
        changed = replace(subject.message.mime, **changes)  # type: ignore[arg-type]
        return replace(subject, message=replace(subject.message, mime=changed))

    return plant


PLAIN, PAGE = MimePart("text/plain", "utf-8", "quoted-printable"), MimePart("text/html", "utf-8", "7bit")
HOST = "www.examplebank.example"
HEAD = "</head>"
DARK_BLOCK = re.compile(r"@media \(prefers-color-scheme: dark\) \{.*?\}\s*\}", re.DOTALL)
ADDRESS = '<p style="margin:0;">Example'

FAULTS = (
    Fault("no From", HEADERS, header("From", None), "headers"),
    Fault("a stranger's From", HEADERS, header("From", "Example Bank <offers@evil.example>"), "headers"),
    Fault("a From that hides who it is", HEADERS, header("From", "Security <a@mail.examplebank.example>"), "headers"),
    Fault("two senders", HEADERS, header("From", "Example Bank <a@mail.examplebank.example>, b@c.example"), "headers"),
    Fault("a stranger's Reply-To", HEADERS, header("Reply-To", "x@evil.example"), "headers"),
    Fault("a look-alike Reply-To", HEADERS, header("Reply-To", "x@notexamplebank.example"), "headers"),
    Fault("two recipients", HEADERS, header("To", "a@mail.example, b@mail.example"), "headers"),
    Fault("no subject", HEADERS, header("Subject", None), "headers"),
    Fault("a subject that poses as a reply", SUBJECT, header("Subject", "Re: your card and points"), "headers"),
    Fault("another subject", SUBJECT, header("Subject", "Your refund is waiting"), "headers"),
    Fault("a header that stands twice", HEADERS, header("Date", "Mon, 04 May 2026 14:00:00 +0000\nx"), "headers"),
    Fault("a date without zone", HEADERS, header("Date", "yesterday"), "headers"),
    Fault("no Message-ID", HEADERS, header("Message-ID", None), "headers"),
    Fault("a stranger's Message-ID", HEADERS, header("Message-ID", "<1@evil.example>"), "headers"),
    Fault("no List-Unsubscribe", ONE_CLICK, header("List-Unsubscribe", None), "headers"),
    Fault("only a mailto to unsubscribe", ONE_CLICK, header("List-Unsubscribe", "<mailto:u@x.example>"), "headers"),
    Fault("no one-click header", ONE_CLICK, header("List-Unsubscribe-Post", None), "headers"),
    Fault("a wrong one-click header", ONE_CLICK, header("List-Unsubscribe-Post", "One-Click"), "headers"),
    Fault(
        "an opt-out address that needs a sign-in",
        ONE_CLICK,
        header("List-Unsubscribe", f"<https://{HOST}/login?next=unsubscribe>"),
        "headers",
    ),
    Fault("no Feedback-ID", HEADERS, header("Feedback-ID", None), "headers"),
    Fault("a Feedback-ID without sender", HEADERS, header("Feedback-ID", "dining:offer"), "headers"),
    Fault("no Content-Type", HEADERS, header("Content-Type", None), "headers"),
    Fault("another MIME version", MIME, header("MIME-Version", "2.0"), "headers"),
    Fault("one part only", MIME, mime(kind="text/html", parts=(MimePart("text/html", "utf-8", "7bit"),)), "message"),
    Fault("a part of an old character set", MIME, mime(parts=(PLAIN, replace(PAGE, charset="latin-1"))), "message"),
    Fault("an attachment", MIME, mime(parts=(PLAIN, PAGE, MimePart("application/pdf", "", "base64", True))), "message"),
    Fault("a line too long", MIME, mime(longest_line=999), "message"),
    Fault("an address without brackets", LIST_HEADERS, header("List-Help", "https://x.example/help"), "headers"),
    Fault("no opt-out link in the HTML", OPT_OUT, html(swapped("Unsubscribe from offer emails", "Email settings"))),
    Fault("an opt-out link that leads elsewhere", OPT_OUT, both(swapped("/unsubscribe/", "/elsewhere/"))),
    Fault("no opt-out line in the text", OPT_OUT, text(swapped("Unsubscribe from offer emails:", "Link:")), "text"),
    Fault("an opt-out that needs a sign-in", SIMPLE, html(added("<p>Log in to unsubscribe.</p>"))),
    Fault("an opt-out by phone", SIMPLE, text(swapped("No sign-in", "Call us to opt out. No sign-in")), "text"),
    Fault("no advertisement notice", AD, html(swapped("This is an advertisement from", "Greetings from"))),
    Fault("none in the text", AD, text(swapped("This is an advertisement from", "Greetings from")), "text"),
    Fault("no postal address", POSTAL, html(swapped("100 Main Street", "Main Street"))),
    Fault("none in the text", POSTAL, text(swapped("100 Main Street", "Main Street")), "text"),
    Fault("too large", SIZE, html(swapped("</head>", "\n" * 82_000 + "</head>"))),
    Fault("a slot left over", PLACEHOLDERS, html(swapped("Hi Amara,", "Hi {first_name},"))),
    Fault("a slot left over in the text", PLACEHOLDERS, text(swapped("Hi Amara,", "Hi {first_name},")), "text"),
    Fault("a template mark", PLACEHOLDERS, html(swapped("Hi Amara,", "Hi {{ greeting }},"))),
    Fault("a merge tag", PLACEHOLDERS, html(swapped("Hi Amara,", "Hi *|FNAME|*,"))),
    Fault("a name in brackets", PLACEHOLDERS, html(swapped("Hi Amara,", "Hi [NAME],"))),
    Fault("a null name", PLACEHOLDERS, html(swapped("Hi Amara,", "Hi None,"))),
    Fault("filler", PLACEHOLDERS, html(added("<p>Lorem ipsum dolor</p>"))),
    Fault("a plain http link", LINKS, both(swapped("https://www.examplebank", "http://www.examplebank"))),
    Fault("a stranger's link", LINKS, both(swapped("https://www.examplebank.example", "https://evil.example"))),
    Fault("a stranger's host that starts alike", LINKS, both(swapped(HOST, f"{HOST}.evil.net"))),
    Fault("a punycode link", LINKS, both(swapped("https://www.examplebank", "https://xn--exmplebank-x4a"))),
    Fault("a link with a user", LINKS, both(swapped("https://www.", "https://user@www."))),
    Fault("a script link", LINKS, html(added('<p><a href="javascript:alert(1)">Privacy</a></p>'))),
    Fault("a data link", LINKS, html(added('<p><a href="data:text/html,hi">Privacy</a></p>'))),
    Fault("a stranger's link in the text", LINKS, both(swapped("https://www.examplebank", "https://www.evil")), "text"),
    Fault("a picture from elsewhere", LINKS, html(added('<img alt="" src="https://cdn.evil.example/p.png">'))),
    Fault("a link that shows another host", HONEST, html(swapped("Privacy notice", "partner.example"))),
    Fault("a pixel", TRACKING, html(added(f'<img alt="" width="1" height="1" src="https://{HOST}/p.gif">'))),
    Fault("a picture nobody sees", TRACKING, html(added(f'<img alt="" style="display:none" src="https://{HOST}/p">'))),
    Fault("a bare www in the text", LINKS, text(swapped("No sign-in", "See www.evil.example. No sign-in")), "text"),
    Fault("a script", ACTIVE, html(added("<script>x()</script>"))),
    Fault("an event handler", ACTIVE, html(swapped(ADDRESS, ADDRESS.replace("<p", '<p onclick="x()"')))),
    Fault("a form", ACTIVE, html(added('<form></form>'))),
    Fault("a frame", ACTIVE, html(added("<iframe></iframe>"))),
    Fault("a redirect", ACTIVE, html(swapped("<head>", '<head><meta http-equiv="refresh" content="0">'))),
    Fault("a style sheet from elsewhere", ACTIVE, html(swapped(HEAD, f'<link rel="stylesheet">{HEAD}'))),
    Fault("an imported style sheet", ACTIVE, html(swapped("</head>", "<style>@import 'x.css';</style></head>"))),
    Fault("a remote background", ACTIVE, html(swapped(ADDRESS, ADDRESS.replace("0;", "0;list-style:url(//x)")))),
    Fault("a stranger's image", LINKS, html(added('<img alt="" src="https://evil.example/p.gif">'))),
    Fault("a link in a conditional comment", ACTIVE, html(added('<!--[if mso]><a href="//x"></a><![endif]-->'))),
    Fault("text of no size", HIDDEN, html(added('<p style="font-size:0">Not valid on weekends</p>'))),
    Fault("text not displayed", HIDDEN, html(added('<p style="display:none">Not valid on weekends</p>'))),
    Fault("a part not displayed", HIDDEN, html(added('<div style="display:none"><p>Not on weekends</p></div>'))),
    Fault("transparent text", HIDDEN, html(added('<p style="opacity:0">Not valid on weekends</p>'))),
    Fault("invisible text", HIDDEN, html(added('<p style="visibility:hidden">Not valid on weekends</p>'))),
    Fault("text as its ground", HIDDEN, html(added('<p style="color:#fff;background:#fff">cap</p>'))),
    Fault("text beside the page", HIDDEN, html(added('<p style="position:absolute;left:-999px">cap</p>'))),
    Fault("text indented away", HIDDEN, html(added('<p style="text-indent:-999px">cap</p>'))),
    Fault("text in no height", HIDDEN, html(added('<p style="max-height:0;overflow:hidden">cap</p>'))),
    Fault("text hidden by attribute", HIDDEN, html(added("<p hidden>cap</p>"))),
    Fault("text hidden by a class", HIDDEN, html(swapped("</head>", "<style>.label{display:none}</style></head>"))),
    Fault(
        "text hidden in the dark",
        HIDDEN,
        html(swapped("</head>", "<style>@media (prefers-color-scheme:dark){.label{visibility:hidden}}</style></head>")),
    ),
    Fault(
        "text hidden on phones",
        HIDDEN,
        html(swapped("</head>", "<style>@media (max-width:400px){.label{display:none}}</style></head>")),
    ),
    Fault("text hidden by an odd selector", HIDDEN, html(swapped(HEAD, "<style>p:hover{display:none}</style></head>"))),
    Fault("text in a comment", HIDDEN, html(added("<!-- buy now -->"))),
    Fault("text for one client only", HIDDEN, html(added("<!--[if mso]><p>Not in Outlook</p><![endif]-->"))),
    Fault("a zero-width mark", HIDDEN, html(swapped("Hi Amara,", "Hi\u200b Amara,"))),
    Fault("a bidi control in the text", HIDDEN, text(swapped("Hi Amara,", "Hi \u202eAmara,")), "text"),
    Fault("another preheader", HIDDEN, html(swapped("Have a look before", "Look before"))),
    Fault("no lang", NAMED, html(lambda source: re.sub(r' lang="en"', "", source))),
    Fault("no title", NAMED, html(lambda source: re.sub(r"<title>.*?</title>", "<title> </title>", source))),
    Fault("faint text", CONTRAST, html(added('<p style="color:#9aa4b0">Issued to Cardmembers</p>'))),
    Fault("text faint in the dark only", CONTRAST, html(swapped("#93c4ff !important", "#33475e !important", 1))),
    Fault("a colour that can't be judged", CONTRAST, html(added('<p style="color:var(--ink)">Issued</p>'))),
    Fault("half-transparent text", CONTRAST, html(added('<p style="color:rgba(119,119,119,.7)">Issued</p>'))),
    Fault("faded text", CONTRAST, html(added('<p style="opacity:50%">Issued</p>'))),
    Fault("large text that is faint", CONTRAST, html(added('<p style="font-size:24px;color:#a8a8a8">Issued</p>'))),
    Fault("small print too small", TEXT_SIZE, html(swapped("font-size:13px", "font-size:9px", 1))),
    Fault("body text too small", TEXT_SIZE, html(lambda source: re.sub(r"font-size:16px", "font-size:13px", source))),
    Fault("a size that can't be judged", TEXT_SIZE, html(added('<p style="font-size:1vw">Issued</p>'))),
    Fault("an image without alt", ALTS, html(added('<img src="https://www.examplebank.example/a.png">'))),
    Fault("a layout table without role", TABLES, html(swapped('role="presentation" width="100%"', 'width="100%"', 1))),
    Fault("a data table without heads", TABLES, html(swapped(' scope="row"', ""))),
    Fault("no colour-scheme meta", DARK, html(swapped('<meta name="color-scheme" content="light dark" />', ""))),
    Fault("no dark colours", DARK, html(lambda source: DARK_BLOCK.sub("", source))),
    Fault("a link that says nothing", LINK_TEXTS, html(swapped("Privacy notice", "Click here"))),
    Fault("an open tag", WELL_FORMED, html(swapped("</body>", "<div></body>"))),
    Fault("a stray mark", WELL_FORMED, html(added("<p>5 < 6</p>"))),
    Fault("a paragraph in a paragraph", WELL_FORMED, html(added("<p><p>x</p></p>"))),
    Fault("an id that stands twice", WELL_FORMED, html(added('<p id="a">x</p><p id="a">y</p>'))),
    Fault("no language tag", NAMED, html(swapped('lang="en"', 'lang="English text"'))),
    Fault("a level left out", HEADINGS, html(added("<h4>More</h4>"))),
    Fault("two main headings", HEADINGS, html(added("<h1>Again</h1>"))),
    Fault("the text part lacks the end date", PARITY, text(swapped("June 17, 2026", "June")), "text", also=SHOWS),
    Fault("the HTML lacks the enrolment date", PARITY, html(swapped("May 25, 2026", "soon")), also=SHOWS),
    Fault("the text part says another value", PARITY, text(swapped("4X points", "5X points")), "text", also=SHOWS),
    Fault("the text part lacks the minimum", PARITY, text(swapped("$50", "a little")), "text", also=SHOWS),
    Fault("the HTML says another cap", PARITY, html(swapped("$1,500", "$2,500")), also=SHOWS),
    Fault("a link in one part only", PARITY, html(added(f'<a href="https://{HOST}/more">Conditions</a>'))),
    Fault("a link in the text only", PARITY, text(swapped("No sign-in", f"https://{HOST}/more No sign-in")), "text"),
    Fault("the text part lacks a merchant", SHOWS, text(swapped("Marlowe's Table", "a partner")), "text"),
    Fault("the HTML lacks a merchant", SHOWS, html(swapped("Harvest &amp; Vine", "a partner"))),
    Fault("the text part lacks the weeks", PARITY, text(swapped("8 to 12 weeks", "a while")), "text", also=SHOWS),
    Fault("another headline", SHOWS, html(swapped("Something good for", "Something great for"))),
    Fault("the body cut short", SHOWS, text(swapped("Pay with your Card and enjoy it.", "")), "text"),
    Fault("a term dropped", SHOWS, both(swapped("One offer per Cardmember.", ""))),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.detector}: {fault.name}")
def test_a_planted_fault_is_found_by_its_own_check_alone(judged: Judged, fault: Fault) -> None:
    subject = fault.plant(judged())
    found = findings(subject)
    assert set(found) == {fault.detector, *filter(None, [fault.also])}
    assert fault.part in {evidence.field for evidence in found[fault.detector]}


def test_evidence_points_into_its_part(judged: Judged) -> None:
    subject = with_html(judged(), added('<img src="https://www.examplebank.example/a.png">'))
    assert subject.message is not None
    (evidence,) = findings(subject)[ALTS]
    assert evidence.start is not None
    assert subject.message.html[evidence.start :].startswith("<img src=")


def test_a_subject_without_a_message_passes_no_check(judged: Judged) -> None:
    found = findings(replace(judged(), message=None))
    assert set(found) == {each.name for each in DETECTORS}
    assert {evidence.field for each in found.values() for evidence in each} == {"message"}
    assert all(len(each) == 1 for each in found.values())


def test_a_message_that_lacks_a_part_passes_no_check_that_needs_it(judged: Judged) -> None:
    subject = judged()
    assert subject.message is not None
    parts: tuple[MessagePart, ...] = ("headers", "html", "text")
    for part in parts:
        found = findings(replace(subject, message=replace(subject.message, lacks=frozenset([part]))))
        assert {each.name for each in DETECTORS if part in each.needs} <= set(found)


def test_a_message_nobody_knows_the_construction_of_is_not_passed(judged: Judged) -> None:
    subject = judged()
    assert subject.message is not None
    assert set(findings(replace(subject, message=replace(subject.message, mime=None)))) == {MIME}


def test_the_detectors_are_the_ones_policies_name() -> None:
    assert {each.name for each in DETECTORS} == {
        *(HEADERS, SUBJECT, SUBJECT_LENGTH, MIME, ONE_CLICK, LIST_HEADERS, OPT_OUT, SIMPLE, AD, POSTAL, PLACEHOLDERS),
        *(SIZE, LINKS, HONEST, ACTIVE, TRACKING, HIDDEN, CONTRAST, DARK, TEXT_SIZE, NAMED, HEADINGS, ALTS, LINK_TEXTS),
        *(TABLES, WELL_FORMED, PARITY, SHOWS, "message_rates_link"),
    }
    assert len(DETECTORS) == 29
    assert all("message" in each.depends_on for each in DETECTORS)


def test_a_clause_may_set_its_own_limits(judged: Judged) -> None:
    by_name = {each.name: each for each in DETECTORS}
    assert by_name[SIZE].run(judged(), {"max_bytes": 1000})
    assert by_name[CONTRAST].run(judged(), {"min_contrast": 7})
    assert by_name[TEXT_SIZE].run(judged(), {"min_fine_px": 14})
    assert not by_name[TEXT_SIZE].run(judged(), {"min_body_px": 12})
    with pytest.raises(InputInvalid, match="max_bytes"):
        by_name[SIZE].run(judged(), {"max_bytes": "large"})


def test_facts_come_from_the_eml_and_only_from_this_runs(build: Callable[..., Message], run_id: str) -> None:
    message = build()
    facts = message_facts(message, Brand(), run_id)
    assert (facts.html, facts.text) == (message.html, message.text)
    assert facts.headers["List-Unsubscribe"] == f"<{facts.unsubscribe_url}>"
    with pytest.raises(TemplateFault, match="of another run"):
        message_facts(message, Brand(), "another-run")
    with pytest.raises(TemplateFault, match="differs from the message"):
        message_facts(replace(message, html=message.html + " "), Brand(), run_id)
    with pytest.raises(TemplateFault, match="differs from the message"):
        message_facts(replace(message, eml=message.eml.replace(b"4X", b"5X")), Brand(), run_id)
    with pytest.raises(TemplateFault, match="two parts"):
        message_facts(replace(message, eml=b"Subject: x\r\n\r\nhello"), Brand(), run_id)


def test_a_header_that_stands_twice_is_found(judged: Judged, build: Callable[..., Message], run_id: str) -> None:
    message = build()
    twice = replace(message, eml=b"Subject: Another\r\n" + message.eml)
    subject = replace(judged(), message=message_facts(twice, Brand(), run_id))
    assert set(findings(subject)) == {HEADERS, SUBJECT}
