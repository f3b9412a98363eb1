"""One offer as an email service reads it: the personalised text, the offer in figures and words, the links."""

import json
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from graph.assembly import fill_copy
from graph.deps import Deps
from graph.nodes.render import sent_at
from graph.state import Run
from tools.drafts import Copy, Draft
from tools.email.message import Message, Person
from tools.email.message_checks import message_facts
from tools.email.names import greeting_name
from tools.errors import TemplateFault
from tools.ledger.outgoing import Outgoing
from tools.slots import FALLBACK_NAME, offer_value
from tools.terms import OfferTerms

SCHEMA: Final[Mapping[str, Any]] = {
    "run_id": pl.String,
    "user_id": pl.String,
    "email": pl.String,
    "first_name": pl.String,
    "domain": pl.String,
    "offer_type": pl.String,
    "option_id": pl.String,
    "offer_value": pl.String,
    "minimum_spend_usd": pl.Float64,
    "start_date": pl.String,
    "end_date": pl.String,
    "enroll_by": pl.String,
    "merchants": pl.List(pl.String),
    "subject": pl.String,
    "preheader": pl.String,
    "headline": pl.String,
    "body": pl.String,
    "cta": pl.String,
    "terms_and_conditions": pl.String,
    "offer_url": pl.String,
    "preferences_url": pl.String,
    "unsubscribe_url": pl.String,
    "list_unsubscribe": pl.String,
    "list_unsubscribe_post": pl.String,
    "html_sha256": pl.String,
}
"""The columns, in their order. Amounts are USD, dates ISO; `list_unsubscribe*` are the headers of RFC 8058."""


class Renderer:
    """Turns the offers of one cohort into rows and messages."""

    def __init__(self, record: Mapping[str, Any], deps: Deps) -> None:
        self._deps = deps
        self._run = Run.model_validate(record["run"])
        self._shared = _Offer(record)

    def row(self, offer: Outgoing) -> dict[str, Any]:
        """Return the fields of `SCHEMA`. Raises TemplateFault for copy that can't be filled any more."""
        shown = self._offer(offer)
        copy = self._copy(shown, offer)
        links = self._deps.mailer.links(offer.run_id, sent_at(self._run))
        terms = shown.terms
        return {
            "run_id": offer.run_id,
            "user_id": offer.user_id,
            "email": offer.email,
            "first_name": offer.first_name,
            "domain": offer.domain,
            "offer_type": terms.offer_type,
            "option_id": terms.option_id,
            "offer_value": offer_value(terms, terms.domain),
            "minimum_spend_usd": None if terms.minimum_spend is None else float(terms.minimum_spend),
            "start_date": terms.start_date.isoformat(),
            "end_date": terms.end_date.isoformat(),
            "enroll_by": None if terms.enroll_by is None else terms.enroll_by.isoformat(),
            "merchants": [merchant.merchant_name for merchant in terms.merchants],
            **copy.model_dump(),
            "terms_and_conditions": shown.terms_text,
            "offer_url": links["offer"],
            "preferences_url": links["preferences"],
            "unsubscribe_url": links["unsubscribe"],
            "list_unsubscribe": f"<{links['unsubscribe']}>",
            "list_unsubscribe_post": "List-Unsubscribe=One-Click",
            "html_sha256": offer.html_sha256,
        }

    def message(self, offer: Outgoing) -> Message:
        """Render the mail that was checked. Raises TemplateFault when it isn't, byte for byte, the recorded one."""
        shown = self._offer(offer)
        message = self._deps.mailer.render(
            run_id=offer.run_id,
            copy=self._copy(shown, offer),
            terms=shown.terms,
            terms_text=shown.terms_text,
            person=Person(first_name=offer.first_name, email=offer.email),
            sent_at=sent_at(self._run),
        )
        if message.html_sha256 != offer.html_sha256:
            raise TemplateFault("its email can't be rendered as it was checked: template, brand or link key changed")
        message_facts(message, self._deps.mailer.brand, offer.run_id)  # the .eml reads back as what was rendered
        return message

    def _offer(self, offer: Outgoing) -> "_Offer":
        return _Offer(offer.own) if offer.own else self._shared

    def _copy(self, shown: "_Offer", offer: Outgoing) -> Copy:
        name = greeting_name(offer.first_name or FALLBACK_NAME)
        copy = fill_copy(shown.draft.text, shown.terms, first_name=name)
        if isinstance(copy, tuple):
            raise TemplateFault(f"{copy[0].field}: {copy[0].message}")
        return copy


class _Offer:
    def __init__(self, record: Mapping[str, Any]) -> None:
        self.draft = Draft.model_validate(record["draft"])
        self.terms = OfferTerms.model_validate(record["terms"])
        self.terms_text = str(record["terms_text"])


def json_line(row: Mapping[str, Any]) -> str:
    """Return a row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False) + "\n"
