"""Nodes that say what they do: one wrapper around each, so that no node has to think of who watches."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import signature
from typing import Any, Final, cast

from langgraph.runtime import Runtime

from graph.context import Context
from graph.events import (
    DOING,
    Checked,
    Decided,
    Doing,
    Drafted,
    Drafting,
    Event,
    Hypotheses,
    NodeName,
    Rendered,
    Retrieved,
    Screened,
    Seen,
    say,
)
from tools.draft_parts import PARTS, opened
from tools.report import ComplianceReport

State = Mapping[str, Any]
Update = Mapping[str, Any]
Node = Callable[..., Awaitable[dict[str, Any]]]


def telling(node: Node, **services: Any) -> Node:
    """Return the node with its services bound, saying when it begins and what came of it."""
    name = cast(NodeName, node.__name__)
    wants_runtime = "runtime" in signature(node).parameters
    begins = Doing(node=name, doing=DOING[name])

    @wraps(node, assigned=("__name__", "__doc__"), updated=())
    async def run(state: Any, runtime: Runtime[Context]) -> dict[str, Any]:
        say(runtime, begins)
        if name == "draft":
            say(runtime, _drafting(state))
        update = await node(state, **services, **({"runtime": runtime} if wants_runtime else {}))
        if name in _AFTER and (event := _AFTER[name](state, update)) is not None:
            say(runtime, event)
        return update

    del run.__wrapped__  # LangGraph looks at the parameters of what it calls
    return run


def _drafting(state: State) -> Drafting:
    is_open = opened(state["feedback"]) if state["draft"] is not None else PARTS
    return Drafting(attempt=state["attempts"] + 1, asked=tuple(part for part in PARTS if part in is_open))


def _screened(_: State, update: Update) -> Screened | None:
    screening = update.get("screening")
    return None if screening is None else Screened(holds=tuple(reason for reason, _ in screening.holds))


def _seen(_: State, update: Update) -> Seen:
    return Seen(view=update["view"], options=len(update["menu"].options), merchants=len(update["candidates"]))


def _hypotheses(_: State, update: Update) -> Hypotheses:
    return Hypotheses(kept=len(update.get("hypotheses", ())), dropped=len(update.get("dropped", ())))


def _retrieved(_: State, update: Update) -> Retrieved:
    policies = update["policies"]
    return Retrieved(policies=len(policies), with_prose=sum(bool(extract.prose) for extract in policies))


def _drafted(name: NodeName) -> Callable[[State, Update], Event | None]:
    def told(_: State, update: Update) -> Drafted | None:
        draft = update.get("draft")
        if draft is None:
            return None
        return Drafted.model_validate(
            {
                "node": name,
                "source": draft.source,
                "option_id": draft.option_id,
                "merchant_ids": draft.merchant_ids,
            }
        )

    return told


def _checked(state: State, update: Update) -> Checked:
    report: ComplianceReport = update["report"]
    return Checked(
        attempt=state["attempts"],
        verdict=report.verdict,
        clauses=len(report.results),
        broken=_broken(report),
        judge=report.judge,
    )


def _rendered(_: State, update: Update) -> Rendered | None:
    report: ComplianceReport | None = update.get("message_report")
    if report is None:
        return None
    channels = tuple(one.channel for one in update.get("deliveries", ()) if one.message is not None)
    return Rendered(verdict=report.verdict, broken=_broken(report), channels=channels)


def _decided(_: State, update: Update) -> Decided | None:
    output = update.get("output")
    return None if output is None else Decided(recommendation=output.recommendation, error_code=output.error_code)


def _broken(report: ComplianceReport) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{one.policy_id}/{one.clause_id}" for one in report.violations))


_AFTER: Final[Mapping[NodeName, Callable[[State, Update], Event | None]]] = {
    "screen": _screened,
    "analyze_rules": _seen,
    "analyze_llm": _hypotheses,
    "retrieve_policies": _retrieved,
    "draft": _drafted("draft"),
    "check_compliance": _checked,
    "fall_back": _drafted("fall_back"),
    "render": _rendered,
    "record": _decided,
}
