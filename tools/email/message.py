"""The message of one offer: subject, HTML, plain text and the `.eml` that a sender can hand over as it is."""

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

import mrml
from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tools.drafts import Copy
from tools.email import tokens
from tools.email.brand import TOKEN, Brand, is_address
from tools.email.markup import check_markup
from tools.email.names import greeting_name
from tools.email.theme import Theme, read_theme
from tools.email.value_box import NO_BREAK, places_of, rows_of, value_of, window_of
from tools.errors import TemplateFault
from tools.slots import renderings
from tools.terms import OfferTerms

TEMPLATES: Final = Path(__file__).parent / "templates"
"""The shipped `offer.mjml.j2`, `offer.txt.j2` and `theme.toml`."""

_FILES: Final = ("offer.mjml.j2", "offer.txt.j2", "theme.toml")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_BLOCK_TAG = re.compile(r"(?=<(?:tr|div|h1|h2)\b)")
_BREAK = re.compile(r"\s*\n\s*")
_LONGEST_LINE = 998
"""Octets before CRLF that a mail server must accept (RFC 5322, 2.1.1)."""
_POLICY = SMTP.clone(cte_type="7bit")
_UNFOLDED = _POLICY.clone(max_line_length=_LONGEST_LINE)
"""For writing: a List-Unsubscribe longer than a usual line would be folded into encoded words that no mailbox reads."""
_TEMPLATE_ERRORS = (TemplateError, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the mail is for. Only the greeting and the `To` header ever show it."""

    first_name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One built mail. `eml` holds `html` and `text` as its two parts; `html_sha256` is of the HTML in UTF-8.

    `sent_at` is in UTC and whole seconds, as the headers have it.
    """

    subject: str
    html: str
    text: str
    eml: bytes
    html_sha256: str
    unsubscribe_url: str
    sent_at: datetime


class Mailer:
    """Builds messages from one brand and one set of templates; safe to share between threads.

    The same arguments give the same bytes: date, message id, boundary and link tokens derive from them and the secret.
    `template_sha` names the templates and theme in use. TemplateFault at construction when a template can't be trusted.
    """

    def __init__(self, brand: Brand, *, token_secret: bytes, templates: Path = TEMPLATES) -> None:
        tokens.check_secret(token_secret)
        self.brand = brand
        self._secret = token_secret
        self._theme = read_theme(templates / "theme.toml")
        sources = {name: _read(templates / name) for name in _FILES}
        check_markup("offer.mjml.j2", sources["offer.mjml.j2"])
        self.template_sha = hashlib.sha256("\0".join(sources.values()).encode()).hexdigest()
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(templates),
            autoescape=_is_markup,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._mjml = _compile(environment, "offer.mjml.j2", sources["offer.mjml.j2"])
        self._text = _compile(environment, "offer.txt.j2", sources["offer.txt.j2"])

    def render(
        self, *, run_id: str, copy: Copy, terms: OfferTerms, terms_text: str, person: Person, sent_at: datetime
    ) -> Message:
        """Return the message of one run. `copy` has its slots filled; `sent_at` has a time zone.

        An e-mail address that isn't a plain one counts as none: the `.eml` then has no `To`. TemplateFault says which
        value can't be rendered.
        """
        if not _RUN_ID.fullmatch(run_id):
            raise TemplateFault(f"run_id: {run_id!r} can't be part of a header; use letters, digits, '.', '_' and '-'")
        if sent_at.tzinfo is None:
            raise TemplateFault(f"sent_at: {sent_at.isoformat()} has no time zone; pass an aware datetime")
        sent = sent_at.astimezone(UTC).replace(microsecond=0)
        links = self._links(run_id, sent)
        values = self._values(copy, terms, terms_text, person, links)
        html = _html(_fill(self._mjml, values))
        text = _tidy(_fill(self._text, values))
        return Message(
            subject=copy.subject,
            html=html,
            text=text,
            eml=self._eml(run_id, sent, copy.subject, html, text, person, terms, links["unsubscribe"]),
            html_sha256=hashlib.sha256(html.encode()).hexdigest(),
            unsubscribe_url=links["unsubscribe"],
            sent_at=sent,
        )

    def _links(self, run_id: str, sent: datetime) -> dict[str, str]:
        purposes: tuple[tuple[tokens.LinkPurpose, str], ...] = (
            ("offer", self.brand.offer_url),
            ("preferences", self.brand.preferences_url),
            ("unsubscribe", self.brand.unsubscribe_url),
        )
        tokened: dict[str, str] = {
            purpose: url.replace(TOKEN, tokens.mint(purpose, run_id=run_id, sent_at=sent, secret=self._secret))
            for purpose, url in purposes
        }
        return {**tokened, "privacy": self.brand.privacy_url}

    def _values(
        self, copy: Copy, terms: OfferTerms, terms_text: str, person: Person, links: Mapping[str, str]
    ) -> dict[str, object]:
        for name, written in (*copy.fields().items(), ("terms_text", terms_text)):
            if found := _CONTROL.search(written):
                raise TemplateFault(f"{name}: character U+{ord(found[0]):04X} can't be mailed; remove it from the copy")
            if not written.strip():
                raise TemplateFault(f"{name}: is empty; a message needs every field")
        if "\n" in copy.subject or "\t" in copy.subject:
            raise TemplateFault("subject: has a line break or tab; write it as one line")
        words = renderings(terms)
        return {
            **_look(self._theme),
            "subject": copy.subject,
            "preheader": copy.preheader,
            "headline": copy.headline,
            "body": _paragraphs(copy.body),
            "cta": copy.cta,
            "terms": _paragraphs(terms_text),
            "greeting": greeting_name(person.first_name),
            "domain": terms.domain,
            "window": window_of(words),
            "value": value_of(words),
            "rows": rows_of(terms, words),
            "merchants": places_of(terms),
            "links": links,
            "issuer": self.brand.issuer,
            "advertisement": f"This is an advertisement from {self.brand.issuer}.",
            "reason": f"You get it as a Cardmember who chose to receive offers from {self.brand.issuer} by email.",
            "postal_address": self.brand.postal_address,
        }

    def _eml(
        self,
        run_id: str,
        sent: datetime,
        subject: str,
        html: str,
        text: str,
        person: Person,
        terms: OfferTerms,
        unsubscribe_url: str,
    ) -> bytes:
        claim = f"{run_id}\n{int(sent.timestamp())}".encode()
        nonce = tokens.derive("message", claim, secret=self._secret).hex()
        mail = EmailMessage(policy=_POLICY)
        try:
            mail["From"] = Address(self.brand.sender_name, addr_spec=self.brand.sender_address)
            mail["Reply-To"] = Address(addr_spec=self.brand.reply_to)
            if person.email and is_address(person.email):
                mail["To"] = Address(addr_spec=person.email)
            elif person.email:
                _logger.warning("run %s: the member's email is not a plain address, so the .eml has no To", run_id)
            mail["Subject"] = subject
            mail["Date"] = format_datetime(sent)
            mail["Message-ID"] = f"<{run_id}.{nonce[:24]}@{self.brand.sender_address.rpartition('@')[2]}>"
            mail["List-Unsubscribe"] = f"<{unsubscribe_url}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            mail["Feedback-ID"] = _feedback_id(terms, self.brand.feedback_sender)
            mail.set_content(text, cte="quoted-printable")
            longest = max(len(line) for line in html.split("\n"))
            mail.add_alternative(html, subtype="html", cte="7bit" if longest <= _LONGEST_LINE else "quoted-printable")
            mail.set_boundary(f"=_{nonce[24:56]}")
            return mail.as_bytes(policy=_UNFOLDED)
        except (MessageError, ValueError, LookupError) as error:
            raise TemplateFault(f"run {run_id}: the .eml can't be written: {error}") from error


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateFault(f"{path.name}: can't be read: {error}") from error


def _is_markup(name: str | None) -> bool:
    return name is None or not name.endswith(".txt.j2")


_NAMES: Final = frozenset(
    {
        *("fonts", "sizes", "light", "dark", "subject", "preheader", "headline", "body", "cta", "terms", "greeting"),
        *("domain", "window", "value", "rows", "merchants", "links", "issuer", "advertisement", "reason"),
        "postal_address",
    }
)
"""Every name a template may use."""


def _compile(environment: ImmutableSandboxedEnvironment, name: str, source: str) -> Template:
    try:
        unknown = meta.find_undeclared_variables(environment.parse(source, name)) - _NAMES
        template = environment.get_template(name)
    except TemplateError as error:
        raise TemplateFault(f"{name}: {error}") from error
    if unknown:
        raise TemplateFault(f"{name}: unknown name {min(unknown)!r}; known are {', '.join(sorted(_NAMES))}")
    return template


def _look(theme: Theme) -> dict[str, object]:
    return {"fonts": theme.fonts, "sizes": theme.sizes, "light": theme.light, "dark": theme.dark}


def _fill(template: Template, values: Mapping[str, object]) -> str:
    try:
        return template.render(values)
    except _TEMPLATE_ERRORS as error:
        raise TemplateFault(f"{template.name}: {error}") from error


def _html(mjml: str) -> str:
    """Compile MJML to HTML in ASCII whose lines break between tags, so that it travels as 7bit."""
    try:
        # Without this, the compiler links Google Fonts wherever a family such as Roboto is named.
        compiled = mrml.to_html(mjml, None, mrml.RenderOptions(fonts={}))
    except (OSError, ValueError, TypeError) as error:
        raise TemplateFault(f"offer.mjml.j2: mrml can't compile it: {error}") from error
    if compiled.warnings:
        raise TemplateFault(f"offer.mjml.j2: mrml warns: {compiled.warnings[0]}")
    lines = _BLOCK_TAG.sub("\n", compiled.content).encode("ascii", "xmlcharrefreplace").decode().split("\n")
    return "\n".join(part for line in lines if line.strip() for part in _wrapped(line)) + "\n"


def _wrapped(line: str) -> list[str]:
    """Break a line at blanks where it is longer than mail allows; a blank and a break are the same to HTML."""
    parts = []
    while len(line) > _LONGEST_LINE and (cut := line.rfind(" ", 1, _LONGEST_LINE)) > 0:
        parts.append(line[:cut])
        line = line[cut + 1 :]
    return [*parts, line]


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text.replace(NO_BREAK, " ")).strip() + "\n"


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in _BREAK.split(text.strip()) if paragraph]


def _feedback_id(terms: OfferTerms, sender: str) -> str:
    """Return `domain:type:kind:sender`: providers count complaints by it, so it names no member and no run."""
    return f"{terms.domain.lower().replace(' ', '-')}:{terms.offer_type}:offer:{sender}"
