"""What a message is laid out of, read from the `.eml` as a mail program would."""

import email
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from xml.etree.ElementTree import Element

import html5lib
import pytest

from tools.drafts import Copy
from tools.email.brand import Brand
from tools.email.message import Message
from tools.email.preview import PREVIEW_LENGTH, padding_after
from tools.vocabulary import OFFER_TYPES, OfferType

Build = Callable[..., Message]
WIDTH = 640


def parts_of(message: Message) -> tuple[str, str]:
    """Return the text and the HTML of the built `.eml`."""
    mail = email.message_from_bytes(message.eml, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    text, html = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())
    return text, html


def read(html: str) -> Element:
    root: Element = html5lib.parse(html, namespaceHTMLElements=False)
    return root


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def with_class(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if name in element.attrib.get("class", "").split())


@pytest.mark.parametrize("offer_type", OFFER_TYPES)
def test_no_part_is_wider_than_the_mail(build: Build, offer_type: OfferType) -> None:
    _, html = parts_of(build(offer_type))
    assert {int(width) for width in re.findall(r"max-width:([1-9]\d+)px", html)} == {WIDTH}
    # Outlook lays a column out by the width in its condition: the section's own less its side padding.
    assert set(re.findall(r'class="ticket-outlook" style="vertical-align:top;width:(\d+)px', html)) == {str(WIDTH - 48)}
    assert max(int(width) for width in re.findall(r'width="?:?(\d+)', html)) == WIDTH
    assert "@media (max-width: 519px)" in html
    assert 'content="width=device-width, initial-scale=1"' in html


def test_an_outlook_condition_is_never_broken_over_lines(build: Build, copy_text: Copy) -> None:
    for length in range(900, 1010, 7):
        html = build(copy=copy_text.model_copy(update={"cta": "x" * length, "body": "y " * length})).html
        assert html.count("<!--[if") == len(re.findall(r"<!--\[if (?:!?mso|mso \| IE|lte mso 11)\]>", html))
        assert max(map(len, html.split("\n"))) <= 998 + len("x" * length)


def test_one_button_leads_to_the_offer_and_holds_in_outlook(build: Build, copy_text: Copy) -> None:
    root = read(parts_of(build())[1])
    (link,) = [link for link in root.iter("a") if words(link) == copy_text.cta]
    (cell,) = [cell for cell in root.iter("td") if link in list(cell)]
    assert re.fullmatch("#[0-9a-f]{6}", cell.attrib["bgcolor"])
    assert "mso-padding-alt:14px 24px" in cell.attrib["style"]
    assert link.attrib["href"].startswith("https://offers.examplebank.example/o/")
    assert not list(link)


@pytest.mark.parametrize("length", [30, 110, PREVIEW_LENGTH, PREVIEW_LENGTH + 20])
def test_the_preview_ends_before_the_mail_begins(build: Build, copy_text: Copy, length: int) -> None:
    preheader = ("See your offer before it ends. " * 9)[: length - 1] + "."
    text, html = parts_of(build(copy=copy_text.model_copy(update={"preheader": preheader})))
    body = read(html).find("body")
    assert body is not None
    preview = body[0]
    shown = "".join(preview.itertext())
    assert "display:none" in preview.attrib["style"]
    assert " ".join(shown.split()) == preheader
    assert PREVIEW_LENGTH <= len(shown) < max(PREVIEW_LENGTH, length) + 3
    assert not re.search("[\u00ad\u034f\u200b-\u200f\u2060\ufeff]", html)
    assert "\u2007" not in text


def test_padding_needs_no_character_when_the_preheader_fills_the_preview() -> None:
    assert padding_after("x" * PREVIEW_LENGTH) == ""


@pytest.mark.parametrize("offer_type", OFFER_TYPES)
def test_value_and_conditions_come_first_then_letter_merchants_and_terms(build: Build, offer_type: OfferType) -> None:
    text, html = parts_of(build(offer_type))
    (ticket,) = with_class(read(html), "ticket")
    value = {"points_multiplier": "4X points", "statement_credit": "$25 statement credit", "cashback": "10% cash back"}
    value |= {"discount": "12.5% discount", "exclusive_access": "Early access to new releases"}
    assert words(ticket).startswith(f"{value[offer_type]} Valid May 4, 2026 through June 17, 2026")
    assert words(ticket).endswith("See your offer")
    order = [
        value[offer_type],
        "See your offer",
        "Hi Amara,",
        "Marlowe's Table",
        "Gift cards",
        "Why you got this",
        "DE 1980",
    ]
    for part in (words(read(html)), text):
        places = [part.rindex(sign) if sign != value[offer_type] else part.index(sign) for sign in order]
        assert places == sorted(places)


def test_terms_are_set_as_labelled_paragraphs_with_every_word_in_both_parts(build: Build) -> None:
    terms = "Who: For the Gold cardmember.\nWhen: From May 4, 2026 to June 17, 2026.\nplain: 1 line\nNo label here."
    text, html = parts_of(build(terms_text=terms))
    root = read(html)
    assert [words(label) for label in root.iter("strong")] == ["Who:", "When:", "Why you got this:"]
    shown = [words(paragraph) for paragraph in root.iter("p")]
    for line in terms.split("\n"):
        assert line in shown
        assert line in text.split("\n")


def test_the_footer_says_who_and_why_and_how_to_stop_in_both_parts(build: Build) -> None:
    message = build()
    text, html = parts_of(message)
    root = read(html)
    for said in (
        "This is an advertisement from Example Bank.",
        "Why you got this: You received it because you are a Cardmember who chose to get our offers by email.",
        "No sign-in needed to unsubscribe or change preferences.",
        Brand().postal_address,
    ):
        assert said in words(root)
        assert said in text
    links = {words(link): link.attrib["href"] for link in root.iter("a")}
    assert links["Unsubscribe from offer emails"] == message.unsubscribe_url
    for name in ("Unsubscribe from offer emails", "Email preferences", "Privacy notice"):
        assert f"{name}: {links[name]}" in text


@pytest.mark.parametrize("offer_type", OFFER_TYPES)
def test_programs_that_read_aloud_get_language_title_headings_and_table_roles(
    build: Build, offer_type: OfferType
) -> None:
    message = build(offer_type)
    root = read(parts_of(message)[1])
    assert root.attrib["lang"] == "en"
    assert root.findtext("head/title") == message.subject
    assert [element.tag for element in root.iter() if element.tag in ("h1", "h2", "h3")] == ["h1", "h2", "h2"]
    data = [table for table in root.iter("table") if table.attrib.get("role") != "presentation"]
    assert len(data) == 1
    assert {cell.attrib.get("scope") for cell in data[0].iter("th")} == {"row"}
    assert not list(root.iter("img"))


@pytest.mark.parametrize(("card_type", "name"), [("basic", "Basic"), ("gold", "Gold"), ("platinum", "Platinum")])
def test_the_card_the_offer_is_for_is_named_and_pictured(
    build: Build, offers: dict[OfferType, object], card_type: str, name: str
) -> None:
    terms = offers["points_multiplier"].model_copy(update={"eligible_card_types": (card_type,)})  # type: ignore[attr-defined]
    message = build(terms=terms)
    assert f"{name} Card" in words(read(message.html))
    assert f"| {name} Card |" in message.text
    assert message.html.count({"basic": "#3f78b5", "gold": "#c99a3c", "platinum": "#8d97a3"}[card_type]) == 2
