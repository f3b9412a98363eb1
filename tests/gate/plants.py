"""Planted violations, one YAML file per policy: `plants/<POLICY_ID>.yaml`, a list of plants per clause id.

    dining_multiplier:
      - offer: {reward_value: 5}
        on: {offer_types: [points_multiplier]}
    no_false_urgency:
      - add: {body: "Hurry, only 12 spots left."}
      - set: {subject: "Act now"}

`add` puts a sentence behind a field's own text, `set` replaces the field; slots the base has, such as `{merchants}`,
are filled. `offer`, `member` and `personal` lay facts over the base's (null takes one away), `send_date` or
`days_before_end` moves the day it is sent, `message` changes the finished email, `delivery` what a push, SMS or
in-app message holds beside its copy, `on` picks the bases. A policy that isn't for emails is planted in such messages.
"""

import difflib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator, model_validator

from tools.columns import BY_NAME
from tools.policies import PolicySet
from tools.policies.facts import MEMBER_FACTS, OFFER_FACTS, TEXT_FIELDS
from tools.policies.schema import AttestClause
from tools.vocabulary import CardType, Channel, DeliveryChannel, Domain, OfferType
from tools.yaml_lines import Lines, read_model

PLANTS: Final = Path(__file__).with_name("plants")
ENOUGH: Final = 3
"""Plants a clause needs."""

_KNOWN: Final = sorted(OFFER_FACTS.keys() | MEMBER_FACTS.keys() | BY_NAME.keys())
Words = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class On(_Part):
    """The bases a plant is put on; an empty list means any."""

    domains: tuple[Domain, ...] = ()
    offer_types: tuple[OfferType, ...] = ()
    card_types: tuple[CardType, ...] = ()
    channels: tuple[Channel, ...] = ()
    requires_enrollment: bool | None = None
    deliveries: tuple[DeliveryChannel, ...] = ()


class MessageChange(_Part):
    """What is done to the email the product built of the planted copy."""

    headers: dict[str, str | None] = Field(default_factory=dict, description="Laid over; null takes one away.")
    html: str | None = Field(default=None, description="In the place of the whole HTML part.")
    text: str | None = Field(default=None, description="In the place of the whole plain part.")
    add_html: str | None = Field(default=None, description="Markup put before `</body>`.")
    add_text: str | None = Field(default=None, description="A paragraph behind the plain part.")
    replace_html: dict[Words, str] = Field(default_factory=dict, description="Each key must stand in the HTML.")
    replace_text: dict[Words, str] = Field(default_factory=dict, description="Each key must stand in the plain part.")
    pad_html_to_bytes: int | None = None
    mime: dict[str, object] = Field(default_factory=dict, description="Laid over how the mail is put together.")
    unsubscribe_url: str | None = None
    postal_address: str | None = None
    issuer: str | None = None
    allowed_hosts: tuple[str, ...] | None = None


class Plant(_Part):
    """One violation of a clause. At least one change is needed."""

    add: dict[str, Words] = Field(default_factory=dict)
    set: dict[str, str] = Field(default_factory=dict)
    offer: dict[str, object] = Field(default_factory=dict)
    member: dict[str, object] = Field(default_factory=dict)
    personal: dict[str, object] = Field(default_factory=dict)
    message: MessageChange | None = None
    delivery: dict[Literal["link", "notice", "text"], str] = Field(default_factory=dict)
    send_date: date | None = None
    days_before_end: int | None = Field(default=None, description="Sent so many days before the offer ends.")
    on: On = On()
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _on_is_a_word(cls, given: object) -> object:
        """YAML 1.1 reads a bare `on` as true."""
        if isinstance(given, dict) and True in given:
            return {"on" if key is True else key: value for key, value in given.items()}
        return given

    @field_validator("add", "set")
    @classmethod
    def _known_fields(cls, text: dict[str, str]) -> dict[str, str]:
        if unknown := set(text) - set(TEXT_FIELDS):
            raise ValueError(f"unknown text field {min(unknown)!r}; known: {', '.join(TEXT_FIELDS)}")
        return text

    @field_validator("offer", "member")
    @classmethod
    def _known_facts(cls, facts: dict[str, object]) -> dict[str, object]:
        unknown = sorted(facts.keys() - set(_KNOWN))
        if unknown:
            near = difflib.get_close_matches(unknown[0], _KNOWN, n=1)
            hint = f"did you mean {near[0]}?" if near else "write one of tools/policies/facts.py or a member's column"
            raise ValueError(f"unknown fact {unknown[0]!r}; {hint}")
        return facts

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set - {"on", "note"}:
            raise ValueError("plants nothing; give add, set, offer, member, personal, message, delivery or send_date")
        if self.send_date is not None and self.days_before_end is not None:
            raise ValueError("send_date and days_before_end both say the day; keep one")
        return self


class _File(RootModel[dict[str, tuple[Plant, ...]]]):
    pass


class PlantFault(ValueError):
    """A plants file can't be used as written: `file:line: reason; remedy`."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")


class Plants:
    """The plants of every clause, and the places they stand at."""

    def __init__(self, plants: Mapping[tuple[str, str], tuple[Plant, ...]], lines: Mapping[str, Lines]) -> None:
        self._plants, self._lines = plants, lines

    def of(self, policy_id: str, clause_id: str) -> tuple[Plant, ...]:
        """Return the plants of a clause."""
        return self._plants.get((policy_id, clause_id), ())

    def line(self, policy_id: str, clause_id: str, index: int) -> int:
        """Return the line a plant stands on."""
        return self._lines[policy_id].at(clause_id, index)


def read_plants(policies: PolicySet, folder: Path = PLANTS, *, only: str | None = None) -> Plants:
    """Read the plants of the active policies, or of one.

    Raises:
        PlantFault: a file names no active policy, or an id that is no clause of it.
        PolicyInvalid: a file's YAML or a plant's form is wrong; it names file, line and field.
    """
    known = {policy.id: policy for policy in policies.active}
    found: dict[tuple[str, str], tuple[Plant, ...]] = {}
    lines: dict[str, Lines] = {}
    for path in sorted(folder.glob("*.yaml")):
        if only is not None and path.stem != only:
            continue
        if path.stem not in known:
            raise PlantFault(path, 1, f"no active policy is called {path.stem!r}; name the file after one")
        file, where = read_model(path, _File)
        clauses = {clause.id: clause for clause in known[path.stem].front.clauses}
        for clause_id, plants in file.root.items():
            if clause_id not in clauses:
                reason = f"{path.stem} has no clause {clause_id!r}; it has {', '.join(clauses)}"
                raise PlantFault(path, where.at(clause_id), reason)
            if plants and isinstance(clauses[clause_id], AttestClause):
                reason = f"{clause_id!r} is attested; its cases are made by code, take these out"
                raise PlantFault(path, where.at(clause_id), reason)
            found[path.stem, clause_id] = plants
        lines[path.stem] = where
    return Plants(found, lines)
