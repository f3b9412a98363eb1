"""Tricks by which a mail reads well to a linter and otherwise to its reader: each is found by its check."""

import pytest

from tests.tools.email_lint.mails import Plant, Written, added, both, header, html, in_head, swapped, text
from tools.email.brand import Brand
from tools.email_lint import Linter, read_file

HIDDEN, CONTRAST, SIZE = "MBOX-06/message_no_hidden_text", "MBOX-07/message_contrast", "MBOX-07/message_text_size"
FORMED, PIXEL, ACTIVE = (
    "MBOX-07/message_well_formed",
    "SEC-02/message_no_tracking",
    "SEC-01/message_no_active_content",
)
LINKS, HEADERS, MIME = "SEC-02/message_links_allowed", "SPAM-01/message_headers", "MBOX-05/message_mime"
OPT_OUT, PARITY = "SPAM-03/message_opt_out", "MBOX-05/message_parts_agree"
PICTURE = "https://www.examplebank.example/p.png"
PRIVACY = "https://offers.examplebank.example/privacy"


def styled(style: str) -> Plant:
    return added(f'<p style="{style}">Not on Mondays</p>')


def ruled(css: str, markup: str = '<p class="t">Terms</p>') -> Plant:
    return lambda mail: added(markup)(in_head(f"<style>{css}</style>")(mail))


def pictured(attributes: str) -> Plant:
    return added(f'<img alt="" src="{PICTURE}" {attributes}>')


def twice(name: str, value: str) -> Plant:
    return lambda mail: Written(((name, value), *mail.headers), mail.parts)


def listed_too(more: str) -> Plant:
    return lambda mail: mail.with_header("List-Unsubscribe", f"{dict(mail.headers)['List-Unsubscribe']}, {more}")


