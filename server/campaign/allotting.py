"""Whose offers the campaign's money pays, decided once for all: by worth, not by who comes first.

The drafts are there, so every offer's expected cost is known. What all of them cost together mostly fits, and then
nobody is looked at. Otherwise items are served by modelled value per dollar, then confidence, then key; one that can't
be paid gets the next cheaper offer of the same type that can be, else it is held back as `budget_exhausted` with the
budgets that are short. The same drafts and budgets give the same answer, however often and wherever it is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from psycopg import AsyncConnection

from graph.affording import usd
from tools.database import Database
from tools.ledger import allotment
from tools.ledger.allotment import Budget, Claimant, CohortCost, Unpaid
from tools.ledger.campaigns import Campaign
from tools.ledger.money import BudgetScope

Scoped = tuple[BudgetScope, str]
"""A budget by scope and name."""

UNIT: Final = 10_000
"""Amounts are counted in hundredths of a cent, as the ledger keeps them."""


@dataclass(frozen=True, slots=True)
class Allotted:
    """How many open items get their cohort's offer, a cheaper one, or none for want of money; and what all cost."""

    paid: int
    cheaper: int
    unpaid: int
    cost_usd: Decimal


async def allot(database: Database, campaign: Campaign, *, model_usd: Decimal) -> Allotted:
    """Decide it and let the fan-out begin; one transaction. `model_usd` is what the drafts have cost.

    Raises DatabaseUnavailable.
    """
    of = campaign.campaign_id
    async with database.connection() as connection:
        await connection.execute("set local statement_timeout = 0")
        await connection.execute("set local idle_in_transaction_session_timeout = 0")
        await connection.execute("select pg_advisory_xact_lock(budgets_lock(%s))", (of,))
        costs = await allotment.costs_of(connection, of)
        budgets = await allotment.budgets_of(connection, of)
        purse = Purse(budgets, campaign.name, model_usd=model_usd)
        if purse.holds(costs, await allotment.dearest_member_usd(connection, of)):
            paid = sum(cost.items for cost in costs)
            found = Allotted(paid, 0, 0, sum((cost.items * cost.cost_usd for cost in costs), Decimal(0)))
        else:
            found = await _by_worth(connection, of, costs, purse)
        await allotment.mark_allotted(connection, of)
    return found


class Purse:
    """What is left of a campaign's budgets."""

    def __init__(self, budgets: Sequence[Budget], campaign: str, *, model_usd: Decimal = Decimal(0)) -> None:
        self._campaign = campaign
        self._limits = {(budget.scope, budget.name): budget.limit_usd for budget in budgets}
        self._left = {
            (budget.scope, budget.name): _units(budget.limit_usd - budget.used_usd)
            - (_units(model_usd) if budget.scope == "campaign" else 0)
            for budget in budgets
        }
        self._member = self._left.pop(("member", ""), None)
        self._of_members: dict[str, int] = {}

    @property
    def counts_members(self) -> bool:
        """Whether there is a budget for each member."""
        return self._member is not None

    def promised(self, members: Mapping[str, Decimal]) -> None:
        """Take into account what members were promised before."""
        self._of_members = {user_id: _units(amount) for user_id, amount in members.items()}

    def holds(self, costs: Sequence[CohortCost], dearest_member_usd: Decimal) -> bool:
        """Tell whether everything fits."""
        needs: dict[Scoped, int] = {}
        for cost in costs:
            keys: tuple[Scoped, ...] = (("campaign", ""), ("domain", cost.domain))
            for key in keys:
                needs[key] = needs.get(key, 0) + cost.items * _units(cost.cost_usd)
        fits = all(needs.get(key, 0) <= left for key, left in self._left.items())
        return fits and (self._member is None or _units(dearest_member_usd) <= self._limits_of_member)

    @property
    def _limits_of_member(self) -> int:
        return _units(self._limits["member", ""])

    def short(self, claimant: Claimant, cost_usd: Decimal) -> list[Scoped]:
        """Return the budgets that can't pay an offer."""
        cost = _units(cost_usd)
        keys: tuple[Scoped, ...] = (("campaign", ""), ("domain", claimant.domain))
        short = [key for key in keys if key in self._left and self._left[key] < cost]
        if self._member is not None:
            left = self._limits_of_member - self._of_members.get(claimant.user_id, 0)
            short += [("member", "")] if left < cost else []
        return short

    def pay(self, claimant: Claimant, cost_usd: Decimal) -> None:
        """Take an offer's cost out of every budget that counts it."""
        cost = _units(cost_usd)
        keys: tuple[Scoped, ...] = (("campaign", ""), ("domain", claimant.domain))
        for key in keys:
            if key in self._left:
                self._left[key] -= cost
        if self._member is not None:
            self._of_members[claimant.user_id] = self._of_members.get(claimant.user_id, 0) + cost

    def told(self, short: Sequence[Scoped], option_id: str, cost_usd: Decimal) -> str:
        """Say in words which budgets were short of an option's cost."""
        names = {"campaign": "the budget of campaign {c}", "domain": "the {n} budget of campaign {c}"}
        lacking = [
            names.get(scope, "the budget of campaign {c} for this member").format(c=self._campaign, n=name)
            + (
                f" has {usd(max(Decimal(self._left[scope, name]) / UNIT, Decimal(0)))} left"
                if scope != "member"
                else ""
            )
            + f" of {usd(self._limits[scope, name])}"
            for scope, name in short
        ]
        return f"{option_id} is expected to cost {usd(cost_usd)}; {'; '.join(lacking)}"


