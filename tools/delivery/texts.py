"""The reviewed sentences of push, SMS and in-app messages: read, checked, approved, and filled from the terms."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from tools.braces import fill_text, literal_text, slots_in
from tools.copy_approvals import covers_of, read_approvals
from tools.disclosures import Sentence
from tools.errors import PolicyInvalid
from tools.slots import renderings
from tools.terms import OfferTerms
from tools.vocabulary import DeliveryChannel
from tools.yaml_lines import Lines, read_model

FILE: Final = "texts.yaml"
Part = Literal["title", "body", "cta", "notice"]
SLOTS: Final[frozenset[str]] = frozenset(
    {
        "issuer",
        "offer_value",
        "base_rate",
        "minimum_spend",
        "reward_cap",
        "merchants",
        "domain",
        "expiry_date",
        "enroll_by",
    }
)
"""Every name that may stand in braces; none is of a person, since these texts show on locked screens."""

Sentences = tuple[Sentence, ...]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Push(_Closed):
    title: Sentences = Field(min_length=1)
    body: Sentences = Field(min_length=1)


class _Sms(_Closed):
    body: Sentences = Field(min_length=1)
    notice: Sentences = Field(min_length=1)


class _InApp(_Closed):
    title: Sentences = Field(min_length=1)
    body: Sentences = Field(min_length=1)
    cta: Sentences = Field(min_length=1)


class _TextFile(_Closed):
    version: str
    push: _Push
    sms: _Sms
    in_app: _InApp


@dataclass(frozen=True, slots=True)
class DeliveryText:
    """One part of one channel's message: all its sentences, which are read, approved and signed together."""

    channel: DeliveryChannel
    part: Part
    sentences: Sentences
    line: int

    @property
    def id(self) -> str:
        """What approvals, records and clauses call it; copy blocks have no such names."""
        return f"delivery:{self.channel}_{self.part}"

    @property
    def field(self) -> str:
        """Where it stands, as `offers copy list` shows it."""
        return f"{self.channel}.{self.part}"

    @property
    def text(self) -> str:
        """Its sentences with their conditions, a line each."""
        return "\n".join(_shown(sentence) for sentence in self.sentences)

    @property
    def text_sha(self) -> str:
        """What an approval of this text signs: the SHA-256 in hex of its sentences and their conditions."""
        said = "\0".join(sentence.model_dump_json(exclude_defaults=True) for sentence in self.sentences)
        return hashlib.sha256(f"{self.id}\0{said}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class DeliveryTexts:
    """All texts by channel and part. `covers` names the judge clauses each is approved for, by its id."""

    path: Path
    version: str
    texts: Mapping[tuple[DeliveryChannel, Part], DeliveryText]
    covers: Mapping[str, frozenset[str]]

    def fill(self, channel: DeliveryChannel, terms: OfferTerms, *, issuer: str) -> dict[Part, str]:
        """Return each part of a channel's message, its sentences that hold for these terms joined by spaces.

        Raises PolicyInvalid for a sentence that holds but uses a slot the terms don't have.
        """
        values = slot_values(terms, issuer=issuer)
        return {text.part: self._filled(text, terms, values) for text in self.texts.values() if text.channel == channel}

    def _filled(self, text: DeliveryText, terms: OfferTerms, values: Mapping[str, str | None]) -> str:
        said = []
        for sentence in text.sentences:
            if sentence.when.holds(terms):
                try:
                    said.append(fill_text(sentence.text, values))
                except KeyError as error:
                    where = f"{text.channel}.{text.part}: sentence '{sentence.id}'"
                    reason = f"{where} uses {{{error.args[0]}}}, which this offer doesn't have; narrow its `when`"
                    raise PolicyInvalid(self.path, text.line, reason) from error
        return " ".join(said)


def slot_values(terms: OfferTerms, *, issuer: str) -> dict[str, str | None]:
    """Return the words of every slot; None where the offer has no such term. Dates are short: "Jan 6, 2027"."""
    values = renderings(terms) | {
        "issuer": issuer,
        "expiry_date": _short(terms.end_date),
        "enroll_by": None if terms.enroll_by is None else _short(terms.enroll_by),
    }
    return {name: values[name] for name in SLOTS}


def load_delivery_texts(folder: Path) -> DeliveryTexts:
    """Read `policies/delivery`, approved as its `approvals.yaml` says.

    Raises PolicyInvalid, with file, line and remedy, for a text nobody approved as it stands, and for all that
    `read_delivery_texts` refuses.
    """
    texts = read_delivery_texts(folder)
    standing = {text.id: text.text_sha for text in texts.texts.values()}
    covers = covers_of(read_approvals(folder), standing)
    for text in texts.texts.values():
        if text.id not in covers:
            command = f"`offers copy approve {text.id} --by NAME`"
            reason = f"{text.id}: nobody approved these sentences; restore them, or have them approved: {command}"
            raise PolicyInvalid(texts.path, text.line, reason)
    return replace(texts, covers=MappingProxyType(covers))


def read_delivery_texts(folder: Path) -> DeliveryTexts:
    """Read the texts, approved or not.

    Raises PolicyInvalid, with file and line, for an id used twice, an unknown slot and a digit outside slots.
    """
    path = folder / FILE
    file, lines = read_model(path, _TextFile)
    texts = {}
    for channel in get_args(DeliveryChannel):
        for part, sentences in getattr(file, channel):
            _refuse(path, lines, channel, part, sentences)
            text = DeliveryText(channel, part, sentences, lines.at(channel, part))
            texts[channel, part] = text
    return DeliveryTexts(path, file.version, MappingProxyType(texts), MappingProxyType({}))


def _refuse(path: Path, lines: Lines, channel: DeliveryChannel, part: Part, sentences: Sentences) -> None:
    seen: set[str] = set()
    for index, sentence in enumerate(sentences):
        for key, reason in _faults(sentence, seen, part):
            line = lines.at(channel, part, index, key)
            raise PolicyInvalid(path, line, f"{channel}.{part}: sentence '{sentence.id}': {reason}")
        seen.add(sentence.id)


def _faults(sentence: Sentence, seen: set[str], part: Part) -> Iterator[tuple[str, str]]:
    if sentence.id in seen:
        yield "id", "the id is used twice; rename one"
    slots = slots_in(sentence.text)
    if unknown := slots - SLOTS:
        yield "text", f"unknown slot {{{min(unknown)}}}; known are {', '.join(sorted(SLOTS))}"
    if part == "notice" and slots:
        yield "text", "a notice is the programme's, the same for every offer; take the slots out"
    if any(char in "{}" or char.isdigit() for char in literal_text(sentence.text)):
        yield "text", "a digit or a brace outside slots; amounts and dates come from the terms alone"


def _shown(sentence: Sentence) -> str:
    when = sentence.when.model_dump(exclude_defaults=True)
    asked = [f"{name} {', '.join(of) if isinstance(of, tuple) else of}" for name, of in when.items()]
    return f"{sentence.text} [{'; '.join(asked)}]" if asked else sentence.text


def _short(value: date) -> str:
    return f"{_MONTHS[value.month - 1]} {value.day}, {value.year}"


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
