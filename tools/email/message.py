"""The message of one offer: subject, HTML, plain text and the `.eml` that a sender can hand over as it is."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tools.drafts import Copy
from tools.email import tokens
from tools.email.brand import TOKEN, Brand
from tools.email.compiler import fill_template, html_of, load_template, open_environment, read_source
from tools.email.elements import squeeze
from tools.email.eml import Envelope, write_eml
from tools.email.markup import check_markup
from tools.email.names import greeting_name
from tools.email.preview import NO_BREAK, padding_after
from tools.email.received import PLAIN, Received
from tools.email.stencil import Stencil, cut
from tools.email.term_groups import groups_of
from tools.email.theme import read_theme
from tools.email.value_box import card_of, places_of, rows_of, value_of, window_of
from tools.errors import TemplateFault
from tools.slots import renderings
from tools.terms import OfferTerms

TEMPLATES: Final = Path(__file__).parent / "templates"
"""The shipped `offer.mjml.j2`, `offer.txt.j2` and `theme.toml`."""

_FILES: Final = ("offer.mjml.j2", "offer.txt.j2", "theme.toml")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_BREAK = re.compile(r"\s*\n\s*")
_GREETED = re.compile(r"(?:Hi|Hello|Dear) [^\s,]+,")
"""How a body starts that greets by itself."""


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


def _sha(template_sha: str, brand: Brand, secret: bytes, received: Received) -> str:
    """Name templates, brand, key and reviewed sentence; the key's part can't be turned back into it."""
    look = asdict(brand) | {"allowed_hosts": sorted(brand.allowed_hosts)}
    key = tokens.derive("fingerprint", b"", secret=secret).hex()
    return hashlib.sha256(json.dumps([template_sha, look, key, received.text], sort_keys=True).encode()).hexdigest()


class Mailer:
    """Builds messages from one brand and one set of templates; safe to share between threads.

    `received` is the sentence that says why the member got it.

    The same arguments give the same bytes: date, message id, boundary and link tokens derive from them and the secret.
    `template_sha` names the templates and theme in use, `sha` all that a message depends on beside the arguments.
    TemplateFault at construction when a template can't be trusted.
    """

    def __init__(
        self, brand: Brand, *, token_secret: bytes, templates: Path = TEMPLATES, received: Received = PLAIN
    ) -> None:
        tokens.check_secret(token_secret)
        self.brand = brand
        self._secret = token_secret
        self._received = received
        self._theme = read_theme(templates / "theme.toml")
        sources = {name: read_source(templates / name) for name in _FILES}
        check_markup("offer.mjml.j2", sources["offer.mjml.j2"])
        self.template_sha = hashlib.sha256("\0".join(sources.values()).encode()).hexdigest()
        self.sha = _sha(self.template_sha, brand, token_secret, received)
        environment = open_environment(templates)
        self._mjml = load_template(environment, "offer.mjml.j2", sources["offer.mjml.j2"])
        self._text = load_template(environment, "offer.txt.j2", sources["offer.txt.j2"])

    def render(
        self, *, run_id: str, copy: Copy, terms: OfferTerms, terms_text: str, person: Person, sent_at: datetime
    ) -> Message:
        """Return the message of one run. `copy` has its slots filled; `sent_at` has a time zone.

        An e-mail address that isn't a plain one counts as none: the `.eml` then has no `To`. TemplateFault says which
        value can't be rendered.
        """
        if not tokens.RUN_ID.fullmatch(run_id):
            raise TemplateFault(f"run_id: {run_id!r} can't be part of a header; use letters, digits, '.', '_' and '-'")
        if sent_at.tzinfo is None:
            raise TemplateFault(f"sent_at: {sent_at.isoformat()} has no time zone; pass an aware datetime")
        sent = sent_at.astimezone(UTC).replace(microsecond=0)
        links = self.links(run_id, sent)
        values = self._values(copy, terms, terms_text, person, links)
        html = html_of(fill_template(self._mjml, values))
        text = _tidy(fill_template(self._text, values))
        envelope = Envelope(
            run_id=run_id,
            sent_at=sent,
            to=person.email,
            subject=copy.subject,
            feedback=f"{terms.domain.lower().replace(' ', '-')}:{terms.offer_type}:offer",
            unsubscribe_url=links["unsubscribe"],
        )
        return Message(
            subject=copy.subject,
            html=html,
            text=text,
            eml=write_eml(self.brand, envelope, html=html, text=text, secret=self._secret),
            html_sha256=hashlib.sha256(html.encode()).hexdigest(),
            unsubscribe_url=links["unsubscribe"],
            sent_at=sent,
        )

    def cut(self, message: Message, *, run_id: str, name: str | None = None) -> Stencil:
        """Cut this run's message so that it can be filled for others of the same draft, and of the same greeting.

        Of any greeting if it greets `name`, a `greeting_line.placeholder`. Raises TemplateFault when its tokens don't
        stand in links alone, or the name elsewhere than in the greeting line.
        """
        return cut(message, run_id=run_id, secret=self._secret, name=name)

    def claim_of_link(self, purpose: tokens.LinkPurpose, token: str) -> tokens.LinkClaim | None:
        """Return what a token of one of our links says if it was made for this purpose, else None."""
        return tokens.read(purpose, token, secret=self._secret)

    def links(self, run_id: str, sent: datetime) -> dict[str, str]:
        """Return a run's links by purpose: offer, preferences, unsubscribe, privacy."""
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
        _check_written(copy, terms, terms_text)
        words = renderings(terms)
        return {
            "fonts": self._theme.fonts,
            "sizes": self._theme.sizes,
            "light": self._theme.light,
            "dark": self._theme.dark,
            "subject": squeeze(copy.subject),
            "preheader": copy.preheader,
            "preview_pad": padding_after(copy.preheader),
            "headline": copy.headline,
            "body": _paragraphs(copy.body),
            "cta": copy.cta,
            "terms": groups_of(_paragraphs(terms_text)),
            "greeting": "" if _GREETED.match(copy.body) else greeting_name(person.first_name),
            "domain": terms.domain,
            "card": card_of(terms, words, self._theme.cards),
            "window": window_of(words),
            "value": value_of(words),
            "rows": rows_of(terms, words),
            "merchants": places_of(terms),
            "links": links,
            "issuer": self.brand.issuer,
            "advertisement": f"This is an advertisement from {self.brand.issuer}.",
            "reason": self._received.line(terms),
            "postal_address": self.brand.postal_address,
        }


