from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.email.message import Message
from tools.email.reading import read_mail
from tools.subject import MimePart

ALTERNATIVES = b'Subject: x\nContent-Type: multipart/alternative; boundary="b"\n\n%b--b--\n'


def part(head: bytes, body: bytes) -> bytes:
    return b"--b\n" + head + b"\n\n" + body + b"\n"


def test_a_built_mail_reads_back_as_it_was_built(build: Callable[..., Message]) -> None:
    message = build()
    mail = read_mail(message.eml)
    assert (mail.html, mail.text, mail.mime.faults) == (message.html, message.text, ())
    assert mail.mime.kind == "multipart/alternative"
    assert [each.kind for each in mail.mime.parts] == ["text/plain", "text/html"]
    assert mail.mime.longest_line == max(map(len, message.eml.split(b"\r\n")))
    assert len(message.eml.split(b"\r\n")[mail.mime.longest_at - 1]) == mail.mime.longest_line


def test_encoded_headers_are_decoded_and_twins_joined_by_a_break() -> None:
    mail = read_mail(b"Subject: =?utf-8?q?Caf=C3=A9?=\nDate: a\nDate: b\n\nhello")
    assert mail.headers == {"Subject": "Café", "Date": "a\nb"}


@pytest.mark.parametrize(
    ("head", "body", "fault"),
    [
        (b"Content-Type: text/plain", "à".encode(), "text/plain: bytes above 127 in a part sent as 7bit"),
        (b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", b"4g==", "isn't utf-8"),
        (b"Content-Type: text/plain; charset=latin-99", b"a", "text/plain: isn't latin-99: unknown encoding"),
        (b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable", b"5 =zz", "is no quoted-printable"),
        (b"Content-Type: text/plain\nContent-Transfer-Encoding: base64", b"a", "InvalidBase64"),
    ],
)  # fmt: skip
def test_what_can_not_be_decoded_is_a_fault_and_the_rest_is_read(head: bytes, body: bytes, fault: str) -> None:
    mail = read_mail(ALTERNATIVES % part(head, body))
    assert any(fault in each for each in mail.mime.faults)
    assert mail.text is not None


def test_raw_bytes_in_a_header_and_a_missing_boundary_are_faults() -> None:
    assert read_mail("Subject: Café\n\nhello".encode()).mime.faults == (
        "Subject: holds bytes that are no ASCII and no encoded word",
    )
    assert read_mail(b"Content-Type: multipart/alternative\n\nhello").mime.faults


def test_an_attachment_is_told_from_a_part() -> None:
    attached = part(b"Content-Type: text/html\nContent-Disposition: attachment; filename=a.html", b"<p>a</p>")
    assert read_mail(ALTERNATIVES % attached).mime.parts == (MimePart("text/html", "us-ascii", "7bit", True),)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(source: bytes) -> None:
    mail = read_mail(source)
    assert mail.mime.longest_line <= len(source)