TRICKS: dict[str, dict[str, Plant]] = {
    HIDDEN: {
        style: styled(style)
        for style in (
            *("font:0/0 a", "font-size:14px;font:1px/1 Arial", "color:rgba(0,0,0,0)", "color:hsla(0,0%,0%,0)"),
            *("max-height:0vh;overflow:hidden", "height:.1pt;overflow:hidden", "height:calc(0px);overflow:hidden"),
            *("text-indent:100%;white-space:nowrap;overflow:hidden", "text-indent:999px", "opacity:.01", "scale:0"),
            *("display:none;display:zzz", "display:table-column", "-webkit-transform:scale(0)", "letter-spacing:-1em"),
            *("content-visibility:hidden", "line-height:0;overflow:hidden", "position:relative;z-index:-1"),
            *("padding-left:2000px", "unicode-bidi:bidi-override;direction:rtl", "-webkit-text-security:disc"),
            *("margin-bottom:-200px", "background-clip:text"),
        )
    }
    | {
        "a width rule: opacity": ruled("@media (min-width:1px){.t{opacity:.01}}"),
        "a width rule: height": ruled("@media (min-width:1px){.t{height:.5px;overflow:hidden}}"),
        "the same colour in dark only": ruled("@media (prefers-color-scheme:dark){.t{color:#131b27 !important}}"),
        "aria-hidden in capitals": added('<p aria-hidden="TRUE">Not on Mondays</p>'),
        "a dead opt-out link": html(
            swapped(">Unsubscribe", '><span style="pointer-events:none">Unsubscribe</span><span></span>')
        ),
    },
    CONTRAST: {
        "a gradient of the ink": styled("color:#14202e;background-image:linear-gradient(#14202e,#14202e)"),
        "a blend": styled("mix-blend-mode:screen"),
        "a colour in pieces": ruled(".t{color:#fff} .t{color:#0/**/00}"),
        "everything unset": styled("all:unset"),
    },
    SIZE: {
        "a width rule: shorthand": ruled("@media (min-width:1px){.t{font:0/0 a}}"),
        "a width rule: em": ruled("@media (min-width:1px){.t{font-size:0em}}"),
    },
    FORMED: {
        "an escaped property": styled("d\\69splay:none"),
        "a comment in a value": styled("display:/**/none"),
        "a piece that clients skip": styled("color:#fff;x color:#000"),
        "a star hack": styled("color:#fff;*color:#000"),
        "an attribute twice": added('<p style="color:#000" style="color:#fff">Terms</p>'),
        "a class that differs in case": ruled(".t{color:#fff} .T{color:#000}"),
        "a comment that never ends": ruled(".t{color:#fff} /* .t{color:#000}"),
        "braces in a string": ruled('.t{color:#fff} .a{font-family:"}.t{color:#000}"}'),
        "a brace too many": ruled(".t{color:#fff} } .t{color:#000}"),
        "a semicolon between rules": ruled(".t{color:#fff} ; .t{color:#000}"),
        "a closing tag with an attribute": added("<style></style x><p>Not on Mondays</p></style>"),
        "a comment that ends early": added("<!-- --!><style>p{display:none}</style> -->"),
        "a style that never ends": added("<style>p{color:#000}"),
    },
    PIXEL: {
        "by a rule": ruled(".q{width:1px;height:1px}", f'<img class="q" alt="" src="{PICTURE}">'),
        "a part of a pixel": pictured('style="width:.9px"'),
        "in em": pictured('style="width:.05em"'),
        "see-through": pictured('style="opacity:0"'),
        "in a hidden box": added(f'<div style="display:none"><img alt="" src="{PICTURE}"></div>'),
    },
    ACTIVE: {
        "image-set": styled("background-image:image-set('https://evil.example/x.png' 1x)"),
        "image-set in a rule": ruled(".t{list-style-image:image-set('https://evil.example/x.png' 1x)}"),
        "src()": ruled(".t{cursor:src('https://evil.example/x')}"),
    },
    LINKS: {
        "a redirect": both(swapped(PRIVACY, "https://www.examplebank.example/r?u=https://evil.example/")),
        "a redirect, encoded": both(swapped(PRIVACY, "https://www.examplebank.example/r?u=https%253A%252F%252Fevil.example")),
        "a redirect in the path": both(swapped(PRIVACY, "https://www.examplebank.example//evil.example/")),
    },
    HEADERS: {
        "a second From in capitals": twice("FROM", "Example Bank <a@evil.example>"),
        "a second Subject": twice("subject", "A new offer for your Card, by Friday"),
        "a second List-Unsubscribe": twice("list-unsubscribe", "<https://evil.example/u>"),
        "another sender": header("Sender", "a@evil.example"),
        "a name that is an address": header("From", '"Example Bank a@evil.example" <offers@mail.examplebank.example>'),
    },
    MIME: {
        "an address in an encoded word": header(
            "From", "=?utf-8?q?Example_Bank_=3Coffers=40mail.examplebank.example=3E_=28?= <a@evil.example>"
        ),
    },
    "MBOX-01/message_one_click": {
        "an encoded word no machine reads": header("List-Unsubscribe-Post", "=?utf-8?q?List-Unsubscribe=3DOne-Click?="),
        "a second address of a stranger": listed_too("<https://evil.example/u>"),
    },
    OPT_OUT: {
        "white on white": html(swapped(">Unsubscribe", '><span style="color:#ffffff">Unsubscribe</span><span></span>')),
        "1 px": html(swapped(">Unsubscribe", '><span style="font-size:1px">Unsubscribe</span><span></span>')),
    },
    PARITY: {
        written: text(lambda source, written=written: f"{source}\n{written}\n")  # type: ignore[misc]
        for written in ("Ends 12/31/2026.", "Get 75 USD back.", "By 2027-12-31.", "Get 7500 more.", "Get 25\u00d7.")
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("clause", "plant"),
    [
        pytest.param(clause, plant, id=f"{clause}: {name}")
        for clause, those in TRICKS.items()
        for name, plant in those.items()
    ],
)
def test_a_trick_is_found_by_its_check(linter: Linter, brand: Brand, good: Written, clause: str, plant: Plant) -> None:
    report = linter.lint(read_file("mail.eml", plant(good).eml(), brand))
    assert clause in {each.id for each in report.findings}
    assert report.verdict == "violate"


def test_parts_inside_a_part_are_a_fault(linter: Linter, brand: Brand, good: Written) -> None:
    head, body = good.eml().split(b"\n\n", 1)
    outer = head.replace(b'boundary="=_part"', b'boundary="=_outer"')
    inner = b'--=_outer\nContent-Type: multipart/mixed; boundary="=_part"\n\n' + body + b"\n--=_outer--\n"
    report = linter.lint(read_file("mail.eml", outer + b"\n\n" + inner, brand))
    assert {(each.id, each.quote) for each in report.findings} == {
        (MIME, "multipart/mixed inside multipart/alternative")
    }


def test_a_sender_under_the_same_public_suffix_is_a_stranger(linter: Linter, good: Written) -> None:
    brand = Brand(
        sender_address="offers@bank.co.uk", reply_to="offers@bank.co.uk", allowed_hosts=frozenset({"bank.co.uk"}),
        offer_url="https://bank.co.uk/o/{token}", preferences_url="https://bank.co.uk/p/{token}",
        unsubscribe_url="https://bank.co.uk/u/{token}", privacy_url="https://bank.co.uk/privacy",
    )  # fmt: skip
    for address, found in (("a@evil.co.uk", True), ("a@bank.co.uk", False), ("a@mail.bank.co.uk", False)):
        mail = header("From", f"Example Bank <{address}>")(good)
        report = linter.lint(read_file("mail.eml", mail.eml(), brand))
        assert any(each.place.header == "From" for each in report.findings) is found
