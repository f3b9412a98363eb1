"""What a run says while it runs, for who watches (`stream_mode="custom"`): Studio, the SDK, `offers generate --trace`.

A closed set of events made of enums, ids, counts and the bands a prompt sees. There is no field for anything else of a
member, so nothing else can be said. With nobody listening an event is made and dropped; no event is part of a record.
"""

from typing import Annotated, Final, Literal

from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field

from graph.context import Context
from graph.schemas import ErrorCode, Recommendation
from tools.report import JudgeState, Verdict
from tools.views import MemberView
from tools.vocabulary import CopySource, DeliveryChannel, SuppressionReason

NodeName = Literal[
    "fetch",
    "screen",
    "analyze_rules",
    "analyze_llm",
    "retrieve_policies",
    "draft",
    "check_compliance",
    "fall_back",
    "review",
    "render",
    "record",
]

DOING: Final[dict[NodeName, str]] = {
    "fetch": "loading the cardmember",
    "screen": "counting what the member got, and deciding whether policy holds them back",
    "analyze_rules": "turning behaviour into the bands a prompt may see",
    "analyze_llm": "asking the model why an offer may help",
    "retrieve_policies": "gathering the policies that cover the menu",
    "draft": "asking the model for a draft",
    "check_compliance": "putting every clause to the draft",
    "fall_back": "composing approved copy",
    "review": "waiting for a person",
    "render": "building the message and putting the message clauses to it",
    "record": "writing the outcome (a preview writes nothing)",
}


class Event(BaseModel):
    """Base of the events."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Doing(Event):
    """A node begins."""

    event: Literal["doing"] = "doing"
    node: NodeName
    doing: str


class Screened(Event):
    """Who was held back, and why; nothing in `holds` means the run goes on."""

    event: Literal["screened"] = "screened"
    node: Literal["screen"] = "screen"
    holds: tuple[SuppressionReason, ...]


class Seen(Event):
    """All that prompts will know of the member, and how many options and merchants there are to choose from."""

    event: Literal["seen"] = "seen"
    node: Literal["analyze_rules"] = "analyze_rules"
    view: MemberView
    options: int
    merchants: int


class Hypotheses(Event):
    """What analysis kept and dropped."""

    event: Literal["hypotheses"] = "hypotheses"
    node: Literal["analyze_llm"] = "analyze_llm"
    kept: int
    dropped: int


class Retrieved(Event):
    """Policies a draft is told of, and how many of them with their prose."""

    event: Literal["retrieved"] = "retrieved"
    node: Literal["retrieve_policies"] = "retrieve_policies"
    policies: int
    with_prose: int


class Drafting(Event):
    """Which parts this attempt asks a model for; none means that code chooses the rest."""

    event: Literal["drafting"] = "drafting"
    node: Literal["draft"] = "draft"
    attempt: int
    asked: tuple[str, ...]


class Drafted(Event):
    """What was chosen."""

    event: Literal["drafted"] = "drafted"
    node: Literal["draft", "fall_back"]
    source: CopySource
    option_id: str
    merchant_ids: tuple[str, ...]


class Checked(Event):
    """What the gate says of an attempt; `broken` names clauses as policy/clause."""

    event: Literal["checked"] = "checked"
    node: Literal["check_compliance"] = "check_compliance"
    attempt: int
    verdict: Verdict
    clauses: int
    broken: tuple[str, ...]
    judge: JudgeState


class Rendered(Event):
    """What the message clauses say, and which channels beside the email have a message."""

    event: Literal["rendered"] = "rendered"
    node: Literal["render"] = "render"
    verdict: Verdict
    broken: tuple[str, ...]
    channels: tuple[DeliveryChannel, ...]


class Decided(Event):
    """The outcome."""

    event: Literal["decided"] = "decided"
    node: Literal["record"] = "record"
    recommendation: Recommendation
    error_code: ErrorCode | None


AnyEvent = Annotated[
    Doing | Screened | Seen | Hypotheses | Retrieved | Drafting | Drafted | Checked | Rendered | Decided,
    Field(discriminator="event"),
]


def say(runtime: Runtime[Context], event: Event) -> None:
    """Tell whoever watches the run."""
    runtime.stream_writer(event.model_dump(mode="json"))