def _check_written(copy: Copy, terms: OfferTerms, terms_text: str) -> None:
    """Raise TemplateFault for text that can't be mailed, by its field's name."""
    merchants = ((f"merchant {merchant.merchant_id}", merchant.merchant_name) for merchant in terms.merchants)
    for name, written in (*copy.fields().items(), ("terms_text", terms_text), *merchants):
        if found := _CONTROL.search(written):
            raise TemplateFault(f"{name}: character U+{ord(found[0]):04X} can't be mailed; remove it from the copy")
        if not written.strip():
            raise TemplateFault(f"{name}: is empty; a message needs every field")
        if (name == "subject" or name.startswith("merchant")) and ("\n" in written or "\t" in written):
            raise TemplateFault(f"{name}: has a line break or tab; write it as one line")
    # mrml writes such a character into the label for screen readers as an escape of its own.
    if odd := next((sign for sign in squeeze(copy.subject) if not sign.isprintable() or sign == "\\"), ""):
        raise TemplateFault(f"subject: character U+{ord(odd):04X} can't stand in a subject; write it without")
    if "=?" in copy.subject:
        raise TemplateFault("subject: has '=?', which mail programs decode; write it without")


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text.replace(NO_BREAK, " ")).strip() + "\n"


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in _BREAK.split(text.strip()) if paragraph]
