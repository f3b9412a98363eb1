"""The examples of a drafting prompt, put to the gate: what it shows as good passes, what it shows as bad doesn't."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, Final, cast

from graph.assembly import Assembled, assemble, scope_of
from graph.case import candidates_of, menu_of
from graph.deps import Deps
from graph.rulebook import Rulebook
from graph.settings import Settings
from graph.state import OfferState
from tools.draft_examples import Contrast
from tools.drafting import ONLY
from tools.drafts import Copy, Draft
from tools.policies.schema import JudgeClause
from tools.prompt_checks import Fault
from tools.prompt_checks.faults import near
from tools.prompt_files import Prompt
from tools.report import SATISFIED
from tools.slots import legal_slots
from tools.subject import Subject
from tools.terms import Menu, MenuOption
from tools.views import MemberView
from tools.vocabulary import CARD_TYPES, COPY_FIELDS, DOMAINS, STRATEGIES, OfferType

SENT: Final = date(2026, 6, 1)
"""Any day does: no clause of the text depends on it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What offers are assembled and judged with where no run and no service is."""

    settings: Settings
    rulebook: Rulebook

    def as_deps(self) -> Deps:
        """Return this for functions of the graph that read rulebook and settings alone."""
        return cast(Deps, self)


@dataclass(frozen=True, slots=True)
class _RunDay:
    send_date: date = SENT


def menu_at(view: MemberView, desk: Desk) -> Menu:
    """Return the menu of a view."""
    return menu_of(view, desk.as_deps())


def example_faults(prompt: Prompt, desk: Desk) -> Iterator[Fault]:
    """Yield a fault per example that the gate judges otherwise than the prompt says, for the first option it does so.

    Judge clauses are not put: no model is asked. What a clause says of other fields than the body doesn't count, since
    they hold approved copy.
    """
    told: set[tuple[OfferType, str]] = set()
    tried: set[tuple[str, ...]] = set()
    clauses = _clauses(desk.rulebook)
    for kind, held in prompt.header.examples.items():
        if held.shows not in clauses:
            told.add((kind, "bad"))
            place = _place(prompt, kind, "shows")
            message = f"{held.shows} is no clause of an active policy"
            yield Fault(prompt.path, *place, "unknown-clause", message, near(held.shows, clauses))
    for view, option in _options(desk):
        example = prompt.header.examples.get(option.offer_type)
        if example is None:
            continue
        kind, where = option.offer_type, f"{option.option_id} in {view.domain}"
        if (kind, "good") not in told and (found := _found(_good(example, option), option, view, desk)):
            told.add((kind, "good"))
            message = f"the gate refuses the good {kind} ({where}): {'; '.join(sorted(found))}"
            remedy = "write a body that every clause lets pass"
            yield Fault(prompt.path, *_place(prompt, kind, "good"), "good-refused", message, remedy)
        sort = (kind, view.domain, option.channel)  # a bad body is bad whatever the option's figures
        if sort in tried or (kind, "bad") in told:
            continue
        tried.add(sort)
        if example.shows not in _found(example.bad, option, view, desk):
            told.add((kind, "bad"))
            message = f"the bad {kind} ({where}) doesn't break {example.shows}"
            remedy = "write a body that breaks that clause, or name the clause it breaks"
            yield Fault(prompt.path, *_place(prompt, kind, "bad"), "bad-not-refused", message, remedy)


def _good(example: Contrast, option: MenuOption) -> str:
    """Return a good body as a draft has it: with what the prompt says to put before and behind it."""
    opening = "Enroll by {enroll_by}. " if "enroll_by" in legal_slots(option) else ""
    closing = f" {ONLY[option.channel]}" if option.channel != "any" else ""
    return f"{opening}{example.good}{closing}"


def _found(body: str, option: MenuOption, view: MemberView, desk: Desk) -> set[str]:
    """Return the clauses that a body breaks or leaves open, as `POLICY/clause`."""
    deps, state = desk.as_deps(), _state(option, view, desk)
    merchants = tuple(merchant.merchant_id for merchant in state["candidates"][:2])
    blocks = desk.rulebook.blocks.blocks_for(
        option, domain=view.domain, strategy=view.strategy, card_type=view.card_type
    )
    text = Copy.model_validate({field: blocks[field][0].text for field in COPY_FIELDS} | {"body": body})
    draft = Draft(source="model", option_id=option.option_id, merchant_ids=merchants, text=text)
    offer = assemble(state, draft, option, deps)
    if not isinstance(offer, Assembled):
        return {f"{fault.policy_id}/{fault.clause_id}: {fault.message}" for fault in offer if fault.field == "body"}
    subject = Subject(
        text={str(name): held for name, held in offer.copy.fields().items()} | {"terms": offer.terms_text},
        offer=offer.terms.facts(),
        send_date=SENT,
        scope=scope_of(offer.terms, state),
        member={},
        personal={},
        approved={},
    )
    report = desk.rulebook.gate.check(subject, stages=("terms", "copy"))
    judged = _clauses(desk.rulebook)
    return {
        key
        for result in report.results
        if result.result not in (*SATISFIED, "not_applicable")
        and not judged.get(key := f"{result.policy_id}/{result.clause_id}", False)
    }


def _state(option: MenuOption, view: MemberView, desk: Desk) -> OfferState:
    menu = menu_at(view, desk)
    state: Any = {"candidates": candidates_of(view, menu, "online", desk.as_deps()), "view": view, "run": _RunDay()}
    return cast(OfferState, state)


def _options(desk: Desk) -> Iterator[tuple[MemberView, MenuOption]]:
    """Yield every option once per scope it can have: clauses don't ask for the strategy."""
    seen: set[tuple[str, str, str]] = set()
    for domain, card_type, strategy in product(DOMAINS, CARD_TYPES, STRATEGIES):
        view = MemberView(
            domain=domain,
            card_type=card_type,
            strategy=strategy,
            spend_trend="stable",
            engagement="high",
            domain_interest="other",
            tenure_band="new",
        )
        for option in menu_at(view, desk).options:
            if (key := (domain, card_type, option.model_dump_json())) not in seen:
                seen.add(key)
                yield view, option


def _place(prompt: Prompt, *keys: str) -> tuple[int, int]:
    return (1, 1) if prompt.lines is None else prompt.lines.place("examples", *keys)


def _clauses(rulebook: Rulebook) -> dict[str, bool]:
    """Return the active clauses, as `POLICY/clause`, and whether each is a judge's."""
    return {
        f"{policy.id}/{active.clause.id}": isinstance(active.clause, JudgeClause)
        for policy in rulebook.policies.active
        for active in policy.clauses
    }