async def _by_worth(
    connection: AsyncConnection, campaign_id: int, costs: Sequence[CohortCost], purse: Purse
) -> Allotted:
    by_worth = sorted(costs, key=lambda cost: (-cost.worth, cost.cohort_id))
    cost_of = {cost.cohort_id: cost.cost_usd for cost in costs}
    options = await _options(connection, campaign_id)
    if purse.counts_members:
        purse.promised(await allotment.spent_on_members(connection, campaign_id))
    paid = cheaper = held = 0
    total = Decimal(0)
    unpaid: list[Unpaid] = []
    ranks = {cost.cohort_id: place for place, cost in enumerate(by_worth)}
    async for batch in allotment.claimants(connection, campaign_id, ranks):
        for claimant in batch:
            chosen, *others = options[claimant.cohort_id]
            short = purse.short(claimant, cost_of[claimant.cohort_id])
            if not short:
                purse.pay(claimant, cost_of[claimant.cohort_id])
                paid, total = paid + 1, total + cost_of[claimant.cohort_id]
                continue
            instead = next((other for other in others if not purse.short(claimant, other[1])), None)
            if instead is None:
                last_id, last_cost = (chosen, *others)[-1]
                detail = purse.told(purse.short(claimant, last_cost), last_id, last_cost)
                unpaid.append(Unpaid(claimant.prediction_key, None, detail))
                held += 1
            else:
                purse.pay(claimant, instead[1])
                unpaid.append(Unpaid(claimant.prediction_key, instead[0]))
                cheaper, total = cheaper + 1, total + instead[1]
    for part in allotment.chunked(unpaid):
        await allotment.leave_unpaid(connection, campaign_id, part)
    return Allotted(paid, cheaper, held, total)


async def _options(connection: AsyncConnection, campaign_id: int) -> dict[int, list[tuple[str, Decimal]]]:
    """Return each cohort's options with their cost: its own first, then the cheaper ones, dearest first."""
    cursor = await connection.execute(_OPTIONS, (campaign_id,))
    found: dict[int, list[tuple[str, Decimal]]] = {}
    async for cohort_id, option_id, cost_usd in cursor:
        found.setdefault(cohort_id, []).append((option_id, Decimal(cost_usd)))
    return found


_OPTIONS: Final = """
select k.cohort_id, offered.option_id, offered.terms ->> 'expected_cost_usd'
from campaign_cohort k cross join lateral (
    select k.record #>> '{terms,option_id}' as option_id, k.record -> 'terms' as terms, 0::bigint as place
    union all
    select cheaper.offer ->> 'option_id', cheaper.offer -> 'terms', cheaper.place
    from jsonb_array_elements(k.record #> '{cohort,cheaper}') with ordinality as cheaper (offer, place)
) as offered
where k.campaign_id = %s and k.status = 'done' order by k.cohort_id, offered.place
"""


def _units(amount_usd: Decimal) -> int:
    return round(amount_usd * UNIT)
