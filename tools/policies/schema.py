"""The front matter of a policy file: what each field may hold. An unknown key is an error, never ignored."""

import re
from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from tools.policies.facts import MESSAGE_FIELDS, TEXT_FIELDS
from tools.report import Severity, Stage
from tools.vocabulary import COPY_FIELDS, CardType, Channel, Delivery, Domain

BRIEF_WORDS: Final = 30
WRITER_STAGES: Final[frozenset[Stage]] = frozenset({"terms", "copy"})
"""Stages whose clauses a draft can break: its copy, and the option and merchants it chooses."""

Status = Literal["draft", "active", "retired"]
Basis = Literal["law", "guidance", "mailbox", "policy"]
PolicyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{1,63}$")]
ClauseId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
LimitName = Annotated[str, StringConstraints(pattern=r"^(max|min)_[a-z0-9_]+$")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Phrase = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9$%#'&+/.,*-]+(?: [A-Za-z0-9$%#'&+/.,*-]+)*$")
]
"""Plain words with single spaces; `*` at the end of a word stands for any ending."""
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\n]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyScope(_Part):
    """Where a policy applies. An empty list means everywhere.

    `channels` are where purchases count, `delivery` is how the text reaches the member.
    """

    domains: tuple[Domain, ...] = ()
    card_types: tuple[CardType, ...] = ()
    channels: tuple[Channel, ...] = ()
    offer_types: tuple[str, ...] = ()
    delivery: tuple[Delivery, ...] = ()

    @property
    def has_email(self) -> bool:
        """Whether emails are in scope: what a model drafts, and what an offer can't do without."""
        return not self.delivery or "email" in self.delivery


class Example(_Part):
    """A case the clause must judge as declared: only what differs from the standard conforming subject.

    A null value takes a fact of the standard subject away. `personal` holds profile values, for detectors of leaks;
    `delivery` what a push, SMS or in-app message holds beside its copy (`link`, `notice`, `text`).
    """

    text: dict[str, str] = Field(default_factory=dict)
    offer: dict[str, object] = Field(default_factory=dict)
    member: dict[str, object] = Field(default_factory=dict)
    personal: dict[str, object] = Field(default_factory=dict)
    message: dict[str, object] = Field(default_factory=dict)
    delivery: dict[Literal["link", "notice", "text"], str] = Field(default_factory=dict)
    send_date: date | None = None

    @field_validator("text")
    @classmethod
    def _known_fields(cls, text: dict[str, str]) -> dict[str, str]:
        if unknown := set(text) - set(TEXT_FIELDS):
            raise ValueError(f"unknown text field {min(unknown)!r}; known: {', '.join(TEXT_FIELDS)}")
        return text


def _body(example: object) -> object:
    return {"text": {"body": example}} if isinstance(example, str) else example


class Examples(_Part):
    """The clause's own tests. A plain string is the body of the copy."""

    violating: tuple[Annotated[Example, BeforeValidator(_body)], ...] = ()
    conforming: tuple[Annotated[Example, BeforeValidator(_body)], ...] = ()


class _Clause(_Part):
    id: ClauseId
    stage: Stage
    severity: Severity
    when: Words | None = None
    message: Words
    fix_hint: str = ""
    examples: Examples = Examples()


class CelClause(_Clause):
    """True passes, false violates, anything else is unknown."""

    kind: Literal["cel"]
    check: Words


Within = Literal["sentence", "next", "field", "any"]
"""How far an excuse of a pattern clause may stand: same sentence, the one before or after, same field, any field."""


class PatternClause(_Clause):
    """Phrases and regular expressions over the folded text, merchant names masked."""

    kind: Literal["pattern"]
    fields: tuple[str, ...] = COPY_FIELDS
    phrases: tuple[Phrase, ...] = ()
    forbid: tuple[Words, ...] = ()
    require: tuple[Words, ...] = ()
    unless: tuple[Words, ...] = ()
    within: Within = "sentence"

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        known = (*TEXT_FIELDS, *MESSAGE_FIELDS)
        if not fields:
            raise ValueError("name at least one field, or leave fields out for all copy")
        if unknown := set(fields) - set(known):
            raise ValueError(f"unknown field {min(unknown)!r}; known: {', '.join(known)}")
        return fields

    @model_validator(mode="after")
    def _has_a_pattern(self) -> Self:
        if not self.forbidden and not self.require:
            raise ValueError("a pattern clause needs phrases, forbid or require")
        if self.unless and not self.forbidden:
            raise ValueError("unless excuses a forbidden match: it needs phrases or forbid")
        if self.within != "sentence" and not self.unless:
            raise ValueError("within says how far an excuse may stand: it needs unless")
        return self

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Return what may not be said, as regular expressions: the phrases, then `forbid`."""
        return (*map(phrase_regex, self.phrases), *self.forbid)


class CodeClause(_Clause):
    """A named, tested detector with its parameters."""

    kind: Literal["code"]
    detector: Words
    params: dict[str, object] = Field(default_factory=dict)


class JudgeClause(_Clause):
    """A question to a language model, or to the person who approved the blocks the copy is made of."""

    kind: Literal["judge"]
    question: Words


class AttestClause(_Clause):
    """A fact no part of the system has: a named person vouches for it until a day."""

    kind: Literal["attest"]
    attested_by: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


Clause = Annotated[
    CelClause | PatternClause | CodeClause | JudgeClause | AttestClause,
    Field(discriminator="kind"),
]


def phrase_regex(phrase: str) -> str:
    """Return the expression that finds a phrase as whole words, a space or hyphen between them as written by anyone."""
    words = (re.escape(word).replace(r"\*", r"[\w'-]*") for word in phrase.split(" "))
    joined = r"[\s-]+".join(words)
    opens = r"\b" if phrase[0].isalnum() else ""
    return opens + joined + (r"\b" if phrase[-1].isalnum() else "")


class FrontMatter(_Part):
    """Everything between the two `---` lines of a policy file.

    `brief` may be empty only where a writer can break nothing: see `needs_brief`.
    """

    id: PolicyId
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    status: Status
    effective: date
    owner: Line
    approved_by: Line
    basis: Basis
    citation: Line
    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    brief: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\n]*$")]
    scope: PolicyScope = PolicyScope()
    limits: dict[LimitName, Number] = Field(default_factory=dict)
    clauses: tuple[Clause, ...]

    @field_validator("clauses")
    @classmethod
    def _says_something(cls, clauses: tuple[Clause, ...]) -> tuple[Clause, ...]:
        if not clauses:
            raise ValueError("a policy without a clause enforces nothing; add one")
        return clauses

    @field_validator("brief")
    @classmethod
    def _short(cls, brief: str) -> str:
        if (words := len(brief.split())) > BRIEF_WORDS:
            raise ValueError(f"{words} words; a brief goes into every prompt and has at most {BRIEF_WORDS}")
        return brief

    def needs_brief(self) -> bool:
        """Tell whether a draft can break this policy, so that whoever writes one must be told of it."""
        return self.scope.has_email and any(clause.stage in WRITER_STAGES for clause in self.clauses)
