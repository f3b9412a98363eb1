"""What the linter makes of files: our own mails in every shape, HTML alone, other people's, and what is no mail."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gate.offers import Book, Compliant
from tests.tools.email_lint.conftest import Mailed
from tests.tools.email_lint.mails import Written, header, html
from tools.email.brand import Brand
from tools.email.message import TEMPLATES, Mailer, Person
from tools.email_lint import Linter, Unreadable, listing, read_file
from tools.vocabulary import DOMAINS, OFFER_TYPES

NAMES = (None, "", "Amara", "Zoë", "Nguyễn Ánh", "José-María", "O'Neill", "محمد", "עמית", "Łukasz", "李娜")
DOCS = Path(__file__).parents[3] / "docs" / "email-lint.md"


def test_mails_of_every_domain_offer_type_and_name_have_no_finding(
    linter: Linter, brand: Brand, offers: tuple[Compliant, ...], mailed: Mailed
) -> None:
    assert {each.terms.domain for each in offers} == set(DOMAINS)
    assert {each.terms.offer_type for each in offers} == set(OFFER_TYPES)
    for place, offer in enumerate(offers):
        for name in NAMES[place % 5 :: 5]:
            message = mailed(offer, Person(name, "member@mail.example" if name else None))
            report = linter.lint(read_file("mail.eml", message.eml, brand))
            assert (report.findings, report.verdict) == ((), "pass"), (offer.name, name)
        alone = linter.lint(read_file("mail.html", message.html.encode(), brand))
        assert (alone.findings, alone.verdict) == ((), "pass"), offer.name


def test_a_theme_with_light_and_dark_exchanged_has_no_finding(
    linter: Linter, brand: Brand, book: Book, offers: tuple[Compliant, ...], mailed: Mailed, tmp_path: Path
) -> None:
    folder = tmp_path / "templates"
    shutil.copytree(TEMPLATES, folder)
    theme = (folder / "theme.toml").read_text("utf-8")
    exchanged = theme.replace("[light]", "[#]").replace("[dark]", "[light]").replace("[#]", "[dark]")
    assert tomllib.loads(exchanged)["light"] == tomllib.loads(theme)["dark"]
    (folder / "theme.toml").write_text(exchanged, "utf-8")
    mailer = Mailer(brand, token_secret=b"the other theme's secret, 32 byte", templates=folder)
    for offer in {each.terms.offer_type: each for each in offers}.values():
        report = linter.lint(read_file("mail.eml", mailed(offer, Person("Zoë"), mailer).eml, brand))
        assert report.findings == (), offer.name


@settings(max_examples=20)
@given(name=st.text(max_size=40))
def test_no_name_makes_a_mail_that_has_a_finding(
    linter: Linter, brand: Brand, offers: tuple[Compliant, ...], mailed: Mailed, name: str
) -> None:
    message = mailed(offers[0], Person(name))
    assert linter.lint(read_file("mail.eml", message.eml, brand)).findings == ()


def test_what_the_linter_finds_is_what_the_gate_refuses(linter: Linter, brand: Brand, good: Written) -> None:
    asked = {"/".join(each.key) for each in linter.clauses()}
    report = linter.lint(read_file("mail.eml", good.eml(), brand))
    left_out = [each for ids in report.not_checked.values() for each in ids]
    assert report.not_checked == {
        "the offer isn't known": ("MBOX-05/message_shows_offer", "REGZ-11/message_links_rates_table"),
        "the member isn't known": ("SPAM-05/not_opted_out_at_send",),
    }
    assert set(report.partly) <= asked - set(left_out)


def test_html_alone_is_not_passed_where_headers_or_a_text_part_would_tell(
    linter: Linter, brand: Brand, good: Written
) -> None:
    report = linter.lint(read_file("page.html", good.html.encode(), brand))
    assert report.findings == ()
    assert set(report.not_checked["no headers"]) == {
        *("SPAM-01/message_headers", "SPAM-01/message_subject", "FMT-01/message_subject_length"),
        *("MBOX-01/message_one_click", "MBOX-01/message_list_headers", "MBOX-05/message_mime"),
    }
    assert report.not_checked["no text part"] == ("MBOX-05/message_parts_agree", "MBOX-05/message_shows_offer")


def test_a_mail_of_text_alone_lacks_its_html_and_says_what_that_leaves_open(
    linter: Linter, brand: Brand, good: Written
) -> None:
    report = linter.lint(read_file("mail.eml", good.with_parts(good.parts[0]).eml(), brand))
    assert {each.id for each in report.findings} == {"MBOX-05/message_mime"}
    assert "MBOX-07/message_contrast" in report.not_checked["no HTML part"]


def test_an_opt_out_that_leads_elsewhere_than_its_header_is_found(linter: Linter, brand: Brand, good: Written) -> None:
    mail = header("List-Unsubscribe", "<https://offers.examplebank.example/unsubscribe/another>")(good)
    report = linter.lint(read_file("mail.eml", mail.eml(), brand))
    assert {each.id for each in report.findings} == {"SPAM-03/message_opt_out"}
    assert {each.place.part for each in report.findings} == {"html", "text"}


@pytest.mark.parametrize("url", ["#", "mailto:stop@examplebank.example", "http://www.examplebank.example/stop"])
def test_a_link_that_says_unsubscribe_and_leads_to_no_page_is_no_opt_out(
    linter: Linter, brand: Brand, good: Written, url: str
) -> None:
    page = re.sub(r'href="[^"]*"([^>]*>Unsubscribe)', rf'href="{url}"\1', good.html)
    report = linter.lint(read_file("page.html", page.encode(), brand))
    assert {each.id for each in report.findings} == {"SPAM-03/message_opt_out", "SEC-02/message_links_allowed"}


def test_another_issuers_facts_come_from_its_brand(linter: Linter, good: Written) -> None:
    other = Brand(postal_address="Example Bank, 1 Other Street, Dover, DE 19901")
    report = linter.lint(read_file("mail.eml", good.eml(), other))
    assert {(each.id, each.place.part) for each in report.findings} == {
        ("SPAM-07/message_postal_address", "html"), ("SPAM-07/message_postal_address", "text"),
    }  # fmt: skip


def test_lines_and_columns_count_in_the_decoded_part_whatever_the_line_ends(
    linter: Linter, brand: Brand, good: Written
) -> None:
    mail = html(lambda source: source.replace("</body>", '\n\n  <p style="font-size:9px">Terms</p></body>'))(good)
    for content in (mail.eml(), mail.eml().replace(b"\n", b"\r\n")):
        (finding,) = linter.lint(read_file("mail.eml", content, brand)).findings
        line = mail.html[: mail.html.index('<p style="font-size:9px">')].count("\n") + 1
        assert (finding.place.line, finding.place.column) == (line, 28)
        assert str(finding.place) == f"html {line}:28"


@pytest.mark.parametrize(
    ("name", "content", "is_mail"),
    [
        ("stdin", b"From: a@b.example\n\nhello", True),
        ("stdin", b"<!doctype html><p>hello</p>", False),
        ("mail.eml", b"From sender Mon May  4 14:00:00 2026\nFrom: a@b.example\n\nhello", True),
        ("PAGE.HTM", b"\xef\xbb\xbf<p>hello</p>", False),
    ],
)
def test_what_a_file_is_goes_by_its_name_then_by_its_first_line(
    brand: Brand, name: str, content: bytes, is_mail: bool
) -> None:
    assert read_file(name, content, brand).is_mail is is_mail


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.eml", b"  \n", "is empty"),
        ("a.eml", b"<p>hello</p>", "name it .html"),
        ("a.html", b"\xff\xfe<\x00", "isn't UTF-8"),
        ("a.html", b"hello", "holds no HTML tag"),
        ("notes.txt", b"hello", "holds no HTML tag"),
        ("a.eml", b"x" * (10 * 1024 * 1024 + 1), "no mailbox takes it"),
    ],
)
def test_what_is_neither_mail_nor_html_is_refused_with_the_reason(
    brand: Brand, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_file(name, content, brand)


@given(content=st.binary(max_size=400))
def test_no_bytes_break_the_linter(linter: Linter, brand: Brand, content: bytes) -> None:
    for name, given_bytes in (("a.eml", b"From: a\n" + content), ("a.html", b"<p>" + content)):
        try:
            report = linter.lint(read_file(name, given_bytes, brand))
        except Unreadable:
            continue
        assert report.verdict == "violate"
        assert {each.result for each in report.findings} == {"violate"}


def test_the_documented_table_is_the_listed_one(linter: Linter) -> None:
    assert listing(linter) in DOCS.read_text("utf-8")
