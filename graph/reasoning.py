"""Why an offer was decided as it was, in words for an analyst: said of nothing but what the decision record holds."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict

from graph.state import Analysis, LoopEnd, LoopReason, ReviewDecision
from tools.drafts import Draft
from tools.economics import outlook
from tools.report import ComplianceReport
from tools.slots import dollars, join, offer_value
from tools.terms import Menu, OfferTerms
from tools.views import MemberView
from tools.vocabulary import CopySource, Strategy


class Grounds(BaseModel):
    """The part of a decision record that the reasoning tells; a run's state and a stored record both have it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    analysis: Analysis
    view: MemberView
    menu: Menu
    draft: Draft
    terms: OfferTerms
    report: ComplianceReport
    attempts: int = 0
    loop_end: LoopEnd | None = None
    review: ReviewDecision | None = None


def reasoning(grounds: Grounds) -> str:
    """Return signals, strategy, option, bounds and copy, one sentence or a few for each.

    The same record gives the same words. They speak of the member: they are never shown to one.
    """
    return " ".join((_signals(grounds), _strategy(grounds), _option(grounds), _bounds(grounds), _copy(grounds)))


def _signals(grounds: Grounds) -> str:
    unknown = grounds.analysis.quality
    gaps = f" Data quality: {'; '.join(unknown)}." if unknown else ""
    return f"Signals: {' '.join(grounds.analysis.insights)}{gaps}"


def _strategy(grounds: Grounds) -> str:
    return f"Strategy: {_WHY[grounds.view.strategy]} (a rule of thumb, not measured uplift)."


def _option(grounds: Grounds) -> str:
    terms, menu = grounds.terms, grounds.menu
    by_cost = sorted(menu.options, key=lambda option: (option.expected_cost_usd, option.option_id))
    step = next((place for place, option in enumerate(by_cost, 1) if option.option_id == terms.option_id), None)
    standing = f", step {step} of {len(by_cost)} by cost" if step is not None else ""
    instead = f", in place of {grounds.draft.option_id}" if terms.option_id != grounds.draft.option_id else ""
    chosen = f"Option: {offer_value(terms, terms.domain)} ({terms.option_id}{standing}{instead})."
    cost = f"Each one sent is expected to cost {dollars(terms.expected_cost_usd)}"
    if menu.basis is None or terms.incremental_value_usd is None:
        return f"{chosen} {cost}."
    basis, net = menu.basis, terms.incremental_value_usd - terms.expected_cost_usd
    worth = f"{dollars(terms.incremental_value_usd)}, net {'-' if net < 0 else ''}{dollars(abs(net))}"
    take_up = f"take-up {outlook(terms, basis).take_up:.1%} instead of {basis.take_up_without:.1%}"
    return f"{chosen} {cost} and to add {worth}: modelled with {take_up} (assumptions of ladders {basis.version})."


def _bounds(grounds: Grounds) -> str:
    """Name the policies that had something to say of the terms as such."""
    bounding = dict.fromkeys(
        result.policy_id
        for result in grounds.report.results
        if result.stage == "terms" and result.kind == "cel" and result.result == "pass"
    )
    return f"Terms bounded by: {join(sorted(bounding), 'and')}." if bounding else "No policy bounded the terms."


def _copy(grounds: Grounds) -> str:
    source, attempts = grounds.draft.source, grounds.attempts
    how = f" in {attempts} drafts" if attempts > 1 else ""
    if source == "fallback":
        after = f", after {attempts} by the model" if attempts else ""
        how = f"{after}: {_END[grounds.loop_end.reason]}" if grounds.loop_end else after
    seen = "; a person approved it" if grounds.review == "approve" else ""
    return f"Copy: {_SOURCE[source]}{how}{seen}."


_WHY: Final[Mapping[Strategy, str]] = {
    "persuadable": "persuadable, neither sure to act without an offer nor out of reach: gets what tips the choice",
    "sure_thing": "sure thing, active and used to taking offers, with spending that holds: is thanked cheaply",
    "lost_cause": "lost cause, little active and selective about offers: gets a small probe",
}

_SOURCE: Final[Mapping[CopySource, str]] = {
    "model": "written by the model within policy",
    "blocks": "approved blocks, headline and button chosen by the model and the rest by code",
    "fallback": "approved blocks chosen by code",
    "human": "edited by a person",
}

_END: Final[Mapping[LoopReason, str]] = {
    "no_draft": "the model gave no draft",
    "nothing_to_tell": "what held the draft back could not be told to a model",
    "attempts": "every draft allowed was made and held back",
    "no_change": "a re-draft changed nothing",
    "oscillation": "re-drafts broke again what was mended",
    "tokens": "the token budget had no room for another draft",
    "seconds": "the deadline had no room for another draft",
}
