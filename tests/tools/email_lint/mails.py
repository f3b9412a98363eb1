"""Mails for the linter's tests: a good one taken apart, changed in one place, and written again."""

import quopri
from collections.abc import Callable
from dataclasses import dataclass, replace

from tools.email.reading import read_mail

BOUNDARY = "=_part"


@dataclass(frozen=True)
class Written:
    """A mail as its author wrote it. `parts` are (head, body) in the order they are sent."""

    headers: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, eml: bytes) -> "Written":
        """Take a good mail apart."""
        mail = read_mail(eml)
        assert mail.html is not None and mail.text is not None
        headers = {**mail.headers, "Content-Type": f'multipart/alternative; boundary="{BOUNDARY}"'}
        return cls(tuple(headers.items()), ((part_head("plain"), mail.text), (part_head("html"), mail.html)))

    @property
    def text(self) -> str:
        """The plain part."""
        return self.parts[0][1]

    @property
    def html(self) -> str:
        """The HTML part."""
        return self.parts[1][1]

    def with_header(self, name: str, value: str | None) -> "Written":
        """Give a header another value, or take it away."""
        kept = tuple((key, old if key != name else value) for key, old in self.headers)
        added = () if name in dict(self.headers) else ((name, value),)
        return replace(self, headers=tuple((key, each) for key, each in (*kept, *added) if each is not None))

    def with_parts(self, *parts: tuple[str, str]) -> "Written":
        """Send other parts."""
        return replace(self, parts=parts)

    def with_html(self, html: str) -> "Written":
        """Write the HTML part anew."""
        assert html != self.html
        return self.with_parts(self.parts[0], (self.parts[1][0], html))

    def with_text(self, text: str) -> "Written":
        """Write the plain part anew."""
        assert text != self.text
        return self.with_parts((self.parts[0][0], text), self.parts[1])

    def eml(self) -> bytes:
        """Write the mail."""
        lines = [f"{name}: {value}".encode() for name, value in self.headers]
        for of_part, body in self.parts:
            encoded = quopri.encodestring(body.encode()) if "quoted-printable" in of_part else body.encode()
            lines += [b"", f"--{BOUNDARY}".encode(), of_part.encode(), b"", encoded]
        return b"\n".join([*lines, f"--{BOUNDARY}--".encode(), b""])


def part_head(subtype: str, *, charset: str = "utf-8", encoding: str = "quoted-printable") -> str:
    """Return the head of a part."""
    return f'Content-Type: text/{subtype}; charset="{charset}"\nContent-Transfer-Encoding: {encoding}'


Plant = Callable[[Written], Written]


def header(name: str, value: str | None) -> Plant:
    """Plant a header."""
    return lambda mail: mail.with_header(name, value)


def added(markup: str) -> Plant:
    """Plant markup at the end of the HTML's body."""
    return lambda mail: mail.with_html(mail.html.replace("</body>", f"{markup}</body>"))


def in_head(markup: str) -> Plant:
    """Plant markup at the end of the HTML's head."""
    return lambda mail: mail.with_html(mail.html.replace("</head>", f"{markup}</head>"))


def html(change: Callable[[str], str]) -> Plant:
    """Plant a change of the HTML."""
    return lambda mail: mail.with_html(change(mail.html))


def text(change: Callable[[str], str]) -> Plant:
    """Plant a change of the plain part."""
    return lambda mail: mail.with_text(change(mail.text))


def both(change: Callable[[str], str]) -> Plant:
    """Plant the same change in both parts."""
    return lambda mail: mail.with_html(change(mail.html)).with_text(change(mail.text))


def swapped(old: str, new: str) -> Callable[[str], str]:
    """Return a change of every occurrence."""
    return lambda source: source.replace(old, new)
