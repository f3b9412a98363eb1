"""Which option the campaign can pay: asked after the choice, so that no menu and no prompt depends on money."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from graph.deps import Deps
from graph.nodes.screen import LEASE_MARGIN_S
from graph.state import Failure, OfferState, Reserved
from tools.drafts import Draft
from tools.ledger.money import BudgetLeft, Granted, Lost, Short
from tools.screening import Hold
from tools.terms import Menu, MenuOption

OUTLIVED: Final = (
    "the run outlived its claim on the prediction, or meanwhile the member opted out or a budget was cut; send it again"
)


@dataclass(frozen=True, slots=True)
class Paid:
    """The option to offer. `reserved` is None in a preview, and where no budget counts the offer."""

    option: MenuOption
    reserved: Reserved | None

    @property
    def replaced(self) -> bool:
        """Whether money, and not the draft, chose the option: no model may hear of it."""
        return self.reserved is not None and self.reserved.in_place_of is not None


async def afforded(state: OfferState, draft: Draft, chosen: MenuOption, deps: Deps) -> Paid | Hold | Failure:
    """Reserve the chosen option's expected cost, else that of the next cheaper one of its type that can be paid.

    A hold when none can, in words that name the budgets that were short; a failure when the run's claim has ended.
    Raises DatabaseUnavailable.
    """
    run = state["run"]
    if run.mode == "preview":
        return Paid(chosen, None)
    short, last = Short(()), chosen
    for option in (chosen, *cheaper_of(chosen, state["menu"])):
        answer = await deps.money.reserve(
            campaign_id=run.campaign_id,
            prediction_key=run.prediction_key,
            run_id=run.run_id,
            amount_usd=option.expected_cost_usd,
            lease_s=run.deadline_s + LEASE_MARGIN_S,
        )
        match answer:
            case Granted(budgets):
                return Paid(option, _reserved(state, draft, option, budgets))
            case Lost():
                return Failure(code="deadline", message=OUTLIVED)
            case Short():
                short, last = answer, option
    return "budget_exhausted", _told(chosen, last, short, run.campaign)


def cheaper_of(chosen: MenuOption, menu: Menu) -> list[MenuOption]:
    """Return what money may put in place of an option: those of its type that cost less, dearest first."""
    cheaper = [
        option
        for option in menu.options
        if option.offer_type == chosen.offer_type and option.expected_cost_usd < chosen.expected_cost_usd
    ]
    return sorted(cheaper, key=lambda option: -option.expected_cost_usd)


def _reserved(state: OfferState, draft: Draft, option: MenuOption, budgets: tuple[BudgetLeft, ...]) -> Reserved | None:
    if not budgets:
        return None
    asked: str | None = draft.option_id if draft.option_id != option.option_id else None
    before = state.get("money")
    if asked is None and draft.source == "fallback" and before is not None:
        asked = before.in_place_of  # the fallback speaks for the option that money chose
    return Reserved(option_id=option.option_id, amount_usd=option.expected_cost_usd, budgets=budgets, in_place_of=asked)


def _told(chosen: MenuOption, cheapest: MenuOption, short: Short, campaign: str) -> str:
    cost = f"{chosen.option_id} is expected to cost {usd(chosen.expected_cost_usd)}"
    if cheapest is not chosen:
        cost += f", the cheapest {chosen.offer_type} option, {cheapest.option_id}, {usd(cheapest.expected_cost_usd)}"
    lacking = (f"{_NAMES[b.scope].format(name=b.name, campaign=campaign)} has {usd(b.left_usd)} left of"
               f" {usd(b.limit_usd)}" for b in short.budgets)  # fmt: skip
    return "; ".join((cost, *lacking))


def usd(amount: Decimal) -> str:
    """Return an amount in words, to the cent, or to a hundredth of one where that says more."""
    digits = f"{amount:,.4f}"
    return f"{digits[:-2] if digits.endswith('00') else digits} USD"


_NAMES: Final = {
    "campaign": "the budget of campaign {campaign}",
    "domain": "the {name} budget of campaign {campaign}",
    "day": "the budget of campaign {campaign} for {name}",
    "member": "the budget of campaign {campaign} for this member",
}
