"""Nothing written into a message becomes more than text: a corpus of payloads, parsed by a browser's own rules."""

import email
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache, lru_cache
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.drafts import Copy
from tools.email.brand import Brand
from tools.email.message import Mailer, Message, Person
from tools.errors import SettingInvalid, TemplateFault
from tools.terms import OfferTerms
from tools.vocabulary import COPY_FIELDS, OfferType

ROWS = yaml.safe_load(Path(__file__).with_name("html_payloads.yaml").read_text("utf-8"))["payloads"]
PAYLOADS: tuple[str, ...] = tuple(row["text"] for row in ROWS)
BRAND_FIELDS = ("issuer", "sender_name", "postal_address")
FIELDS = (*COPY_FIELDS, "terms_text", "merchant", *BRAND_FIELDS)
"""Every field that reaches a message as it was written."""
SECRET = b"sixteen bytes or more"

PLAIN = tuple(text for text in PAYLOADS if text.isprintable() and "=?" not in text and "\\" not in text)
Written = Mapping[str, str]
Render = Callable[[Written], Message]


@pytest.fixture(scope="module")
def render(build: Callable[..., Message], copy_text: Copy, offers: dict[OfferType, OfferTerms]) -> Render:
    """Render a message with some fields written by somebody else."""
    terms = offers["points_multiplier"]

    @cache
    def mailer(*brand: tuple[str, str]) -> Mailer:
        return Mailer(replace(Brand(), **dict(brand)), token_secret=SECRET)  # type: ignore[arg-type]

    def message(fields: Written) -> Message:
        own = dict(fields)
        using = mailer(*((name, own.pop(name)) for name in BRAND_FIELDS if name in own))
        if name := own.pop("merchant", None):
            named = terms.merchants[0].model_copy(update={"merchant_name": name})
            own_terms = terms.model_copy(update={"merchants": (named, *terms.merchants[1:])})
        else:
            own_terms = terms
        rest = {"terms_text": own.pop("terms_text")} if "terms_text" in own else {}
        return build(mailer=using, terms=own_terms, copy=copy_text.model_copy(update=own), **rest)

    return message


def tree_of(element: Element, depth: int = 0) -> list[str]:
    """Return elements with their attributes and comments with their text, as a browser would build them; no text.

    The value of `aria-label` is text too: it reads the subject to whoever doesn't see the message.
    """
    name = element.tag if isinstance(element.tag, str) else f"comment: {element.text}"
    values = sorted((key, "" if key == "aria-label" else value) for key, value in element.attrib.items())
    below = [line for child in element for line in tree_of(child, depth + 1)]
    return [f"{depth} {name} {values}", *below]


@lru_cache(maxsize=4)
def parsed(html: str) -> Element:
    root: Element = html5lib.parse(html, namespaceHTMLElements=False)
    return root


def accepts(render: Render, field: str, written: str) -> bool:
    """Tell whether a message can have this text in this field; a refusal names the field."""
    try:
        if field in BRAND_FIELDS:
            replace(Brand(), **{field: written})  # type: ignore[arg-type]
        else:
            render({field: written})
    except (TemplateFault, SettingInvalid) as refused:
        assert str(refused).startswith(field)
        return False
    return True


def mail_of(message: Message) -> EmailMessage:
    mail = email.message_from_bytes(message.eml, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    return mail


def squeezed(text: str) -> str:
    return " ".join(text.split())


def harmless(text: str) -> str:
    """Return text of the same lines and labels that could be nothing but text."""
    if "\n" not in text and ": " not in text:
        return "x"  # so that many payloads share a control
    return re.sub(r"[^A-Za-z: \n]", "9", text)


def assert_only_text(message: Message, control: Message, fields: Written) -> None:
    """The tree is the control's, each field is in it word for word, and so it is with the text part and the headers."""
    root = parsed(message.html)
    assert tree_of(root) == tree_of(parsed(control.html))
    labels = [element.attrib["aria-label"] for element in root.iter() if "aria-label" in element.attrib]
    assert labels == [squeezed(message.subject)]
    shown = squeezed(" ".join(root.itertext()))
    for name, written in fields.items():
        if name != "sender_name":
            assert squeezed(written) in shown, name
        if name not in ("subject", "preheader", "sender_name"):
            assert all(squeezed(line) in squeezed(message.text) for line in written.split("\n")), name
    assert message.text.count("\n") == control.text.count("\n")
    mail, expected = mail_of(message), mail_of(control)
    assert mail.keys() == expected.keys()
    for name in set(mail.keys()) - {"Subject", "From"}:
        assert mail[name] == expected[name], name
    assert mail["Subject"] == message.subject == fields.get("subject", control.subject)
    (sender,) = mail["From"].addresses
    assert sender.addr_spec == Brand().sender_address
    assert sender.display_name == fields.get("sender_name", Brand().sender_name)


def test_the_corpus_is_wide() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 80
    assert {row["kind"] for row in ROWS} == {
        *("tag", "close", "attribute", "entity", "mjml", "comment", "css", "template", "unicode", "header", "control"),
    }


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_any_field_stays_text_or_is_refused_by_name(render: Render, payload: str) -> None:
    written = f"1 {payload} z"
    fields = {field: written for field in FIELDS if accepts(render, field, written)}
    assert set(fields) == set(FIELDS) or payload not in PLAIN
    assert_only_text(render(fields), render(dict.fromkeys(fields, f"1 {harmless(payload)} z")), fields)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_greets(build: Callable[..., Message], payload: str) -> None:
    plain = build(person=Person(None, None)).html
    for name in (payload, f"Amara{payload}"):
        message = build(person=Person(name, None))
        greeted = re.search(r"^Hi ((?:[^\W\d_]|['\u2019-])+),$", message.text, re.MULTILINE)
        assert greeted
        in_html = greeted[1].encode("ascii", "xmlcharrefreplace").decode()
        assert message.html.replace(f"Hi {in_html},", "Hi Cardmember,") == plain


@pytest.mark.parametrize("field", ["offer_url", "unsubscribe_url", "preferences_url", "privacy_url", "sender_address"])
def test_no_payload_becomes_a_link_or_an_address(field: str) -> None:
    around = ("{}", "https://offers.examplebank.example/{}/{{token}}", "{}@mail.example")
    for value in (frame.format(payload) for payload in PAYLOADS for frame in around):
        try:
            brand = replace(Brand(), **{field: value})  # type: ignore[arg-type]
        except SettingInvalid as refused:
            assert str(refused).startswith(f"{field}:")
        else:
            assert not set(getattr(brand, field)) & set("<>\"'\\ \r\n\t\0")


@settings(max_examples=25, deadline=None)
@given(
    field=st.sampled_from(FIELDS),
    parts=st.lists(
        st.sampled_from([*(text for text in PAYLOADS if "=?" not in text), " ", "\n", "Where: "]),
        min_size=1,
        max_size=4,
    ),
)
def test_payloads_joined_stay_text_or_are_refused(render: Render, field: str, parts: list[str]) -> None:
    written = f"1{''.join(parts)}z"
    if accepts(render, field, written):
        assert_only_text(render({field: written}), render({field: harmless(written)}), {field: written})
