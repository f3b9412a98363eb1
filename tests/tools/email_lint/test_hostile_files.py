"""Files made to break a linter: each ends in findings or in a reason, never in a traceback, however much is in it."""

import pytest

from tests.tools.email_lint.mails import Plant, Written, header, part_head
from tools.email.brand import Brand
from tools.email_lint import Linter, Unreadable, read_file
from tools.email_lint.files import MOST_READ


def charset(name: str) -> Plant:
    return lambda mail: mail.with_parts((part_head("plain", charset=name), mail.text), mail.parts[1])


def named(parameter: str) -> Plant:
    head = f"{part_head('plain')}\nContent-Disposition: inline; {parameter}"
    return lambda mail: mail.with_parts((head, mail.text), mail.parts[1])


@pytest.mark.parametrize(
    ("plant", "clause"),
    [
        pytest.param(charset("undefined"), "MBOX-05/message_mime", id="a codec that refuses"),
        pytest.param(charset("punycode"), "MBOX-05/message_mime", id="a codec for names"),
        pytest.param(charset("a\0b"), "MBOX-05/message_mime", id="a codec with a null"),
        pytest.param(named("filename*=undefined''x"), "MBOX-05/message_mime", id="a file name nobody can decode"),
        pytest.param(header("Date", f"Mon, 23 Nov {'9' * 20} 10:00:00 +0000"), "SPAM-01/message_headers", id="a year"),
        pytest.param(header("From", f"{'(' * 8_000}a@b.example"), "SPAM-01/message_headers", id="comments in comments"),
        pytest.param(header("Subject", "=?utf-8?q?a?= " * 15_000), "MBOX-05/message_mime", id="many encoded words"),
        pytest.param(header("To", "a@b.example, " * 15_000), "MBOX-05/message_mime", id="many addresses"),
    ],
)  # fmt: skip
def test_a_broken_mail_is_a_finding(linter: Linter, brand: Brand, good: Written, plant: Plant, clause: str) -> None:
    report = linter.lint(read_file("mail.eml", plant(good).eml(), brand))
    assert clause in {each.id for each in report.findings}
    assert report.verdict == "violate"


@pytest.mark.parametrize(
    "unit", [b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n', b"Content-Type: message/rfc822\r\n\r\n"]
)
def test_parts_nested_without_end_are_refused(brand: Brand, unit: bytes) -> None:
    count = unit.count(b"%d")
    nested = b"".join(unit % ((at,) * count) for at in range(1_500))
    with pytest.raises(Unreadable, match="nested too deep"):
        read_file("mail.eml", b"From: a@b.example\r\n" + nested, brand)


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.html", b"<p>" + b"x" * MOST_READ, "its HTML"),
        ("a.eml", b"X: a\r\n" * MOST_READ + b"\r\n", "its headers"),
        ("a.eml", b"X: a\r\n\r\n" + b"x" * (MOST_READ + 1), "its text"),
    ],
)
def test_more_than_is_read_is_refused(brand: Brand, name: str, content: bytes, part: str) -> None:
    with pytest.raises(Unreadable, match=part):
        read_file(name, content, brand)


@pytest.mark.parametrize(
    "unit",
    [
        *(b"<!--", b"<div>", b"<b></i>", b"<a href=a><img src=x>", b"<a href=a>x</a>", b"http://x ", b"<p id=a>x</p>"),
        *(b"<!--<style-->", b"{{ ", b"1,"),
    ],
)
def test_as_much_as_is_read_ends_in_findings(linter: Linter, brand: Brand, unit: bytes) -> None:
    """What takes the square of its length would take minutes here."""
    content = b"<p>" + unit * ((MOST_READ - 3) // len(unit))
    report = linter.lint(read_file("a.html", content, brand))
    assert report.verdict == "violate"
    assert len(report.findings) < 3_000


def test_a_selector_with_many_ways_to_match_is_followed_in_steps(linter: Linter, brand: Brand) -> None:
    css = "<style>b b b b b i{color:#000}</style>"
    content = f"{css}{'<b>' * 250}{'<u>x</u>' * 200}".encode()
    assert linter.lint(read_file("a.html", content, brand)).verdict == "violate"
